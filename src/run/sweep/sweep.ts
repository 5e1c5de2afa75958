/**
 * The sweep: many ports of one address, asked in shuffled rounds over one socket until the path's loss cannot explain
 * the silence of any that is left. Loss is measured at the same time and rate on ports that are known to pass.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Check, Family, Key } from '../../model/check.js';
import type { LossSample, Observation, PathLimit } from '../../model/observation.js';
import { failureOf, type SocketError } from '../../net/errno.js';
import { lossUpperBound } from '../../verdict/silence.js';
import { whileAway } from '../ask/hold.js';
import { addSamples } from '../path.js';
import type { Tools } from '../tools.js';
import { type Canaries, createCanaries, type Way } from './canary.js';
import { type Depth, MAX_ROUNDS, MIN_ROUNDS, packetsPerPort } from './depth.js';
import { createExchange, type Exchange } from './exchange.js';
import { createExperiments, type Experiments } from './experiments.js';
import { failed, forgetUnheard, lostOf, observationOf, type SweptPort, sweptPort } from './port.js';
import { shuffled, spread } from './shuffle.js';

/** All rounds together last at least so long, in milliseconds; a burst of loss that lasts longer is an outage. */
const SPREAD_MS = 2000;
/** Before a port is asked again its answer is waited for so long at least; it counts later, too. */
const SETTLE_MS = 50;
/**
 * A sweep begins when a round trip is known, or after so long: what is asked again before answers can be back looks like
 * loss and costs a packet for each port.
 */
const UNKNOWN_WAY_MS = 2000;
const LOOK_EVERY_MS = 20;

/**
 * Which of a sweep's source ports asks in which round: the first twice, because the first packet of a flow can be lost
 * where its second is not; three in all before anything is said of a port.
 */
const FLOW_OF_ROUND = [0, 0, 1, 2] as const;
const FLOWS = 3;

/** What is on its way back longer than that many of the longest round trips is lost. */
const PATIENCE = 1.25;
/** An ICMP error is seen this often before it is believed. */
const MAX_ERRORS = 2;
/** One known port among so many others, and so many in a round at least, and about at most. */
export const PORTS_PER_CANARY = 8;
const MIN_CANARIES = 24;
const MAX_CANARIES = 512;
/**
 * Silent ports that are asked once more from sockets of their own. Systems answer about once a second with an ICMP
 * error (Linux: icmp_ratelimit), after a few at once, so more sockets would hear no more.
 */
const MAX_FRESH = 512;
/** And those that did answer with an error, to hear it twice. */
const MAX_CONFIRMED = 64;
/** So many silent ones after a first round are worth knowing whether it is their own doing. */
const NOTABLY_SILENT = 16;

/**
 * Receipts that are asked for the ports of a batch, the last packets of each first: reflectors remember the last 131,072
 * of a session (docs/protocol.md). Two of a port at least, so that with loss a direction is not told by a single packet.
 */
const MAX_RECEIPTS = 65_536;
const MIN_RECEIPTS = 2;
/** Ports that answered and are asked receipts for all the same; one tells as much as all. */
const VOUCHING_PORTS = 8;

export interface SweepResult {
  readonly observations: readonly Observation[];
  /** Ports that stayed silent to scouting, with what little is known of them. */
  readonly hints: readonly Observation[];
}

export interface Sweeper {
  /** Asks these ports, each by its own probe or all by `probe`. Resolves with what is known when `signal` fires, too. */
  ask(checks: readonly Check[], depth: Depth, probe?: Probe): Promise<SweepResult>;
  /** Asks from another source port from now on. */
  renewFlows(): Promise<void>;
  /** What was found to limit the path, or null. */
  limit(): PathLimit | null;
  /** Flows that were opened so far: what a firewall had to remember. */
  flows(): number;
  close(): void;
}

/** What became of a port. */
interface Decided {
  readonly key: Key;
  readonly port: number;
  readonly passes: boolean;
}

interface SweepInput {
  readonly address: string;
  readonly family: Family;
  readonly tools: Tools;
  /** Ways that are known to pass besides the ports of the sweep. */
  readonly ways: () => readonly Way[];
  /** Resolves when nothing else is sent to this address, so that an experiment measures itself alone. */
  readonly quiet: Promise<unknown>;
  /** Packets that the whole run has time for. */
  readonly maxPackets: number;
  /** Told after each round: one message for many ports. */
  readonly onDecided: (decided: readonly Decided[]) => void;
}

interface Line {
  readonly exchange: Exchange;
  readonly canaries: Canaries;
  readonly experiments: Experiments;
}

const decided =
  (passes: boolean) =>
  ({ check }: SweptPort): Decided => ({ key: check.key, port: check.port, passes });

