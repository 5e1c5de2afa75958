/**
 * Session descriptions (RFC 8866) and the offer/answer that phones make with them (RFC 3264): as much as a call of audio
 * needs. Other media is understood and declined. Bounded, of linear time, and never throws on what comes from the network.
 */
import { accept, type Parsed, refuse } from '../model/refusal.js';

/** Descriptions of video phones with every codec and candidate stay below 8 KB. */
export const MAX_SDP_BYTES = 16_384;
const MAX_LINES = 512;
const MAX_MEDIA = 16;
const MAX_FORMATS = 64;

export const SDP_REFUSALS = [
  'too-long',
  'too-many-lines',
  'too-many-media',
  'bad-line', // one that is no "x=value"
  'no-version', // it does not begin with v=0
  'bad-origin',
  'bad-connection',
  'bad-media',
] as const;
type SdpRefusal = (typeof SDP_REFUSALS)[number];

export const DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;
export type MediaDirection = (typeof DIRECTIONS)[number];

export interface PayloadFormat {
  /** 0–127. */
  readonly payloadType: number;
  /** As `a=rtpmap` or RFC 3551 names it, in upper case: `PCMU/8000`; null where nobody named it. */
  readonly encoding: string | null;
}

/** SRTP's keys in the description itself (RFC 4568 §9.1). */
interface CryptoLine {
  readonly tag: number;
  readonly suite: string;
  /** With its method: `inline:…`. */
  readonly keys: string;
}

export interface Media {
  /** `audio`, `video` … */
  readonly kind: string;
  /** 0–65535; 0 declines the stream (RFC 3264 §6). */
  readonly port: number;
  /** `RTP/AVP`, `RTP/SAVP` … */
  readonly protocol: string;
  readonly formats: readonly PayloadFormat[];
  /** Where its packets go: the stream's own `c=`, else the session's; null where neither is given. */
  readonly address: string | null;
  readonly direction: MediaDirection;
  /** `a=rtcp` (RFC 3605), else null. */
  readonly rtcpPort: number | null;
  /** Of `a=ssrc` (RFC 5576), else null. */
  readonly ssrc: number | null;
  readonly crypto: readonly CryptoLine[];
}

interface SessionDescription {
  readonly origin: { readonly sessionId: string; readonly version: string; readonly address: string };
  readonly media: readonly Media[];
}

/** RFC 3551 §6: what need not be named. */
const STATIC: ReadonlyMap<number, string> = new Map([
  [0, 'PCMU/8000'],
  [3, 'GSM/8000'],
  [4, 'G723/8000'],
  [8, 'PCMA/8000'],
  [9, 'G722/8000'],
  [13, 'CN/8000'],
  [18, 'G729/8000'],
]);

const ADDRESS = /^[0-9A-Za-z.:_-]+$/;
const PORT = /^(\d{1,5})(?:\/\d{1,5})?$/;
const NUMBER = /^\d{1,20}$/;

interface Line {
  readonly type: string;
  readonly value: string;
}

const linesOf = (bytes: Uint8Array): Parsed<readonly Line[], SdpRefusal> => {
  if (bytes.length > MAX_SDP_BYTES) return refuse('too-long');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  // RFC 8866 §5: a reader takes a lone LF as well, and the last line may lack its end.
  const raw = text.split('\n');
  if (raw.length > MAX_LINES) return refuse('too-many-lines');
  const lines: Line[] = [];
  for (const one of raw) {
    const line = one.endsWith('\r') ? one.slice(0, -1) : one;
    if (line === '') continue;
    if (!/^[a-z]=/.test(line)) return refuse('bad-line');
    lines.push({ type: line[0] ?? '', value: line.slice(2) });
  }
  return accept(lines);
};

/** `IN IP4 192.0.2.1`, with a multicast address's ttl cut off; null for what is none. */
const connectionOf = (value: string): string | null => {
  const [net, family, address, ...rest] = value.trim().split(/ +/);
  const [host = ''] = (address ?? '').split('/');
  return net === 'IN' && (family === 'IP4' || family === 'IP6') && rest.length === 0 && ADDRESS.test(host)
    ? host
    : null;
};

const payloadTypes = (formats: readonly string[]): readonly number[] | null => {
  const numbers = formats.map((text) => (/^\d{1,3}$/.test(text) ? Number(text) : -1));
  return numbers.every((number) => number >= 0 && number <= 127) ? numbers : null;
};

