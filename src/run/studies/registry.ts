/**
 * What is asked of a reflector once it has proven itself and the checks are done: questions that take several exchanges,
 * or several sockets. Each tools brings home facts; src/verdict/ judges them.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import { type NatFacts, NO_FACTS, type StudyFacts } from '../../model/study-facts.js';
import { passed } from '../phases/follow-up.js';
import type { Identification } from '../phases/identify.js';
import type { Tools } from './captures.js';
import { type Lifetimes, lifetimeStudy } from './lifetimes.js';
import { type FarEnd, natStudy } from './nat.js';
import { sipStudy } from './sip.js';
import { persistentFlow, sourcePortStudy } from './source-ports.js';

export interface StudyOptions {
  /** Adds what takes minutes. */
  readonly deep: boolean;
  /** How the NAT maps and filters. */
  readonly nat: boolean;
  /** The source port that an agent keeps from run to run; none of a person's. */
  readonly persistentPort?: number;
}

/** One proven reflector's address, and what is known of it. */
export interface Proven {
  readonly address: string;
  readonly observations: readonly Observation[];
  readonly ways: readonly Check[];
  readonly identification: Identification;
}

export interface StudyTools extends Tools {
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

const natsOf = async (proven: readonly Proven[], tools: Tools): Promise<readonly NatFacts[]> => {
  const farEnds = proven.flatMap((one) => farEndOf(one) ?? []);
  const partnerOf = (far: FarEnd): FarEnd | null =>
    farEnds.find((one) => one.family === far.family && one.first.address !== far.first.address) ?? null;
  const facts = await Promise.all(farEnds.map((far) => natStudy(far, partnerOf(far), tools)));
  return facts.flatMap((one) => one ?? []);
};

/** Ports whose idle flows matter: SIP's, IPsec's, STUN's, one of media, and SIP's connections. */
const LIFETIME_PORTS: readonly number[] = [5060, 4500, STUN_PORT];

const lifetimesOf = async ({ observations, ways }: Proven, tools: Tools): Promise<Lifetimes> => {
  const passing = observations.filter(passed).map(({ check }) => check);
  const udp = LIFETIME_PORTS.flatMap(
    (port) => passing.find((check) => check.transport === 'udp' && check.port === port) ?? [],
  );
  const media = passing.find(({ probe }) => probe === 'rtp-echo') ?? null;
  const streams = passing.filter(({ probe, transport }) => probe === 'sip-options' && transport !== 'udp');
  return lifetimeStudy([...udp, ...(media ? [media] : []), ...streams], ways, tools);
};

/** Runs all stages. What the signal cuts off is left out. */
export const runStudies = async (
  proven: readonly Proven[],
  options: StudyOptions,
  tools: StudyTools,
): Promise<StudyFacts> => {
  if (tools.signal.aborted) return NO_FACTS;
  const [reached] = proven;
  const standing =
    reached && options.persistentPort !== undefined
      ? persistentFlow(reached.observations, options.persistentPort, tools.probeOf, tools)
      : null;
  const [nat, sip] = await Promise.all([
    options.nat ? natsOf(proven, tools) : [],
    Promise.all(proven.map(({ observations, ways }) => sipStudy(observations, { ...tools, ways }))),
  ]);
  // After SIP's tools, which uses the same source port.
  const sourcePorts = await Promise.all(
    proven.slice(0, 1).map(({ observations }) => sourcePortStudy(observations, tools.probeOf, tools)),
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
