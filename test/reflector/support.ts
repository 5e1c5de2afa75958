/** What the reflector's tests share: a reflector without sockets, and what agents, phones, scanners and attackers send. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Asking, loadProbe } from '../../probes/contract.js';
import { keyOf } from '../../src/model/check.js';
import { ASKED_KINDS, type AskedKind, kindOf } from '../../src/model/kinds.js';
import { packageRoot } from '../../src/plan/package-root.js';
import { createAuthority } from '../../src/reflector/authority.js';
import { createEvidenceBook } from '../../src/reflector/captures.js';
import { answerDatagram } from '../../src/reflector/datagrams.js';
import type { Arrival, Host } from '../../src/reflector/exchange.js';
import { createKeepaliveBook, createLimiter } from '../../src/reflector/limits.js';
import { createSessions } from '../../src/reflector/sessions.js';
import {
  DNS_SUFFIX,
  ESP_TAG_SPI_MASK,
  RTCP_APP_NAME,
  STUN_TAG_ATTRIBUTE,
  TAG_HEADER,
  tagToText,
} from '../../src/wire/carriers.js';
import { buildQuery } from '../../src/wire/dns.js';
import { tagToLabels } from '../../src/wire/dns-labels.js';
import { buildSaInitRequest, IKE_GROUPS, makeKeyExchange } from '../../src/wire/ike.js';
import { encodeInfo, INFO_REQUEST_BYTES, spansOf } from '../../src/wire/info.js';
import { parseIp, toMappedBytes } from '../../src/wire/ip.js';
import { deriveKeys } from '../../src/wire/keys.js';
import { encodeEspInUdp, withNonEspMarker } from '../../src/wire/nat-t.js';
import { makeTag } from '../../src/wire/proof.js';
import { encodeReceiptsQuery } from '../../src/wire/receipts.js';
import { cnameDescription, encodeRtcp } from '../../src/wire/rtcp.js';
import { encodeRtp } from '../../src/wire/rtp.js';
import { buildRequest } from '../../src/wire/sip.js';
import { BINDING, encodeStun, type StunAttribute } from '../../src/wire/stun.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES, type RequestType } from '../../src/wire/tag.js';

export const FIXTURES = join(packageRoot(), 'fixtures');
export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/#.*|\s/g, ''), 'hex');
export const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

export const TOKEN = latin1('correct-horse-battery-staple');
export const OTHER_TOKEN = latin1('another token, not ours at all');
export const INFO = encodeInfo({
  version: '0.1.0',
  udp: spansOf([500, 4500, 5060, 5061]),
  tcp: spansOf([443, 5060]),
  certificateSha256: null,
});

/** Microseconds since 1970 at which everything happens unless a test says otherwise. */
export const NOW_MICROS = 1_700_000_000_000_000n;

let agentsClock = (): bigint => NOW_MICROS;
/** What talks to a real process has to send in its time, because old packets begin nothing there. */
export const sendInRealTime = (): void => {
  agentsClock = () => BigInt(Date.now()) * 1000n;
};

export interface Source {
  readonly address?: string;
  readonly port?: number;
  readonly localPort?: number;
  readonly binding?: Uint8Array | null;
}

export const arrivalFrom = ({
  address = '192.0.2.9',
  port = 40_000,
  localPort = 5060,
  binding = null,
}: Source = {}): Arrival => {
  const ip = parseIp(address);
  if (!ip) throw new Error(`${address} is no address`);
  return {
    sourceBytes: toMappedBytes(ip.bytes),
    sourceAddress: address,
    sourcePort: port,
    localPort,
    receivedAtMicros: NOW_MICROS,
    binding,
    localAddress: null,
    surroundings: null,
  };
};

export const createHost = (keepalives: Host['keepalives'] = () => 0): Host => ({
  authority: createAuthority([{ name: 'test', token: TOKEN }]),
  nowMicros: () => NOW_MICROS + 35n,
  keepalives,
  info: () => INFO,
  sessions: createSessions(1),
  evidence: createEvidenceBook(),
  refused: () => 0,
  version: '0.1.0',
});

