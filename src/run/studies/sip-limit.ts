/**
 * Is it the message, or how many of them? What stays silent on SIP's port is asked once more after a pause, as a phone
 * would, and so is what is known to pass: a flood limit and a cut-off swallow every kind of message alike.
 */
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import type { SipLimit } from '../../model/study-facts.js';
import { askCheck } from '../ask/ask.js';
import { passed } from '../observations.js';
import type { Tools } from '../tools.js';

/** Flood limits let a message pass every three seconds and more often: as many as a phone sends in a call's busiest moment. */
const PAUSE_MS = 3300;
/** A single message; a burst would be what is limited. */
const ONCE = { samples: 1, doubt: 0, atMost: 1 } as const;

/**
 * What limits the port, or null where the silence is the message's own.
 * @param ask puts one silent question once more, once
 * @param known what passed on this port before
 */
export const findSipLimit = async (
  ask: () => Promise<Observation>,
  known: Check,
  tools: Tools,
): Promise<SipLimit | null> => {
  const { net, signal } = tools;
  const pause = (): Promise<void> => net.sleep(PAUSE_MS, signal).catch(() => undefined);
  const limit = (kind: SipLimit['kind']): SipLimit => ({ kind, port: known.port });
  /** Nothing passes over UDP at all: that is no limit of this port's. */
  const isAway = (): boolean => tools.timeline.isSilent(known.address ?? '', 'udp');
  if (isAway()) return null;
  await pause();
  if (signal.aborted) return null;
  if (passed(await ask())) return limit('rate');
  await pause();
  if (signal.aborted) return null;
  const control = await askCheck(known, tools.probeOf(known.probe), ONCE, tools);
  if (passed(control)) return null;
  await pause();
  const last = await askCheck(known, tools.probeOf(known.probe), { ...ONCE, atMost: 2 }, tools);
  if (passed(last)) return limit('rate');
  return signal.aborted || isAway() ? null : limit('cut-off');
};
