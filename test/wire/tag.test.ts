/**
 * The echo tag, its keys, its proof, and how it is carried in text and HTTP: golden vectors computed twice without our
 * own code, hostile input at every byte, and everything that must not pass for a proof.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import type { PortSpan } from '../../src/model/far-end.js';
import { UNANSWERED } from '../../src/model/observation.js';
import { packageRoot } from '../../src/plan/package-root.js';
import { DNS_SUFFIX, tagFromText, tagToText } from '../../src/wire/carriers.js';
import { labelsToTag, tagToLabels } from '../../src/wire/dns-labels.js';
import { buildGet, buildResponse, headBytes, parseRequestHead, parseResponseHead } from '../../src/wire/http.js';
import {
  encodeInfo,
  INFO_REQUEST_BYTES,
  MAX_SPANS,
  parseInfo,
  roomForInfo,
  SMALL_INFO_REQUEST_BYTES,
  spansOf,
} from '../../src/wire/info.js';
import { deriveKeys, keyIdOf } from '../../src/wire/keys.js';
import { expectProof, judgeTag, makeTag, type TagProof } from '../../src/wire/proof.js';
import {
  encodeReceipts,
  encodeReceiptsQuery,
  MAX_RECEIPT_COUNT,
  MAX_RECEIPTS,
  type Receipt,
  readReceipts,
  readReceiptsQuery,
} from '../../src/wire/receipts.js';
import {
  ANSWER_TAG_BYTES,
  type AnswerTag,
  type AnswerType,
  digestOf,
  encodeAnswerTo,
  encodeRefusalTag,
  encodeRequestTag,
  isAnswer,
  isRequest,
  looksLikeTag,
  MAX_TAG_BYTES,
  REFUSAL_TAG_BYTES,
  REQUEST_TAG_BYTES,
  type ReadTag,
  type RequestTag,
  type RequestType,
  readTag,
  TAG_REFUSALS,
  TAG_TYPES,
  type TagRefusal,
  verifyTag,
} from '../../src/wire/tag.js';
import { plain, spoiled, timed } from './support/bytes.js';

/** The answer to the request that the tag itself names. */
const encodeAnswerTag = (tag: AnswerTag, key: Uint8Array, binding: Uint8Array | null): Uint8Array =>
  encodeAnswerTo(tag, tag, key, binding);

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const vectors = <T>(name: string): T =>
  JSON.parse(readFileSync(join(packageRoot(), 'fixtures', 'tag', name), 'utf8')) as T;

interface KeyVector {
  readonly what: string;
  readonly token: string;
  readonly session: string;
  readonly keyId: number;
  readonly toReflector: string;
  readonly toAgent: string;
}
interface RequestVector {
  readonly what: string;
  readonly type: RequestType;
  readonly session: string;
  readonly sequence: number;
  readonly sentAtMicros: string;
  readonly body: string;
  readonly binding: string | null;
  readonly mac: string;
  readonly tag: string;
  readonly base64url: string;
}
interface AnswerVector {
  readonly what: string;
  readonly type: AnswerType;
  readonly session: string;
  readonly sequence: number;
  readonly receivedAtMicros: string;
  readonly turnaroundMicros: number;
  readonly arrivalPort: number;
  readonly seenPort: number;
  readonly seenAddress: string;
  readonly digest: string;
  readonly receivedLength: number;
  readonly keepalives: number;
  readonly heldBack: number;
  readonly body: string;
  readonly binding: string | null;
  readonly mac: string;
  readonly tag: string;
}
const KEYS = vectors<{ keys: readonly KeyVector[] }>('keys.json').keys;
const REQUESTS = vectors<{ token: string; requests: readonly RequestVector[] }>('requests.json');
const ANSWERS = vectors<{
  token: string;
  received: string;
  answers: readonly AnswerVector[];
  refusal: { keyId: number; session: string; sequence: number; because: number; tag: string };
}>('answers.json');

const hmac = (key: Uint8Array, ...parts: readonly (Uint8Array | string)[]): Buffer => {
  const running = createHmac('sha256', key);
  for (const part of parts) running.update(part);
  return running.digest();
};

/** RFC 5869 by its own formulas, for one block of output; no code of ours and not Node's hkdf. */
const hkdf = (token: Uint8Array, salt: Uint8Array, info: string): Buffer =>
  hmac(hmac(salt, token), info, Uint8Array.of(1));

const keysByHand = (token: Uint8Array, session: Uint8Array) => ({
  keyId: hmac(token, 'callpath/1 key id').readUInt32BE(0),
  toReflector: hkdf(token, session, 'callpath/1 agent to reflector'),
  toAgent: hkdf(token, session, 'callpath/1 reflector to agent'),
});

const number = (value: number | bigint, octets: number): string => value.toString(16).padStart(2 * octets, '0');

