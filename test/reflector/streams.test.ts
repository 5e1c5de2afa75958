/** One connection without a socket: protocols told apart, messages cut anywhere, ends that come when they should. */
import fc from 'fast-check';
import t from 'tap';
import type { AskedKind } from '../../src/model/kinds.js';
import { createConversation, type Step } from '../../src/reflector/streams.js';
import { TAG_HEADER, tagFromText } from '../../src/wire/carriers.js';
import { buildQuery, parseDns, RCODES } from '../../src/wire/dns.js';
import { dnsStream, frameDnsTcp } from '../../src/wire/dns-stream.js';
import { buildGet, parseResponseHead } from '../../src/wire/http.js';
import { MAX_SIP_BYTES } from '../../src/wire/sip.js';
import { sipStream } from '../../src/wire/sip-stream.js';
import { MAX_TAG_BYTES, readTag } from '../../src/wire/tag.js';
import { spoiled as mutated, timed } from '../wire/support/bytes.js';
import {
  arrivalFrom,
  askAs,
  createHost,
  hex,
  JUNK,
  latin1,
  NOW_MICROS,
  OTHER_TOKEN,
  requestTag,
  seedOf,
  sipRequest,
  spoiled,
} from './support.js';

const EMPTY = new Uint8Array(0);

/** Says `chunks` one after the other to a fresh conversation; what came back, and after which chunk it was over. */
const say = (chunks: readonly Uint8Array[], binding: Uint8Array | null = null) => {
  const conversation = createConversation(createHost());
  const arrival = arrivalFrom({ localPort: 443, binding });
  const steps: Step[] = chunks.map((chunk) => conversation.push(chunk, arrival));
  return {
    bytes: Buffer.concat(steps.flatMap(({ send }) => send.map(({ bytes }) => bytes))),
    closedAfter: steps.findIndex(({ close }) => close),
    conversation,
    arrival,
  };
};
const singly = (bytes: Uint8Array): readonly Uint8Array[] => Array.from(bytes, (octet) => Uint8Array.of(octet));

const tag = requestTag(1);
const get = buildGet('192.0.2.1', 80, null);
const query = buildQuery({ id: 7, name: 'example.com', type: 'A', recursionDesired: true });
const options = (branch: string): Uint8Array =>
  latin1(Buffer.from(sipRequest('OPTIONS')).toString('latin1').replace('z9hG4bK74bf9', branch));
const sipStatuses = (bytes: Uint8Array): readonly number[] =>
  sipStream()
    .push(bytes)
    .flatMap((item) => (item.kind === 'message' && item.message.kind === 'response' ? [item.message.status] : []));
const dnsCodes = (bytes: Uint8Array): readonly number[] =>
  dnsStream()
    .push(bytes)
    .flatMap((item) => {
      const parsed = item.kind === 'message' ? parseDns(item.bytes) : null;
      return parsed?.ok ? [parsed.value.rcode] : [];
    });
const tagType = (bytes: Uint8Array): string | null => {
  const read = readTag(bytes);
  return read.ok ? read.value.tag.type : null;
};
const httpStatus = (bytes: Uint8Array): number | null => {
  const head = parseResponseHead(bytes);
  return head.ok ? head.value.status : null;
};

