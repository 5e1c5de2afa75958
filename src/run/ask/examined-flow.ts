/**
 * One flow to a port that is known to pass, examined: which of its packets were answered, and how late. Several of them tell
 * whether flows live and die, and what becomes of the first packet of each.
 */
import type { Check } from '../../model/check.js';
import type { FlowFacts } from '../../model/far-end.js';
import type { Tools } from '../tools.js';
import { openFlowToKnown } from './flow-to-known.js';

/** Of each flow; four in vain are no chance even where a third is lost. */
export const PACKETS = 4;
/** A flow that answered none of those is asked so many more, until one is answered: then it was loss. */
const MORE_PACKETS = 6;
const SPACING_MS = 150;
/** A first packet that comes so much later than the next was held, not delayed: longer than jitter that calls bear. */
export const HELD_MS = 100;

/** A phone's keepalives are rarer; limits that calls live with let one pass in such a time. */
const SLOW_MS = 1200;
const SLOW_PACKETS = 2;

export interface Flow {
  readonly way: Check;
  readonly sourcePort: number;
  readonly askedAtMs: readonly number[];
  readonly answeredAfterMs: (number | null)[];
}

/** Asks over a source port of its own. @throws the signal's reason when it fires */
export const askFlow = async (way: Check, tools: Tools): Promise<Flow> => {
  const { net, path, signal, timeline } = tools;
  const answeredAfterMs: (number | null)[] = [];
  const askedAtMs: number[] = [];
  const flow = await openFlowToKnown(way, tools, {
    asking: () => {
      answeredAfterMs.push(null);
      askedAtMs.push(net.now());
    },
    answered: (index, afterMs) => {
      answeredAfterMs[index] = afterMs;
    },
  });
  timeline.opened(way.address ?? '');
  const isDead = (): boolean => answeredAfterMs.every((ms) => ms === null);
  const askWhile = async (packets: number, goesOn: () => boolean): Promise<void> => {
    for (let packet = 0; packet < packets && goesOn(); packet += 1) {
      await flow.ask();
      await net.sleep(SPACING_MS, signal);
    }
    if (goesOn()) await net.sleep(path.lateMs('udp'), signal);
  };
  try {
    await askWhile(PACKETS, () => true);
    await askWhile(MORE_PACKETS, isDead);
  } finally {
    flow.close();
  }
  return { way, sourcePort: flow.sourcePort, askedAtMs, answeredAfterMs };
};

/**
 * Whether a flow of which nothing came back passes after all, once it is asked slowly and alone, with one of so many packets: what
 * a limit of packets took passes then, and what goes to a dead link never does. @throws the signal's reason when it fires
 */
export const passesSlowly = async (
  { way, sourcePort }: Flow,
  tools: Tools,
  packets = SLOW_PACKETS,
): Promise<boolean> => {
  const { net, path, signal } = tools;
  let isAnswered = false;
  const answered = (): void => {
    isAnswered = true;
  };
  const flow = await openFlowToKnown(way, tools, { asking: () => undefined, answered }, sourcePort);
  try {
    for (let packet = 0; packet < packets && !isAnswered; packet += 1) {
      await net.sleep(SLOW_MS, signal);
      await flow.ask();
      await net.sleep(path.lateMs('udp'), signal);
    }
  } finally {
    flow.close();
  }
  return isAnswered;
};

/** The number that most of these are, the smallest of several; 0 of none. */
const commonest = (counts: readonly number[]): number => {
  const times = (count: number): number => counts.filter((one) => one === count).length;
  return [...new Set(counts)].sort((a, b) => times(b) - times(a) || a - b)[0] ?? 0;
};

export const isAlive = ({ answeredAfterMs }: Flow): boolean => answeredAfterMs.some((ms) => ms !== null);

/** What so many flows show together. */
export const factsOf = (flows: readonly Flow[]): FlowFacts => {
  const living = flows.filter(isAlive);
  const dead = flows.filter((flow) => !isAlive(flow));
  /** How many were lost before the first that was answered, if no more than one was after it: a line may lose a little as well. */
  const leadingOf = ({ answeredAfterMs }: Flow): number => {
    const at = answeredAfterMs.findIndex((ms) => ms !== null);
    return at > 0 && answeredAfterMs.slice(at).filter((ms) => ms === null).length <= 1 ? at : 0;
  };
  const leading = living.map(leadingOf).filter((count) => count > 0);
  // A path that sets flows up loses as many of each; a limit of flows or packets takes now more and now fewer.
  const usual = commonest(leading);
  const firstLost = leading.filter((count) => count === usual).length;
  const isFirstHeld = ({ answeredAfterMs: [first, ...rest] }: Flow): boolean => {
    const later = rest.flatMap((ms) => ms ?? []);
    return typeof first === 'number' && later.length > 0 && first > Math.max(...later) + HELD_MS;
  };
  return {
    asked: flows.length,
    dead: dead.length,
    packetsOfDead: dead.length === 0 ? 0 : Math.min(...dead.map(({ answeredAfterMs }) => answeredAfterMs.length)),
    firstLost,
    firstPackets: firstLost * usual,
    firstHeld: living.filter(isFirstHeld).length,
    packetsOfLiving: living.reduce((sum, { answeredAfterMs }) => sum + answeredAfterMs.length, 0),
    lostOfLiving: living.reduce((sum, flow) => sum + flow.answeredAfterMs.filter((ms) => ms === null).length, 0),
  };
};
