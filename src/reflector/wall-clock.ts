/** The time of day in microseconds: as fine as the monotonic clock, and right again after the host's clock was set. */

/** The system corrects its clock by less than this without setting it. */
const SET_MS = 20;

/** A clock that follows `Date.now()`. */
export const createWallClock = (
  wallMs: () => number = Date.now,
  monotonicMs: () => number = () => performance.now(),
): (() => bigint) => {
  let origin = wallMs() - monotonicMs();
  return () => {
    const wall = wallMs();
    const monotonic = monotonicMs();
    if (Math.abs(origin + monotonic - wall) > SET_MS) origin = wall - monotonic;
    return BigInt(Math.round((origin + monotonic) * 1000));
  };
};