/** What is said, what comes back in a word, and whether that is the end of it. */
const CASES: readonly {
  readonly name: string;
  readonly said: Uint8Array;
  readonly read: (bytes: Uint8Array) => unknown;
  readonly expected: unknown;
  readonly closes: boolean;
}[] = [
  { name: 'a tag', said: tag, read: tagType, expected: 'echoAnswer', closes: true },
  {
    name: 'a tag that asks for info',
    said: requestTag(1, { type: 'infoRequest' }),
    read: tagType,
    expected: 'infoAnswer',
    closes: true,
  },
  {
    name: 'a tag under another token',
    said: requestTag(1, { token: OTHER_TOKEN }),
    read: tagType,
    expected: 'refusal',
    closes: true,
  },
  { name: 'a forged tag', said: spoiled(tag), read: (bytes) => bytes.length, expected: 0, closes: true },
  {
    name: 'a tag that claims no length',
    said: hex('ca110101 0000'),
    read: (bytes) => bytes.length,
    expected: 0,
    closes: true,
  },
  { name: 'half a tag', said: tag.subarray(0, 20), read: (bytes) => bytes.length, expected: 0, closes: false },
  { name: 'an OPTIONS', said: options('z9hG4bK1'), read: sipStatuses, expected: [200], closes: false },
  {
    name: 'three requests in a row',
    said: Buffer.concat([options('z9hG4bK1'), sipRequest('INVITE'), sipRequest('REGISTER')]),
    read: sipStatuses,
    expected: [200, 603, 403],
    closes: false,
  },
  {
    name: 'an ACK between two requests',
    said: Buffer.concat([options('z9hG4bK1'), sipRequest('ACK'), options('z9hG4bK2')]),
    read: sipStatuses,
    expected: [200, 200],
    closes: false,
  },
  {
    name: 'a SIP response',
    said: latin1(
      'SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n' +
        'Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n',
    ),
    read: (bytes) => bytes.length,
    expected: 0,
    closes: false,
  },
  { name: 'a ping', said: latin1('\r\n\r\n'), read: String, expected: '\r\n', closes: false },
  { name: 'two pings', said: latin1('\r\n\r\n\r\n\r\n'), read: String, expected: '\r\n\r\n', closes: false },
  { name: 'a pong', said: latin1('\r\n'), read: String, expected: '', closes: false },
  {
    name: 'a ping, a request, a ping',
    said: Buffer.concat([latin1('\r\n\r\n'), options('z9hG4bK1'), latin1('\r\n\r\n')]),
    read: (bytes) => [
      bytes.subarray(0, 2).toString(),
      sipStatuses(bytes.subarray(2, -2)),
      bytes.subarray(-2).toString(),
    ],
    expected: ['\r\n', [200], '\r\n'],
    closes: false,
  },
  {
    name: 'a request, then a message that cannot be framed',
    said: Buffer.concat([options('z9hG4bK1'), latin1('OPTIONS sip:a SIP/2.0\r\nContent-Length: many\r\n\r\n')]),
    read: sipStatuses,
    expected: [200],
    closes: true,
  },
  {
    name: 'a request without Content-Length',
    said: latin1(
      Buffer.from(options('z9hG4bK1'))
        .toString('latin1')
        .replace(/Content-Length: 0\r\n/i, ''),
    ),
    read: (bytes) => bytes.length,
    expected: 0,
    closes: true,
  },
  { name: 'a DNS query', said: frameDnsTcp(query), read: dnsCodes, expected: [RCODES.refused], closes: false },
  {
    name: 'three DNS queries in a row',
    said: Buffer.concat([frameDnsTcp(query), frameDnsTcp(query), frameDnsTcp(query)]),
    read: dnsCodes,
    expected: [RCODES.refused, RCODES.refused, RCODES.refused],
    closes: false,
  },
  {
    name: 'a DNS response',
    said: frameDnsTcp(hex('1234 8105 0001 0000 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001')),
    read: (bytes) => bytes.length,
    expected: 0,
    closes: false,
  },
  {
    name: 'a DNS message of 11 octets',
    said: hex('000b 1234 0100'),
    read: (bytes) => bytes.length,
    expected: 0,
    closes: true,
  },
  {
    name: 'a DNS query, then one that is announced with 65,535 octets',
    said: Buffer.concat([frameDnsTcp(query), hex('ffff')]),
    read: dnsCodes,
    expected: [RCODES.refused],
    closes: true,
  },
  { name: 'a GET', said: get, read: httpStatus, expected: 200, closes: true },
  {
    name: 'a GET with an unknown tag',
    said: buildGet('192.0.2.1', 80, 'not-a-tag'),
    read: httpStatus,
    expected: 200,
    closes: true,
  },
  {
    name: 'a head that is no request',
    said: latin1('EHLO example.com\r\n\r\n'),
    read: (bytes) => bytes.length,
    expected: 0,
    closes: true,
  },
  {
    name: 'half a head',
    said: latin1('GET / HTTP/1.1\r\nHost: a\r\n'),
    read: (bytes) => bytes.length,
    expected: 0,
    closes: false,
  },
  { name: 'three octets', said: latin1('GET'), read: (bytes) => bytes.length, expected: 0, closes: false },
  {
    name: 'STUN over TCP',
    said: hex(`00010000 2112a442 ${'00'.repeat(12)}`),
    read: (bytes) => bytes.length,
    expected: 0,
    closes: true,
  },
];