interface Section {
  readonly head: string;
  readonly lines: readonly Line[];
}

const attributeOf = (lines: readonly Line[], name: string): readonly string[] =>
  lines.flatMap(({ type, value }) =>
    type === 'a' && value.startsWith(`${name}:`) ? [value.slice(name.length + 1)] : [],
  );

const directionOf = (lines: readonly Line[]): MediaDirection | null =>
  lines.flatMap(({ type, value }) => (type === 'a' ? (DIRECTIONS.find((one) => one === value.trim()) ?? []) : []))[0] ??
  null;

const cryptoOf = (lines: readonly Line[]): readonly CryptoLine[] =>
  attributeOf(lines, 'crypto').flatMap((value) => {
    const [, tag, suite, keys] = /^(\d{1,9}) +([A-Za-z0-9_]+) +(\S+)/.exec(value.trim()) ?? [];
    return tag && suite && keys ? [{ tag: Number(tag), suite, keys }] : [];
  });

const numberOf = (text: string | undefined, max: number): number | null => {
  const [, digits] = /^(\d{1,10})(?: |$)/.exec(text?.trim() ?? '') ?? [];
  return digits !== undefined && Number(digits) <= max ? Number(digits) : null;
};

const mediaOf = (
  { head, lines }: Section,
  session: { readonly address: string | null; readonly direction: MediaDirection | null },
): Parsed<Media, SdpRefusal> => {
  const [kind = '', portText = '', protocol = '', ...formatTexts] = head.trim().split(/ +/);
  const port = Number(PORT.exec(portText)?.[1] ?? Number.NaN);
  const isRtp = /^RTP\/S?AVPF?$/.test(protocol);
  const numbers = isRtp ? payloadTypes(formatTexts) : [];
  if (!/^[a-z]+$/.test(kind) || !(port <= 65_535) || protocol === '' || numbers === null) return refuse('bad-media');
  if (formatTexts.length === 0 || formatTexts.length > MAX_FORMATS) return refuse('bad-media');
  const names = new Map(
    attributeOf(lines, 'rtpmap').flatMap((value): (readonly [number, string])[] => {
      const [, number, name] = /^(\d{1,3}) +([A-Za-z0-9._/-]+)/.exec(value.trim()) ?? [];
      return number && name ? [[Number(number), name.toUpperCase()]] : [];
    }),
  );
  const connection = lines.find(({ type }) => type === 'c');
  const address = connection ? connectionOf(connection.value) : session.address;
  if (connection && address === null) return refuse('bad-connection');
  return accept({
    ...{ kind, port, protocol, address },
    formats: numbers.map((payloadType) => ({
      payloadType,
      encoding: names.get(payloadType) ?? STATIC.get(payloadType) ?? null,
    })),
    direction: directionOf(lines) ?? session.direction ?? 'sendrecv',
    rtcpPort: numberOf(attributeOf(lines, 'rtcp')[0], 65_535),
    ssrc: numberOf(attributeOf(lines, 'ssrc')[0], 2 ** 32 - 1),
    crypto: cryptoOf(lines),
  });
};

/** Reads a description. Lines that calls do not need are skipped, whatever they say. */
export const parseSdp = (bytes: Uint8Array): Parsed<SessionDescription, SdpRefusal> => {
  const read = linesOf(bytes);
  if (!read.ok) return read;
  const [first, ...lines] = read.value;
  if (first?.type !== 'v' || first.value.trim() !== '0') return refuse('no-version');
  const heads = lines.flatMap(({ type }, index) => (type === 'm' ? [index] : []));
  if (heads.length > MAX_MEDIA) return refuse('too-many-media');
  const ofSession = lines.slice(0, heads[0] ?? lines.length);
  const origin =
    ofSession
      .find(({ type }) => type === 'o')
      ?.value.trim()
      .split(/ +/) ?? [];
  const [, sessionId = '', version = '', ...where] = origin;
  const address = connectionOf(where.join(' '));
  if (!NUMBER.test(sessionId) || !NUMBER.test(version) || address === null) return refuse('bad-origin');
  const connection = ofSession.find(({ type }) => type === 'c');
  const session = {
    address: connection ? connectionOf(connection.value) : null,
    direction: directionOf(ofSession),
  };
  if (connection && session.address === null) return refuse('bad-connection');
  const media: Media[] = [];
  for (const [index, at] of heads.entries()) {
    const section = { head: lines[at]?.value ?? '', lines: lines.slice(at + 1, heads[index + 1] ?? lines.length) };
    const one = mediaOf(section, session);
    if (!one.ok) return one;
    media.push(one.value);
  }
  return accept({ origin: { sessionId, version, address }, media });
};

