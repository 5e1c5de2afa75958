/**
 * Asks over the flow that an agent keeps from run to run, as a phone keeps its own: after a change of the outer address it
 * may be dead while every new one works.
 */
import { askFrom, isTransaction } from './source-ports.js';
import type { StudiedFarEnd, Study } from './study.js';

/**
 * It is asked twice, so far apart in milliseconds: firewalls remember a conversation for longer than a single question
 * (Linux takes a flow for one after two seconds), and until the next run it must be remembered.
 */
const AGAIN_AFTER_MS = 2500;
const REQUEST_BYTES = 640;

/** The same place in each run: another one would be another flow. */
const placeOf = (farEnd: StudiedFarEnd | undefined) =>
  [...(farEnd?.passing ?? [])].filter(isTransaction).sort((a, b) => (a.id < b.id ? -1 : 1))[0] ?? null;

export const study = {
  kind: 'persistent-flow',
  // Its port may be the one that is tried from outside.
  after: ['inbound'],
  wanted: ({ persistentPort }) => persistentPort !== undefined,
  cost: () => ({ packets: 2, bytes: 2 * REQUEST_BYTES }),
  ask: async ([first], tools, { persistentPort }) => {
    const check = placeOf(first);
    if (!check || persistentPort === undefined) return [];
    const fact = await askFrom(check, persistentPort, tools);
    if (fact.answers > 0) {
      await tools.net.sleep(AGAIN_AFTER_MS, tools.signal).catch(() => undefined);
      if (!tools.signal.aborted) await askFrom(check, persistentPort, tools);
    }
    return [fact];
  },
} as const satisfies Study<'persistent-flow'>;
