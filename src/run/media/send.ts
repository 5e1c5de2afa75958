/**
 * Sends streams as phones do, each packet at its own time, and watches this host while it does: what it is late with is its own doing
 * and not the line's.
 */
import type { Check } from '../../model/check.js';
import type { Codec, MediaEnd, MediaPacket, MediaStream, RtcpCounts } from '../../model/media.js';
import { askReceipts, type Receipts } from '../ask/receipts.js';
import type { Tools } from '../tools.js';
import { openReports, type Reports } from './reports.js';
import { type OpenMedia, openMedia, type SentPacket } from './stream.js';

/** A wake-up that is later than this held up what lay in the sockets, too; timers of a quiet host are 1–3 ms late. */
const HELD_UP_MS = 5;
/** What waited meanwhile is read within this time. */
const READ_WITHIN_MS = 5;
/** While answers are waited for this host is watched as closely as while packets go out. */
const WATCH_MS = 20;
/** A stream of which nothing came back after so many packets goes over a dead flow, or to nobody. */
const SILENT_PACKETS = 50;
/** Whoever asks how many calls pass stops at once when so much is lost, of at least so many packets. */
const TOO_MUCH_LOSS = { ratio: 0.03, ofPackets: 100 } as const;
const LOOK_EVERY_MS = 250;

interface SendOptions {
  readonly codec: Codec;
  readonly spacingMs: number;
  /** Packets of each stream. */
  readonly count: number;
  /** Ends when too much is lost; it goes on whatever happens if left out. */
  readonly stopsAtLoss?: boolean;
  /** Sends RTCP beside each stream, as phones do; none if left out. */
  readonly reports?: boolean;
}

/** Stretches in which this host was held up, in milliseconds of the run's clock. */
type HeldUp = readonly [fromMs: number, toMs: number];

export interface SentStreams {
  readonly beganAtMs: number;
  readonly streams: readonly OpenMedia[];
  readonly heldUp: readonly HeldUp[];
  readonly ended: MediaEnd | 'silent';
  readonly rtcp: RtcpCounts;
}

/** Of what was sent so long ago that its answer must have come, how much came to nothing. */
const lossSoFar = (
  streams: readonly OpenMedia[],
  beforeMs: number,
): { readonly sent: number; readonly lost: number } => {
  let [sent, lost] = [0, 0];
  for (const stream of streams) {
    for (const packet of stream.sent) {
      if (packet.sentAtMs > beforeMs) break;
      sent += 1;
      if (packet.heard === 0) lost += 1;
    }
  }
  return { sent, lost };
};

