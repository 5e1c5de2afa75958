/**
 * What the reflector answers to a datagram, without sockets, from the view of who would use it as an amplifier, a loop, a
 * crash or a memory leak, and of the agent that wants its proof.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import t from 'tap';
import { ASKED_KINDS, kindOf } from '../../src/model/kinds.js';
import { createAuthority } from '../../src/reflector/authority.js';
import { answerDatagram } from '../../src/reflector/datagrams.js';
import { createKeepaliveBook, createLimiter } from '../../src/reflector/limits.js';
import { createSessions, type Sessions } from '../../src/reflector/sessions.js';
import { parseDns, RCODES } from '../../src/wire/dns.js';
import { echoBody } from '../../src/wire/echo.js';
import { NOTIFY_TYPES, parseIke, parseIkeHeader } from '../../src/wire/ike.js';
import { INFO_REQUEST_BYTES, parseInfo, SMALL_INFO_REQUEST_BYTES } from '../../src/wire/info.js';
import { parseIp, toMappedBytes } from '../../src/wire/ip.js';
import { NAT_T_KEEPALIVE } from '../../src/wire/nat-t.js';
import { expectProof, judgeTag } from '../../src/wire/proof.js';
import { encodeReceiptsQuery, readReceipts } from '../../src/wire/receipts.js';
import { encodeRtp } from '../../src/wire/rtp.js';
import { header, parseSip, type SipResponse, toTag } from '../../src/wire/sip.js';
import { attributeOf, mappedAddressOf, parseStun, type StunMessage } from '../../src/wire/stun.js';
import { ANSWER_TAG_BYTES, digestOf, REFUSAL_TAG_BYTES, REQUEST_TAG_BYTES, readTag } from '../../src/wire/tag.js';
import { spoiled as mutated, timed } from '../wire/support/bytes.js';
import {
  agentRequests,
  arrivalFrom,
  askAs,
  createHost,
  createRig,
  FIXTURES,
  hex,
  INFO,
  inEveryCarrier,
  JUNK,
  latin1,
  NOW_MICROS,
  OTHER_TOKEN,
  oldStunRequest,
  requestTag,
  type Sent,
  type Source,
  seedOf,
  sessionOf,
  sipRequest,
  spoiled,
  strangersRequests,
  stunRequest,
  TOKEN,
} from './support.js';

const AGENTS = await agentRequests();
const STRANGERS = await strangersRequests();
const UDP_KINDS = ASKED_KINDS.filter((kind) => kindOf(kind).transports.includes('udp'));

const stun = (bytes: Uint8Array): StunMessage => {
  const parsed = parseStun(bytes);
  if (!parsed.ok) throw new Error(`refused: ${parsed.refusal}`);
  return parsed.value;
};
const sip = (bytes: Uint8Array | null): SipResponse => {
  const parsed = parseSip(bytes ?? new Uint8Array(0));
  if (!parsed.ok || parsed.value.kind !== 'response') throw new Error('no SIP response');
  return parsed.value;
};

/** The one named exception: a Binding success that holds nothing but the address, to a Binding request. */
const isSmallestBindingAnswer = (request: Uint8Array, answer: Uint8Array): boolean => {
  const asked = parseStun(request);
  const told = parseStun(answer);
  return (
    asked.ok &&
    told.ok &&
    asked.value.class === 'request' &&
    asked.value.method === 1 &&
    told.value.class === 'success' &&
    told.value.attributes.length === 1 &&
    mappedAddressOf(told.value) !== null &&
    answer.length <= 20 + 24
  );
};
const amplifies = (request: Uint8Array, answer: Uint8Array | null): boolean =>
  answer !== null && answer.length > request.length && !isSmallestBindingAnswer(request, answer);

/** Both families, because addresses of IPv6 make longer answers. */
const SOURCES: readonly Source[] = [{ address: '192.0.2.9' }, { address: '2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff' }];

t.test('no answer is larger than its request, and none is answered by a reflector', async (t) => {
  for (const { name, bytes } of [...AGENTS, ...STRANGERS, ...JUNK]) {
    for (const from of SOURCES) {
      const rig = createRig();
      const answer = rig.send(bytes, from);
      t.notOk(amplifies(bytes, answer), `${name}: ${answer?.length} octets for ${bytes.length}`);
      if (!answer) continue;
      t.equal(rig.send(answer, from), null, `${name}: the answer come back is not answered`);
      t.equal(rig.send(answer, { ...from, port: 5060 }), null, `${name}: nor when it seems to come from a reflector`);
      const other = {
        ...rig.rules,
        host: { ...createHost(), authority: createAuthority([{ name: 'other', token: OTHER_TOKEN }]) },
      };
      t.equal(answerDatagram(answer, arrivalFrom(from), other), null, `${name}: nor by a reflector of another token`);
    }
  }
});

