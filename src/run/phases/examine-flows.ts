/**
 * Adds what becomes of flows: do some source ports live and others die, is the first packet of each lost or held? Only
 * where something over UDP stayed unanswered or came late, and before the boundaries, because both look like a lossy line
 * or like blocked ports until somebody asks a port that is known to pass from several source ports at once.
 */
import type { Check } from '../../model/check.js';
import type { FlowFacts } from '../../model/far-end.js';
import type { Observation } from '../../model/observation.js';
import { flowsDie, lostAtFirst } from '../../verdict/flows.js';
import { askCheck } from '../ask/ask.js';
import { openFlowToKnown } from '../ask/flow-to-known.js';
import type { FarEnd } from '../far-ends.js';
import { isSilent, passed } from '../observations.js';
import type { RunState } from '../state.js';
import type { Tools } from '../tools.js';
import { askOn } from './ask-again.js';

/** Twelve living flows leave a dead share of a fifth at most, at 95 %; four packets are no chance even where a third is lost. */
const FLOWS = 12;
/** Where one died and too few did to tell it from loss: one member of four is found among so many more all but once in a thousand. */
const MORE_FLOWS = 24;
const PACKETS = 4;
/** A flow that answered none of those is asked so many more, until one is answered: then it was loss. */
const MORE_PACKETS = 6;
const SPACING_MS = 150;
/** A first packet that comes so much later than the next was held, not delayed: longer than jitter that calls bear. */
const HELD_MS = 100;
/** Further source ports from which a silent port is asked where flows die; one in two dead, all of them are by chance once in 16,000 times. */
const FURTHER_FLOWS = 14;

/** Two ports vouch for each other. */
const WAYS = 2;
/** The system chooses it, and it stays the same for all packets of a check. */
const ANY_PORT = 0;

interface Flow {
  readonly answeredAfterMs: (number | null)[];
}

const askFlow = async (way: Check, tools: Tools): Promise<Flow> => {
  const { net, path, signal, timeline } = tools;
  const answeredAfterMs: (number | null)[] = [];
  const flow = await openFlowToKnown(way, tools, {
    asking: () => answeredAfterMs.push(null),
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
  return { answeredAfterMs };
};

/** The number that most of these are, the smallest of several; 0 of none. */
const commonest = (counts: readonly number[]): number => {
  const times = (count: number): number => counts.filter((one) => one === count).length;
  return [...new Set(counts)].sort((a, b) => times(b) - times(a) || a - b)[0] ?? 0;
};

const isAlive = ({ answeredAfterMs }: Flow): boolean => answeredAfterMs.some((ms) => ms !== null);

const factsOf = (flows: readonly Flow[]): FlowFacts => {
  const living = flows.filter(isAlive);
  const dead = flows.filter((flow) => !isAlive(flow));
  /** How many were lost before the first that was answered, if none was after it. */
  const leadingOf = ({ answeredAfterMs }: Flow): number => {
    const at = answeredAfterMs.findIndex((ms) => ms !== null);
    return answeredAfterMs.slice(at).every((ms) => ms !== null) ? at : 0;
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

/** Something over UDP stayed unanswered: where it was the first of each flow, nothing had vouched for the far end yet. */
const lostSomething = ({ check, attempts }: Observation): boolean =>
  check.transport === 'udp' && attempts.some(({ lostAtMs }) => lostAtMs.length > 0);

/** An answer came so late beside others that something may hold what comes first. */
const heldSomething = ({ check, attempts }: Observation): boolean => {
  if (check.transport !== 'udp') return false;
  const rtts = attempts.flatMap((attempt) => (attempt.outcome === 'answer' ? (attempt.rttMs ?? []) : []));
  return rtts.length > 1 && Math.max(...rtts) - Math.min(...rtts) > HELD_MS;
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

const examine = async (run: RunState, farEnd: FarEnd): Promise<void> => {
  const { address } = farEnd;
  const observations = run.observations.at(address);
  if (!observations.some((one) => lostSomething(one) || heldSomething(one))) return;
  const known = knownWays(farEnd, observations);
  const ways = known.length > 0 ? known : await waysThatBeginLate(observations, run.tools);
  if (ways.length === 0) return;
  const askFlows = (count: number): Promise<readonly Flow[]> => {
    const asked = Array.from({ length: count }, (_, index) => ways[index % ways.length]).flatMap((way) => way ?? []);
    return Promise.all(asked.map((way) => askFlow(way, run.tools)));
  };
  const first = await askFlows(FLOWS);
  const isOpen = factsOf(first).dead > 0 && !flowsDie(factsOf(first));
  const seen = factsOf(isOpen ? [...first, ...(await askFlows(MORE_FLOWS))] : first);
  // They began together: a line that was away at that moment took the first of each as well, and does not do so twice.
  const facts = lostAtFirst(seen) > 1 ? factsOf(await askFlows(FLOWS)) : seen;
  run.farEnds.learn(address, { flows: facts });
  if (flowsDie(facts)) await askElsewhere(run, address);
  const atFirst = lostAtFirst(facts);
  if (atFirst > 1) await askOverOneFlow(run, address, atFirst);
};

export const examineFlows = async (run: RunState): Promise<void> => {
  await Promise.all(
    run.proven().map((farEnd) =>
      examine(run, farEnd).catch((error: unknown) => {
        if (!run.signal.aborted) throw error;
      }),
    ),
  );
};