t.test('keys: the vectors stand against HMAC alone, and deriveKeys makes them', async (t) => {
  t.ok(KEYS.length >= 9);
  for (const { what, token, session, keyId, toReflector, toAgent } of KEYS) {
    const expected = { keyId, toReflector, toAgent };
    t.same(plain(keysByHand(hex(token), hex(session))), expected, `by hand: ${what}`);
    t.same(plain(deriveKeys(hex(token), hex(session))), expected, `by callpath: ${what}`);
    t.equal(keyIdOf(hex(token)), keyId);
    t.not(toReflector, toAgent, 'each direction has a key of its own');
  }
  t.equal(new Set(KEYS.flatMap((vector) => [vector.toReflector, vector.toAgent])).size, 2 * KEYS.length);
});

t.test('requests: laid out by hand, sealed by hand, encoded and read by us', async (t) => {
  const token = hex(REQUESTS.token);
  for (const vector of REQUESTS.requests) {
    const session = hex(vector.session);
    const keys = keysByHand(token, session);
    const binding = vector.binding === null ? null : hex(vector.binding);
    const type = {
      echoRequest: 1,
      infoRequest: 3,
      receiptsRequest: 6,
      captureRequest: 8,
      deferredRequest: 10,
      inboundRequest: 12,
      callRequest: 15,
    }[vector.type];
    const signed = [
      'ca11',
      '01',
      number(type, 1),
      number(48 + vector.body.length / 2, 2),
      '0000',
      number(keys.keyId, 4),
      vector.session,
      number(vector.sequence, 4),
      number(BigInt(vector.sentAtMicros), 8),
      vector.body,
    ].join('');
    const mac = hexOf(hmac(keys.toReflector, hex(signed), binding ?? '').subarray(0, 16));
    t.equal(mac, vector.mac, `MAC by hand: ${vector.what}`);
    t.equal(signed + mac, vector.tag, `layout by hand: ${vector.what}`);

    const tag: RequestTag = {
      type: vector.type,
      keyId: keys.keyId,
      session,
      sequence: vector.sequence,
      sentAtMicros: BigInt(vector.sentAtMicros),
      body: hex(vector.body),
    };
    t.equal(hexOf(encodeRequestTag(tag, keys.toReflector, binding)), vector.tag, `encoded: ${vector.what}`);
    const read = mustRead(hex(vector.tag));
    t.same(plain(read.tag), plain(tag), `read: ${vector.what}`);
    t.ok(verifyTag(read, keys.toReflector, binding));
    t.ok(isRequest(read.tag) && !isAnswer(read.tag));
    t.equal(tagToText(hex(vector.tag)), vector.base64url);
    t.equal(hexOf(tagFromText(vector.base64url)), vector.tag);
  }
});

t.test('answers and the refusal: laid out by hand, sealed by hand, encoded and read by us', async (t) => {
  const token = hex(ANSWERS.token);
  t.equal(
    hexOf(createHash('sha256').update(hex(ANSWERS.received)).digest().subarray(0, 16)),
    hexOf(digestOf(hex(ANSWERS.received))),
  );
  for (const vector of ANSWERS.answers) {
    const session = hex(vector.session);
    const keys = keysByHand(token, session);
    const binding = vector.binding === null ? null : hex(vector.binding);
    const type = {
      echoAnswer: 2,
      infoAnswer: 4,
      receiptsAnswer: 7,
      captureAnswer: 9,
      deferredAnswer: 11,
      inboundAnswer: 13,
      inboundKnock: 14,
      callAnswer: 16,
    }[vector.type];
    const signed = [
      'ca11',
      '01',
      number(type, 1),
      number(100 + vector.body.length / 2, 2),
      '0000',
      number(keys.keyId, 4),
      vector.session,
      number(vector.sequence, 4),
      number(BigInt(vector.receivedAtMicros), 8),
      number(vector.turnaroundMicros, 4),
      number(vector.arrivalPort, 2),
      number(vector.seenPort, 2),
      vector.seenAddress,
      vector.digest,
      number(vector.receivedLength, 4),
      number(vector.keepalives, 2),
      '0000',
      number(vector.heldBack, 4),
      vector.body,
    ].join('');
    const mac = hexOf(hmac(keys.toAgent, hex(signed), binding ?? '').subarray(0, 16));
    t.equal(mac, vector.mac, `MAC by hand: ${vector.what}`);
    t.equal(signed + mac, vector.tag, `layout by hand: ${vector.what}`);

    const { what: _what, binding: _binding, mac: _mac, tag: _tag, ...fields } = vector;
    const tag: AnswerTag = {
      ...fields,
      keyId: keys.keyId,
      session,
      receivedAtMicros: BigInt(vector.receivedAtMicros),
      seenAddress: hex(vector.seenAddress),
      digest: hex(vector.digest),
      body: hex(vector.body),
    };
    t.equal(hexOf(encodeAnswerTag(tag, keys.toAgent, binding)), vector.tag, `encoded: ${vector.what}`);
    const read = mustRead(hex(vector.tag));
    t.same(plain(read.tag), plain(tag), `read: ${vector.what}`);
    t.ok(verifyTag(read, keys.toAgent, binding));
    t.ok(isAnswer(read.tag) && !isRequest(read.tag));
  }
  const { refusal } = ANSWERS;
  const to = { keyId: refusal.keyId, session: hex(refusal.session), sequence: refusal.sequence };
  t.equal(
    `ca110105001c0000${number(refusal.keyId, 4)}${refusal.session}${number(refusal.sequence, 4)}${number(refusal.because, 4)}`,
    refusal.tag,
  );
  t.equal(hexOf(encodeRefusalTag(to, refusal.because)), refusal.tag);
  t.match(plain(mustRead(hex(refusal.tag)).tag), { type: 'refusal', ...(plain(to) as object), because: 1 });
});

