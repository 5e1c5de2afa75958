/**
 * Adds what becomes of flows: do some source ports live and others die, is the first packet of each lost or held? Only
 * where something over UDP stayed unanswered or came late, and before the boundaries, because both look like a lossy line
 * or like blocked ports until somebody asks a port that is known to pass from several source ports at once.
 */
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import { flowsDie, lostAtFirst } from '../../verdict/flows.js';
import { lossLowerBound, packetsNeeded } from '../../verdict/silence.js';
import { askCheck } from '../ask/ask.js';
import { askFlow, type Flow, factsOf, HELD_MS, isAlive, PACKETS, passesSlowly } from '../ask/examined-flow.js';
import type { FarEnd } from '../far-ends.js';
import { unlessLineLost } from '../line-lost.js';
import { isSilent, passed } from '../observations.js';
import type { RunState } from '../state.js';
import type { Tools } from '../tools.js';
import { askOn } from './ask-again.js';

/** Twelve living flows leave a dead share of a fifth at most, at 95 %. */
const FLOWS = 12;
/** Where one died and too few did to tell it from loss: one member of four is found among so many more all but once in a thousand. */
const MORE_FLOWS = 24;
/** Further source ports from which a silent port is asked where flows die; one in two dead, all of them are by chance once in 16,000 times. */
const FURTHER_FLOWS = 14;

/** So often flows are asked anew that were asked while nothing vouched for the line. */
const TURNS = 3;

/** Two ports vouch for each other. */
const WAYS = 2;
/** The system chooses it, and it stays the same for all packets of a check. */
const ANY_PORT = 0;

/** Something over UDP stayed unanswered: where it was the first of each flow, nothing had vouched for the far end yet. */
const lostSomething = ({ check, attempts }: Observation): boolean =>
  check.transport === 'udp' && attempts.some(({ lostAtMs }) => lostAtMs.length > 0);

/** An answer came so late beside others that something may hold what comes first. */
const heldSomething = ({ check, attempts }: Observation): boolean => {
  if (check.transport !== 'udp') return false;
  const rtts = attempts.flatMap((attempt) => (attempt.outcome === 'answer' ? (attempt.rttMs ?? []) : []));
  return rtts.length > 1 && Math.max(...rtts) - Math.min(...rtts) > HELD_MS;
};

/** The shortest round trips over UDP of these, in milliseconds. */
const roundTrips = (all: readonly Observation[]): readonly number[] =>
  all.flatMap(({ attempts }) => attempts.flatMap((one) => (one.outcome === 'answer' ? (one.rttMs ?? []) : [])));

/** Each port of a range is asked once: all of them slow beside what asks again over its flow may be held as first packets. */
const heldRange = (observations: readonly Observation[]): boolean => {
  const overUdp = observations.filter(({ check }) => check.transport === 'udp');
  const swept = roundTrips(overUdp.filter(({ check }) => check.isOfRange));
  const single = roundTrips(overUdp.filter(({ check }) => !check.isOfRange));
  return swept.length > 0 && single.length > 0 && Math.min(...swept) - Math.min(...single) > HELD_MS;
};

/** Ports that are known to pass, and whose server keeps no state of who asks. */
const knownWays = ({ passedOverUdp }: FarEnd, observations: readonly Observation[]): readonly Check[] => {
  const swept = observations
    .filter((one) => one.check.isOfRange && one.check.transport === 'udp' && passed(one))
    .map(({ check }) => check);
  const plain = passedOverUdp.filter(({ probe }) => probe === 'stun-binding' || probe === 'udp-echo');
  return [...swept.slice(0, WAYS), ...plain].slice(0, WAYS);
};

const silentOverUdp = (observations: readonly Observation[]): readonly Observation[] =>
  observations.filter((one) => isSilent(one) && one.check.transport === 'udp');

/** Echoes, whose server keeps no state of who asks. */
const ECHOES: readonly Check['probe'][] = ['rtp-echo', 'udp-echo', 'stun-binding'];

/**
 * Silent ports that pass all the same, once a flow has been asked often enough: where the first few packets of each are lost,
 * a check that goes out over several flows hears nothing.
 */
const waysThatBeginLate = async (observations: readonly Observation[], tools: Tools): Promise<readonly Check[]> => {
  const ways = silentOverUdp(observations)
    .map(({ check }) => check)
    .filter(({ probe }) => ECHOES.includes(probe))
    .slice(0, WAYS);
  const flows = await Promise.all(ways.map((way) => askFlow(way, tools)));
  return ways.filter((_, index) => flows[index] && isAlive(flows[index]));
};

/** Asks what is silent once more, over one flow each and often enough for its first packets to be lost. */
const askOverOneFlow = async (run: RunState, address: string, first: number): Promise<void> => {
  const { tools, observations } = run;
  const silent = silentOverUdp(observations.at(address));
  const patient = { samples: 1, doubt: 0, atMost: first + PACKETS, sourcePort: ANY_PORT } as const;
  const single = (check: Check): Promise<Observation> => askCheck(check, tools.probeOf(check.probe), patient, tools);
  observations.record(await askOn(run, silent, { ofSweep: async () => [], single }));
};

