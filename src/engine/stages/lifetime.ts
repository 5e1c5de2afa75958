/**
 * How long an idle flow stays open on the way (RFC 4787 §4.3): many sockets fall silent at once, and each is answered
 * after another delay, so that the whole takes as long as the longest lifetime and not their sum. Takes minutes.
 */
import type { Check, Transport } from '../../model/check.js';
import type { Idle } from '../../model/stages.js';
import { openSocket } from '../../net/udp-open.js';
import { encodeDeferral, MAX_DEFERRAL_MS } from '../../wire/deferral.js';
import { expectProof, judgeTag, makeTag, type TagProof } from '../../wire/proof.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES } from '../../wire/tag.js';
import type { Stage } from './evidence.js';
import { arrivals } from './receipts.js';

/** Every two seconds up to a minute, where lifetimes are short and differ, then every four: half of that is the error. */
const FINE_STEP_MS = 2000;
const FINE_UNTIL_MS = 60_000;
const COARSE_STEP_MS = 4000;
/** Odd seconds: the common settings are whole tens, and a delay equal to one of them would be a tie. */
const FIRST_MS = 1000;
/** Linux takes a flow for a conversation when packets went both ways for two seconds; others need less. */
const CONVERSE_MS = 2500;
/** A request that did not arrive opened nothing on the far side of the loss; it is sent again, this many times. */
const ROUNDS = 3;
/** How late an answer may come and still count. */
const LATE_MS = 2000;
/** So many due answers missing in a row are the end of the lifetime; waiting for the rest would tell nothing. */
const ENOUGH_SILENT = 6;
const LOOK_EVERY_MS = 500;
/** Time to hear of it before receipts are asked for. */
const SETTLE_MS = 1000;
/** An idle connection costs more than a socket, and its lifetime is longer: fewer are asked. */
const STREAM_DELAYS_MS = [15_000, 30_000, 60_000, 90_000, 120_000, 180_000, 240_000, MAX_DEFERRAL_MS] as const;
const PADDING = ANSWER_TAG_BYTES - REQUEST_TAG_BYTES;

/** The delays that are asked of every series, in milliseconds. */
export const idleDelays = (longestMs: number): readonly number[] => {
  const delays: number[] = [];
  for (let at = FIRST_MS; at <= longestMs; at += at < FINE_UNTIL_MS ? FINE_STEP_MS : COARSE_STEP_MS) delays.push(at);
  return delays;
};

interface Waiting {
  readonly check: Check;
  readonly bidirectional: boolean;
  readonly afterMs: number;
  /** Requests of which each may be the one that arrived. */
  readonly proofs: TagProof[];
  sentAtMs: number;
  answered: boolean;
  seen: number | null;
  send(bytes: Uint8Array): void;
  close(): void;
}

const hear = (one: Waiting, bytes: Uint8Array): void => {
  for (const proof of one.proofs) {
    const judged = judgeTag(bytes, proof, 0);
    if (judged.authentic && judged.tag.type === 'deferredAnswer') one.answered = true;
  }
};

const make = (one: Waiting, { context }: Stage, binding: Uint8Array | null = null): Uint8Array => {
  const { net, session } = context;
  const input = { session, sequence: context.nextSequence(), sentAtMicros: net.nowMicros(), binding };
  const body = encodeDeferral({ afterMs: one.afterMs, changeIp: false, changePort: false }, PADDING);
  const message = makeTag(input, 'deferredRequest', body) ?? new Uint8Array(0);
  const proof = expectProof(input, message);
  if (proof) one.proofs.push(proof);
  return message;
};

const put = async (one: Waiting, bytes: Uint8Array, { context, signal }: Stage): Promise<void> => {
  await context.net.pacer.take(1, signal).catch(() => undefined);
  context.totals.packetsSent += 1;
  context.totals.bytesSent += bytes.length;
  one.send(bytes);
  one.sentAtMs = context.net.now();
};

const openUdp = async (check: Check, bidirectional: boolean, afterMs: number, stage: Stage): Promise<Waiting> => {
  const { context } = stage;
  const to = { address: check.address ?? '', port: check.port };
  const one: Waiting = {
    check,
    bidirectional,
    afterMs,
    proofs: [],
    sentAtMs: 0,
    answered: false,
    seen: null,
    send: (bytes) => socket.send(bytes, to),
    close: () => socket.close(),
  };
  const socket = await openSocket(check.family ?? 4, context.net.source, (bytes, from) => {
    context.totals.packetsReceived += 1;
    if (from.address === to.address && from.port === to.port) hear(one, bytes);
  });
  return one;
};

/** A few echoes over two seconds and more, so that the flow counts as a conversation. */
const converse = async (all: readonly Waiting[], stage: Stage): Promise<void> => {
  const { net, session } = stage.context;
  for (let turn = 0; turn < 3; turn += 1) {
    for (const one of all) {
      const body = new Uint8Array(PADDING);
      const input = { session, sequence: stage.context.nextSequence(), sentAtMicros: net.nowMicros(), binding: null };
      await put(one, makeTag(input, 'echoRequest', body) ?? body, stage);
    }
    await net.sleep(CONVERSE_MS / 2, stage.signal).catch(() => undefined);
  }
};

