/**
 * How long an idle flow stays open on the way (RFC 4787 §4.3): many sockets fall silent at once, and each is answered
 * after another delay, so that the whole takes as long as the longest lifetime and not their sum. Takes minutes.
 */
import type { Check } from '../../model/check.js';
import type { Transport } from '../../model/kinds.js';
import { type Idle, type LifetimeFacts, NAT_T_KEEPALIVE_SECONDS } from '../../model/study-facts.js';
import { MAX_DEFERRAL_MS } from '../../wire/deferral.js';
import { askReceipts } from '../ask/receipts.js';
import type { Tools } from '../tools.js';
import {
  converseOnce,
  fallSilent,
  type IdleFlow,
  keepAlive,
  openIdleStream,
  openIdleUdp,
  SECOND_ANSWER_MS,
} from './idle.js';
import { HEADER_BYTES, type StudiedFarEnd, type Study } from './study.js';

/** A lifetime lies between two neighbours of these: two seconds of uncertainty, at any length. */
const STEP_MS = 2000;
/** Odd seconds: the common settings are whole tens, and a delay equal to one of them would be a tie. */
const FIRST_MS = 1000;
/** Linux takes a flow for a conversation when packets went both ways for two seconds; others need less. */
const CONVERSE_MS = 2500;
const TURNS = 3;
/** A request that did not arrive opened nothing on the far side of the loss; it is sent again, this many times. */
const ROUNDS = 3;
/** How late an answer may come and still count; over a connection its retransmissions take their time. */
const LATE_MS = { udp: 2000, stream: 8000 } as const;
/** So many due flows silent in a row are the end of the lifetime; waiting for the rest would tell nothing. A connection repeats what is lost. */
const ENOUGH_SILENT = { udp: 4, stream: 2 } as const;
const LOOK_EVERY_MS = 500;
/** Time to hear of it before receipts are asked for. */
const SETTLE_MS = 1000;
/** An idle connection costs more than a socket, and its lifetime is longer: fewer are asked. No common setting among them. */
const STREAM_DELAYS_MS = [
  10_000, 25_000, 40_000, 55_000, 70_000, 85_000, 100_000, 115_000, 145_000, 175_000, 205_000, 235_000, 265_000,
  295_000,
] as const;
/**
 * Between the first keepalive and the second, just before which the answer comes: it passes only if the mapping outlives
 * the interval and the one octet counts as traffic.
 */
const KEPT_MS = 2 * NAT_T_KEEPALIVE_SECONDS * 1000 - 500;
/** Eight answers: as many as the silence of all of them has to mean something on a path that loses a third. */
const KEPT_FLOWS = 4;

/** The delays that are asked of every series, in milliseconds. */
const idleDelays = (longestMs: number): readonly number[] => {
  const delays: number[] = [];
  for (let at = FIRST_MS; at <= longestMs - SECOND_ANSWER_MS; at += STEP_MS) delays.push(at);
  return delays;
};

const isUdp = ({ transport }: { readonly transport: Transport }): boolean => transport === 'udp';

/** A few echoes over two seconds and more, so that the flow counts as a conversation. */
const converse = async (all: readonly IdleFlow[], tools: Tools): Promise<void> => {
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const flow of all) await converseOnce(flow, tools);
    await tools.net.sleep(CONVERSE_MS / (TURNS - 1), tools.signal).catch(() => undefined);
  }
};

/** Fills in what of the last asking arrived. @returns how much the far end says it held back so far */
const ask = async (all: readonly IdleFlow[], ways: readonly Check[], tools: Tools): Promise<number> => {
  const { seen, heldBack } = await askReceipts(
    all.flatMap(({ asked }) => asked),
    ways,
    tools,
  );
  for (const flow of all) {
    const told = flow.asked.flatMap((sequence) => seen.get(sequence) ?? []);
    if (told.length > 0) flow.seen = (flow.seen ?? 0) + told.reduce((sum, count) => sum + count, 0);
  }
  return heldBack;
};

