/** A defect in one responder costs one answer and a warning now and then, and never the process. */

/** How long between two warnings, so that whoever provokes a defect cannot fill a disk. */
const DEFECT_TOLD_EVERY_MS = 60_000;

type Run = <T>(work: () => T) => T;

/**
 * Returns how to run what may be defective; `otherwise` is its answer then.
 * @param within runs the work in its surroundings
 */
export const createGuard = (
  warn: (message: string) => void,
  within: Run,
): (<T>(respond: () => T, otherwise: T) => T) => {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (respond, otherwise) => {
    try {
      return within(respond);
    } catch (error) {
      const now = performance.now();
      if (now - toldAt > DEFECT_TOLD_EVERY_MS) {
        warn(`a defect in callpath, please report it: ${(error as Error)?.stack ?? error}`);
        toldAt = now;
      }
      return otherwise;
    }
  };
};
