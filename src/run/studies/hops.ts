/**
 * How far packets of a blocked port come: the same questions with hop limits 1, 2, 3 …, side by side with ports that pass. One
 * packet of each flow at a time, so that a router's word belongs to one limit even where it quotes no more than headers.
 */
import { networkInterfaces } from 'node:os';
import type { Probe, Question } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { Climb, HopFacts, Ladder } from '../../model/hops.js';
import { type IcmpPlace, isTimeExceeded } from '../../model/icmp.js';
import type { Observation } from '../../model/observation.js';
import { type Heard, type HeardError, hasKernel, type Kernel, type KernelFlow } from '../../net/kernel/kernel.js';
import { placeOf } from '../../net/on-link.js';
import { unlessLineLost } from '../line-lost.js';
import { isSilent } from '../observations.js';
import type { Tools } from '../tools.js';
import type { StudiedFarEnd, Study } from './study.js';

/** Paths across the internet have up to 30 hops; branch to reflector seldom more than 20. */
const MAX_LIMIT = 30;
const CLIMBS = 3;
/** What most paths have, and what one packet costs on the wire at most: for a dry run. */
const USUAL_LIMIT = 15;
const PACKET_BYTES = 700;
/** Two ports that pass show whether all flows take one path; two blocked ones, a port of signalling and one of media. */
const MAX_PASSING = 2;
const MAX_BLOCKED = 2;
/**
 * Linux sends one address six errors at once and then one a second (net.ipv4.icmp_ratelimit, XRLIM_BURST_FACTOR): all climbs together
 * must not ask a router for more.
 */
const ERRORS_AT_ONCE = 6;
const MS_PER_ERROR = 1000;
/** Routers answer from their slow path, later than they forward. */
const MIN_WAIT_MS = 300;
const PATIENCE = 1.5;
const SEED_BYTES = 32;
/** A quotation of fewer octets than this may be of any question. */
const MIN_QUOTED = 8;

type Target = Check & { readonly address: string; readonly family: 4 | 6 };

/** One question of a climb that is under way. */
interface Step {
  readonly limit: number;
  readonly question: Question;
  readonly message: Uint8Array;
  readonly sentAtMs: number;
}

interface Climber {
  readonly check: Target;
  readonly isBlocked: boolean;
  readonly probe: Probe;
  readonly climbs: Climb[];
  flow: KernelFlow | null;
  /** Of the climb under way: by limit who answered, and with which limit the far end did. */
  seen: (string | null)[];
  reachedAt: number | null;
  readonly steps: Step[];
}

const startsWith = (message: Uint8Array, quoted: Uint8Array): boolean =>
  quoted.length >= MIN_QUOTED &&
  Buffer.compare(message.subarray(0, quoted.length), quoted.subarray(0, message.length)) === 0;

/** The step that an error is about: the one that it quotes, else the last. */
const stepOf = ({ steps }: Climber, { quoted }: HeardError): Step | undefined =>
  quoted.length >= MIN_QUOTED ? steps.findLast(({ message }) => startsWith(message, quoted)) : steps.at(-1);

const hearError = (climber: Climber, error: HeardError): void => {
  const { family } = climber.check;
  if (error.origin === 'local' || error.from === null) return;
  if (!isTimeExceeded({ family, type: error.type, code: error.code })) return;
  const step = stepOf(climber, error);
  if (step) climber.seen[step.limit - 1] = error.from;
};

const hearMessage = (climber: Climber, { bytes, atMs }: Heard, { net, totals }: Tools): void => {
  totals.packetsReceived += 1;
  for (const { limit, question, sentAtMs } of climber.steps) {
    const elapsedMicros = Math.max(0, Math.round((atMs - sentAtMs) * 1000));
    const arrival = { check: climber.check, question, receivedAtMicros: net.nowMicros(), elapsedMicros };
    const reading = climber.probe.read(bytes, arrival);
    if (reading.kind !== 'answer' || reading.authentic !== true) continue;
    climber.reachedAt = Math.min(limit, climber.reachedAt ?? limit);
    return;
  }
};

const step = async (climber: Climber, limit: number, kernel: Kernel, tools: Tools): Promise<void> => {
  const { net, session, totals, timeline } = tools;
  const { check, probe } = climber;
  climber.flow ??= kernel.openFlow(
    { address: check.address, port: check.port, family: check.family },
    { message: (heard) => hearMessage(climber, heard, tools), error: (error) => hearError(climber, error) },
    { address: net.source ?? undefined },
  );
  await net.pacer.take(1, tools.signal);
  const question = probe.ask({
    ...{ check, session, local: climber.flow.local, binding: null },
    sequence: tools.nextSequence(),
    seed: net.random(SEED_BYTES),
    sentAtMicros: net.nowMicros(),
  });
  const [message] = question.messages.slice(-1);
  if (!message) return;
  timeline.opened(check.address);
  const sentAtMs = climber.flow.send(message, { hopLimit: limit });
  climber.steps.push({ limit, question, message, sentAtMs });
  totals.packetsSent += 1;
  totals.bytesSent += message.length;
};