const mustRead = (bytes: Uint8Array): ReadTag => {
  const parsed = readTag(bytes);
  if (!parsed.ok) throw new Error(`refused: ${parsed.refusal}`);
  return parsed.value;
};
const refusalOf = (bytes: Uint8Array): TagRefusal | null => {
  const parsed = readTag(bytes);
  return parsed.ok ? null : parsed.refusal;
};

const TOKEN = Buffer.from('a token that both of us know');
const SESSION = { id: hex('0123456789abcdef'), keys: deriveKeys(TOKEN, hex('0123456789abcdef')) };
const KEEN = { session: SESSION, sequence: 7, sentAtMicros: 1_700_000_000_000_000n, binding: null };
const MESSAGE = Buffer.from('a message that carries the tag');

const FACTS: Omit<AnswerTag, 'keyId' | 'session' | 'sequence'> = {
  type: 'echoAnswer',
  receivedAtMicros: KEEN.sentAtMicros + 5_000n,
  turnaroundMicros: 100,
  arrivalPort: 5060,
  seenPort: 40_000,
  seenAddress: hex('00000000000000000000ffffc0000209'),
  digest: digestOf(MESSAGE),
  receivedLength: MESSAGE.length,
  keepalives: 2,
  heldBack: 3,
  body: new Uint8Array(0),
};
const answerWith = (
  changes: Partial<AnswerTag> = {},
  key: Uint8Array = SESSION.keys.toAgent,
  binding: Uint8Array | null = null,
): Uint8Array =>
  encodeAnswerTag(
    { ...FACTS, keyId: SESSION.keys.keyId, session: SESSION.id, sequence: KEEN.sequence, ...changes },
    key,
    binding,
  );
const REQUEST = makeTag(KEEN) ?? new Uint8Array(0);
const ANSWER = answerWith();
const REFUSAL = encodeRefusalTag({ keyId: 1, session: SESSION.id, sequence: 7 }, 1);
const proofWith = (changes: Partial<TagProof> = {}): TagProof => {
  const proof = expectProof(KEEN, MESSAGE);
  if (!proof) throw new Error('a session with keys expects a proof');
  return { ...proof, ...changes };
};
const authentic = (bytes: Uint8Array, proof: TagProof = proofWith()): boolean =>
  judgeTag(bytes, proof, 10_100).authentic;

t.test('sizes are what the documentation says, and refusals smaller than what draws them', async (t) => {
  t.equal(REQUEST.length, 48);
  t.equal(ANSWER.length, 100);
  t.equal(REFUSAL.length, 28);
  t.same([REQUEST_TAG_BYTES, ANSWER_TAG_BYTES, REFUSAL_TAG_BYTES], [48, 100, 28]);
});

t.test('a tag cut anywhere is refused, without a throw', async (t) => {
  for (const [name, tag] of [
    ['request', REQUEST],
    ['answer', ANSWER],
    ['refusal', REFUSAL],
  ] as const) {
    for (let kept = 0; kept < tag.length; kept += 1) {
      const refusal = refusalOf(tag.subarray(0, kept));
      t.equal(refusal, kept < 2 ? 'not-a-tag' : 'truncated', `${name} cut to ${kept} octets`);
    }
    t.equal(refusalOf(tag), null);
    t.equal(refusalOf(Buffer.concat([tag, randomBytes(300)])), null, `${name}: what follows is padding`);
  }
});

