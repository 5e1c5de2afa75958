/** Waits while a line is away: what is asked of it meanwhile is lost, and tells nothing. */
import type { Tools } from '../tools.js';

const LOOK_EVERY_MS = 100;

/**
 * Resolves when the address answers again, or is not worth waiting for; at once where nothing is missed.
 * @throws the signal's reason when it fires
 */
export const whileAway = async (
  address: string,
  { net, timeline }: Pick<Tools, 'net' | 'timeline'>,
  signal: AbortSignal,
): Promise<void> => {
  while (timeline.isSilent(address) && !timeline.isDeaf(address)) await net.sleep(LOOK_EVERY_MS, signal);
};
