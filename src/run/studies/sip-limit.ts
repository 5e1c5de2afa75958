/**
 * Is it the message, or how many of them? What stays silent on SIP's port is asked once more after a pause, as a phone
 * would, and so is what is known to pass: a flood limit and a cut-off swallow every kind of message alike.
 */
import type { Check } from '../../model/check.js';
import type { LossSample } from '../../model/observation.js';
import type { SipLimit } from '../../model/study-facts.js';
import { lossLowerBound, lossUpperBound, packetsNeeded, SINGLE_CHECK_DOUBT } from '../../verdict/silence.js';
import { askCheck } from '../ask/ask.js';
import { openFlowToKnown, type Question } from '../ask/flow-to-known.js';
import { unlessLineLost } from '../line-lost.js';
import { passed } from '../observations.js';
import type { Tools } from '../tools.js';

/** Flood limits let a message pass every three seconds and more often: as many as a phone sends in a call's busiest moment. */
const PAUSE_MS = 3300;
/** So often what is known to pass is asked before it is called silent: as often as the path's loss asks for, within reason. */
const LEAST_TRIES = 2;
const MOST_TRIES = 6;
/** A single message; a burst would be what is limited. */
const ONCE = { samples: 1, doubt: 0, atMost: 1 } as const;

/**
 * Each silent question after a pause, over one flow that is known to stand, so that no limit of new flows plays a part; and right
 * after it what is known to pass, which a limit would drop then as well. Resolves with what came of it. @throws the signal's reason
 */
const askBeside = async (
  silent: readonly Question[],
  known: Check,
  tools: Tools,
): Promise<'one-passes' | 'all-silent' | 'known-silent'> => {
  const { net, path, signal } = tools;
  const answered = new Set<number>();
  let asked = 0;
  const flow = await openFlowToKnown(known, tools, {
    asking: (index) => {
      asked = index;
    },
    answered: (index) => answered.add(index),
  });
  const passes = async (question?: Question): Promise<boolean> => {
    await flow.ask(question);
    const own = asked;
    await net.sleep(path.lateMs('udp'), signal);
    return answered.has(own);
  };
  const tries = Math.min(MOST_TRIES, Math.max(LEAST_TRIES, packetsNeeded(path.upperBound(), SINGLE_CHECK_DOUBT)));
  const knownPasses = async (): Promise<boolean> => {
    for (let time = 0; time < tries; time += 1) if (await passes()) return true;
    return false;
  };
  try {
    if (!(await knownPasses())) return 'known-silent';
    for (const question of silent) {
      await net.sleep(PAUSE_MS, signal);
      if (await passes(question)) return 'one-passes';
      if (!(await knownPasses())) return 'known-silent';
    }
    return 'all-silent';
  } finally {
    flow.close();
  }
};

/**
 * What limits the port, or null where the silence is the messages' own; `untold` where the run or the line ended before.
 * @param silent questions that stayed silent; each is put once more, once
 * @param known what passed on this port before
 */
export const findSipLimit = async (
  silent: readonly Question[],
  known: Check,
  tools: Tools,
): Promise<SipLimit | null | 'untold'> => {
  const { net, signal } = tools;
  const limit = (kind: SipLimit['kind']): SipLimit => ({ kind, port: known.port });
  /** Nothing passes over UDP at all: that is no limit of this port's. */
  const isAway = (): boolean => tools.timeline.isSilent(known.address ?? '', 'udp');
  if (silent.length === 0 || isAway()) return null;
  try {
    const found = await askBeside(silent, known, tools);
    if (found === 'one-passes') return limit('rate');
    if (found === 'all-silent') return null;
    await net.sleep(PAUSE_MS, signal);
    const last = await askCheck(known, tools.probeOf(known.probe), { ...ONCE, atMost: 2 }, tools);
    if (passed(last)) return limit('rate');
    return signal.aborted || isAway() ? 'untold' : limit('cut-off');
  } catch (error) {
    unlessLineLost(signal)(error);
    return 'untold';
  }
};

/** A port that loses less than this more than others is not looked at further: too many slow messages would be needed. */
const NOTABLE_LOSS = 0.4;
/** Slower than any limit that a phone alone would feel. */
const SLOW_MS = 1100;

/**
 * What limits the port although everything passes in the end: far more is lost there than of the same messages to another port
 * at the same time, and nothing of those sent slowly. Null where that is not so.
 * @param here what was sent to the port and answered, at the pace of this run
 * @param elsewhere the same of the other port
 */
export const findSlowLimit = async (
  known: Check,
  here: LossSample,
  elsewhere: LossSample,
  tools: Tools,
): Promise<SipLimit | null> => {
  const { net, signal } = tools;
  const lost = lossLowerBound(here);
  if (lost < NOTABLE_LOSS || lost <= (lossUpperBound(elsewhere) ?? 1)) return null;
  // If it were chance, so many would not all pass.
  const slowly = packetsNeeded(1 - lost, SINGLE_CHECK_DOUBT);
  await net.sleep(PAUSE_MS, signal).catch(() => undefined);
  for (let sent = 0; sent < slowly; sent += 1) {
    await net.sleep(SLOW_MS, signal).catch(() => undefined);
    if (signal.aborted || !passed(await askCheck(known, tools.probeOf(known.probe), ONCE, tools))) return null;
  }
  return { kind: 'rate', port: known.port, some: { ...here, slowly } };
};