/** Asks what is silent from many more source ports, where some flows live and others die. */
const askElsewhere = async (run: RunState, address: string): Promise<void> => {
  const { tools, sweeps, observations } = run;
  for (let turn = 0; turn < FURTHER_FLOWS && !run.signal.aborted; turn += 1) {
    const silent = silentOverUdp(observations.at(address));
    if (silent.length === 0) return;
    const asked = await askOn(run, silent, {
      ofSweep: sweeps.echoElsewhere,
      single: (check) => askCheck(check, tools.probeOf(check.probe), { samples: 1, doubt: 0, atMost: 1 }, tools),
    });
    observations.record(asked);
  }
};

/** Flows of which nothing came back that are asked once more, slowly. */
const SLOW_FLOWS = 3;
/** So unlikely do all slow packets pass by chance where as many are lost as of the fast ones; and so many are sent at most. */
const SLOW_DOUBT = 0.01;
const MOST_SLOW = 24;

/** Whether these flows lose nothing when they are asked slowly, which the loss of those that were asked fast does not explain. */
const losesByPace = async (slow: readonly Flow[], fast: readonly Flow[], tools: Tools): Promise<boolean> => {
  const packets = fast.flatMap(({ answeredAfterMs }) => answeredAfterMs);
  const lost = lossLowerBound({ trials: packets.length, answers: packets.filter((ms) => ms !== null).length });
  const wanted = packetsNeeded(1 - lost, SLOW_DOUBT);
  if (wanted > MOST_SLOW) return false;
  for (let sent = 0; sent < wanted; sent += slow.length) {
    const passed = await Promise.all(slow.map((flow) => passesSlowly(flow, tools, 1)));
    if (!passed.every(Boolean)) return false;
  }
  return true;
};

/** Without those that were asked while nothing passed at all: that is no flow's doing. */
const witnessedFlows = (flows: readonly Flow[], address: string, { timeline }: Tools): readonly Flow[] =>
  flows.filter((flow) => isAlive(flow) || timeline.witnessed(address, flow.askedAtMs, 'udp') >= PACKETS);

/**
 * Packets a second that pass, where flows that had died pass once they are asked slowly, over the same source ports: then it is
 * how much was asked. Null where they stay dead. Nothing else is asked of the line meanwhile.
 */
const limitBehind = async (flows: readonly Flow[], address: string, tools: Tools): Promise<number | null> => {
  const dead = flows.filter((flow) => !isAlive(flow));
  if (dead.length < 2) return null;
  tools.watch.isPaused = true;
  try {
    const slow = dead.slice(0, SLOW_FLOWS);
    const passes = await Promise.all(slow.map((flow) => passesSlowly(flow, tools)));
    if (!passes.some(Boolean)) return null;
    // Together they may still be too many for it; what stays dead alone as well is a flow's, beside others that were late.
    for (const [index, flow] of slow.entries()) if (!passes[index] && !(await passesSlowly(flow, tools))) return null;
    // On a lossy line some flows lose all that was sent, and pass when they are asked again.
    if (!flowsDie(factsOf(flows)) && !(await losesByPace(slow, flows, tools))) return null;
  } finally {
    tools.watch.isPaused = false;
  }
  const asked = flows.flatMap(({ askedAtMs }) => askedAtMs);
  const [fromMs, toMs] = [Math.min(...asked), Math.max(...asked)];
  // Whatever else was asked meanwhile went through the same limit.
  const answers = tools.timeline.answeredOverUdp(address, [fromMs, toMs]);
  return Math.max(1, Math.round(answers / Math.max(1, (toMs - fromMs) / 1000)));
};

const examine = async (run: RunState, farEnd: FarEnd): Promise<void> => {
  const { address } = farEnd;
  const observations = run.observations.at(address);
  if (!observations.some((one) => lostSomething(one) || heldSomething(one)) && !heldRange(observations)) return;
  const known = knownWays(farEnd, observations);
  const ways = known.length > 0 ? known : await waysThatBeginLate(observations, run.tools);
  if (ways.length === 0) return;
  const askFlows = async (count: number): Promise<readonly Flow[]> => {
    const flows: Flow[] = [];
    // What died unwitnessed may be a dead flow all the same: another one is asked in its place.
    for (let turn = 0; turn < TURNS && flows.length < count; turn += 1) {
      const missing = Array.from({ length: count - flows.length }, (_, index) => ways[index % ways.length]);
      const asked = await Promise.all(missing.flatMap((way) => (way ? askFlow(way, run.tools) : [])));
      flows.push(...witnessedFlows(asked, address, run.tools));
    }
    return flows;
  };
  const first = await askFlows(FLOWS);
  const isOpen = factsOf(first).dead > 0 && !flowsDie(factsOf(first));
  const all = isOpen ? [...first, ...(await askFlows(MORE_FLOWS))] : first;
  const packetsPerSecond = await limitBehind(all, address, run.tools);
  if (packetsPerSecond !== null) {
    run.farEnds.learn(address, { limit: { kind: 'rate', packetsPerSecond } });
    return;
  }
  const seen = factsOf(all);
  // They began together: a line that was away at that moment took the first of each as well, and does not do so twice.
  const facts = lostAtFirst(seen) > 1 ? factsOf(await askFlows(FLOWS)) : seen;
  run.farEnds.learn(address, { flows: facts });
  if (flowsDie(facts)) await askElsewhere(run, address);
  const atFirst = lostAtFirst(facts);
  if (atFirst > 1) await askOverOneFlow(run, address, atFirst);
};

export const examineFlows = async (run: RunState): Promise<void> => {
  await Promise.all(run.proven().map((farEnd) => examine(run, farEnd).catch(unlessLineLost(run.signal))));
};