/** What one side of a call says of its audio. */
export interface AudioToSend {
  readonly address: string;
  /** 0–65535; 0 declines. */
  readonly port: number;
  /** Numbers of the session and of its version, which grows with every change (RFC 3264 §8). */
  readonly sessionId: number;
  readonly version: number;
  readonly direction: MediaDirection;
  readonly ssrc: number;
  readonly formats: readonly PayloadFormat[];
  /** What is offered in place of `RTP/AVP`, with its keys. */
  readonly crypto?: readonly CryptoLine[];
  /** Further streams of an offer, each of which is declined in its place (RFC 3264 §6). */
  readonly declined?: readonly Pick<Media, 'kind' | 'protocol' | 'formats'>[];
}

export const PCMU: PayloadFormat = { payloadType: 0, encoding: 'PCMU/8000' };
export const PCMA: PayloadFormat = { payloadType: 8, encoding: 'PCMA/8000' };
/** The number that nearly every phone gives to events. */
export const EVENTS: PayloadFormat = { payloadType: 101, encoding: 'TELEPHONE-EVENT/8000' };
export const OUR_FORMATS: readonly PayloadFormat[] = [PCMU, PCMA, EVENTS];

const numbers = (formats: readonly PayloadFormat[]): string =>
  formats.map(({ payloadType }) => payloadType).join(' ') || '0';

const formatLines = ({ payloadType, encoding }: PayloadFormat): readonly string[] => {
  if (encoding === null) return [];
  const isEvents = encoding === EVENTS.encoding;
  return [
    `a=rtpmap:${payloadType} ${isEvents ? encoding.toLowerCase() : encoding}`,
    // Keys and no more (RFC 4733 §2.4.1).
    ...(isEvents ? [`a=fmtp:${payloadType} 0-15`] : []),
  ];
};

/** A description of one audio stream, as phones write it. */
export const buildSdp = (audio: AudioToSend): Uint8Array => {
  const { address, port, sessionId, version, direction, ssrc, formats, crypto = [], declined = [] } = audio;
  const where = `IN ${address.includes(':') ? 'IP6' : 'IP4'} ${address}`;
  const lines = [
    'v=0',
    `o=- ${sessionId} ${version} ${where}`,
    's=-',
    `c=${where}`,
    't=0 0',
    `m=audio ${port} ${crypto.length > 0 ? 'RTP/SAVP' : 'RTP/AVP'} ${numbers(formats)}`,
    ...formats.flatMap(formatLines),
    ...crypto.map(({ tag, suite, keys }) => `a=crypto:${tag} ${suite} ${keys}`),
    'a=ptime:20',
    `a=ssrc:${ssrc} cname:callpath`,
    `a=${direction}`,
    ...declined.map(({ kind, protocol, formats: theirs }) => `m=${kind} 0 ${protocol} ${numbers(theirs)}`),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1');
};

/** The audio stream of a description that can be used; null for none, or one that is declined. */
export const audioOf = ({ media }: SessionDescription): Media | null =>
  media.find(({ kind, port }) => kind === 'audio' && port > 0) ?? null;

/** What the answer says to a direction that is offered, from a side that wants to hear and be heard (RFC 3264 §6.1). */
const ANSWER_TO: Readonly<Record<MediaDirection, MediaDirection>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};
export const answeredDirection = (offered: MediaDirection): MediaDirection => ANSWER_TO[offered];

/** Formats of an offer that we speak, by the offer's numbers and in its order (RFC 3264 §6.1). */
export const commonFormats = ({ formats }: Media): readonly PayloadFormat[] =>
  formats.filter(({ encoding }) => OUR_FORMATS.some((own) => own.encoding === encoding));

/** Whether there is a voice among them: events alone carry none. */
export const hasVoice = (formats: readonly PayloadFormat[]): boolean =>
  formats.some(({ encoding }) => encoding !== null && encoding !== EVENTS.encoding);

/** The number under which events go in this call; null where it has none. */
export const eventsOf = (formats: readonly PayloadFormat[]): number | null =>
  formats.find(({ encoding }) => encoding === EVENTS.encoding)?.payloadType ?? null;
