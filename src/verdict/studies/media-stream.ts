/**
 * What a stream of audio shows of each direction, and whether a call would suffer. This host's own lateness is judged first, then what
 * the far end did by itself; what is left is the path's, and only what the sample proves is held against it.
 */
import { CODECS, type MediaFacts, type MediaStep, type MediaStream, SPACING_MS } from '../../model/media.js';
import type { Evidence } from '../../model/observation.js';
import type { Thresholds } from '../../model/profile.js';
import type { Report } from '../../model/report.js';
import type { Finding } from '../../model/verdict.js';
import { STREAM_NOT_SENT, STREAM_TOO_LATE } from '../../words/study-notes.js';
import { type Throttling, throttlingOf } from '../media/cut.js';
import { disordersIn, provenJitter } from '../media/delay.js';
import { type DirectionName, directionsOf, roundTripsOf } from '../media/direction.js';
import { type Loss, lossOf, PROOF_CONFIDENCE, packetsNeededFor } from '../media/loss.js';
import { type Described, describe, packetBytes } from '../media/quality.js';
import type { Judge, StudyCheck } from './study-check.js';

/** A packet that leaves so late is late by as much as phones send them apart. */
const LATE_MS = SPACING_MS;
/**
 * So many packets may leave late before it is no phone's stream any more. What is late is not made up for, so that it leaves a gap and no
 * burst, which takes nothing from what the others show.
 */
const OWN_LATE_SHARE = 0.2;
/** So many packets this host may refuse to send, the far end leave unanswered, or something change, before the line is not judged. */
const OWN_SHARE = 0.05;
/** Those of which the time of coming was not seen are left out; more of them than this, and too few are left. */
const UNSEEN_SHARE = 0.5;
/** A stream so short says nothing. */
const LEAST_PACKETS = 50;
/** Nothing passes for so long: the line was away, in packets. */
const OUTAGE_PACKETS = 1000 / SPACING_MS;
/** Steps of `--calls` end where so much is lost in a direction. */
const TOO_MUCH_LOSS = 0.03;

const share = (count: number, all: number): number => (all === 0 ? 0 : count / all);

interface Own {
  readonly lateRatio: number;
  readonly blurredRatio: number;
  readonly errors: number;
}

const ownDoing = ({ packets, errors }: MediaStream): Own => ({
  lateRatio: share(packets.filter(({ lateMs }) => lateMs > LATE_MS).length, packets.length),
  blurredRatio: share(packets.filter(({ isBlurred }) => isBlurred).length, packets.length),
  errors,
});

const isOwn = ({ lateRatio, blurredRatio, errors }: Own, packets: number): boolean =>
  lateRatio > OWN_LATE_SHARE || blurredRatio > UNSEEN_SHARE || share(errors, packets + errors) > OWN_SHARE;

const DEGRADED = (reason: 'loss' | 'jitter' | 'reordered' | 'latency' | 'rate-limited'): Finding => ({
  verdict: 'degraded',
  reason,
});
const UNKNOWN = (reason: 'local-error' | 'limited' | 'outage' | 'cut-off'): Finding => ({ verdict: 'unknown', reason });
const PASS: Finding = { verdict: 'pass', reason: 'answered' };

interface Context {
  readonly facts: MediaFacts;
  readonly stream: MediaStream;
  readonly directions: readonly Described[];
  readonly throttling: Throttling | null;
  readonly thresholds: Thresholds;
}

/** How often order was lost has bounds as packets that are lost have. */
const disorder = ({ sample }: Described): Loss => lossOf(disordersIn(sample.inOrder));

/** So many round trips must be longer than the threshold: nearly all. */
const LATENCY_RANK = 0.1;