/** A reflector without sockets whose clock a test moves. */
export const createRig = () => {
  let nowMs = 1000;
  const book = createKeepaliveBook();
  const limiter = createLimiter(() => nowMs);
  const rules = { host: createHost(book.count), limiter, sawKeepalive: book.saw };
  return {
    rules,
    limiter,
    book,
    advance: (milliseconds: number) => {
      nowMs += milliseconds;
    },
    send: (message: Uint8Array, from: Source = {}): Uint8Array | null =>
      answerDatagram(message, arrivalFrom(from), rules)?.bytes ?? null,
  };
};

/** Thirty-two octets that look random and are the same each time. */
export const seedOf = (number: number): Uint8Array => createHash('sha256').update(`seed ${number}`).digest();

export const sessionOf = (number: number, token: Uint8Array | null = TOKEN) => {
  const id = seedOf(number).subarray(0, 8);
  return { id, keys: token && deriveKeys(token, id) };
};

export const requestTag = (
  sequence: number,
  {
    token = TOKEN,
    session = 1,
    type = 'echoRequest',
    body,
    binding = null,
  }: {
    token?: Uint8Array;
    session?: number;
    type?: RequestType;
    body?: Uint8Array;
    binding?: Uint8Array | null;
  } = {},
): Uint8Array => {
  const input = { session: sessionOf(session, token), sequence, sentAtMicros: agentsClock(), binding };
  const tag = makeTag(input, type, body);
  if (!tag) throw new Error('a session with a token makes a tag');
  return tag;
};

/** A request as the agent's own probe of this kind makes it, tagged or not. */
export const askAs = async (
  kind: AskedKind,
  {
    sequence = 1,
    session = 1,
    token = TOKEN,
    port = 5060,
    transport = kindOf(kind).transports[0] ?? 'udp',
    binding = null,
  }: {
    sequence?: number;
    session?: number;
    token?: Uint8Array | null;
    port?: number;
    transport?: Asking['check']['transport'];
    binding?: Uint8Array | null;
  } = {},
) => {
  const probe = await loadProbe(kind);
  const asking: Asking = {
    check: {
      key: keyOf({ probe: kind, transport, port, address: '192.0.2.1' }),
      id: `${kind}/${transport}/${port}`,
      probe: kind,
      transport,
      port,
      address: '192.0.2.1',
      family: 4,
      host: '192.0.2.1',
      requiredBy: [],
      isOfRange: false,
      natT: kind === 'ike-sa-init' && port === 4500,
    },
    local: { address: '192.0.2.9', port: 40_000 },
    session: sessionOf(session, token),
    sequence,
    seed: seedOf(sequence),
    sentAtMicros: agentsClock(),
    binding,
  };
  return { probe, asking, question: probe.ask(asking) };
};

