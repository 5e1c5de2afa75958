/** What a reflector says of itself in an info answer: JSON inside an authenticated tag. Unknown fields are ignored. */
import type { PortSpan, ReflectorInfo } from '../model/far-end.js';
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { ANSWER_TAG_BYTES, answerRoom } from './tag.js';

/** A reflector with more separate runs of ports than this, or than fit, tells of the first ones only. */
export const MAX_SPANS = 64;
/** Fits any path in one datagram with IP and UDP headers (RFC 8200 §5: 1280), and leaves room for a tunnel. */
export const INFO_REQUEST_BYTES = 1100;
/** For a path that loses longer packets: the answer tells of fewer runs of ports. */
export const SMALL_INFO_REQUEST_BYTES = 480;
/** The body of the longest answer. */
const MAX_INFO_BYTES = INFO_REQUEST_BYTES - ANSWER_TAG_BYTES;
const MAX_VERSION = 32;
const MAX_OVERRUNS = 8;
/** At fourteen characters each a third of the room; a sweep's sample of a range has more ports than that. */
const MAX_UNREADABLE = 24;

const INFO_REFUSALS = ['not-json', 'wrong-shape'] as const;
type InfoRefusal = (typeof INFO_REFUSALS)[number];

/** Merges sorted or unsorted ports into maximal runs. */
export const spansOf = (ports: Iterable<number>): readonly PortSpan[] => {
  const spans: [number, number][] = [];
  for (const port of [...new Set(ports)].sort((a, b) => a - b)) {
    const last = spans.at(-1);
    if (last && last[1] + 1 === port) last[1] = port;
    else spans.push([port, port]);
  }
  return spans;
};

/** No more spans than `most`: those with the least between them become one. */
const atMost = (spans: readonly PortSpan[], most: number): readonly PortSpan[] => {
  if (spans.length <= most) return spans;
  const gapBefore = (index: number): number => (spans[index]?.[0] ?? 0) - (spans[index - 1]?.[1] ?? 0);
  const starts = spans
    .map((_, index) => index)
    .slice(1)
    .sort((a, b) => gapBefore(b) - gapBefore(a))
    .slice(0, most - 1)
    .sort((a, b) => a - b);
  return [0, ...starts].map((start, at): PortSpan => {
    const end = (starts[at] ?? spans.length) - 1;
    return [spans[start]?.[0] ?? 0, spans[end]?.[1] ?? 0];
  });
};

/** What a request's body pays for, in bytes: no answer is larger than its request. */
export const roomForInfo = (bodyLength: number): number => Math.min(MAX_INFO_BYTES, answerRoom(bodyLength));

/** The body of an info answer of at most `room` bytes; of many runs of ports, as many of the first ones as fit. */
export const encodeInfo = (info: ReflectorInfo, room = MAX_INFO_BYTES): Uint8Array => {
  const { overruns = [], unreadable = [] } = info;
  // Of many, one run that holds them all: too much is said to be doubtful, and never too little.
  const doubtful = {
    ...(overruns.length > 0 && { overruns: atMost(overruns, overruns.length > MAX_OVERRUNS ? 1 : MAX_OVERRUNS) }),
    ...(unreadable.length > 0 && { unreadable: atMost(unreadable, room < MAX_INFO_BYTES ? 1 : MAX_UNREADABLE) }),
  };
  const withSpans = (spans: number): Uint8Array =>
    Buffer.from(
      JSON.stringify({
        ...info,
        ...{ udp: info.udp.slice(0, spans), tcp: info.tcp.slice(0, spans) },
        ...(Math.max(info.udp.length, info.tcp.length) > spans && { isCut: true }),
        ...doubtful,
      }),
      'utf8',
    );
  let spans = MAX_SPANS;
  let body = withSpans(spans);
  while (body.length > room && spans > 0) {
    spans -= 1;
    body = withSpans(spans);
  }
  return body;
};

const isPort = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535;

const readSpans = (value: unknown): readonly PortSpan[] | null => {
  if (!Array.isArray(value) || value.length > MAX_SPANS) return null;
  const spans = value.flatMap((span: unknown): PortSpan[] => {
    if (!Array.isArray(span) || span.length !== 2) return [];
    const [from, to] = span as unknown[];
    return isPort(from) && isPort(to) && from <= to ? [[from, to]] : [];
  });
  return spans.length === value.length ? spans : null;
};

/** The last millisecond that a date can hold (ECMA-262 §21.4.1.1). */
const LAST_MOMENT = 8.64e15;

const isMoment = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= LAST_MOMENT;

/** Reads the body of an info answer; never throws. */
export const parseInfo = (body: Uint8Array): Parsed<ReflectorInfo, InfoRefusal> => {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return refuse('not-json');
  }
  if (typeof value !== 'object' || value === null) return refuse('wrong-shape');
  const {
    version,
    udp,
    tcp,
    isCut,
    overruns = [],
    unreadable = [],
    lateMs,
    startedAtMs,
    inbound,
    calls,
    certificateSha256,
  } = value as Record<string, unknown>;
  const udpSpans = readSpans(udp);
  const tcpSpans = readSpans(tcp);
  const overrunSpans = readSpans(overruns);
  const unreadableSpans = readSpans(unreadable);
  if (typeof version !== 'string' || version.length > MAX_VERSION || !udpSpans || !tcpSpans)
    return refuse('wrong-shape');
  if (!overrunSpans || !unreadableSpans) return refuse('wrong-shape');
  const fingerprint =
    typeof certificateSha256 === 'string' && /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/.test(certificateSha256)
      ? certificateSha256
      : null;
  return accept({
    version,
    udp: udpSpans,
    tcp: tcpSpans,
    ...(isCut === true && { isCut }),
    ...(overrunSpans.length > 0 && { overruns: overrunSpans }),
    ...(unreadableSpans.length > 0 && { unreadable: unreadableSpans }),
    ...(typeof lateMs === 'number' && lateMs > 0 && { lateMs }),
    ...(isMoment(startedAtMs) && { startedAtMs }),
    ...(inbound === true && { inbound }),
    ...(calls === true && { calls }),
    certificateSha256: fingerprint,
  });
};