t.test('magic, version, type and length are refused by name', async (t) => {
  const changed = (tag: Uint8Array, at: number, ...octets: number[]): Uint8Array => {
    const copy = Uint8Array.from(tag);
    copy.set(octets, at);
    return copy;
  };
  const cases: readonly (readonly [string, Uint8Array, TagRefusal])[] = [
    ['another magic', changed(REQUEST, 0, 0xca, 0x12), 'not-a-tag'],
    ['magic in the other order', changed(REQUEST, 0, 0x11, 0xca), 'not-a-tag'],
    ['version 0', changed(REQUEST, 2, 0), 'version'],
    ['version 2', changed(REQUEST, 2, 2), 'version'],
    ['type 0', changed(REQUEST, 3, 0), 'type'],
    ['the first type that is not given', changed(REQUEST, 3, 17), 'type'],
    ['type 255 with length 0', changed(REQUEST, 3, 255, 0, 0), 'type'],
    ['length 0', changed(REQUEST, 4, 0, 0), 'length'],
    ['a request one octet short', changed(REQUEST, 4, 0, 47), 'length'],
    ['an answer one octet short', changed(ANSWER, 4, 0, 99), 'length'],
    ['a refusal one octet short', changed(REFUSAL, 4, 0, 27), 'length'],
    ['one octet more than there is', changed(REQUEST, 4, 0, 49), 'truncated'],
    ['the longest length', changed(REQUEST, 4, 0xff, 0xff), 'length'],
    ['a request that claims to be an answer', changed(REQUEST, 3, TAG_TYPES.echoAnswer), 'length'],
  ];
  for (const [name, bytes, refusal] of cases) t.equal(refusalOf(bytes), refusal, name);
  t.same([...new Set(cases.map(([, , refusal]) => refusal))].sort(), [...TAG_REFUSALS].sort(), 'every code is reached');
  const longest = makeTag(KEEN, 'echoRequest', new Uint8Array(MAX_TAG_BYTES - REQUEST_TAG_BYTES)) ?? new Uint8Array(0);
  t.equal(longest.length, MAX_TAG_BYTES);
  t.equal(refusalOf(longest), null, 'the longest tag is read');
  const tooLong = makeTag(KEEN, 'echoRequest', new Uint8Array(MAX_TAG_BYTES - REQUEST_TAG_BYTES + 1));
  t.equal(refusalOf(tooLong ?? new Uint8Array(0)), 'length', 'one octet more is not');
});

t.test('an answer proves what it attests', async (t) => {
  const judged = judgeTag(ANSWER, proofWith(), 10_100);
  if (!judged.authentic) throw new Error('not authentic');
  t.same(judged.attestation, {
    intact: true,
    seenAddress: '192.0.2.9',
    seenPort: 40_000,
    arrivalPort: 5060,
    // 10,100 µs there and back less 100 µs at the far end leaves 5,000 µs one way: both clocks agree.
    clockSkewMs: 0,
    keepalives: 2,
    heldBack: 3,
  });
  const attested = (changes: Partial<AnswerTag>, elapsedMicros = 10_100) => {
    const result = judgeTag(answerWith(changes), proofWith(), elapsedMicros);
    if (!result.authentic) throw new Error('not authentic');
    return result.attestation;
  };
  t.equal(attested({ seenAddress: hex('20010db8000000000000000000000009') }).seenAddress, '2001:db8::9');
  t.equal(attested({ receivedLength: MESSAGE.length + 1 }).intact, false, 'another length');
  t.equal(attested({ digest: digestOf(Buffer.from('rewritten')) }).intact, false, 'another digest');
  t.equal(attested({ receivedAtMicros: KEEN.sentAtMicros + 3_600_005_000n }).clockSkewMs, 3_600_000);
  t.equal(attested({ receivedAtMicros: KEEN.sentAtMicros - 3_599_995_000n }).clockSkewMs, -3_600_000);
  t.equal(
    attested({ turnaroundMicros: 0xffffffff }).clockSkewMs,
    5,
    'a turnaround beyond the round trip counts as all of it',
  );
});

t.test('what is no proof', async (t) => {
  const otherId = hex('fedcba9876543210');
  const otherSession = deriveKeys(TOKEN, otherId);
  const otherToken = deriveKeys(Buffer.from('a token that is not ours'), SESSION.id);
  const binding = randomBytes(32);
  t.ok(authentic(ANSWER));
  t.ok(authentic(answerWith({}, SESSION.keys.toAgent, binding), proofWith({ binding })));
  const forgeries: readonly (readonly [string, Uint8Array, TagProof?])[] = [
    ['under another token', answerWith({}, otherToken.toAgent)],
    ['under the key of the other direction', answerWith({}, SESSION.keys.toReflector)],
    ['of another session, sealed for it', answerWith({ session: otherId }, otherSession.toAgent)],
    ['of another session, sealed for ours', answerWith({ session: otherId })],
    ['naming our session, sealed for another', answerWith({}, otherSession.toAgent)],
    ['to an earlier request', answerWith({ sequence: 6 })],
    ['to a later request', answerWith({ sequence: 8 })],
    ['of another TLS session', answerWith({}, SESSION.keys.toAgent, randomBytes(32)), proofWith({ binding })],
    ['without the binding of the TLS session', ANSWER, proofWith({ binding })],
    ['with a binding where the channel has none', answerWith({}, SESSION.keys.toAgent, binding)],
    ['our own request come back', REQUEST],
    [
      'our own request sealed with the key of answers',
      encodeRequestTag(
        {
          type: 'echoRequest',
          keyId: SESSION.keys.keyId,
          session: SESSION.id,
          sequence: 7,
          sentAtMicros: 0n,
          body: new Uint8Array(0),
        },
        SESSION.keys.toAgent,
        null,
      ),
    ],
    ['a refusal', REFUSAL],
    ['nothing', new Uint8Array(0)],
    ['a binding behind the tag instead of under its MAC', Buffer.concat([ANSWER, binding]), proofWith({ binding })],
  ];
  for (const [name, bytes, proof] of forgeries) t.notOk(authentic(bytes, proof), `an answer ${name}`);
  for (let at = 0; at < ANSWER.length; at += 1) {
    for (const mask of [0x01, 0x80]) {
      const bent = Uint8Array.from(ANSWER);
      bent[at] = (bent[at] ?? 0) ^ mask;
      t.notOk(authentic(bent), `octet ${at} ^ ${mask}`);
    }
  }
  t.notOk(verifyTag(mustRead(REFUSAL), SESSION.keys.toAgent, null), 'a refusal never verifies');
  t.equal(makeTag({ ...KEEN, session: { id: SESSION.id, keys: null } }), null, 'without a token there is no tag');
  t.equal(expectProof({ ...KEEN, session: { id: SESSION.id, keys: null } }, MESSAGE), null, 'and no proof to expect');
});

