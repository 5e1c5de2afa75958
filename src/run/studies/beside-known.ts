/**
 * Is it what was sent, or the port? What stayed silent on a port is asked again between two questions that are known to pass
 * there: only where both are answered is its silence its own, and not that of a port that is away for some seconds.
 */
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import { RANGE_PORT_DOUBT } from '../../verdict/silence.js';
import { askCheck } from '../ask/ask.js';
import { isSilent, passed } from '../observations.js';
import type { Tools } from '../tools.js';

/** A lost answer must not look like a port that is away. */
const KNOWN = { samples: 1, doubt: RANGE_PORT_DOUBT, atMost: 4 } as const;
/** With the questions themselves 12 seconds and more: longer than a reload of rules or a change of providers takes. */
const ROUNDS = 3;
const PAUSE_MS = 3000;

/**
 * Asks all questions at once, between two that are known to pass on the same port; again after a pause where one of these two
 * is silent.
 * @param known what passed on this port before
 * @returns for each question what was observed of it; null where the port itself was silent in all rounds, or the run ended
 */
export const askBesideKnown = async (
  known: Check,
  questions: readonly (() => Promise<Observation>)[],
  tools: Tools,
): Promise<readonly (Observation | null)[]> => {
  const { net, signal } = tools;
  const isThere = async (): Promise<boolean> => passed(await askCheck(known, tools.probeOf(known.probe), KNOWN, tools));
  const found: (Observation | null)[] = questions.map(() => null);
  for (let round = 0; round < ROUNDS; round += 1) {
    const open = questions.flatMap((ask, index) => (found[index] ? [] : [{ ask, index }]));
    if (open.length === 0 || signal.aborted) break;
    if (round > 0) await net.sleep(PAUSE_MS, signal).catch(() => undefined);
    if (!(await isThere())) continue;
    const heard = await Promise.all(open.map(async ({ ask, index }) => ({ index, observation: await ask() })));
    const isWhole = heard.every(({ observation }) => !isSilent(observation)) || (await isThere());
    for (const { index, observation } of heard) {
      if (isWhole || !isSilent(observation)) found[index] = observation;
    }
  }
  return found;
};