t.test('the same holds for requests that are mutated, cut and joined', async () => {
  const corpus = [...AGENTS, ...STRANGERS, ...JUNK].map(({ bytes }) => bytes).filter(({ length }) => length > 0);
  const anyOf = fc.constantFrom(...corpus);
  const joined = fc
    .tuple(anyOf, anyOf, fc.nat(200), fc.nat(200))
    .map(([one, two, from, to]) => Buffer.concat([one.subarray(0, from), two.subarray(to)]));
  const rig = createRig();
  fc.assert(
    fc.property(fc.oneof(anyOf.chain(mutated), joined, fc.uint8Array({ maxLength: 300 })), (bytes) => {
      rig.advance(1000);
      const answer = rig.send(bytes);
      return !amplifies(bytes, answer) && (answer === null || rig.send(answer) === null);
    }),
    { numRuns: 20_000 },
  );
});

t.test('a proven request, too, is answered with no more octets than it has', async (t) => {
  let proven = 0;
  for (const { name, bytes } of AGENTS) {
    const rig = createRig();
    for (let sent = 0; sent < 500; sent += 1) rig.send(stunRequest());
    const answer = rig.send(bytes);
    // The strangers' allowance is used up, so that whatever is still answered is answered to a valid tag.
    if (!answer) continue;
    proven += 1;
    t.ok(answer.length <= bytes.length, `${name}: ${answer.length} octets for ${bytes.length}`);
  }
  t.ok(proven > 40);
});

t.test('what is no request of ours is not answered: echo, chargen, DNS, TFTP and the rest of the noise', async (t) => {
  const rig = createRig();
  for (const { name, bytes } of JUNK) {
    t.equal(rig.send(bytes), null, name);
    for (const port of [7, 13, 17, 19, 53, 69, 123, 1900])
      t.equal(rig.send(bytes, { port }), null, `${name} from ${port}`);
  }
});

t.test('what an echo service would make of our answers ends there', async (t) => {
  // A forged source makes us answer to port 7 of a victim, which returns it, with or without its own line end.
  for (const { name, bytes } of [...AGENTS, ...STRANGERS]) {
    const rig = createRig();
    const answer = rig.send(bytes, { port: 7 });
    if (!answer) continue;
    t.equal(rig.send(answer, { port: 7 }), null, name);
    t.equal(rig.send(Buffer.concat([answer, latin1('\r\n')]), { port: 7 }), null, `${name}, with a line end`);
  }
});

t.test('nobody is at port 0', async (t) => {
  for (const { name, bytes } of [...AGENTS, ...STRANGERS]) t.equal(createRig().send(bytes, { port: 0 }), null, name);
});

t.test('a method may be any token, those that JavaScript knows included', async (t) => {
  for (const method of Object.getOwnPropertyNames(Object.prototype)) {
    const request = latin1(Buffer.from(sipRequest('OPTIONS')).toString('latin1').replaceAll('OPTIONS', method));
    t.equal(sip(createRig().send(request)).status, 405, method);
  }
});

t.test('every UDP probe of the agent finds its proof in the answer', async (t) => {
  for (const [index, kind] of UDP_KINDS.entries()) {
    for (const address of ['192.0.2.9', '2001:db8::9']) {
      const rig = createRig();
      const { probe, asking, question } = await askAs(kind, { sequence: index + 1, port: 4500 });
      const from: Source = { address, port: 40_123, localPort: 4500 };
      const got = question.messages.map((message) => rig.send(message, from)).filter((bytes) => bytes !== null);
      t.equal(got.length, 1, `${kind}: one answer`);
      const [answer = new Uint8Array(0)] = got;
      const arrival = {
        check: asking.check,
        question,
        receivedAtMicros: NOW_MICROS + 35n,
        elapsedMicros: 35,
      };
      const reading = probe.read(answer, arrival);
      t.match(
        reading,
        {
          kind: 'answer',
          authentic: true,
          attestation: {
            intact: true,
            seenAddress: address,
            seenPort: 40_123,
            arrivalPort: 4500,
            clockSkewMs: 0,
            keepalives: kind === 'nat-t-keepalive' ? 1 : 0,
          },
        },
        `${kind} from ${address}`,
      );
    }
  }
});

t.test('a message that was rewritten on its way is answered with proof that it was', async (t) => {
  const { probe, asking, question } = await askAs('sip-options', { sequence: 1 });
  const [message = new Uint8Array(0)] = question.messages;
  const rewritten = latin1(
    Buffer.from(message).toString('latin1').replace('User-Agent: callpath', 'User-Agent: CALLPATH'),
  );
  const answer = createRig().send(rewritten) ?? new Uint8Array(0);
  const reading = probe.read(answer, {
    check: asking.check,
    question,
    receivedAtMicros: NOW_MICROS,
    elapsedMicros: 35,
  });
  t.match(reading, { kind: 'answer', authentic: true, attestation: { intact: false } });
});