t.test('a later minor version adds fields at the end, and both sides still understand each other', async (t) => {
  /** The same tag with octets between the last known field and the MAC, as a later version would send it. */
  const grown = (tag: Uint8Array, key: Uint8Array, more: Uint8Array): Uint8Array => {
    const signed = Buffer.concat([tag.subarray(0, -16), more]);
    signed.writeUInt16BE(signed.length + 16, 4);
    return Buffer.concat([signed, createHmac('sha256', key).update(signed).digest().subarray(0, 16)]);
  };
  const more = Buffer.from('fields that nobody knows yet');
  t.ok(authentic(grown(ANSWER, SESSION.keys.toAgent, more)));
  const request = mustRead(grown(REQUEST, SESSION.keys.toReflector, more));
  t.ok(verifyTag(request, SESSION.keys.toReflector, null));
  t.match(request.tag, { type: 'echoRequest', sequence: 7, sentAtMicros: KEEN.sentAtMicros });
  const refusal = Buffer.concat([REFUSAL, more]);
  refusal.writeUInt16BE(refusal.length, 4);
  t.match(mustRead(refusal).tag, { type: 'refusal', because: 1 });
  const reserved = Uint8Array.from(ANSWER);
  reserved[6] = 1;
  t.notOk(authentic(reserved), 'reserved octets are under the MAC, too');
});

const bodies = fc.uint8Array({ maxLength: MAX_TAG_BYTES - ANSWER_TAG_BYTES });
const ids = fc.uint8Array({ minLength: 8, maxLength: 8 });
const bindings = fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }));
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const requests: fc.Arbitrary<RequestTag> = fc.record({
  type: fc.constantFrom('echoRequest', 'infoRequest', 'receiptsRequest'),
  keyId: u32,
  session: ids,
  sequence: u32,
  sentAtMicros: u64,
  body: bodies,
});
const answers: fc.Arbitrary<AnswerTag> = fc.record({
  type: fc.constantFrom('echoAnswer', 'infoAnswer', 'receiptsAnswer'),
  keyId: u32,
  session: ids,
  sequence: u32,
  receivedAtMicros: u64,
  turnaroundMicros: u32,
  arrivalPort: u16,
  seenPort: u16,
  seenAddress: octets(16),
  digest: octets(16),
  receivedLength: u32,
  keepalives: u16,
  heldBack: u32,
  body: bodies,
});

t.test('whatever is encoded is read back as it was, at any place in a larger buffer', async () => {
  const key = octets(32);
  const check = (
    tag: RequestTag | AnswerTag,
    bytes: Uint8Array,
    secret: Uint8Array,
    binding: Uint8Array | null,
    offset: number,
  ) => {
    const shifted = new Uint8Array(offset + bytes.length + 5);
    shifted.set(bytes, offset);
    const read = mustRead(shifted.subarray(offset));
    return (
      isDeepStrictEqual(plain(read.tag), plain(tag)) && read.length === bytes.length && verifyTag(read, secret, binding)
    );
  };
  fc.assert(
    fc.property(requests, key, bindings, fc.nat(9), (tag, secret, binding, offset) =>
      check(tag, encodeRequestTag(tag, secret, binding), secret, binding, offset),
    ),
  );
  fc.assert(
    fc.property(answers, key, bindings, fc.nat(9), (tag, secret, binding, offset) =>
      check(tag, encodeAnswerTag(tag, secret, binding), secret, binding, offset),
    ),
  );
});

