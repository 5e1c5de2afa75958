/** One signal of two, for as many listeners as there are questions in flight: Node takes more than ten for a leak, and says so. */
import { setMaxListeners } from 'node:events';

/** Fires with the first of them, and with its reason. */
export const either = (one: AbortSignal, other: AbortSignal): AbortSignal => {
  const signal = AbortSignal.any([one, other]);
  setMaxListeners(0, signal);
  return signal;
};