/** Sends one stream for each check, all at once. Resolves when the last answers had their time. @throws SocketError if no socket opens */
export const sendStreams = async (
  checks: readonly Check[],
  { codec, spacingMs, count, stopsAtLoss = false, reports: isReporting = false }: SendOptions,
  tools: Tools,
): Promise<SentStreams> => {
  const { net, path, signal } = tools;
  const streams: OpenMedia[] = [];
  const reports: Reports[] = [];
  const heldUp: [number, number][] = [];
  /** Waits, and notes whether this host woke late. */
  const wait = async (untilMs: number): Promise<void> => {
    await net.sleep(Math.max(0, untilMs - net.now()), signal);
    const nowMs = net.now();
    if (nowMs - untilMs > HELD_UP_MS) heldUp.push([untilMs, nowMs + READ_WITHIN_MS]);
  };
  let ended: SentStreams['ended'] = 'complete';
  try {
    for (const check of checks) {
      const stream = await openMedia(check, codec, tools);
      streams.push(stream);
      const own = isReporting ? await openReports(check, stream, tools) : null;
      if (own) reports.push(own);
    }
    const beganAtMs = net.now();
    const patienceMs = path.lateMs('udp');
    let lookAtMs = beganAtMs;
    const isOver = (): boolean => {
      if (net.now() < lookAtMs) return false;
      lookAtMs = net.now() + LOOK_EVERY_MS;
      const { sent, lost } = lossSoFar(streams, net.now() - patienceMs);
      if (sent >= SILENT_PACKETS && lost === sent) ended = 'silent';
      const isTooMuch = sent >= TOO_MUCH_LOSS.ofPackets && lost / sent > TOO_MUCH_LOSS.ratio;
      if (ended === 'complete' && stopsAtLoss && isTooMuch) ended = 'loss';
      return ended !== 'complete';
    };
    try {
      /** By how much this host was held up so far. */
      let shiftMs = 0;
      // Streams begin apart from each other, as calls do, and no burst of all of them ever leaves at once.
      for (let index = 0; index < count * streams.length && !isOver(); index += 1) {
        const dueAtMs = beganAtMs + shiftMs + (index / streams.length) * spacingMs;
        if (dueAtMs > net.now()) await wait(dueAtMs);
        streams[index % streams.length]?.send(dueAtMs);
        for (const one of reports) one.sendIfDue(net.now());
        // What is missed is not made up for: a burst is no stream of a phone's, and something may drop a part of it.
        const lateMs = net.now() - dueAtMs;
        if (lateMs > spacingMs / 2) shiftMs += lateMs;
      }
      const endMs = net.now() + patienceMs;
      const isComplete = (): boolean => streams.every(({ sent }) => sent.every(({ heard }) => heard > 0));
      while (net.now() < endMs && !isComplete()) await wait(Math.min(endMs, net.now() + WATCH_MS));
    } catch (error) {
      if (!signal.aborted) throw error;
      ended = 'interrupted';
    }
    const sum = (of: (one: Reports) => number): number => reports.reduce((total, one) => total + of(one), 0);
    const rtcp = { sent: sum((one) => one.sent()), answered: sum((one) => one.answered()) };
    return { beganAtMs, streams, heldUp, ended, rtcp };
  } finally {
    for (const { close } of [...streams, ...reports]) close();
  }
};

/** Of the far end's clock, in milliseconds since the first that it told. */
const farMs = (micros: bigint | null, originMicros: bigint): number | null =>
  micros === null ? null : Number(micros - originMicros) / 1000;

const packetOf = (
  one: SentPacket,
  { told }: Pick<Receipts, 'told'>,
  { beganAtMs, heldUp }: SentStreams,
  originMicros: bigint,
): MediaPacket => {
  const receipt = told.get(one.sequence);
  const { heard, heardAtMs } = one;
  return {
    sentAtMs: one.sentAtMs - beganAtMs,
    lateMs: Math.max(0, one.sentAtMs - one.dueAtMs),
    // What was answered has arrived, whether or not its receipt could be had.
    arrived: receipt?.arrived ?? (heard > 0 ? 1 : null),
    answered: receipt ? receipt.answered : heard > 0 ? 1 : null,
    farInMs: farMs(one.farInMicros, originMicros),
    farOutMs: farMs(one.farOutMicros, originMicros),
    heardAtMs: heardAtMs === null ? null : heardAtMs - beganAtMs,
    heard,
    isBlurred: heardAtMs !== null && heldUp.some(([from, to]) => heardAtMs >= from && heardAtMs <= to),
  };
};

const endOf = (ended: SentStreams['ended']): MediaEnd => (ended === 'silent' ? 'loss' : ended);

/** What the far end says of all packets of these streams. */
export const receiptsOf = (
  { streams }: Pick<SentStreams, 'streams'>,
  ways: readonly Check[],
  tools: Tools,
): Promise<Receipts> =>
  askReceipts(
    streams.flatMap(({ sent }) => sent.map(({ sequence }) => sequence)),
    ways,
    tools,
  );

/** One stream as facts. */
export const factsOf = (
  sending: SentStreams,
  stream: OpenMedia,
  receipts: Pick<Receipts, 'told'>,
  spacingMs: number,
): MediaStream => {
  const originMicros = stream.sent.find(({ farInMicros }) => farInMicros !== null)?.farInMicros ?? 0n;
  return {
    spacingMs,
    packets: stream.sent.map((one) => packetOf(one, receipts, sending, originMicros)),
    errors: stream.errors(),
    changed: stream.changed(),
    redirected: stream.redirected(),
    ended: endOf(sending.ended),
    rtcp: sending.rtcp,
  };
};