export interface Sent {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const PUBLIC_VALUE = { group: IKE_GROUPS.curve25519, value: makeKeyExchange(IKE_GROUPS.curve25519) };

const ike = (vendorIds: readonly Uint8Array[]): Uint8Array =>
  buildSaInitRequest({
    spiI: seedOf(3).subarray(0, 8),
    groups: [IKE_GROUPS.curve25519],
    ke: PUBLIC_VALUE,
    nonce: seedOf(4),
    natDetection: null,
    cookie: null,
    vendorIds,
    fragmentationSupported: false,
  });

export const sipRequest = (method: string, extra: { name: string; value: string }[] = []): Uint8Array =>
  buildRequest({
    method,
    requestUri: 'sip:probe@192.0.2.1',
    via: { transport: 'UDP', host: '192.0.2.9', port: 40_000, branch: 'z9hG4bK74bf9' },
    from: { uri: 'sip:alice@192.0.2.9', tag: '9fxced76sl' },
    to: { uri: 'sip:probe@192.0.2.1' },
    callId: '3848276298220188511@192.0.2.9',
    cseq: 1,
    contact: 'sip:alice@192.0.2.9:40000',
    userAgent: 'a phone',
    ...(extra.length > 0 && { extraHeaders: extra }),
  });

export const stunRequest = (...attributes: StunAttribute[]): Uint8Array =>
  encodeStun({
    dialect: 'rfc8489',
    class: 'request',
    method: BINDING,
    transactionId: seedOf(5).subarray(0, 12),
    attributes,
  });

export const oldStunRequest = (...attributes: StunAttribute[]): Uint8Array =>
  encodeStun({
    dialect: 'rfc3489',
    class: 'request',
    method: BINDING,
    transactionId: seedOf(5).subarray(0, 16),
    attributes,
  });

const rtp = (payload: Uint8Array): Uint8Array =>
  encodeRtp({
    marker: false,
    payloadType: 0,
    sequence: 7,
    timestamp: 1120,
    ssrc: 0xdecafbad,
    csrcs: [],
    extension: null,
    payload,
    padding: 0,
  });

/** Data of APP blocks is whole words (RFC 3550 §6.7). */
const inWords = (bytes: Uint8Array): Uint8Array => Buffer.concat([bytes, new Uint8Array((4 - (bytes.length % 4)) % 4)]);

const rtcp = (data: Uint8Array): Uint8Array =>
  encodeRtcp({
    packets: [
      { kind: 'receiver-report', ssrc: 1, reports: [], extension: new Uint8Array(0) },
      cnameDescription(1, 'someone@192.0.2.9'),
      { kind: 'app', subtype: 0, ssrc: 1, name: RTCP_APP_NAME, data: inWords(data) },
    ],
    padding: 0,
  });

const roomFor = (tag: Uint8Array, bytes: number): Uint8Array =>
  Buffer.concat([tag, new Uint8Array(Math.max(0, bytes - tag.length))]);

/** One tag in every carrier there is, each with room for an answer of `room` octets: what a replayer would try. */
export const inEveryCarrier = (tag: Uint8Array, room = ANSWER_TAG_BYTES): readonly Sent[] => {
  const padded = roomFor(tag, room);
  const text = { name: TAG_HEADER, value: tagToText(tag) };
  const labels = tagToLabels(tag, DNS_SUFFIX);
  return [
    { name: 'bare', bytes: padded },
    {
      name: 'STUN attribute',
      bytes: stunRequest({ kind: 'opaque', type: STUN_TAG_ATTRIBUTE, value: roomFor(tag, room + 24) }),
    },
    {
      name: 'RFC 3489 attribute',
      bytes: oldStunRequest({ kind: 'opaque', type: STUN_TAG_ATTRIBUTE, value: roomFor(tag, room + 24) }),
    },
    { name: 'SIP header', bytes: sipRequest('OPTIONS', [text, { name: 'X-Room', value: 'x'.repeat(room * 2) }]) },
    { name: 'RTP payload', bytes: rtp(roomFor(tag, room + 60)) },
    { name: 'RTCP APP block', bytes: rtcp(padded) },
    { name: 'ESP payload', bytes: encodeEspInUdp({ spi: ESP_TAG_SPI_MASK, sequence: 1, payload: padded }) },
    { name: 'IKE Vendor ID', bytes: ike([tag, new Uint8Array(room)]) },
    { name: 'IKE Vendor ID behind the marker', bytes: withNonEspMarker(ike([tag, new Uint8Array(room)])) },
    ...(labels
      ? [
          {
            name: 'DNS labels',
            bytes: buildQuery({ id: 7, name: labels, type: 'TXT', recursionDesired: true, padTo: 200 + room }),
          },
        ]
      : []),
  ];
};

/** Requests that carry a valid tag, as agents send them, and control requests in every carrier. */
export const agentRequests = async (firstSequence = 1): Promise<readonly Sent[]> => {
  let sequence = firstSequence;
  const sent: Sent[] = [];
  for (const kind of ASKED_KINDS) {
    if (!kindOf(kind).transports.includes('udp')) continue;
    for (const port of [5060, 4500]) {
      const { question } = await askAs(kind, { sequence, port });
      sequence += 1;
      sent.push(...question.messages.map((bytes) => ({ name: `${kind} to ${port}`, bytes })));
    }
  }
  const info = requestTag(sequence, {
    type: 'infoRequest',
    body: new Uint8Array(INFO_REQUEST_BYTES - REQUEST_TAG_BYTES),
  });
  const receipts = requestTag(sequence + 1, {
    type: 'receiptsRequest',
    body: encodeReceiptsQuery([1, 2, 3], ANSWER_TAG_BYTES - REQUEST_TAG_BYTES),
  });
  const unpadded: readonly RequestType[] = ['echoRequest', 'infoRequest', 'receiptsRequest'];
  return [
    ...sent,
    ...[info, receipts].flatMap((tag) => inEveryCarrier(tag, INFO_REQUEST_BYTES)),
    ...unpadded.flatMap((type, index) => inEveryCarrier(requestTag(sequence + 2 + index, { type }), 0)),
    ...unpadded.flatMap((type, index) => inEveryCarrier(requestTag(sequence + 5 + index, { type }), 1100)),
  ];
};

const filesIn = (folder: string, extension: string): readonly Sent[] =>
  readdirSync(join(FIXTURES, folder))
    .filter((file) => file.endsWith(extension))
    .map((file) => {
      const path = join(FIXTURES, folder, file);
      return {
        name: `${folder}/${file}`,
        bytes: extension === '.hex' ? hex(readFileSync(path, 'utf8')) : readFileSync(path),
      };
    });

/** What reaches an open port all day: scanners, other services' queries, and what they would answer to ours. */
export const JUNK: readonly Sent[] = [
  { name: 'nothing', bytes: new Uint8Array(0) },
  { name: 'one zero', bytes: Uint8Array.of(0) },
  { name: 'a line feed', bytes: latin1('\n') },
  { name: 'echo (RFC 862)', bytes: latin1('hello, echo\r\n') },
  {
    name: 'chargen (RFC 864)',
    bytes: latin1(' !"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n'),
  },
  { name: 'quote of the day (RFC 865)', bytes: latin1('"Well done is better than well said." Benjamin Franklin\r\n') },
  { name: 'daytime (RFC 867)', bytes: latin1('Saturday, November 21, 2026 05:02:00-UTC\r\n') },
  { name: 'time (RFC 868)', bytes: hex('eb1c 9a00') },
  { name: 'TFTP read request (RFC 1350)', bytes: latin1('\x00\x01config\x00octet\x00') },
  {
    name: 'TFTP error, as a server answers what it does not know',
    bytes: latin1('\x00\x05\x00\x04Illegal TFTP operation\x00'),
  },
  { name: 'TFTP data', bytes: latin1(`\x00\x03\x00\x01${'x'.repeat(512)}`) },
  {
    name: 'DNS response: REFUSED',
    bytes: hex('1234 8105 0001 0000 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001'),
  },
  { name: 'DNS response: format error without a question', bytes: hex('1234 8001 0000 0000 0000 0000') },
  { name: 'DNS NOTIFY', bytes: hex('1234 2400 0001 0000 0000 0000 07 6578616d706c65 03 636f6d 00 0006 0001') },
  { name: 'NTP client (RFC 5905)', bytes: hex(`e300 06ec ${'00'.repeat(44)}`) },
  { name: 'NTP server', bytes: hex(`2402 06ec ${'11'.repeat(44)}`) },
  { name: 'NTP monlist', bytes: hex(`1700 032a ${'00'.repeat(4)}`) },
  {
    name: 'SNMP get',
    bytes: hex('3026 0201 0004 0670 7562 6c69 63a0 1902 0101 0201 0002 0100 300e 300c 0608 2b06 0102 0101 0100 0500'),
  },
  {
    name: 'SSDP search',
    bytes: latin1(
      'M-SEARCH * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\nMan: "ssdp:discover"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n',
    ),
  },
  { name: 'memcached stats', bytes: latin1('\x00\x00\x00\x00\x00\x01\x00\x00stats\r\n') },
  { name: 'RIP request', bytes: hex(`0101 0000 ${'00'.repeat(19)}10`) },
  {
    name: 'portmapper dump',
    bytes: hex('72fe1d13 00000000 00000002 000186a0 00000002 00000004 00000000 00000000 00000000 00000000'),
  },
  { name: 'DTLS client hello', bytes: hex(`16feff 0000000000000000 0036 01000029 ${'ab'.repeat(40)}`) },
  { name: 'QUIC initial', bytes: hex(`c3 00000001 08 ${'11'.repeat(8)} 00 00 449e ${'22'.repeat(100)}`) },
  { name: 'an HTTP request over UDP', bytes: latin1('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n') },
  { name: 'CRLF', bytes: latin1('\r\n') },
  { name: 'CRLF CRLF', bytes: latin1('\r\n\r\n') },
  { name: 'ESP of a stranger', bytes: hex(`c0ffee01 00000001 ${'5a'.repeat(64)}`) },
  { name: 'ESP with our SPI bits and no tag', bytes: hex(`c1000001 00000001 ${'5a'.repeat(100)}`) },
  { name: 'an ESP SPI that is reserved', bytes: hex(`00000001 00000001 ${'5a'.repeat(64)}`) },
  { name: 'a non-ESP marker and nothing else', bytes: new Uint8Array(4) },
];

/** Well-formed requests without a token. */
export const strangersRequests = async (): Promise<readonly Sent[]> => {
  const untagged: Sent[] = [];
  for (const kind of ASKED_KINDS) {
    if (!kindOf(kind).transports.includes('udp')) continue;
    const { question } = await askAs(kind, { sequence: 1, token: null });
    untagged.push(...question.messages.map((bytes) => ({ name: `${kind} without a token`, bytes })));
  }
  const change = (changeIp: boolean, changePort: boolean): StunAttribute => ({
    kind: 'change-request',
    changeIp,
    changePort,
  });
  const methods = ['OPTIONS', 'REGISTER', 'INVITE', 'ACK', 'BYE', 'CANCEL', 'SUBSCRIBE', 'MESSAGE', 'FOO'];
  const longName = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
  return [
    ...untagged,
    { name: 'bare Binding', bytes: stunRequest() },
    { name: 'bare Binding of RFC 3489', bytes: oldStunRequest() },
    ...[stunRequest, oldStunRequest].flatMap((make) => [
      { name: 'CHANGE-REQUEST: none', bytes: make(change(false, false)) },
      { name: 'CHANGE-REQUEST: port', bytes: make(change(false, true)) },
      { name: 'CHANGE-REQUEST: address and port', bytes: make(change(true, true)) },
      {
        name: 'an attribute that must be understood',
        bytes: make({ kind: 'opaque', type: 0x7fff, value: new Uint8Array(0) }),
      },
      {
        name: 'sixty-four attributes that must be understood',
        bytes: make(
          ...Array.from(
            { length: 64 },
            (_, index): StunAttribute => ({ kind: 'opaque', type: 0x7f00 + index, value: new Uint8Array(0) }),
          ),
        ),
      },
    ]),
    ...methods.map((method) => ({ name: `SIP ${method}`, bytes: sipRequest(method) })),
    {
      name: 'the shortest OPTIONS that can be',
      bytes: latin1(
        'OPTIONS sip:a SIP/2.0\r\nv:SIP/2.0/UDP b;rport;branch=z9hG4bK1\r\nf:<sip:a>;tag=1\r\nt:<sip:a>\r\ni:1\r\nCSeq:1 OPTIONS\r\n\r\n',
      ),
    },
    { name: 'DNS root query', bytes: buildQuery({ id: 1, name: '.', type: 'NS', recursionDesired: true }) },
    {
      name: 'DNS query with EDNS',
      bytes: buildQuery({ id: 1, name: 'example.com', type: 'TXT', recursionDesired: true, padTo: 100 }),
    },
    {
      name: 'DNS query for the longest name',
      bytes: buildQuery({ id: 1, name: longName, type: 'TXT', recursionDesired: true }),
    },
    {
      name: 'DNS query below our suffix, not a tag',
      bytes: buildQuery({ id: 1, name: `aaaa.${DNS_SUFFIX}`, type: 'TXT', recursionDesired: true }),
    },
    ...filesIn('ike', '.hex'),
    ...filesIn('stun', '.hex'),
    ...filesIn('sip/rfc4475', '.dat'),
    ...filesIn('sip/hostile', '.dat'),
    ...inEveryCarrier(requestTag(1, { token: OTHER_TOKEN })).map(({ name, bytes }) => ({
      name: `another's tag: ${name}`,
      bytes,
    })),
    ...inEveryCarrier(spoiled(requestTag(1))).map(({ name, bytes }) => ({ name: `a forged tag: ${name}`, bytes })),
  ];
};

/** A tag whose MAC is wrong by one bit. */
export const spoiled = (tag: Uint8Array): Uint8Array => {
  const copy = Uint8Array.from(tag);
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
};
