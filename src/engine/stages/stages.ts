/**
 * What is asked of a reflector once it has proven itself and the checks are done: questions that take several exchanges,
 * or several sockets. Each stage brings home facts; src/verdict/ judges them.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import { type NatFacts, NO_FACTS, type StageFacts } from '../../model/stages.js';
import { passed } from '../follow-up.js';
import type { Identification } from '../identify.js';
import type { Stage } from './evidence.js';
import { type Lifetimes, lifetimeStage } from './lifetime.js';
import { type FarEnd, natStage } from './nat.js';
import { sipStage } from './sip.js';
import { sourcePortStage, standingFlow } from './source-ports.js';

export interface StageOptions {
  /** Adds what takes minutes. */
  readonly deep: boolean;
  /** How the NAT maps and filters. */
  readonly nat: boolean;
  /** The source port that an agent keeps from run to run; none of a person's. */
  readonly standingPort?: number;
}

/** One proven reflector's address, and what is known of it. */
export interface Proven {
  readonly address: string;
  readonly observations: readonly Observation[];
  readonly ways: readonly Check[];
  readonly identification: Identification;
}

export interface StageTools extends Stage {
  readonly probeOf: (kind: Check['probe']) => Probe;
}

/** The NAT is asked at STUN's own port where that passes, and beside it at any other. */
const STUN_PORT = 3478;

const farEndOf = ({ observations, ways, identification: { identity } }: Proven): FarEnd | null => {
  const udp = observations.filter(passed).flatMap(({ check }) => (check.transport === 'udp' ? check : []));
  const base = udp.find(({ port }) => port === STUN_PORT) ?? udp[0];
  if (!base || base.address === null || base.family === null) return null;
  const { address, family, port } = base;
  return {
    family,
    first: { address, port },
    ports: [...new Set(udp.map((check) => check.port))],
    listens: identity?.info.udp ?? [],
    ways,
  };
};

const natsOf = async (proven: readonly Proven[], stage: Stage): Promise<readonly NatFacts[]> => {
  const farEnds = proven.flatMap((one) => farEndOf(one) ?? []);
  const partnerOf = (far: FarEnd): FarEnd | null =>
    farEnds.find((one) => one.family === far.family && one.first.address !== far.first.address) ?? null;
  const facts = await Promise.all(farEnds.map((far) => natStage(far, partnerOf(far), stage)));
  return facts.flatMap((one) => one ?? []);
};

/** Ports whose idle flows matter: SIP's, IPsec's, STUN's, one of media, and SIP's connections. */
const LIFETIME_PORTS: readonly number[] = [5060, 4500, STUN_PORT];

const lifetimesOf = async ({ observations, ways }: Proven, stage: Stage): Promise<Lifetimes> => {
  const passing = observations.filter(passed).map(({ check }) => check);
  const udp = LIFETIME_PORTS.flatMap(
    (port) => passing.find((check) => check.transport === 'udp' && check.port === port) ?? [],
  );
  const media = passing.find(({ probe }) => probe === 'rtp-echo') ?? null;
  const streams = passing.filter(({ probe, transport }) => probe === 'sip-options' && transport !== 'udp');
  return lifetimeStage([...udp, ...(media ? [media] : []), ...streams], ways, stage);
};

/** Runs all stages. What the signal cuts off is left out. */
export const runStages = async (
  proven: readonly Proven[],
  options: StageOptions,
  tools: StageTools,
): Promise<StageFacts> => {
  if (tools.signal.aborted) return NO_FACTS;
  const [reached] = proven;
  const standing =
    reached && options.standingPort !== undefined
      ? standingFlow(reached.observations, options.standingPort, tools.probeOf, tools)
      : null;
  const [nat, sip] = await Promise.all([
    options.nat ? natsOf(proven, tools) : [],
    Promise.all(proven.map(({ observations, ways }) => sipStage(observations, { ...tools, ways }))),
  ]);
  // After SIP's stage, which uses the same source port.
  const sourcePorts = await Promise.all(
    proven.slice(0, 1).map(({ observations }) => sourcePortStage(observations, tools.probeOf, tools)),
  );
  const stood = await standing?.first;
  await standing?.second();
  // One way out is what lifetimes are about; a second far end would show the same one again.
  const [first] = options.deep ? proven : [];
  const lifetimes = first ? await lifetimesOf(first, tools) : NO_FACTS;
  return {
    sip: sip.flatMap((facts) => facts ?? []),
    nat,
    sourcePorts: [...sourcePorts.flat(), ...(stood ? [stood] : [])],
    idle: lifetimes.idle,
    talk: lifetimes.talk,
  };
};