/** Asks every socket, and those again whose request the far end has not seen. */
const begin = async (all: readonly Waiting[], ways: readonly Check[], stage: Stage): Promise<void> => {
  let missing = all;
  for (let round = 0; round < ROUNDS && missing.length > 0 && !stage.signal.aborted; round += 1) {
    for (const one of missing) await put(one, make(one, stage), stage);
    await stage.context.net.sleep(SETTLE_MS, stage.signal).catch(() => undefined);
    const sequences = missing.flatMap(({ proofs }) => proofs.at(-1)?.sequence ?? []);
    const seen = await arrivals(sequences, ways, stage);
    for (const one of missing) {
      const told = seen.get(one.proofs.at(-1)?.sequence ?? -1);
      if (told !== undefined) one.seen = (one.seen ?? 0) + told;
    }
    missing = missing.filter(({ seen: count, answered }) => !answered && count === 0);
  }
};

const seriesOf = ({ check, bidirectional }: Waiting): string => `${check.transport}/${check.port}/${bidirectional}`;

/** Nothing more is to be learnt of this series: all answered or due, or silent for long enough. */
const isOver = (series: readonly Waiting[], nowMs: number): boolean => {
  const isDue = (one: Waiting): boolean => nowMs > one.sentAtMs + one.afterMs + LATE_MS;
  const ordered = [...series].sort((a, b) => a.afterMs - b.afterMs);
  if (ordered.every((one) => one.answered || isDue(one))) return true;
  const last = ordered.findLastIndex(({ answered }) => answered);
  const silent = ordered.slice(last + 1).filter((one) => isDue(one) && (one.seen ?? 0) > 0);
  return silent.length >= ENOUGH_SILENT;
};

const openIdleStream = (check: Check, afterMs: number, stage: Stage): Waiting => {
  const { net, totals } = stage.context;
  const { address, port, family, host, transport } = check;
  const one: Waiting = {
    check,
    bidirectional: true,
    afterMs,
    proofs: [],
    sentAtMs: net.now(),
    answered: false,
    seen: null,
    send: () => undefined,
    close: () => close(),
  };
  let held: Uint8Array = new Uint8Array(0);
  totals.packetsSent += 1;
  const close = net.openStream(
    { address: address ?? '', port, family: family ?? 4, host },
    transport === 'tls',
    {
      connected: () => undefined,
      open: (stream) => {
        const message = make(one, stage, stream.binding);
        totals.bytesSent += message.length;
        one.sentAtMs = net.now();
        stream.write(message);
      },
      data: (bytes) => {
        totals.packetsReceived += 1;
        if (held.length + bytes.length <= 2 * ANSWER_TAG_BYTES) held = Buffer.concat([held, bytes]);
        hear(one, held);
      },
      end: () => undefined,
    },
    net.source ?? undefined,
  );
  return one;
};

const wait = async (all: readonly Waiting[], { context, signal }: Stage): Promise<void> => {
  const series = new Map<string, Waiting[]>();
  for (const one of all) series.set(seriesOf(one), [...(series.get(seriesOf(one)) ?? []), one]);
  while (!signal.aborted && ![...series.values()].every((one) => isOver(one, context.net.now()))) {
    await context.net.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
};

/**
 * Asks one proven reflector. `checks` passed there, one for each port whose lifetime is wanted.
 * @param longestMs the longest lifetime asked for, at most MAX_DEFERRAL_MS
 */
export const lifetimeStage = async (
  checks: readonly Check[],
  ways: readonly Check[],
  stage: Stage,
  longestMs: number = MAX_DEFERRAL_MS,
): Promise<readonly Idle[]> => {
  const isUdp = ({ transport }: { readonly transport: Transport }): boolean => transport === 'udp';
  const delays = idleDelays(longestMs);
  const all: Waiting[] = [];
  try {
    for (const check of checks.filter(isUdp)) {
      for (const [index, afterMs] of delays.entries()) {
        all.push(await openUdp(check, false, afterMs, stage));
        // Half as many: all together stay below what a reflector lets wait for one network.
        if (index % 2 === 0) all.push(await openUdp(check, true, afterMs, stage));
      }
    }
    const streams = checks
      .filter((check) => !isUdp(check))
      .flatMap((check) =>
        STREAM_DELAYS_MS.filter((ms) => ms <= longestMs).map((ms) => openIdleStream(check, ms, stage)),
      );
    await converse(
      all.filter(({ bidirectional }) => bidirectional),
      stage,
    );
    const udp = [...all];
    all.push(...streams);
    await begin(udp, ways, stage);
    const sequences = streams.flatMap(({ proofs }) => proofs.at(-1)?.sequence ?? []);
    const seen = await arrivals(sequences, ways, stage);
    for (const one of streams) one.seen = seen.get(one.proofs.at(-1)?.sequence ?? -1) ?? null;
    await wait(all, stage);
    const now = stage.context.net.now();
    return all
      .filter((one) => one.answered || now > one.sentAtMs + one.afterMs + LATE_MS)
      .map(({ check, bidirectional, afterMs, answered, seen: count }) => ({
        transport: check.transport,
        port: check.port,
        bidirectional,
        afterMs,
        answered,
        seen: count,
      }));
  } finally {
    for (const one of all) one.close();
  }
};