t.test('every protocol is recognised, answered, and left open or closed', async (t) => {
  for (const { name, said, read, expected, closes } of CASES) {
    const whole = say([said]);
    t.same(read(whole.bytes), expected, name);
    t.equal(whole.closedAfter >= 0, closes, `${name}: ${closes ? 'closes' : 'stays open'}`);
    const trickled = say(singly(said));
    t.same(read(trickled.bytes), expected, `${name}, octet by octet`);
    t.equal(trickled.closedAfter >= 0, closes);
    // Not a moment later than the octet that settles it.
    if (closes && trickled.bytes.length > 0) t.equal(trickled.closedAfter, said.length - 1);
  }
});

t.test('however a stream is cut, the answers are the same', async () => {
  fc.assert(
    fc.property(
      fc
        .constantFrom(...CASES.map(({ said }) => said))
        .chain((said) => fc.tuple(fc.constant(said), fc.array(fc.nat(said.length), { maxLength: 6 }))),
      ([said, cuts]) => {
        const places = [0, ...cuts.sort((a, b) => a - b), said.length];
        const chunks = places.slice(1).map((end, index) => said.subarray(places[index] ?? 0, end));
        const [whole, pieces] = [say([said]), say(chunks)];
        return Buffer.compare(whole.bytes, pieces.bytes) === 0 && whole.closedAfter >= 0 === pieces.closedAfter >= 0;
      },
    ),
    { numRuns: 1000 },
  );
});

t.test('after the end nothing more is said', async (t) => {
  // A POST brings its body behind the head that is answered already; a scanner may send all it has.
  for (const { name, said, closes } of CASES) {
    if (!closes) continue;
    const { conversation, arrival } = say([said]);
    for (const more of [said, get, tag, latin1('body'), EMPTY]) {
      t.same(conversation.push(more, arrival), { send: [], close: true }, name);
    }
  }
});

t.test('the TCP and TLS probes of the agent find their proof', async (t) => {
  const binding = seedOf(99);
  const ways: readonly (readonly [AskedKind, 'tcp' | 'tls'])[] = [
    ['tcp-connect', 'tcp'],
    ['tls-handshake', 'tls'],
    ['http', 'tcp'],
    ['dns', 'tcp'],
    ['sip-options', 'tcp'],
    ['sip-options', 'tls'],
  ];
  for (const [kind, transport] of ways) {
    const bound = transport === 'tls' ? binding : null;
    const { probe, asking, question } = await askAs(kind, { transport, binding: bound });
    const arrival = { check: asking.check, question, receivedAtMicros: NOW_MICROS, elapsedMicros: 35 };
    const { bytes } = say(question.messages, bound);
    t.match(
      probe.read(bytes, arrival),
      { kind: 'answer', authentic: true, attestation: { intact: true, arrivalPort: 443, seenAddress: '192.0.2.9' } },
      `${kind} over ${transport}`,
    );
    if (bound === null) continue;
    // A man in the middle passes our bytes on over a TLS session of his own, whose binding is another.
    const relayed = probe.read(say(question.messages, seedOf(98)).bytes, arrival);
    t.notMatch(relayed, { authentic: true }, `${kind} relayed into another TLS session is no proof`);
  }
});