/** The info or receipts that a bare answer tells the agent, or null if it is no proof. */
const told = (answer: Uint8Array | null, request: Uint8Array, sequence: number, session = 1) => {
  const proof = expectProof(
    { session: sessionOf(session), sequence, sentAtMicros: NOW_MICROS, binding: null },
    request,
  );
  const judged = answer && proof ? judgeTag(answer, proof, 35) : null;
  return judged?.authentic ? judged.tag : null;
};

t.test('info is told to who pays for it with the request', async (t) => {
  const padded = requestTag(3, { type: 'infoRequest', body: new Uint8Array(INFO_REQUEST_BYTES - REQUEST_TAG_BYTES) });
  const tag = told(createRig().send(padded), padded, 3);
  t.equal(tag?.type, 'infoAnswer');
  t.same(parseInfo(tag?.body ?? new Uint8Array(0)), parseInfo(INFO));
  t.equal(
    createRig().send(requestTag(3, { type: 'infoRequest' })),
    null,
    'the bare request is smaller than the answer',
  );
});

t.test('an echo as long as its question, where that is asked for', async (t) => {
  const asked = requestTag(3, { type: 'echoRequest', body: echoBody(1000) });
  const answer = createRig().send(asked);
  t.equal(answer?.length, asked.length);
  const padded = requestTag(3, { type: 'echoRequest', body: new Uint8Array(1000) });
  t.equal(createRig().send(padded)?.length, ANSWER_TAG_BYTES, 'zeros are padding, as ever');
  const short = requestTag(3, { type: 'echoRequest', body: echoBody(20) });
  t.equal(createRig().send(short), null, 'never more than was paid for');
});

t.test('info: a short request gets a short answer', async (t) => {
  const short = requestTag(3, {
    type: 'infoRequest',
    body: new Uint8Array(SMALL_INFO_REQUEST_BYTES - REQUEST_TAG_BYTES),
  });
  const answer = createRig().send(short);
  t.ok(answer && answer.length <= short.length);
  t.ok(parseInfo(told(answer, short, 3)?.body ?? new Uint8Array(0)).ok);
});

t.test('control requests in any carrier are answered with proof or not at all', async (t) => {
  // A tag that goes in the clear can be put into another protocol by whoever sees it.
  const info = requestTag(3, { type: 'infoRequest' });
  const receipts = requestTag(4, { type: 'receiptsRequest', body: encodeReceiptsQuery([1, 2, 3], 0) });
  for (const tag of [info, receipts]) {
    for (const { name, bytes } of inEveryCarrier(tag, 1000)) {
      const answer = createRig().send(bytes);
      t.ok(answer && answer.length <= bytes.length, name);
    }
  }
});

t.test('receipts: what arrived, how often, and of this session only', async (t) => {
  const rig = createRig();
  const ask = (sequences: readonly number[], sequence: number, session = 1) => {
    const body = encodeReceiptsQuery(sequences, ANSWER_TAG_BYTES);
    const request = requestTag(sequence, { type: 'receiptsRequest', body, session });
    const answer = rig.send(request);
    t.ok(answer && answer.length <= request.length);
    return readReceipts(told(answer, request, sequence, session)?.body ?? new Uint8Array(0), sequences.length);
  };
  const { question } = await askAs('stun-binding', { sequence: 10 });
  for (let sent = 0; sent < 3; sent += 1) for (const message of question.messages) rig.send(message);
  for (const { bytes } of inEveryCarrier(requestTag(11)).slice(0, 1)) rig.send(bytes);
  t.equal(rig.send(requestTag(14)), null, 'bare, it is smaller than its answer');
  rig.send(spoiled(requestTag(12, { body: new Uint8Array(52) })));
  const never = { arrived: 0, answered: 0, why: null };
  t.same(
    ask([10, 11, 12, 13, 14], 20),
    [
      { arrived: 3, answered: 3, why: null },
      { arrived: 1, answered: 1, why: null },
      never,
      never,
      { arrived: 1, answered: 0, why: 'too-large' },
    ],
    'a forged request leaves no trace, and what is too small for its answer is told',
  );
  t.same(ask([10, 11], 20, 2), [], 'a session that begins with a question knows of nothing before it');
  t.same(ask([21, 22], 21, 2), [{ arrived: 1, answered: 1, why: null }, never], 'and of all that comes after');
  t.same(ask([0xffffffff, 131_072], 21), [never, never], 'numbers beyond the book are zero');
});