/** A sweep of one address; its socket opens with the first question. */
export const createSweeper = (input: SweepInput): Sweeper => {
  const { tools } = input;
  const { net, path, probeOf, timeline } = tools;
  /** Whether the far end has ended: what is silent since then is nobody's fault. */
  const isDeaf = (): boolean => timeline.isDeaf(input.address, 'udp');
  let line: Line | null = null;
  let loss: LossSample = { trials: 0, answers: 0 };
  let passedFlows = 0;
  let firstFlow = 0;
  /** Some that passed in earlier rounds. */
  let passed: readonly SweptPort[] = [];
  const flows = new Set<number>();

  const open = async (): Promise<Line> => {
    if (line) return line;
    const exchange = await createExchange(input.address, input.family, tools);
    const canaries = createCanaries(exchange);
    const { quiet } = input;
    const experiments = createExperiments({
      tools,
      exchange,
      canaries,
      quiet,
      passedFlows: () => passedFlows,
    });
    line = { exchange, canaries, experiments };
    return line;
  };
  const begunAtMs = net.now();
  /** Over UDP: connections may take another, quicker way. */
  const isWayKnown = (): boolean => timeline.spans(input.address, 'udp').length > 0;
  const untilWayKnown = async (signal: AbortSignal): Promise<void> => {
    while (!isWayKnown() && net.now() - begunAtMs < UNKNOWN_WAY_MS) await net.sleep(LOOK_EVERY_MS, signal);
  };
  const bound = (): number | null => lossUpperBound(loss) ?? path.upperBound();
  const isOpen = ({ answers, errors }: SweptPort): boolean => answers === 0 && errors < MAX_ERRORS;

  /** Ends a count of canaries, and adds it to what is known of loss. */
  const count = (canaries: Canaries): LossSample => {
    const sample = canaries.sample();
    // Nothing at all has come back yet: the way may be longer than was waited.
    if (!isWayKnown()) {
      canaries.begin();
      return sample;
    }
    const lostAtMs = canaries.asked().flatMap((port) => (port.answers > 0 ? lostOf(port) : []));
    canaries.begin();
    loss = addSamples(loss, sample);
    path.open(input.address, 'udp')(sample.trials, sample.answers, lostAtMs);
    return sample;
  };

  /** Resolves with the packets per second that were sent. */
  const askRound = async (
    ports: readonly SweptPort[],
    { needsCanaries, settleMs }: { readonly needsCanaries: boolean; readonly settleMs: () => number },
    signal: AbortSignal,
  ): Promise<number> => {
    const { exchange, canaries } = await open();
    const begun = net.now();
    const before = tools.totals.packetsSent;
    const spaced = Math.max(PORTS_PER_CANARY, Math.floor(ports.length / MAX_CANARIES));
    const every = needsCanaries ? Math.max(1, Math.min(spaced, Math.floor(ports.length / MIN_CANARIES))) : spaced;
    const learn = (): void => {
      if (!canaries.wants()) return;
      const answered = ports.filter(({ answers }) => answers > 0).slice(0, PORTS_PER_CANARY);
      canaries.learn([...answered, ...passed].map(({ check, probe }) => ({ check, probe, proven: true })));
      canaries.learn(input.ways());
    };
    const canary = async (): Promise<void> => {
      const next = canaries.next();
      if (!next) return;
      await exchange.ask(next, signal);
      timeline.expected(input.address, 'udp', next.check.port);
    };
    learn();
    let sent = 0;
    for (const port of shuffled(ports, net.random)) {
      if (timeline.isSilent(input.address, 'udp')) await whileAway(input.address, 'udp', tools, signal);
      // Most are sent at once; a promise for each would cost as much as its packet.
      const sending = exchange.ask(port, signal);
      if (sending) await sending;
      flows.add(port.check.port);
      sent += 1;
      if (sent % every !== 0) continue;
      if (sent % (every * PORTS_PER_CANARY) === 0) learn();
      await canary();
    }
    for (let extra = Math.floor(sent / every); needsCanaries && extra < MIN_CANARIES; extra += 1) await canary();
    const rate = ((tools.totals.packetsSent - before) * 1000) / Math.max(1, net.now() - begun);
    await exchange.settle({ once: ports, each: canaries.asked() }, settleMs(), signal);
    for (const rtt of exchange.takeRtts()) path.reportRtt(rtt, 'udp');
    return rate;
  };

  const rounds = async (ports: readonly SweptPort[], depth: Depth, signal: AbortSignal): Promise<void> => {
    const { exchange, canaries, experiments } = await open();
    const certain = depth === 'certain';
    for (let round = 0; round < MAX_ROUNDS && !isDeaf(); round += 1) {
      const { maxPackets } = input;
      const batch = { ports: ports.length, swept: flows.size, lossUpperBound: bound(), maxPackets };
      const target = packetsPerPort(depth, batch);
      const left = ports.filter((port) => isOpen(port) && port.counted < target);
      if (left.length === 0) return;
      const begun = net.now();
      const isLast = left.every(({ counted }) => counted + 1 >= target);
      const settleMs = (): number => {
        const usual = Math.max(SETTLE_MS, exchange.placeMs(), PATIENCE * path.longestRttMs('udp'));
        // A scout that answers too late is asked again where it matters.
        return isLast ? (certain ? path.lateMs('udp') : 2 * usual) : usual;
      };
      // The flow of a question that was asked twice in vain may be the dead one.
      if (certain)
        await exchange.fromFlow(
          firstFlow + (round < FLOW_OF_ROUND.length ? (FLOW_OF_ROUND[round] ?? 0) : round % FLOWS),
        );
      const rate = await askRound(left, { needsCanaries: certain && round > 0, settleMs }, signal);
      const sample = count(canaries);
      const passing = left.filter(({ answers }) => answers > 0);
      passedFlows += passing.length;
      passed = [...passed, ...passing.slice(0, PORTS_PER_CANARY)].slice(-PORTS_PER_CANARY);
      if (passing.length > 0) input.onDecided(passing.map(decided(true)));
      const silent = left.filter(({ answers }) => answers === 0);
      const refused = silent.filter(({ errors }) => errors > 0);
      if (certain && silent.length > 0 && round === 1) {
        await experiments.fresh(spread(silent, MAX_FRESH), signal);
      } else if (!certain && silent.length >= NOTABLY_SILENT && !experiments.areFlowsKnown()) {
        await experiments.fresh([], signal);
      } else if (refused.length > 0) {
        await experiments.fresh(spread(refused, MAX_CONFIRMED), signal);
      }
      if (experiments.limit()?.kind === 'flows') return;
      if (await experiments.examine(sample, rate, signal)) {
        loss = { trials: 0, answers: 0 };
        path.forgetLoss();
        for (const port of ports) port.counted = 0;
      }
      const rest = SPREAD_MS / Math.max(MIN_ROUNDS, target) - (net.now() - begun);
      if (rest > 0 && certain && silent.some(({ counted }) => counted < target)) await net.sleep(rest, signal);
    }
  };

  return {
    renewFlows: async () => {
      const { exchange } = await open();
      firstFlow += FLOWS;
      await exchange.fromFlow(firstFlow);
    },
    ask: async (checks, depth, probe) => {
      const ports = checks.map((check) => sweptPort(check, probe ?? probeOf(check.probe)));
      let interrupted = false;
      const opened = await open().catch((error: unknown) => {
        if (error instanceof Error) throw error;
        for (const port of ports) failed(port, failureOf(error as SocketError, 'udp'), error as SocketError);
        return null;
      });
      if (!opened) return { observations: ports.map((port) => observationOf(port, false)), hints: [] };
      const { exchange } = opened;
      await untilWayKnown(tools.signal).catch(() => undefined);
      for (const port of ports) exchange.watch(port);
      // Known ports are asked over the flow that they are known by.
      await exchange.fromFlow(firstFlow);
      try {
        await rounds(ports, depth, tools.signal);
        await exchange.fromFlow(firstFlow);
        // Late is not lost: of a port that answered, what it was asked again meanwhile is answered as well.
        const late = ports.filter(({ answers, packets }) => answers > 0 && answers < packets);
        if (late.length > 0) await exchange.settle({ each: late }, path.lateMs('udp'), tools.signal);
      } catch (error) {
        if (!tools.signal.aborted) throw error;
        interrupted = true;
      }
      const answersTakeMs = PATIENCE * path.longestRttMs('udp');
      for (const port of ports) {
        exchange.forget(port);
        forgetUnheard(port, answersTakeMs);
        path.open(input.address, 'udp', port.check.port)(port.packets, port.answers, lostOf(port));
      }
      const undecided = ports.filter(({ answers }) => answers === 0);
      if (undecided.length > 0) input.onDecided(undecided.map(decided(false)));
      const silent = (port: SweptPort): boolean => port.answers === 0 && port.errors === 0;
      const told = depth === 'scout' ? ports.filter((port) => !silent(port)) : ports;
      const share = Math.max(MIN_RECEIPTS, Math.floor(MAX_RECEIPTS / Math.max(1, undecided.length)));
      // Where no new flow passes, receipts do not either, and silence proves nothing anyway.
      const receipts = line?.experiments.limit()?.kind === 'flows' ? 0 : share;
      const vouching = new Set(ports.filter(({ answers }) => answers > 0).slice(0, VOUCHING_PORTS));
      return {
        observations: told.map((port) => observationOf(port, interrupted, receipts, vouching.has(port))),
        hints:
          depth === 'scout'
            ? ports
                .filter((port) => silent(port) && port.packets > 0)
                .map((port) => observationOf(port, false, receipts))
            : [],
      };
    },
    limit: () => line?.experiments.limit() ?? null,
    flows: () => flows.size + (line?.experiments.flows() ?? 0),
    close: () => line?.exchange.close(),
  };
};