t.test('the proof in HTTP is over the head as it came', async (t) => {
  const { question } = await askAs('http');
  const [sent = EMPTY] = question.messages;
  const body = Buffer.concat([sent, latin1('a body that belongs to nobody')]);
  const head = parseResponseHead(say([body]).bytes);
  const text = head.ok ? (head.value.fields.get(TAG_HEADER.toLowerCase()) ?? '') : '';
  const read = readTag(tagFromText(text));
  t.match(read.ok && read.value.tag, { type: 'echoAnswer', receivedLength: sent.length });
});

/** Octets that a conversation takes before it ends, when it is fed with the same chunk again and again. */
const taken = (first: Uint8Array, chunk: Uint8Array, limit: number): number => {
  const conversation = createConversation(createHost());
  const arrival = arrivalFrom();
  let octets = first.length;
  if (conversation.push(first, arrival).close) return octets;
  while (octets < limit) {
    octets += chunk.length;
    if (conversation.push(chunk, arrival).close) return octets;
  }
  return Number.POSITIVE_INFINITY;
};

t.test('no conversation holds more than its bound', async (t) => {
  const kilobyte = latin1('x'.repeat(1024));
  const headOf16 = 16_384 + 1024;
  const cases: readonly (readonly [string, Uint8Array, number])[] = [
    ['one endless line', latin1('GET /'), headOf16],
    ['an endless HTTP head', latin1('GET / HTTP/1.1\r\nX: '), headOf16],
    ['binary without a line', hex('ff00ff00'), headOf16],
    ['an endless SIP field', latin1('OPTIONS sip:a SIP/2.0\r\nX: '), MAX_SIP_BYTES + 1024],
    ['a SIP body that is announced too long', latin1('OPTIONS sip:a SIP/2.0\r\nX: '), MAX_SIP_BYTES + 1024],
    ['a tag of the longest length', hex('ca110101 ffff'), MAX_TAG_BYTES + 1024],
  ];
  for (const [name, first, bound] of cases) {
    const octets = taken(first, kilobyte, 1_000_000);
    t.ok(octets <= bound, `${name}: over after ${octets} octets`);
  }
  const announced = latin1(
    Buffer.from(options('z9hG4bK1'))
      .toString('latin1')
      .replace(/Content-Length: 0/i, 'Content-Length: 99999999'),
  );
  t.equal(say([announced]).closedAfter, 0, 'a SIP body that is announced too long ends it at once');
});

t.test('a long conversation is answered to its end, and trickles cost no more than their octets', async (t) => {
  const many = Array.from({ length: 300 }, (_, index) => options(`z9hG4bK${index}`));
  t.equal(sipStatuses(say(many).bytes).length, 300);
  const trickles: readonly (readonly [string, Uint8Array])[] = [
    ['an HTTP head', latin1(`GET / HTTP/1.1\r\nX: ${'x'.repeat(16_000)}`)],
    ['one line', latin1('x'.repeat(16_000))],
    ['a SIP head', latin1(`OPTIONS sip:a SIP/2.0\r\nX: ${'x'.repeat(16_000)}`)],
  ];
  for (const [name, bytes] of trickles) {
    const milliseconds = timed(() => say(singly(bytes)));
    t.ok(milliseconds < 1000, `${name} of ${bytes.length} octets, one by one: ${milliseconds.toFixed(0)} ms`);
  }
});

t.test('whatever is said, nothing throws and nothing grows', async () => {
  const seeds = [...CASES.map(({ said }) => said), ...JUNK.map(({ bytes }) => bytes)].filter(
    ({ length }) => length > 0,
  );
  const chunk = fc.oneof(fc.constantFrom(...seeds).chain(mutated), fc.uint8Array({ maxLength: 200 }));
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 5 }), (chunks) => {
      const { bytes } = say(chunks);
      const said = chunks.reduce((sum, { length }) => sum + length, 0);
      // A status line and the proof: the longest answer to the shortest request that is one.
      return bytes.length <= 400 + 3 * said;
    }),
    { numRuns: 3000 },
  );
});