t.test('whatever is not byte for byte a tag of ours is no proof, and nothing throws', async () => {
  const proof = proofWith();
  fc.assert(
    fc.property(
      fc.oneof(spoiled(ANSWER), spoiled(REQUEST), spoiled(REFUSAL), fc.uint8Array({ maxLength: 1600 })),
      (bytes) => {
        looksLikeTag(bytes);
        const untouched = Buffer.compare(Buffer.from(bytes.subarray(0, ANSWER.length)), Buffer.from(ANSWER)) === 0;
        return authentic(bytes, proof) === untouched;
      },
    ),
    { numRuns: 3000 },
  );
});

t.test('text of SIP and HTTP headers: never throws, never decodes more than a tag', async (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: MAX_TAG_BYTES }),
      (bytes) => hexOf(tagFromText(tagToText(bytes))) === hexOf(bytes),
    ),
  );
  fc.assert(fc.property(fc.string({ maxLength: 3000 }), (text) => tagFromText(text).length <= MAX_TAG_BYTES + 1));
  t.equal(tagFromText('A'.repeat(100_000)).length, 0, 'what is too long to be a tag is not decoded');
  t.notMatch(tagToText(Buffer.alloc(300, 0xfb)), /[^A-Za-z0-9_-]/, 'only characters that every header may hold');
  t.equal(refusalOf(tagFromText('not a tag at all')), 'not-a-tag');
  t.equal(hexOf(tagFromText(`${tagToText(REQUEST)}==`)), hexOf(REQUEST), 'padding that a proxy added is passed over');
});

t.test('a request tag fits into a name, whatever a resolver does to its letters', async (t) => {
  const name = tagToLabels(REQUEST, DNS_SUFFIX);
  if (name === null) throw new Error('does not fit');
  const mixed = [...name].map((letter, index) => (index % 2 ? letter.toUpperCase() : letter)).join('');
  for (const spelt of [name, mixed, `${name}.`]) {
    const labels = labelsToTag(spelt, DNS_SUFFIX);
    t.equal(labels.ok && hexOf(labels.value), hexOf(REQUEST));
  }
});

t.test('info: what is told is read, and never more than an unamplified answer carries', async (t) => {
  const info = {
    version: '1.2.3',
    udp: spansOf([5061, 5060, 500, 5060, 16384, 16385]),
    tcp: spansOf([443]),
    certificateSha256: Array.from({ length: 32 }, () => 'AB').join(':'),
  };
  t.same(info.udp, [
    [500, 500],
    [5060, 5061],
    [16384, 16385],
  ]);
  t.same(parseInfo(encodeInfo(info)), { ok: true, value: info });
  const dated = { ...info, startedAtMs: 1_795_850_000_000 };
  t.same(parseInfo(encodeInfo(dated)), { ok: true, value: dated });
  for (const startedAtMs of [-1, 0, 1.5, 1e300, '2026' as never])
    t.same(parseInfo(encodeInfo({ ...info, startedAtMs })), { ok: true, value: info }, `${startedAtMs} is no moment`);
  const scattered: readonly PortSpan[] = Array.from({ length: 200 }, (_, index) => [
    20_000 + 3 * index,
    20_001 + 3 * index,
  ]);
  const many = encodeInfo({ ...info, udp: scattered, tcp: scattered });
  t.ok(
    many.length + ANSWER_TAG_BYTES <= INFO_REQUEST_BYTES,
    `${many.length} octets of info must fit the answer to a request of ${INFO_REQUEST_BYTES}`,
  );
  const read = parseInfo(many);
  t.ok(read.ok && read.value.udp.length > 10, 'as many runs as fit are told');
  t.same(read.ok && read.value.udp[0], [20_000, 20_001], 'the first of them');

  const doubtful = parseInfo(encodeInfo({ ...info, overruns: scattered, unreadable: scattered }));
  t.ok(doubtful.ok);
  if (!doubtful.ok) return;
  t.same(doubtful.value.overruns, [[20_000, 20_598]], 'of many runs that are doubtful one that holds them all');
  t.equal(doubtful.value.unreadable?.length, 24);
  t.ok(
    scattered.every(([from, to]) => doubtful.value.unreadable?.some(([first, last]) => first <= from && to <= last)),
    'each of them is in one that is told',
  );
  const far: readonly PortSpan[] = [[40_000, 40_001]];
  const apart = [...scattered, ...far];
  const merged = parseInfo(encodeInfo({ ...info, unreadable: apart }));
  t.ok(
    merged.ok && merged.value.unreadable?.some(([from, to]) => from === 40_000 && to === 40_001),
    'what lies far from the others stays apart',
  );

  const room = roomForInfo(SMALL_INFO_REQUEST_BYTES - REQUEST_TAG_BYTES);
  const short = encodeInfo({ ...info, udp: scattered, unreadable: scattered }, room);
  t.ok(short.length + ANSWER_TAG_BYTES <= SMALL_INFO_REQUEST_BYTES, `${short.length} octets answer a short request`);
  const ofShort = parseInfo(short);
  t.equal(ofShort.ok && ofShort.value.certificateSha256, info.certificateSha256);
  t.same(ofShort.ok && ofShort.value.udp[0], [20_000, 20_001], 'fewer of them are told, and the first ones');

  const body = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
  const told = { version: '1', udp: [], tcp: [], certificateSha256: null };
  t.same(parseInfo(body({ ...told, more: { later: true } })), { ok: true, value: told }, 'unknown fields are ignored');
  t.same(
    parseInfo(body({ ...told, certificateSha256: '<script>' })),
    { ok: true, value: told },
    'what is no fingerprint is none',
  );
  for (const wrong of [
    null,
    [],
    'text',
    { ...told, version: 7 },
    { ...told, version: 'v'.repeat(33) },
    { ...told, udp: 'all' },
    { ...told, udp: [[5060]] },
    { ...told, unreadable: [[5060]] },
    { ...told, udp: [[5061, 5060]] },
    { ...told, udp: [[0, 1]] },
    { ...told, udp: [[1, 65_536]] },
    { ...told, udp: [[1.5, 2]] },
    { ...told, udp: [['1', 2]] },
    { ...told, tcp: Array.from({ length: MAX_SPANS + 1 }, () => [1, 1]) },
  ]) {
    t.same(parseInfo(body(wrong)), { ok: false, refusal: 'wrong-shape' }, JSON.stringify(wrong)?.slice(0, 60));
  }
  t.same(parseInfo(Buffer.from('{')), { ok: false, refusal: 'not-json' });
  t.same(parseInfo(new Uint8Array(0)), { ok: false, refusal: 'not-json' });
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array(), fc.jsonValue().map(body)),
      (bytes) => typeof parseInfo(bytes).ok === 'boolean',
    ),
  );
});

