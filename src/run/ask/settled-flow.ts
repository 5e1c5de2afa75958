/**
 * How long a way takes once its flow is set up: what a path holds until it knows the way are the first packets of each flow, and they
 * say nothing of the line that a call goes on over.
 */
import type { Check } from '../../model/check.js';
import type { Tools } from '../tools.js';
import { openFlowToKnown } from './flow-to-known.js';
import { createWake } from './wake.js';

/** So many show by themselves what most packets take: 17 of 24 are more than half at 95 %. */
const PACKETS = 24;
const SPACING_MS = 40;

/**
 * Asks a port that passes: first once, until it is answered, then more over the same flow. Resolves with the round trips of these later
 * ones, in milliseconds; with null where the first stays unanswered. @throws the signal's reason when it fires
 */
export const askSettled = async (way: Check, tools: Tools): Promise<readonly number[] | null> => {
  const { net, path, signal } = tools;
  const asked: { rttMs: number | null }[] = [];
  const waiting = createWake(net.sleep);
  const flow = await openFlowToKnown(way, tools, {
    asking: () => asked.push({ rttMs: null }),
    answered: (index, afterMs) => {
      const one = asked[index];
      if (one) one.rttMs = afterMs;
      waiting.wake();
    },
  });
  const untilAnswered = async (): Promise<void> => {
    const untilMs = net.now() + path.lateMs('udp');
    while (asked.some(({ rttMs }) => rttMs === null) && net.now() < untilMs) {
      await waiting.wait(untilMs - net.now(), signal);
    }
  };
  try {
    await flow.ask();
    await untilAnswered();
    if (asked[0]?.rttMs == null) return null;
    for (let packet = 0; packet < PACKETS; packet += 1) {
      await flow.ask();
      await net.sleep(SPACING_MS, signal);
    }
    await untilAnswered();
  } finally {
    flow.close();
  }
  return asked.slice(1).flatMap(({ rttMs }) => rttMs ?? []);
};