t.test(
  'a captured request is no lever: its replays are answered as often as a path retransmits, and no more',
  async (t) => {
    for (const kind of UDP_KINDS) {
      const rig = createRig();
      const { question } = await askAs(kind, { sequence: 5 });
      const victim: Source = { address: '198.51.100.66', port: 53 };
      let answers = 0;
      for (let sent = 0; sent < 3000; sent += 1) {
        for (const message of question.messages) if (rig.send(message, victim)) answers += 1;
      }
      // The clock stands still: what comes on top of retransmissions is the strangers' burst.
      t.ok(answers <= 32 + 400, `${kind}: ${answers} answers to 3000 replays`);
      t.ok(answers >= 12, `${kind}: SIP's eleven retransmissions are answered`);
      if (kind === 'rtp-echo' || kind === 'udp-echo')
        t.equal(answers, 32, `${kind}: strangers get no such answers at all`);
    }
  },
);

t.test('keepalives are counted for each source, told with its next answer, and never answered', async (t) => {
  const rig = createRig();
  const keepalivesTold = (from: Source, sequence: number): number | undefined => {
    const request = requestTag(sequence, { body: new Uint8Array(52) });
    return told(rig.send(request, from), request, sequence)?.keepalives;
  };
  const here: Source = { address: '192.0.2.9', port: 4500, localPort: 4500 };
  t.equal(keepalivesTold(here, 1), 0);
  for (let sent = 0; sent < 3; sent += 1) t.equal(rig.send(NAT_T_KEEPALIVE, here), null);
  t.equal(keepalivesTold(here, 2), 3);
  t.equal(keepalivesTold({ ...here, port: 4501 }, 3), 0, 'another port is another source');
  t.equal(keepalivesTold({ ...here, address: '192.0.2.10' }, 4), 0, 'another address, too');
  for (const almost of [Uint8Array.of(0xfe), Uint8Array.of(0xff, 0xff), new Uint8Array(1)]) rig.send(almost, here);
  t.equal(keepalivesTold(here, 5), 3, 'only the one octet 0xff counts');
  for (let sent = 0; sent < 70_000; sent += 1) rig.send(NAT_T_KEEPALIVE, here);
  t.equal(keepalivesTold(here, 6), 65_535, 'the count stops at what its field holds');
});

const bytesOf = (address: string): Uint8Array => toMappedBytes(parseIp(address)?.bytes ?? new Uint8Array(0));

t.test("a prefix's answers are limited, whatever port or neighbour asks, and proof is not", async (t) => {
  const rig = createRig();
  const asked = (address: string, times: number): number => {
    let answered = 0;
    for (let sent = 0; sent < times; sent += 1) {
      if (rig.send(stunRequest(), { address, port: 1024 + (sent % 60_000) })) answered += 1;
    }
    return answered;
  };
  t.equal(asked('198.51.100.1', 5000), 400, 'a burst, and nothing beyond it');
  t.equal(asked('198.51.100.254', 100), 0, 'a neighbour shares the allowance');
  t.equal(asked('198.51.101.1', 100), 100, 'the next network has its own');
  t.equal(asked('2001:db8:1:2::1', 1000), 400);
  t.equal(asked('2001:db8:1:ff:ffff::1', 100), 0, 'the same /56');
  t.equal(asked('2001:db8:1:100::1', 100), 100, 'the next /56');
  t.equal(rig.limiter.heldBack(), 4600 + 100 + 600 + 100, 'what was held back is counted');
  rig.advance(500);
  t.equal(asked('198.51.100.1', 1000), 100, 'two hundred a second come back');
  rig.advance(3_600_000);
  t.equal(asked('198.51.100.1', 1000), 400, 'and never more than a burst');
  const forgets = createRig();
  for (const { name, bytes } of STRANGERS.filter(({ bytes: sent }) => createRig().send(sent))) {
    for (let sent = 0; sent < 500; sent += 1) forgets.send(stunRequest());
    t.equal(forgets.send(bytes), null, `${name}: every protocol shares the allowance`);
  }
  const flooded = createRig();
  for (let sent = 0; sent < 1000; sent += 1) flooded.send(stunRequest());
  for (let sequence = 1; sequence <= 1000; sequence += 1) {
    const request = requestTag(sequence, { body: new Uint8Array(52) });
    if (!flooded.send(request)) t.fail(`who has the token is answered beside a flood: ${sequence}`);
  }
  for (let sequence = 1; sequence <= 1000; sequence += 1) {
    flooded.send(requestTag(sequence, { body: new Uint8Array(52) }), { address: '203.0.113.9' });
  }
  t.ok(flooded.send(stunRequest(), { address: '203.0.113.9' }), 'and takes nothing from the strangers beside it');
});

