/** One thing at a time, in the order of the calls. */

/** Runs what it is given when all that came before is done, whatever became of that. */
export const createInTurn = () => {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
};