/** Asks every socket, and those again whose request the far end has not seen. */
const begin = async (all: readonly IdleFlow[], ways: readonly Check[], tools: Tools): Promise<void> => {
  let missing = all;
  for (let round = 0; round < ROUNDS && missing.length > 0 && !tools.signal.aborted; round += 1) {
    for (const flow of missing) await fallSilent(flow, tools);
    await tools.net.sleep(SETTLE_MS, tools.signal).catch(() => undefined);
    await ask(missing, ways, tools);
    missing = missing.filter(({ seen, answered }) => !answered && seen === 0);
  }
};

const seriesOf = ({ check, bidirectional, keptEveryMs }: IdleFlow): string =>
  `${check.transport}/${check.port}/${bidirectional}/${keptEveryMs}`;

const isDue = (flow: IdleFlow, nowMs: number): boolean =>
  nowMs > flow.sentAtMs + flow.afterMs + SECOND_ANSWER_MS + LATE_MS[isUdp(flow.check) ? 'udp' : 'stream'];

/** Nothing more is to be learnt of this series: all answered or due, or silent for long enough. */
const isOver = (series: readonly IdleFlow[], nowMs: number): boolean => {
  const ordered = [...series].sort((a, b) => a.afterMs - b.afterMs);
  if (ordered.every((flow) => flow.answered || isDue(flow, nowMs))) return true;
  const last = ordered.findLastIndex(({ answered }) => answered);
  const silent = ordered.slice(last + 1).filter((flow) => isDue(flow, nowMs) && (flow.seen ?? 0) > 0);
  const [first] = series;
  return silent.length >= ENOUGH_SILENT[first && isUdp(first.check) ? 'udp' : 'stream'];
};

/** Where the mapping ends before the first keepalive comes, what keepalives do need not be waited for. */
const isPointless = (kept: IdleFlow, all: readonly IdleFlow[], nowMs: number): boolean => {
  const bare = all.filter(({ check, keptEveryMs }) => check === kept.check && keptEveryMs === null);
  const longest = Math.max(0, ...bare.filter(({ answered }) => answered).map(({ afterMs }) => afterMs));
  return longest < (kept.keptEveryMs ?? 0) - STEP_MS && isOver(bare, nowMs);
};

const wait = async (all: readonly IdleFlow[], tools: Tools): Promise<void> => {
  const { net, signal } = tools;
  const bySeries = new Map<string, IdleFlow[]>();
  for (const flow of all) bySeries.set(seriesOf(flow), [...(bySeries.get(seriesOf(flow)) ?? []), flow]);
  const isDone = (own: readonly IdleFlow[]): boolean => {
    const now = net.now();
    const [first] = own;
    const isKept = first !== undefined && first.keptEveryMs !== null;
    return isOver(own, now) || (isKept && isPointless(first, all, now));
  };
  while (!signal.aborted && ![...bySeries.values()].every(isDone)) {
    await net.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    for (const flow of all) if (flow.keptEveryMs !== null) await keepAlive(flow, tools);
  }
};

const openAll = async (check: Check, delays: readonly number[], tools: Tools, all: IdleFlow[]): Promise<void> => {
  for (const afterMs of delays) {
    for (const bidirectional of [false, true]) {
      all.push(await openIdleUdp(check, { bidirectional, keptEveryMs: null, afterMs }, tools));
    }
  }
  if (!check.natT || KEPT_MS > (delays.at(-1) ?? 0)) return;
  const kept = { bidirectional: true, keptEveryMs: NAT_T_KEEPALIVE_SECONDS * 1000, afterMs: KEPT_MS };
  for (let one = 0; one < KEPT_FLOWS; one += 1) all.push(await openIdleUdp(check, kept, tools));
};