t.test('the limiter, the keepalive book and the receipts forget the oldest and keep the newest', async (t) => {
  const limiter = createLimiter(() => 0, Number.POSITIVE_INFINITY);
  const prefix = (index: number): Uint8Array => bytesOf(`10.${index >> 8}.${index & 0xff}.1`);
  const exhaust = (address: Uint8Array): void => {
    for (let sent = 0; sent < 401; sent += 1) limiter.allow(address);
  };
  exhaust(bytesOf('192.0.2.1'));
  for (let index = 0; index < 8000; index += 1) limiter.allow(prefix(index));
  t.notOk(limiter.allow(bytesOf('192.0.2.1')), '8,000 other prefixes do not wipe out a limit');
  for (let index = 0; index < 20_000; index += 1) limiter.allow(prefix(index));
  t.ok(limiter.allow(bytesOf('192.0.2.1')), '20,000 do: no more than a bounded number is remembered');

  const book = createKeepaliveBook();
  book.saw('192.0.2.1', 4500);
  for (let index = 0; index < 16_000; index += 1) book.saw('198.51.100.1', index);
  t.equal(book.count('192.0.2.1', 4500), 1);
  for (let index = 0; index < 100_000; index += 1) book.saw(`10.0.${index >> 14}.1`, index & 0x3fff);
  t.equal(book.count('192.0.2.1', 4500), 0);
  t.equal(book.count('10.0.6.1', 99_999 & 0x3fff), 1);

  const sessions = createSessions(1);
  const session = (index: number): string => `session ${index}`;
  saw(sessions, session(0), 1);
  for (let index = 1; index < 2000; index += 1) saw(sessions, session(index), 1);
  t.equal(sessions.receipt(session(0), 1)?.arrived, 1);
  for (let index = 2000; index < 102_000; index += 1) saw(sessions, session(index), 1);
  t.equal(sessions.receipt(session(0), 1), null, 'what is forgotten is not "never"');
  t.equal(sessions.receipt(session(101_999), 1)?.arrived, 1);
  t.equal(sessions.size(), 2048);
  const high = createSessions(1);
  for (let index = 0; index < 1000; index += 1) saw(high, session(index), 131_071);
  t.equal(high.receipt(session(0), 131_071)?.arrived, 1, 'a high number takes no more memory than a low one');
  const wide = createSessions(1);
  for (let index = 0; index < 100; index += 1)
    for (let sequence = 0; sequence < 131_072; sequence += 512) saw(wide, session(index), sequence);
  t.equal(wide.receipt(session(0), 512), null, 'sessions that fill much memory push each other out');
  t.equal(wide.receipt(session(99), 512)?.arrived, 1);
});

const saw = (sessions: Sessions, name: string, sequence: number): void => {
  const source = new Uint8Array(16);
  sessions.arrive({ name, sequence, source, sentAtMicros: NOW_MICROS, receivedAtMicros: NOW_MICROS });
};