/** What nobody but the line did. */
const ofPath = ({ facts, stream, directions, throttling, thresholds }: Context): Finding => {
  // From some packet on in two streams alike: no chance, and no line that was away.
  if (throttling) return DEGRADED('loss');
  const { packets } = stream;
  const roundTrip = lossOf(
    packets.map(({ heard, arrived, answered }) => heard === 0 && !((arrived ?? 0) > 0 && answered === 0)),
  );
  // Nothing passed for a while: of which, and whose doing it was, the rest of the run says.
  if (roundTrip.longestGap >= OUTAGE_PACKETS) return UNKNOWN('outage');
  const loses =
    directions.length > 0
      ? directions.some(({ loss }) => loss.proven > thresholds.lossRatio)
      : roundTrip.proven > thresholds.lossRatio;
  if (loses) return DEGRADED('loss');
  // A far end that was late with its work made the times of what came to it.
  if (facts.farEndLateMs === 0) {
    if (directions.some(({ sample }) => provenJitter(sample.inOrder) > thresholds.jitterMs)) return DEGRADED('jitter');
  }
  if (directions.some((one) => disorder(one).proven > thresholds.reorderRatio)) return DEGRADED('reordered');
  const rtts = [...roundTripsOf(packets)].sort((a, b) => a - b);
  const isLong = (rtts[Math.floor(LATENCY_RANK * rtts.length)] ?? 0) > thresholds.rttMs;
  return isLong ? DEGRADED('latency') : PASS;
};

const findingOf = (context: Context): Finding => {
  const { stream } = context;
  const { packets } = stream;
  if (isOwn(ownDoing(stream), packets.length)) return UNKNOWN('local-error');
  // It passed just before: the flow is dead, this host shut out, or the line away, and which of them the rest of the run says.
  if (packets.every(({ heard }) => heard === 0)) return UNKNOWN('outage');
  const unanswered = packets.filter(({ arrived, answered }) => (arrived ?? 0) > 0 && answered === 0).length;
  if (share(unanswered, packets.length) > OWN_SHARE) return UNKNOWN('limited');
  if (share(stream.changed, packets.length) > OWN_SHARE) return { verdict: 'altered', reason: 'payload-rewritten' };
  // It is proven, and it goes where nobody sent it.
  if (share(stream.redirected, packets.length) > OWN_SHARE) return { verdict: 'altered', reason: 'answered-by-other' };
  return ofPath(context);
};

const rounded = (value: number): number => Number(value.toFixed(4));

/** By direction, the packets that would tell it from the threshold, where those that were sent do not. */
const neededBy = (
  directions: readonly Described[],
  threshold: number,
  of: (one: Described) => Loss,
): readonly (readonly [DirectionName, number])[] =>
  directions.flatMap((one) => {
    const packets = packetsNeededFor(of(one), threshold);
    return packets === null ? [] : [[one.quality.direction, packets] as const];
  });

const evidenceOf = ({ facts, stream, directions, throttling, thresholds }: Context): Evidence => {
  const { lateRatio, blurredRatio, errors } = ownDoing(stream);
  const lateness = stream.packets.map(({ lateMs }) => lateMs).sort((a, b) => a - b);
  const needed = neededBy(directions, thresholds.lossRatio, ({ loss }) => loss);
  // Of what was never overtaken nobody asks.
  const mixed = directions.filter(({ quality }) => quality.reordered > 0);
  const neededForOrder = neededBy(mixed, thresholds.reorderRatio, disorder);
  const setUp = directions.filter(({ sample }) => sample.setUp > 0);
  return {
    codec: facts.codec,
    payloadBytes: CODECS[facts.codec].payloadBytes,
    spacingMs: stream.spacingMs,
    seconds: rounded((stream.packets.at(-1)?.sentAtMs ?? 0) / 1000),
    ownLatenessMs: {
      p99: rounded(lateness[Math.floor(0.99 * lateness.length)] ?? 0),
      max: rounded(lateness.at(-1) ?? 0),
    },
    lateRatio: rounded(lateRatio),
    unseenRatio: rounded(blurredRatio),
    ...(errors > 0 && { errors }),
    ...(stream.rtcp.sent > 0 && { rtcpReports: { sent: stream.rtcp.sent, answered: stream.rtcp.answered } }),
    ...(facts.farEndLateMs > 0 && { farEndLateMs: facts.farEndLateMs }),
    ...(directions.length === 0 && { directionsTold: false }),
    ...(needed.length > 0 && { packetsNeeded: Object.fromEntries(needed) }),
    ...(neededForOrder.length > 0 && { packetsNeededForOrder: Object.fromEntries(neededForOrder) }),
    ...(setUp.length > 0 && {
      setUpPackets: Object.fromEntries(setUp.map(({ quality, sample }) => [quality.direction, sample.setUp])),
    }),
    ...(throttling && { direction: throttling.direction, lossAfter: rounded(throttling.lossAfter) }),
  };
};

const DIRECTIONS: readonly DirectionName[] = ['outbound', 'inbound'];