t.test('receipts: asked numbers, and what became of each in the same order; what is cut off is left out', async (t) => {
  const numbers = [0, 7, 131_071, 0xffffffff];
  t.same(readReceiptsQuery(encodeReceiptsQuery(numbers, 52)), { sequences: numbers, wantsAnswers: true });
  t.same(readReceiptsQuery(encodeReceiptsQuery([], 0)), { sequences: [], wantsAnswers: true });
  t.throws(() => encodeReceiptsQuery(new Array<number>(MAX_RECEIPTS + 1).fill(1), 0), RangeError);
  const full: Receipt = { arrived: 300, answered: 300, why: null };
  const two: Receipt[] = [
    { arrived: 3, answered: 1, why: 'held-back' },
    { arrived: 0, answered: 0, why: null },
  ];
  const query = (asked: number) => readReceiptsQuery(encodeReceiptsQuery(numbers.slice(0, asked), 52));
  t.same(readReceipts(encodeReceipts([...two, full], query(3)), 3), [
    ...two,
    { arrived: 255, answered: 255, why: null },
  ]);
  t.same(readReceipts(encodeReceipts(two, query(3)), 3), two, 'of the third nothing is known');
  t.same(readReceipts(encodeReceipts([], query(3)), 3), [], 'of none');
  t.same(readReceipts(encodeReceipts([], query(0)), 0), []);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1400 }), (body) => readReceiptsQuery(body).sequences.length <= MAX_RECEIPTS),
  );
});

t.test('receipts: any come back as they went, and never in more bytes than were paid for', async () => {
  const receipt = fc
    .record({
      arrived: fc.nat(MAX_RECEIPT_COUNT),
      missing: fc.nat(MAX_RECEIPT_COUNT),
      reason: fc.constantFrom(...UNANSWERED),
    })
    .map(({ arrived, missing, reason }): Receipt => {
      const answered = Math.max(0, arrived - missing);
      return { arrived, answered, why: answered === arrived ? null : reason };
    });
  fc.assert(
    fc.property(fc.array(receipt, { maxLength: MAX_RECEIPTS }), fc.nat(MAX_RECEIPTS), (told, more) => {
      const asked = Math.min(MAX_RECEIPTS, told.length + more);
      const body = encodeReceiptsQuery(new Array<number>(asked).fill(1), ANSWER_TAG_BYTES - REQUEST_TAG_BYTES);
      const answer = encodeReceipts(told, readReceiptsQuery(body));
      if (ANSWER_TAG_BYTES + answer.length > REQUEST_TAG_BYTES + body.length) return false;
      return isDeepStrictEqual(readReceipts(answer, asked), told);
    }),
  );
});