/** Runs the collector, so that what is left is what is held. */
const collect = (() => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
})();
const heldBytes = (): number => {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

t.test('a hundred thousand sources and sessions leave a bounded trace in memory', async (t) => {
  const rig = createRig();
  const template = Buffer.from(requestTag(1, { body: new Uint8Array(52) }));
  const before = heldBytes();
  for (let index = 0; index < 100_000; index += 1) {
    const address = `10.${index >> 16}.${(index >> 8) & 0xff}.${index & 0xff}`;
    // Our own key id and a session of its own each: the key is derived before the MAC can be checked.
    template.writeUInt32BE(index, 12);
    if (index < 30_000) rig.send(template, { address });
    rig.send(stunRequest(), { address });
    rig.send(NAT_T_KEEPALIVE, { address });
  }
  const grown = (heldBytes() - before) / 1024 / 1024;
  t.ok(grown < 16, `${grown.toFixed(1)} MiB`);
  t.ok(rig.send(requestTag(7, { body: new Uint8Array(52) })), 'and the reflector still answers');

  const full = createSessions(1);
  const start = heldBytes();
  for (let index = 0; index < 4000; index += 1) saw(full, `session ${index}`, 131_071);
  const sessions = (heldBytes() - start) / 1024 / 1024;
  t.ok(sessions < 80, `${sessions.toFixed(1)} MiB of sessions`);
  t.equal(full.receipt('session 3999', 131_071)?.arrived, 1);
});

t.test("strangers' media is never answered", async (t) => {
  const rig = createRig();
  const media = fc
    .record({
      marker: fc.boolean(),
      payloadType: fc.integer({ min: 0, max: 63 }),
      payload: fc.oneof(
        fc.uint8Array({ maxLength: 400 }),
        fc.constantFrom(
          requestTag(1, { token: OTHER_TOKEN, body: new Uint8Array(52) }),
          spoiled(requestTag(1, { body: new Uint8Array(52) })),
        ),
      ),
    })
    .map((packet) =>
      encodeRtp({ ...packet, sequence: 1, timestamp: 160, ssrc: 7, csrcs: [], extension: null, padding: 0 }),
    );
  fc.assert(fc.property(media, (bytes) => rig.send(bytes) === null));
  const control = fc.tuple(fc.integer({ min: 192, max: 223 }), fc.uint8Array({ minLength: 4, maxLength: 400 }));
  fc.assert(
    fc.property(control, ([type, rest]) => rig.send(Uint8Array.of(0x80, type, 0, rest.length >> 2, ...rest)) === null),
  );
  const carried = (name: string, tag: Uint8Array): Sent | undefined =>
    inEveryCarrier(tag).find((sent) => sent.name === name);
  for (const name of ['RTP payload', 'RTCP APP block', 'ESP payload']) {
    for (const tag of [requestTag(1, { token: OTHER_TOKEN }), spoiled(requestTag(1))]) {
      t.equal(rig.send(carried(name, tag)?.bytes ?? new Uint8Array(0)), null, name);
    }
    t.ok(rig.send(carried(name, requestTag(1))?.bytes ?? new Uint8Array(0)), `${name}: ours is`);
  }
  t.equal(rig.limiter.heldBack(), 0, 'it was not the limiter that kept silent');
});

t.test('who comes with another token is told so, in 28 octets without a proof', async (t) => {
  const rig = createRig();
  const request = requestTag(0x01020304, { token: OTHER_TOKEN });
  const hint = rig.send(request) ?? new Uint8Array(0);
  t.equal(hint.length, REFUSAL_TAG_BYTES);
  const read = readTag(hint);
  t.match(read.ok && read.value.tag, { type: 'refusal', because: 1, sequence: 0x01020304 });
  t.same(read.ok && Buffer.from(read.value.tag.session), Buffer.from(sessionOf(1).id));
  t.equal(rig.send(hint), null);
  t.equal(rig.send(spoiled(requestTag(1))), null, 'a wrong MAC under our own key id is met with silence');
  t.equal(
    rig.send(requestTag(1, { binding: seedOf(1), body: new Uint8Array(52) })),
    null,
    'so is a request that was bound to a TLS session',
  );
  let hints = 0;
  for (let sent = 0; sent < 1000; sent += 1) if (rig.send(request, { address: '198.51.100.1' })) hints += 1;
  t.equal(hints, 400, 'hints are limited like everything for strangers');
});

t.test('STUN: the smallest answer that each dialect has, and 420 for what one address cannot do', async (t) => {
  const rig = createRig();
  const plain = rig.send(stunRequest()) ?? new Uint8Array(0);
  t.equal(plain.length, 32);
  t.match(mappedAddressOf(stun(plain)), { address: '192.0.2.9', port: 40_000 });
  t.equal(stun(plain).attributes[0]?.kind, 'xor-mapped-address');
  const ipv6 = rig.send(stunRequest(), { address: '2001:db8::9' }) ?? new Uint8Array(0);
  t.equal(ipv6.length, 44);
  const old = stun(rig.send(oldStunRequest()) ?? new Uint8Array(0));
  t.match(old, { dialect: 'rfc3489', class: 'success' });
  t.equal(old.attributes[0]?.kind, 'mapped-address');
  for (const make of [stunRequest, oldStunRequest]) {
    for (const [changeIp, changePort] of [
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      const request = make({ kind: 'change-request', changeIp, changePort });
      const refusal = rig.send(request) ?? new Uint8Array(0);
      t.ok(refusal.length <= request.length, 'no larger than the bare CHANGE-REQUEST');
      t.match(stun(refusal), { class: 'error' });
      t.equal(attributeOf(stun(refusal), 'error-code')?.code, 420);
    }
    const unchanged = rig.send(make({ kind: 'change-request', changeIp: false, changePort: false }));
    t.match(stun(unchanged ?? new Uint8Array(0)), { class: 'success' });
    const unknown = make(
      ...[0x7f01, 0x7f02].map((type) => ({ kind: 'opaque', type, value: new Uint8Array(8) }) as const),
    );
    const listed = stun(rig.send(unknown) ?? new Uint8Array(0));
    t.same(attributeOf(listed, 'unknown-attributes')?.types, [0x7f01, 0x7f02], 'what fits is listed');
  }
  const indication = Uint8Array.from(stunRequest());
  indication[1] = 0x11;
  t.equal(rig.send(indication), null, 'an indication is not answered (RFC 8489 §6.3.2)');
  const allocate = Uint8Array.from(stunRequest());
  allocate[1] = 0x03;
  t.equal(rig.send(allocate), null, 'nor is a method other than Binding');
});

t.test(
  'IKE: refused in fewer octets than asked, in the version of who asks, and never in answer to an answer',
  async (t) => {
    const rig = createRig();
    const fixture = (name: string): Uint8Array => {
      const found = STRANGERS.find((sent) => sent.name === `ike/${name}.hex`);
      if (!found) throw new Error(`${name} is missing in ${FIXTURES}`);
      return found.bytes;
    };
    const v2 = fixture('ike-scan-v2-request');
    const refused = rig.send(v2) ?? new Uint8Array(0);
    t.equal(refused.length, 36);
    const message = parseIke(refused);
    t.match(message.ok && message.value, {
      header: { response: true, initiator: false, messageId: 0 },
      payloads: [{ kind: 'notify', type: NOTIFY_TYPES.NO_PROPOSAL_CHOSEN }],
    });
    t.same(message.ok && Buffer.from(message.value.header.spiI), Buffer.from(v2.subarray(0, 8)));
    const marked = rig.send(fixture('ike-scan-nat-t-request'), { localPort: 4500 }) ?? new Uint8Array(0);
    t.same(Buffer.from(marked.subarray(0, 4)), Buffer.alloc(4), 'behind the marker where it came behind the marker');
    const v1 = rig.send(fixture('ike-scan-v1-request')) ?? new Uint8Array(0);
    const old = parseIkeHeader(v1);
    t.match(old.ok && old.value, { major: 1, exchange: 5 });
    t.equal(v1.length, 40);
    t.equal(rig.send(v1), null);
    for (const name of ['charon-accepted', 'charon-cookie', 'charon-invalid-ke', 'charon-no-proposal']) {
      t.equal(rig.send(fixture(name)), null, `${name}, a real answer`);
    }
    for (const flags of [0x00, 0x20, 0x28]) {
      const turned = Uint8Array.from(v2);
      turned[19] = flags;
      t.equal(rig.send(turned), null, `flags ${flags}: only who initiates and asks is answered`);
    }
    for (let kept = 0; kept < v2.length; kept += 4) t.equal(rig.send(v2.subarray(0, kept)), null, `cut to ${kept}`);
    const headerOnly = Uint8Array.from(v2.subarray(0, 28));
    headerOnly.set([0], 16);
    headerOnly.set([0, 0, 0, 28], 24);
    t.equal(rig.send(headerOnly), null, 'a header alone is smaller than any refusal');
  },
);

t.test('SIP: a stateless server that keeps the rules of RFC 3261', async (t) => {
  const rig = createRig();
  const statuses = { OPTIONS: 200, REGISTER: 403, INVITE: 603, BYE: 481, CANCEL: 481, SUBSCRIBE: 403, FOO: 405 };
  for (const [method, status] of Object.entries(statuses)) {
    const request = sipRequest(method);
    const first = rig.send(request);
    const response = sip(first);
    t.equal(response.status, status, method);
    t.match(header(response, 'Via'), /;received=192\.0\.2\.9;rport=40000$/, 'tells the source (RFC 3581)');
    t.equal(header(response, 'Allow'), status === 405 ? 'OPTIONS' : null, 'a 405 says what is allowed (§21.4.6)');
    t.match(toTag(response), /^[0-9a-f]{8}$/);
    t.same(rig.send(request), first, 'a retransmission gets the same answer, To tag included (§8.2.7)');
    const other = latin1(Buffer.from(request).toString('latin1').replace('z9hG4bK74bf9', 'z9hG4bK74bf0'));
    t.not(toTag(sip(rig.send(other))), toTag(response), 'another transaction gets another tag');
  }
  t.equal(rig.send(sipRequest('ACK')), null, 'an ACK is never answered');
  t.equal(rig.send(latin1('\r\n\r\n')), null, 'nor is a keepalive over UDP');
});

t.test('DNS: REFUSED to strangers, the question repeated; never an answer to a response', async (t) => {
  const rig = createRig();
  for (const { name, bytes } of STRANGERS.filter((sent) => sent.name.startsWith('DNS'))) {
    const response = parseDns(rig.send(bytes) ?? new Uint8Array(0));
    const query = parseDns(bytes);
    if (!response.ok || !query.ok) throw new Error(name);
    t.match(response.value, { id: query.value.id, rcode: RCODES.refused, flags: { response: true } }, name);
    t.same(response.value.question, query.value.question);
    t.same(response.value.answers, []);
    const turned = Uint8Array.from(bytes);
    turned[2] = (turned[2] ?? 0) | 0x80;
    t.equal(rig.send(turned), null, `${name} as a response`);
  }
});

t.test('what is attested is the datagram as it arrived, its source and its port', async (t) => {
  const request = requestTag(9, { body: new Uint8Array(52) });
  const from: Source = { address: '203.0.113.77', port: 1, localPort: 65_535 };
  const tag = told(createRig().send(request, from), request, 9);
  t.match(tag, { arrivalPort: 65_535, seenPort: 1, receivedLength: request.length, turnaroundMicros: 35 });
  t.equal(tag?.receivedAtMicros, NOW_MICROS);
  t.same(Buffer.from(tag?.seenAddress ?? []), Buffer.from(bytesOf('203.0.113.77')));
  t.same(Buffer.from(tag?.digest ?? []), Buffer.from(digestOf(request)));
});

t.test('the largest datagrams of each protocol are dealt with in time', async (t) => {
  const size = 65_507;
  const filled = (head: string, rest: string, tail = ''): Buffer => {
    const times = Math.floor((size - head.length - tail.length) / rest.length);
    return latin1(head + rest.repeat(times) + tail);
  };
  const stunLong = Buffer.concat([stunRequest(), Buffer.alloc(65_484)]);
  stunLong.writeUInt16BE(65_484, 2);
  const rtcpLong = Buffer.concat(new Array<Buffer>(8000).fill(hex('80c90001 00000001')));
  const ikeLong = Buffer.concat([seedOf(1).subarray(0, 8), hex(`${'00'.repeat(8)} 2b202208 00000000 0000ffe3`)]);
  const ikePayloads = Buffer.concat([ikeLong, ...new Array<Buffer>(16_000).fill(hex('2b000004'))]).subarray(0, 65_507);
  const hostile: readonly Sent[] = [
    { name: 'zeros', bytes: Buffer.alloc(size) },
    { name: 'STUN of empty attributes', bytes: stunLong },
    { name: 'RTCP of receiver reports', bytes: rtcpLong },
    { name: 'IKE of empty vendor ids', bytes: ikePayloads },
    { name: 'RTP', bytes: Buffer.concat([hex('9f00 0001 00000000 00000001'), Buffer.alloc(size - 12, 0xff)]) },
    { name: 'SIP of Vias', bytes: filled('OPTIONS sip:a SIP/2.0\r\n', 'v:SIP/2.0/UDP b\r\n', '\r\n') },
    { name: 'SIP of one folded line', bytes: filled('OPTIONS sip:a SIP/2.0\r\nv:', '\r\n ', '\r\n\r\n') },
    { name: 'SIP of quotes', bytes: filled('OPTIONS sip:a SIP/2.0\r\nTo:', '"\\', '\r\n\r\n') },
    { name: 'SIP of line breaks', bytes: filled('OPTIONS sip:a SIP/2.0', '\r\n') },
    { name: 'CRLFs', bytes: filled('', '\r\n') },
    { name: 'DNS of labels', bytes: Buffer.concat([hex('0001 0100 0001 0000 0000 0000'), Buffer.alloc(size - 12, 1)]) },
    { name: 'a tag of the longest length', bytes: Buffer.concat([hex('ca110101 ffff'), Buffer.alloc(size - 6)]) },
  ];
  const rig = createRig();
  for (const { name, bytes } of hostile) {
    const milliseconds = Math.min(...[1, 2, 3].map(() => timed(() => rig.send(bytes))));
    t.ok(milliseconds < 20, `${name}: ${milliseconds.toFixed(1)} ms for ${bytes.length} octets`);
  }
});

t.test('the token decides, whatever its length', async (t) => {
  const authority = createAuthority([{ name: 'test', token: TOKEN }]);
  t.equal(authority.admit(requestTag(1), null).kind, 'admitted');
  t.equal(authority.admit(requestTag(1), seedOf(1)).kind, 'none', 'over TLS a tag without its binding is nobody');
  t.equal(authority.admit(requestTag(1, { binding: seedOf(1) }), seedOf(1)).kind, 'admitted');
  t.equal(authority.admit(requestTag(1, { binding: seedOf(1) }), seedOf(2)).kind, 'none');
  t.equal(authority.admit(requestTag(1, { token: OTHER_TOKEN }), null).kind, 'unknown-key');
  t.equal(authority.admit(new Uint8Array(0), null).kind, 'none');
  const admitted = authority.admit(requestTag(1), null);
  if (admitted.kind !== 'admitted') throw new Error('not admitted');
  const { request } = admitted;
  t.match(request, { type: 'echoRequest', sequence: 1, sentAtMicros: NOW_MICROS });
});