const describeBoth = (
  { port, codec, family, farEndLateMs }: MediaFacts,
  { packets }: MediaStream,
  throttling: Throttling | null,
): readonly Described[] => {
  const both = directionsOf(packets);
  if (!both) return [];
  return DIRECTIONS.flatMap((direction) => {
    const isReceiverLate = direction === 'outbound' && farEndLateMs > 0;
    const told = describe({ port, codec, direction, sample: both[direction], packets, isReceiverLate });
    if (!told || throttling?.direction !== direction) return told ?? [];
    const throttledAfter = {
      seconds: rounded(throttling.atMs / 1000),
      packets: throttling.packets,
      bytes: throttling.packets * packetBytes(CODECS[codec].payloadBytes, family),
      kind: throttling.kind,
    };
    return { ...told, quality: { ...told.quality, throttledAfter } };
  });
};

const sumOf = (values: readonly (number | null)[]): number | null =>
  values.some((one) => one === null) ? null : values.reduce<number>((sum, one) => sum + (one ?? 0), 0);

/** Which direction lost too much in this step; null where none did, or nobody told. */
const endsBy = ({ streams }: MediaStep): DirectionName | null => {
  const sent = streams.reduce((sum, one) => sum + one.sent, 0);
  const arrived = sumOf(streams.map((one) => one.arrived));
  const answered = sumOf(streams.map((one) => one.answered));
  const heard = streams.reduce((sum, one) => sum + one.heard, 0);
  if (arrived === null || answered === null) return null;
  if (1 - share(arrived, sent) > TOO_MUCH_LOSS) return 'outbound';
  return answered > 0 && 1 - heard / answered > TOO_MUCH_LOSS ? 'inbound' : null;
};

/** How many calls passed at once, and what the next ones met. Null where this host could not send so many in time. */
const capacityOf = ({ asked, steps }: MediaFacts, throttling: Throttling | null): Report['capacity'] => {
  const measured = steps.filter(({ ended, lateRatio }) => ended !== 'interrupted' && lateRatio <= OWN_SHARE);
  if (measured.length === 0 || measured.length < steps.length - 1) return null;
  const good = measured.filter((step) => step.ended === 'complete' && endsBy(step) === null);
  const bad = measured.find((step) => step.ended === 'loss' || endsBy(step) !== null);
  const calls = Math.max(0, ...good.map((step) => step.calls));
  const limitedBy = bad ? (throttling || bad.calls === 1 ? 'per-flow' : endsBy(bad)) : null;
  return { calls, limitedBy, asked };
};

const notesOf = (facts: MediaFacts, finding: Finding | null): readonly string[] => [
  ...(facts.notSent ? [STREAM_NOT_SENT[facts.notSent]] : []),
  ...(finding?.reason === 'local-error' ? [STREAM_TOO_LATE] : []),
];

const checkOf = (context: Context, finding: Finding): StudyCheck => {
  const { facts, stream } = context;
  const { packets } = stream;
  const { address, family, port } = facts;
  const arrived = packets.map((one) => one.arrived);
  const count = (values: readonly (number | null)[]): number | null =>
    values.some((one) => one === null) ? null : values.filter((one) => (one ?? 0) > 0).length;
  return {
    ...{ probe: 'media-stream', transport: 'udp', address, family, port, finding },
    confidence: finding.verdict === 'unknown' ? 0 : PROOF_CONFIDENCE,
    sent: packets.length,
    seen: count(arrived),
    answered: count(packets.map(({ answered }) => answered)),
    received: packets.filter(({ heard }) => heard > 0).length,
    evidence: evidenceOf(context),
  };
};

export const judge: Judge<MediaFacts> = (all, _loss, thresholds) => {
  const [facts] = all;
  if (!facts) return {};
  const { stream, repeat } = facts;
  if (!stream || stream.packets.length < LEAST_PACKETS) return { notes: notesOf(facts, null) };
  const throttling = throttlingOf(stream, repeat);
  const directions = describeBoth(facts, stream, throttling);
  const context = { facts, stream, directions, throttling, thresholds };
  const finding = findingOf(context);
  return {
    checks: [checkOf(context, finding)],
    // What this host did late is no line's quality.
    quality: finding.reason === 'local-error' ? [] : directions.map(({ quality }) => quality),
    capacity: capacityOf(facts, throttling) ?? null,
    notes: notesOf(facts, finding),
  };
};
