/**
 * Is it the port, or is it how much is asked? What a sweep tries where ports stay silent or known ones lose: fresh flows
 * to known ports, the same questions fast and slow.
 */
import type { LossSample, PathLimit } from '../../model/observation.js';
import { lossLowerBound } from '../../verdict/silence.js';
import type { Tools } from '../tools.js';
import type { Canaries } from './canary.js';
import type { Exchange } from './exchange.js';
import { askFresh } from './fresh.js';
import { findRateLimit, NOTABLE_LOSS, refusesNewFlows, SLOW_SHARE } from './limit.js';
import { type SweptPort, sweptPort } from './port.js';
import { shuffled } from './shuffle.js';

/** Fresh flows to known ports that are tried when ports stay silent; at a loss of one half, ten silent ones prove it. */
const FRESH_CANARIES = 12;
/** So often they are tried before new flows are called refused: all that stays silent would be unknown for it. */
const FRESH_TIMES = 2;
/** A fresh socket is kept open for so many milliseconds at least. */
const FRESH_HELD_MS = 20;

export interface Experiments {
  /** Asks silent ports from fresh sockets; a few known ports among them tell whether new flows pass at all. */
  fresh(ports: readonly SweptPort[], signal: AbortSignal): Promise<void>;
  /** Where known ports lose notably, finds out whether slower is better, and goes on at what passes. */
  examine(sample: LossSample, packetsPerSecond: number, signal: AbortSignal): Promise<boolean>;
  /** Whether it is known if new flows pass. */
  areFlowsKnown(): boolean;
  limit(): PathLimit | null;
  /** Flows that were opened for these experiments. */
  flows(): number;
}

interface ExperimentsInput {
  readonly tools: Tools;
  readonly exchange: Exchange;
  readonly canaries: Canaries;
  /** Resolves when nothing else is sent to this address, so that an experiment measures itself alone. */
  readonly quiet: Promise<unknown>;
  /** Flows that passed so far. */
  readonly passedFlows: () => number;
}

/** The experiments of one sweep. */
export const createExperiments = ({ tools, exchange, canaries, quiet, passedFlows }: ExperimentsInput): Experiments => {
  const { net, path } = tools;
  let limit: PathLimit | null = null;
  let isLimitKnown = false;
  let areFlowsKnown = false;
  let flows = 0;
  const askAll = async (ports: readonly SweptPort[], pace: () => Promise<void>, signal: AbortSignal): Promise<void> => {
    const held = { atLeastMs: Math.max(FRESH_HELD_MS, exchange.placeMs()), lateMs: path.lateMs('udp') };
    flows += ports.length;
    await askFresh(ports, tools, held, pace, signal);
  };

  /** Known ports over new flows and over old ones in turn, so that a burst of loss meets both; null if none is known. */
  const areNewFlowsRefused = async (signal: AbortSignal): Promise<boolean | null> => {
    const copies = Array.from({ length: FRESH_CANARIES }, () => canaries.next()).flatMap((one) =>
      one ? [sweptPort(one.check, one.probe)] : [],
    );
    if (copies.length === 0) return null;
    canaries.begin();
    const pace = async (): Promise<void> => {
      await exchange.pace(signal);
      const old = canaries.next();
      if (old) await exchange.ask(old, signal);
    };
    await askAll(copies, pace, signal);
    const sample = {
      trials: copies.reduce((sum, { packets }) => sum + packets, 0),
      answers: copies.filter(({ answers }) => answers > 0).length,
    };
    const old = canaries.sample();
    canaries.begin();
    return refusesNewFlows(sample, old);
  };

  return {
    fresh: async (ports, signal) => {
      if (ports.length > 0) await askAll(shuffled(ports, net.random), () => exchange.pace(signal), signal);
      if (areFlowsKnown) return;
      for (let time = 0; time < FRESH_TIMES; time += 1) {
        const refused = await areNewFlowsRefused(signal);
        if (refused === null) return;
        areFlowsKnown = true;
        if (!refused) return;
      }
      limit = { kind: 'flows', flows: passedFlows() };
    },
    examine: async (sample, packetsPerSecond, signal) => {
      if (isLimitKnown || lossLowerBound(sample) < NOTABLE_LOSS) return false;
      await Promise.race([quiet, new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))]);
      signal.throwIfAborted();
      isLimitKnown = true;
      const begins = await findRateLimit(exchange, canaries, net.now, packetsPerSecond, path.lateMs('udp'), signal);
      if (begins === null) return false;
      limit = { kind: 'rate', packetsPerSecond: begins };
      exchange.setRate(begins * SLOW_SHARE);
      return true;
    },
    areFlowsKnown: () => areFlowsKnown,
    limit: () => limit,
    flows: () => flows,
  };
};