/** One climb of all, limit by limit; who goes first changes, because a router that limits its errors leaves out the last. */
const climb = async (
  all: readonly Climber[],
  turn: number,
  waitMs: number,
  kernel: Kernel,
  tools: Tools,
): Promise<void> => {
  for (const one of all) {
    one.seen = [];
    one.reachedAt = null;
    one.steps.length = 0;
  }
  const passing = all.filter(({ isBlocked }) => !isBlocked);
  for (let limit = 1; limit <= MAX_LIMIT; limit += 1) {
    const order = all.map((_, i) => all[(i + turn + limit) % all.length] as Climber);
    for (const one of order) {
      if (one.reachedAt === null) await step(one, limit, kernel, tools);
    }
    await tools.net.sleep(waitMs, tools.signal);
    for (const { flow } of all) flow?.read();
    if (passing.every(({ reachedAt }) => reachedAt !== null)) break;
  }
  for (const one of all) {
    const seen = Array.from(one.seen, (address) => address ?? null);
    one.climbs.push({ seen, reachedAt: one.reachedAt });
  }
};

const isTarget = (check: Check): check is Target => check.address !== null && check.family !== null;

/** Over UDP, blocked on its way out for all that is known: nothing of it arrived. */
const isBlockedOutward = (one: Observation): boolean =>
  isSilent(one) && one.check.transport === 'udp' && one.seen === 0 && !one.atLast;

/** One of each kind, the single checks before ports of ranges. */
const ofEachKind = (checks: readonly Target[], most: number): readonly Target[] => {
  const sorted = [...checks].sort((a, b) => Number(a.isOfRange) - Number(b.isOfRange));
  const kinds = [...new Map(sorted.map((check) => [check.probe, check] as const).toReversed()).values()].toReversed();
  return [...kinds, ...sorted.filter((check) => !kinds.includes(check))].slice(0, most);
};

const climbersOf = (farEnd: StudiedFarEnd, tools: Tools): readonly Climber[] => {
  const blocked = ofEachKind(
    farEnd.observations
      .filter(isBlockedOutward)
      .map(({ check }) => check)
      .filter(isTarget),
    MAX_BLOCKED,
  );
  const passing = ofEachKind(
    farEnd.passing.filter(({ transport }) => transport === 'udp').filter(isTarget),
    MAX_PASSING,
  );
  const climber = (check: Target, isBlocked: boolean): Climber => ({
    ...{ check, isBlocked, probe: tools.probeOf(check.probe), climbs: [], flow: null },
    ...{ seen: [], reachedAt: null, steps: [] },
  });
  // Without a port that passes there is nothing to compare with.
  if (passing.length === 0) return [];
  return [...blocked.map((check) => climber(check, true)), ...passing.map((check) => climber(check, false))];
};

const ladderOf = ({ check, isBlocked, climbs }: Climber): Ladder => {
  const { id, probe, transport, port } = check;
  return { id, probe, transport, port, isBlocked, climbs };
};

const mappedOf = ({ observations }: StudiedFarEnd): readonly string[] => [
  ...new Set(
    observations.flatMap(({ attempts }) =>
      attempts.flatMap((one) => (one.outcome === 'answer' ? (one.attestation?.seenAddress ?? []) : [])),
    ),
  ),
];

/** From the beginning of one climb to the next, in milliseconds. */
const betweenClimbs = (ladders: number): number =>
  (MS_PER_ERROR * (1 + Math.max(0, ladders * CLIMBS - ERRORS_AT_ONCE))) / (CLIMBS - 1);

const askOne = async (farEnd: StudiedFarEnd, kernel: Kernel, tools: Tools): Promise<readonly HopFacts[]> => {
  const { net, signal, path } = tools;
  const climbers = climbersOf(farEnd, tools);
  const [first] = climbers;
  if (!first) return [];
  const waitMs = Math.max(MIN_WAIT_MS, PATIENCE * path.longestRttMs('udp'));
  try {
    for (let turn = 0; turn < CLIMBS; turn += 1) {
      const begunAtMs = net.now();
      await climb(climbers, turn, waitMs, kernel, tools);
      // The far end is a neighbour: there is nothing between.
      if (climbers.some(({ reachedAt }) => reachedAt === 1)) return [];
      const left = betweenClimbs(climbers.length) - (net.now() - begunAtMs);
      if (turn < CLIMBS - 1 && left > 0) await net.sleep(left, signal);
    }
  } catch (error) {
    // What the run's end cut off, or this host refused to send, is no ladder.
    unlessLineLost(signal)(error);
    return [];
  } finally {
    for (const { flow } of climbers) flow?.close();
  }
  const ladders = climbers.map(ladderOf);
  const routers = new Set(
    ladders.flatMap(({ climbs }) => climbs.flatMap(({ seen }) => seen.flatMap((one) => one ?? []))),
  );
  const places = Object.fromEntries(
    [...routers].map((one): [string, IcmpPlace] => [one, placeOf(one, farEnd.address, networkInterfaces())]),
  );
  const local = first.flow?.local.address ?? null;
  return [
    { ...{ address: farEnd.address, family: first.check.family, ladders, places, local }, mapped: mappedOf(farEnd) },
  ];
};

export const study = {
  kind: 'hops',
  // Its packets leave over flows of their own, which may let in what is tried from outside.
  after: ['inbound'],
  wanted: ({ hops = false }) => hops,
  // What is blocked is not known before; what passes is climbed until the far end answers, here to a usual path's length.
  cost: (checks) => {
    const followed = Math.min(MAX_PASSING, checks.filter(({ transport }) => transport === 'udp').length);
    const packets = followed * CLIMBS * USUAL_LIMIT;
    return { packets, bytes: packets * PACKET_BYTES };
  },
  ask: async (farEnds, tools) => {
    const kernel = await tools.net.kernel?.();
    if (!kernel || !hasKernel(kernel)) return [];
    const all = await Promise.all(farEnds.map((one) => askOne(one, kernel, tools)));
    return all.flat();
  },
} as const satisfies Study<'hops'>;