t.test('receipts between ends of different age', async (t) => {
  const old = Buffer.alloc(2 + 4 * 2 + 52);
  old.writeUInt16BE(2, 0);
  t.equal(readReceiptsQuery(old).wantsAnswers, false, 'padding of an older agent is zero');
  t.same(
    encodeReceipts(
      [
        { arrived: 2, answered: 1, why: 'busy' },
        { arrived: 400, answered: 400, why: null },
      ],
      readReceiptsQuery(old),
    ),
    Uint8Array.of(2, 255),
    'an older agent gets what it can read',
  );
  t.same(
    readReceipts(Uint8Array.of(3, 0), 3),
    [3, 0].map((arrived) => ({ arrived, answered: null, why: null })),
    'what an older far end answered is not known',
  );
  const strange = Buffer.from(
    encodeReceipts([{ arrived: 2, answered: 1, why: 'busy' }], { sequences: [1], wantsAnswers: true }),
  );
  strange[4] = 77;
  t.same(readReceipts(strange, 1), [{ arrived: 2, answered: null, why: null }], 'a reason of a later version');
  strange[3] = 9;
  t.same(readReceipts(strange, 1), [{ arrived: 2, answered: null, why: null }], 'more answers than arrivals');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1400 }), fc.nat(MAX_RECEIPTS), (body, asked) =>
      readReceipts(body, asked).every(({ arrived, answered }) => answered === null || answered <= arrived),
    ),
  );
});

t.test('HTTP: a head in any number of pieces, and what is none', async (t) => {
  const get = buildGet('192.0.2.1', 8080, 'dGFn');
  t.equal(
    Buffer.from(get).toString('latin1'),
    'GET / HTTP/1.1\r\nHost: 192.0.2.1:8080\r\nUser-Agent: callpath\r\nAccept: */*\r\nCache-Control: no-store\r\n' +
      'Connection: close\r\nX-Callpath: dGFn\r\n\r\n',
  );
  t.match(Buffer.from(buildGet('2001:db8::1', 80, null)).toString('latin1'), /\r\nHost: \[2001:db8::1\]\r\n/);
  const answer = buildResponse(200, 'OK', 'dGFn', 'héllo\n');
  for (let kept = 0; kept < Buffer.from(answer).indexOf('\r\n\r\n') + 4; kept += 1) {
    t.same(parseResponseHead(answer.subarray(0, kept)), { ok: false, refusal: 'partial' });
  }
  const head = parseResponseHead(answer);
  t.equal(head.ok && head.value.status, 200);
  t.equal(head.ok && head.value.fields.get('x-callpath'), 'dGFn');
  t.equal(head.ok && head.value.fields.get('content-length'), '7', 'the length is in octets');
  const refusal = (text: string) => {
    const parsed = parseResponseHead(Buffer.from(text, 'latin1'));
    return parsed.ok ? null : parsed.refusal;
  };
  t.equal(refusal('SSH-2.0-OpenSSH_9.2\r\n'), 'not-http');
  t.equal(refusal('HTTP/2.0 200\r\n\r\n'), 'not-http');
  t.equal(refusal('HTTP/1.1 20 OK\r\n\r\n'), 'not-http');
  t.equal(refusal(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`), 'head-too-long');
  t.equal(refusal('HTTP/1.1 200\r\n\r\n'), null, 'the reason may be missing');
  const twice = parseResponseHead(
    Buffer.from('HTTP/1.1 302 Found\r\nLocation: /a\r\nlocation: /b\r\nnonsense\r\n__proto__: x\r\n\r\n'),
  );
  t.equal(twice.ok && twice.value.fields.get('location'), '/a');
  t.equal(twice.ok && twice.value.fields.get('__proto__'), 'x');
  const requestHead = parseRequestHead(get);
  t.equal(requestHead.ok && requestHead.value.get('x-callpath'), 'dGFn');
  t.same(parseRequestHead(Buffer.from('get / HTTP/1.1\r\n\r\n')), { ok: false, refusal: 'not-http' });
  t.same(parseRequestHead(Buffer.from('GET / HTTP/1.1\n\n')), { ok: false, refusal: 'partial' });
  t.equal(headBytes(Buffer.from('a\r\n\r')), null);
  t.equal(headBytes(Buffer.from('a\r\n\r\nbody'))?.length, 5);
  fc.assert(
    fc.property(fc.oneof(spoiled(answer), spoiled(get), fc.uint8Array()), (bytes) => {
      return [parseResponseHead(bytes), parseRequestHead(bytes)].every((parsed) => typeof parsed.ok === 'boolean');
    }),
  );
});

t.test('reading takes time that grows no faster than the input', async (t) => {
  const hostile: readonly (readonly [string, (size: number) => void])[] = [
    ['a head of colons', (size) => parseResponseHead(Buffer.from(`HTTP/1.1 200 ${':'.repeat(size)}`))],
    ['a head of line breaks', (size) => parseRequestHead(Buffer.from(`GET / HTTP/1.1${'\r\n '.repeat(size)}`))],
    ['brackets of JSON', (size) => parseInfo(Buffer.from('['.repeat(size)))],
    ['text of a tag', (size) => tagFromText('A'.repeat(size))],
  ];
  for (const [name, work] of hostile) t.ok(timed(() => work(60_000)) < 200, name);
});