const factOf = ({ check, bidirectional, keptEveryMs, afterMs, answered, seen }: IdleFlow): Idle => ({
  transport: check.transport,
  port: check.port,
  address: check.address ?? '',
  family: check.family ?? 4,
  bidirectional,
  kept: keptEveryMs !== null,
  afterMs,
  answered,
  seen,
});

/**
 * Asks one proven reflector. `checks` passed there, one for each port whose lifetime is wanted.
 * @param longestMs the longest lifetime asked for, at most MAX_DEFERRAL_MS
 */
const askLifetimes = async (
  checks: readonly Check[],
  ways: readonly Check[],
  tools: Tools,
  longestMs: number = MAX_DEFERRAL_MS,
): Promise<LifetimeFacts> => {
  const delays = idleDelays(longestMs);
  const udp: IdleFlow[] = [];
  const streams: IdleFlow[] = [];
  try {
    for (const check of checks.filter(isUdp)) await openAll(check, delays, tools, udp);
    const before = await askReceipts([], ways, tools);
    for (const check of checks.filter((one) => !isUdp(one))) {
      const asked = STREAM_DELAYS_MS.filter((afterMs) => afterMs <= longestMs);
      streams.push(...asked.map((afterMs) => openIdleStream(check, afterMs, tools)));
    }
    await converse(
      udp.filter(({ bidirectional }) => bidirectional),
      tools,
    );
    await begin(udp, ways, tools);
    const heldBack = await ask(streams, ways, tools);
    const all = [...udp, ...streams];
    await wait(all, tools);
    const now = tools.net.now();
    // Answers that the far end did not find room for are no silence of the path's.
    const isLimited = heldBack > before.heldBack;
    const talk = udp.flatMap((flow) => flow.talk);
    return {
      idle: all
        // What keepalives did is a question also where it was cut short.
        .filter((flow) => flow.answered || isDue(flow, now) || flow.keptEveryMs !== null)
        .map((flow) => factOf(isLimited || !(flow.answered || isDue(flow, now)) ? { ...flow, seen: null } : flow)),
      talk: { trials: talk.length, answers: talk.filter(({ answered }) => answered).length },
    };
  } finally {
    for (const flow of [...udp, ...streams]) flow.close();
  }
};

/** Ports whose idle flows matter: SIP's, IPsec's, STUN's, one of media, and SIP's connections. */
const PORTS: readonly number[] = [5060, 4500, 3478];

const chosen = <C extends Check>(passing: readonly C[]): readonly C[] => {
  const udp = PORTS.flatMap((port) => passing.find((check) => isUdp(check) && check.port === port) ?? []);
  const media = passing.find(({ probe }) => probe === 'rtp-echo');
  const streams = passing.filter((check) => check.probe === 'sip-options' && !isUdp(check));
  return [...udp, ...(media ? [media] : []), ...streams];
};

const askFirst = async (first: StudiedFarEnd | undefined, tools: Tools): Promise<readonly LifetimeFacts[]> =>
  first ? [await askLifetimes(chosen(first.passing), first.ways, tools)] : [];

/** A deferred request in its bare tag, of which the answer pays with as many octets. */
const REQUEST_BYTES = 112;

export const study = {
  kind: 'lifetimes',
  // Hundreds of flows at once would fill the table that the others look at.
  after: ['nat', 'sip', 'source-ports', 'persistent-flow'],
  wanted: ({ deep }) => deep,
  cost: (checks) => {
    const ports = chosen(checks).filter(isUdp).length;
    const flows = 2 * idleDelays(MAX_DEFERRAL_MS).length;
    // Each flow is asked twice, and half of them converse first.
    const packets = ports * (2 * flows + (TURNS * flows) / 2);
    return { packets, bytes: packets * (REQUEST_BYTES + HEADER_BYTES[4]) };
  },
  // One way out is what lifetimes are about; a second far end would show the same one again.
  ask: ([first], tools) => askFirst(first, tools),
} as const satisfies Study<'lifetimes'>;
