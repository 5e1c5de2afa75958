/**
 * STUN messages: RFC vectors, captures, hand-written layouts, hostile input, and two peers that share no code with us:
 * node-stun (RFC 3489) both ways, and coturn's client.
 */
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { EventEmitter } from 'node:events';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { formatIp } from '../../src/wire/ip.js';
import {
  attributeOf,
  BINDING,
  encodeStun,
  isComprehensionRequired,
  longTermKey,
  looksLikeStun,
  MAX_STUN_ATTRIBUTES,
  MAX_STUN_BYTES,
  mappedAddressOf,
  notUnderstood,
  opaqueOf,
  parseStun,
  STUN_ATTRIBUTE_TYPES,
  STUN_REFUSALS,
  type StunAttribute,
  type StunClass,
  type StunMessage,
  type StunRefusal,
  shortTermKey,
  stunResponse,
  TRANSACTION_ID_BYTES,
  verifyFingerprint,
  verifyIntegrity,
} from '../../src/wire/stun.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const rootOf = (folder: string): string =>
  existsSync(join(folder, 'package.json')) ? folder : rootOf(dirname(folder));
const FIXTURES = join(rootOf(dirname(fileURLToPath(import.meta.url))), 'fixtures', 'stun');
const fixture = (name: string): Buffer => hex(readFileSync(join(FIXTURES, `${name}.hex`), 'utf8'));

const VECTORS = {
  request: fixture('rfc5769-2.1-request'),
  ipv4: fixture('rfc5769-2.2-ipv4-response'),
  ipv6: fixture('rfc5769-2.3-ipv6-response'),
  longTerm: fixture('rfc5769-2.4-long-term-request'),
  sha256: fixture('rfc8489-b.1-long-term-request'),
  coturn: fixture('coturn-binding'),
  coturnChanged: fixture('coturn-changed-address'),
  coturn420: fixture('coturn-unknown-attribute'),
  coturn3489: fixture('coturn-rfc3489'),
} as const;

const parsed = (bytes: Uint8Array): StunMessage => {
  const result = parseStun(bytes);
  if (!result.ok) throw new Error(`refused: ${result.refusal}`);
  return result.value;
};

const refusalOf = (bytes: Uint8Array): StunRefusal | null => {
  const result = parseStun(bytes);
  return result.ok ? null : result.refusal;
};

/** The same message with its octets as hexadecimal text, so that views, Buffers and Uint8Arrays compare by content. */
const plain = (message: StunMessage): unknown =>
  JSON.parse(
    JSON.stringify(message, function (this: Record<string, unknown>, key, shown: unknown) {
      const value = this[key];
      return value instanceof Uint8Array ? hexOf(value) : shown;
    }),
  );

const ID_12 = hex('b7e7a701bc34d686fa87dfae');
const ID_16 = hex('00112233445566778899aabbccddeeff');
const request = (...attributes: StunAttribute[]): StunMessage => ({
  dialect: 'rfc8489',
  class: 'request',
  method: BINDING,
  transactionId: ID_12,
  attributes,
});
const oldRequest = (...attributes: StunAttribute[]): StunMessage => ({
  ...request(...attributes),
  dialect: 'rfc3489',
  transactionId: ID_16,
});
const opaque = (type: number, value: Uint8Array): StunAttribute => ({ kind: 'opaque', type, value });

/** A message written by hand: header, cookie and ID of RFC 8489, and these attributes. */
const message = (attributes: string, type = '0001', cookieAndId = `2112a442${hexOf(ID_12)}`): Buffer => {
  const body = hex(attributes);
  const header = hex(`${type} 0000 ${cookieAndId}`);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
};

const SHORT_TERM = shortTermKey('VOkJxbRl1RmTxUk/WvJxBt');
const MATRIX = { username: 'マトリックス', realm: 'example.org', password: 'TheMatrIX' };
const OTHER_KEY = shortTermKey('another password');

t.test('RFC 5769 §2.1: a request with short-term credentials', async (t) => {
  t.match(plain(parsed(VECTORS.request)), {
    dialect: 'rfc8489',
    class: 'request',
    method: 1,
    transactionId: 'b7e7a701bc34d686fa87dfae',
    attributes: [
      { kind: 'software', text: 'STUN test client' },
      { kind: 'opaque', type: 0x0024, value: '6e0001ff' },
      { kind: 'opaque', type: 0x8029, value: '932ff9b151263b36' },
      { kind: 'username', text: 'evtj:h6vY' },
      { kind: 'message-integrity', hmac: '9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2' },
      { kind: 'fingerprint', crc: 0xe57a3bcf },
    ],
  });
  t.same(
    notUnderstood(parsed(VECTORS.request), ({ kind }) => kind !== 'opaque'),
    [0x0024],
    'PRIORITY must be understood, ICE-CONTROLLED need not be',
  );
  t.ok(isComprehensionRequired(0x0024) && !isComprehensionRequired(0x8029));
});

t.test('RFC 5769 §2.2 and §2.3: mapped addresses of both families', async (t) => {
  for (const [bytes, address] of [
    [VECTORS.ipv4, '192.0.2.1'],
    [VECTORS.ipv6, '2001:db8:1234:5678:11:2233:4455:6677'],
  ] as const) {
    const response = parsed(bytes);
    t.equal(response.class, 'success');
    t.same(mappedAddressOf(response), { address, port: 32853 });
    t.equal(attributeOf(response, 'software')?.text, 'test vector');
  }
});

t.test('integrity and fingerprints of the vectors hold, and only with their key', async (t) => {
  for (const bytes of [VECTORS.request, VECTORS.ipv4, VECTORS.ipv6]) {
    t.equal(verifyIntegrity(bytes, SHORT_TERM, 'sha1'), 'valid');
    t.equal(verifyIntegrity(bytes, OTHER_KEY, 'sha1'), 'invalid');
    t.equal(verifyIntegrity(bytes, SHORT_TERM, 'sha256'), 'absent');
    t.equal(verifyFingerprint(bytes), 'valid');
  }
  t.equal(verifyIntegrity(VECTORS.longTerm, longTermKey(MATRIX), 'sha1'), 'valid');
  t.equal(verifyIntegrity(VECTORS.longTerm, longTermKey(MATRIX, 'sha256'), 'sha1'), 'invalid');
  t.equal(verifyFingerprint(VECTORS.longTerm), 'absent');
  t.equal(verifyIntegrity(VECTORS.sha256, longTermKey(MATRIX, 'sha256'), 'sha256'), 'valid');
  t.equal(verifyIntegrity(VECTORS.sha256, longTermKey(MATRIX), 'sha256'), 'invalid');
  t.equal(verifyIntegrity(VECTORS.coturn, SHORT_TERM, 'sha1'), 'absent');
});

t.test('RFC 5769 §2.4 and RFC 8489 B.1 are built byte for byte', async (t) => {
  const transactionId = hex('78ad3433c6ad72c029da412e');
  const { username, realm } = MATRIX;
  const sha1 = encodeStun(
    {
      ...request(
        { kind: 'username', text: username },
        { kind: 'nonce', text: 'f//499k954d6OL34oL9FSTvy64sA' },
        { kind: 'realm', text: realm },
      ),
      transactionId,
    },
    { integrity: { key: longTermKey(MATRIX), algorithms: ['sha1'] } },
  );
  t.equal(hexOf(sha1), hexOf(VECTORS.longTerm));
  const userhash = hex('4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704');
  const sha256 = encodeStun(
    {
      ...request(
        opaque(0x001e, userhash),
        { kind: 'nonce', text: 'obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA' },
        { kind: 'realm', text: realm },
        opaque(0x001d, hex('00020000')),
      ),
      transactionId,
    },
    { integrity: { key: longTermKey(MATRIX, 'sha256'), algorithms: ['sha256'] } },
  );
  t.equal(hexOf(sha256), hexOf(VECTORS.sha256));
});

t.test('what coturn answers', async (t) => {
  const binding = parsed(VECTORS.coturn);
  t.match(binding.attributes, [
    { kind: 'xor-mapped-address', address: '127.0.0.1', port: 54508 },
    { kind: 'mapped-address', address: '127.0.0.1', port: 54508 },
    { kind: 'response-origin', address: '127.0.0.1', port: 45325 },
    { kind: 'other-address', address: '127.0.0.2', port: 45326 },
    { kind: 'software', text: "Coturn-4.6.1 'Gorst'" },
  ]);
  t.match(attributeOf(parsed(VECTORS.coturnChanged), 'response-origin'), { address: '127.0.0.2', port: 45326 });
  const unknown = parsed(VECTORS.coturn420);
  t.equal(unknown.class, 'error');
  t.match(attributeOf(unknown, 'error-code'), { code: 420 });
  t.same(attributeOf(unknown, 'unknown-attributes')?.types, [0x7fff]);
  const old = parsed(VECTORS.coturn3489);
  t.match(plain(old), {
    dialect: 'rfc3489',
    transactionId: hexOf(ID_16),
    attributes: [
      { kind: 'mapped-address', address: '127.0.0.1', port: 54508 },
      { kind: 'source-address', address: '127.0.0.1', port: 45325 },
      { kind: 'changed-address', address: '127.0.0.2', port: 45326 },
      { kind: 'software', text: "Coturn-4.6.1 'Gorst'" },
    ],
  });
  t.same(mappedAddressOf(old), { address: '127.0.0.1', port: 54508 });
});

t.test('a parsed message is written again as it was, but for padding', async (t) => {
  for (const name of ['longTerm', 'sha256', 'coturn', 'coturnChanged', 'coturn420'] as const)
    t.equal(hexOf(encodeStun(parsed(VECTORS[name]))), hexOf(VECTORS[name]), name);
  for (const name of Object.keys(VECTORS) as (keyof typeof VECTORS)[])
    t.same(plain(parsed(encodeStun(parsed(VECTORS[name])))), plain(parsed(VECTORS[name])), name);
});

t.test('class and method share the message type (RFC 8489 §5)', async (t) => {
  const known: readonly (readonly [string, StunClass, number])[] = [
    ['0001', 'request', 0x001],
    ['0011', 'indication', 0x001],
    ['0101', 'success', 0x001],
    ['0111', 'error', 0x001],
    ['0016', 'indication', 0x006], // TURN's Send
    ['0118', 'error', 0x008], // TURN's CreatePermission
    ['3eef', 'request', 0xfff],
    ['3fff', 'error', 0xfff],
  ];
  for (const [type, cls, method] of known) {
    t.match(parsed(message('', type)), { class: cls, method }, type);
    t.equal(hexOf(encodeStun({ ...request(), class: cls, method }).subarray(0, 2)), type);
  }
  const types = new Set<string>();
  for (let method = 0; method <= 0xfff; method++)
    for (const cls of ['request', 'indication', 'success', 'error'] as const) {
      const bytes = encodeStun({ ...request(), class: cls, method });
      types.add(hexOf(bytes.subarray(0, 2)));
      const read = parsed(bytes);
      if (read.class !== cls || read.method !== method) t.fail(`${cls} ${method} became ${read.class} ${read.method}`);
    }
  t.equal(types.size, 4 * 4096, 'no two share a type');
});

t.test('every attribute, as the RFCs draw it', async (t) => {
  const cases: readonly (readonly [wire: string, attribute: StunAttribute])[] = [
    ['0001 0008 0001 8055 c0000201', { kind: 'mapped-address', address: '192.0.2.1', port: 32853 }],
    [
      '0001 0014 0002 8055 20010db8000000000000000000000001',
      { kind: 'mapped-address', address: '2001:db8::1', port: 32853 },
    ],
    ['0020 0008 0001 a147 e112a643', { kind: 'xor-mapped-address', address: '192.0.2.1', port: 32853 }],
    ['8020 0008 0001 a147 e112a643', { kind: 'legacy-xor-mapped-address', address: '192.0.2.1', port: 32853 }],
    ['0002 0008 0001 0050 7f000001', { kind: 'response-address', address: '127.0.0.1', port: 80 }],
    ['0004 0008 0001 0d96 7f000001', { kind: 'source-address', address: '127.0.0.1', port: 3478 }],
    ['0005 0008 0001 0d97 7f000002', { kind: 'changed-address', address: '127.0.0.2', port: 3479 }],
    ['000b 0008 0001 0000 00000000', { kind: 'reflected-from', address: '0.0.0.0', port: 0 }],
    ['8023 0008 0001 ffff ffffffff', { kind: 'alternate-server', address: '255.255.255.255', port: 65535 }],
    ['802b 0008 0001 0d96 7f000001', { kind: 'response-origin', address: '127.0.0.1', port: 3478 }],
    ['802c 0008 0001 0d97 7f000002', { kind: 'other-address', address: '127.0.0.2', port: 3479 }],
    ['0003 0004 00000000', { kind: 'change-request', changeIp: false, changePort: false }],
    ['0003 0004 00000002', { kind: 'change-request', changeIp: false, changePort: true }],
    ['0003 0004 00000004', { kind: 'change-request', changeIp: true, changePort: false }],
    ['0003 0004 00000006', { kind: 'change-request', changeIp: true, changePort: true }],
    ['0027 0002 0d96 0000', { kind: 'response-port', port: 3478 }],
    ['0026 0005 0102030405 000000', { kind: 'padding', value: hex('0102030405') }],
    ['0009 0008 00000401 6e6f7065', { kind: 'error-code', code: 401, reason: 'nope' }],
    ['0009 0004 00000663', { kind: 'error-code', code: 699, reason: '' }],
    ['000a 0006 0003 7fff 0026 0000', { kind: 'unknown-attributes', types: [0x0003, 0x7fff, 0x0026] }],
    ['8022 0001 61 000000', { kind: 'software', text: 'a' }],
    ['0006 0003 e3839e 00', { kind: 'username', text: 'マ' }],
    ['0014 0002 6162 0000', { kind: 'realm', text: 'ab' }],
    ['0015 0000', { kind: 'nonce', text: '' }],
    ['ca11 0003 010203 00', opaque(0xca11, hex('010203'))],
    ['7fff 0000', opaque(0x7fff, hex(''))],
    [`001c 0010 ${'ab'.repeat(16)}`, { kind: 'message-integrity-sha256', hmac: hex('ab'.repeat(16)) }],
  ];
  for (const [wire, attribute] of cases) {
    t.same(plain(parsed(message(wire))), plain(request(attribute)), wire);
    t.equal(hexOf(encodeStun(request(attribute))), hexOf(message(wire)), wire);
  }
  const missing = new Set(Object.keys(STUN_ATTRIBUTE_TYPES));
  for (const [, { kind }] of cases) missing.delete(kind);
  t.same([...missing], ['message-integrity', 'fingerprint'], 'the vectors cover these two');
});

t.test('reserved octets and bits are ignored, and other lengths of RESPONSE-PORT', async (t) => {
  const [mapped] = parsed(message('0001 0008 ff01 8055 c0000201')).attributes;
  t.match(mapped, { kind: 'mapped-address', address: '192.0.2.1' });
  t.match(parsed(message('0003 0004 fffffff9')).attributes, [{ changeIp: false, changePort: false }]);
  t.match(parsed(message('0009 0004 fffffc14')).attributes, [{ code: 420 }]);
  t.match(parsed(message('0027 0004 0d96 abcd')).attributes, [{ port: 3478 }]);
  t.match(parsed(message('8022 0001 61 ffffff')).attributes, [{ text: 'a' }], 'padding may hold anything');
  t.match(parsed(message('8022 0002 61ff 0000')).attributes, [{ text: 'a\ufffd' }], 'SOFTWARE is shown, not compared');
});

t.test('RFC 3489 is told by what it lacks', async (t) => {
  t.match(plain(parsed(message('', '0001', hexOf(ID_16)))), { dialect: 'rfc3489', transactionId: hexOf(ID_16) });
  for (const type of ['0001', '0101', '0111', '0002', '0102', '0112'])
    t.equal(parsed(message('', type, hexOf(ID_16))).dialect, 'rfc3489', type);
  for (const type of ['0000', '0003', '0011', '0100', '3fff'])
    t.equal(refusalOf(message('', type, hexOf(ID_16))), 'not-stun', type);
  t.equal(hexOf(encodeStun(oldRequest())), hexOf(message('', '0001', hexOf(ID_16))));

  // Its text and lists fill whole words instead of being padded (§11.2.9, §11.2.10).
  const error: StunMessage = {
    ...oldRequest(
      { kind: 'error-code', code: 420, reason: 'Unknown' },
      { kind: 'unknown-attributes', types: [0x7ffe] },
      { kind: 'software', text: 'x' },
    ),
    class: 'error',
  };
  const wire = `0009 000c 00000414 556e6b6e6f776e20  000a 0004 7ffe7ffe  8022 0004 78202020`;
  t.equal(hexOf(encodeStun(error)), hexOf(message(wire, '0111', hexOf(ID_16))));
  t.same(plain(parsed(encodeStun(error))), plain(error));
  t.equal(
    hexOf(encodeStun(oldRequest({ kind: 'xor-mapped-address', address: '192.0.2.1', port: 32853 }))).slice(40),
    '002000080001' + '8044' + 'c0112032',
    'addresses are XORed with the start of the transaction ID',
  );
});

t.test("RFC 3489's MESSAGE-INTEGRITY is over whole blocks of 64 octets (§11.2.8)", async (t) => {
  const key = shortTermKey('secret');
  for (const userBytes of [4, 40, 44]) {
    const bytes = encodeStun(oldRequest({ kind: 'username', text: 'u'.repeat(userBytes) }), {
      integrity: { key, algorithms: ['sha1'] },
    });
    const covered = bytes.subarray(0, -24);
    const padded = Buffer.concat([covered, Buffer.alloc((64 - (covered.length % 64)) % 64)]);
    t.equal(padded.length % 64, 0);
    t.equal(hexOf(bytes.subarray(-20)), createHmac('sha1', key).update(padded).digest('hex'));
    t.equal(verifyIntegrity(bytes, key, 'sha1'), 'valid');
    t.equal(verifyIntegrity(bytes, OTHER_KEY, 'sha1'), 'invalid');
  }
});

t.test('attributes behind the integrity do not count (RFC 8489 §14.5, §14.6)', async (t) => {
  const integrity = { key: SHORT_TERM, algorithms: ['sha1', 'sha256'] } as const;
  const both = encodeStun(request({ kind: 'software', text: 'a' }), { integrity, fingerprint: true });
  t.same(
    parsed(both).attributes.map(({ kind }) => kind),
    ['software', 'message-integrity', 'message-integrity-sha256', 'fingerprint'],
  );
  t.equal(verifyIntegrity(both, SHORT_TERM, 'sha1'), 'valid', 'what comes later does not break it');
  t.equal(verifyIntegrity(both, SHORT_TERM, 'sha256'), 'valid');
  t.equal(verifyFingerprint(both), 'valid');

  const extended = (bytes: Uint8Array, more: string): Buffer => {
    const all = Buffer.concat([bytes, hex(more)]);
    all.writeUInt16BE(all.length - 20, 2);
    return all;
  };
  const sha1 = encodeStun(request(), { integrity: { key: SHORT_TERM, algorithms: ['sha1'] } });
  const smuggled = extended(sha1, '0001 0008 0001 0000 01020304  7ffe 0000  0001 0003 000000 00');
  t.equal(verifyIntegrity(smuggled, SHORT_TERM, 'sha1'), 'valid');
  t.same(
    parsed(smuggled).attributes.map(({ kind }) => kind),
    ['message-integrity'],
    'neither taken, nor complained of',
  );
  const sha256 = encodeStun(request(), { integrity: { key: SHORT_TERM, algorithms: ['sha256'] } });
  const late = extended(sha256, `0008 0014 ${'00'.repeat(20)}`);
  t.same(
    parsed(late).attributes.map(({ kind }) => kind),
    ['message-integrity-sha256'],
    'the weaker one does not count behind the stronger',
  );
  t.equal(verifyIntegrity(late, SHORT_TERM, 'sha1'), 'absent');
  t.equal(refusalOf(extended(both, '8022 0000')), 'after-fingerprint');
});

t.test('a cut SHA-256 is never valid, and lengths that lie are invalid', async (t) => {
  const whole = encodeStun(request(), { integrity: { key: SHORT_TERM, algorithms: ['sha256'] } });
  const cut = message(`001c 0010 ${hexOf(whole.subarray(24, 40))}`);
  t.ok(parseStun(cut).ok);
  t.equal(verifyIntegrity(cut, SHORT_TERM, 'sha256'), 'invalid');
  t.equal(verifyIntegrity(message('0008 0004 00000000'), SHORT_TERM, 'sha1'), 'invalid');
  t.equal(verifyFingerprint(message('8028 0000')), 'invalid');
  t.equal(verifyIntegrity(new Uint8Array(3), SHORT_TERM, 'sha1'), 'absent');
  t.equal(verifyFingerprint(new Uint8Array(0)), 'absent');
});

t.test('every refusal', async (t) => {
  const long = Buffer.alloc(MAX_STUN_BYTES + 1);
  const cases: readonly (readonly [StunRefusal, Uint8Array])[] = [
    ['truncated', new Uint8Array(0)],
    ['truncated', message('').subarray(0, 19)],
    ['truncated', message('8022 0000').subarray(0, 20)],
    ['too-long', long],
    ['not-stun', message('', '8001')],
    ['not-stun', message('', '4001')],
    ['not-stun', message('', '0003', hexOf(ID_16))],
    ['length', Buffer.concat([message(''), hex('00000000')])],
    ['length', message('80220000 00')],
    ['attribute-overrun', message('8022 0008 00000000')],
    ['attribute-overrun', message('8022 0005 00000000')],
    ['attribute-overrun', message('8022 ffff')],
    ['too-many-attributes', message('ca110000'.repeat(MAX_STUN_ATTRIBUTES + 1))],
    ['after-fingerprint', message('8028 0004 00000000 8022 0000')],
    ['attribute-length', message('0001 0000')],
    ['attribute-length', message('0001 0004 00010000')],
    ['attribute-length', message(`0001 0014 0001 ${'00'.repeat(18)}`)],
    ['attribute-length', message('0001 0008 0002 0000 00000000')],
    ['attribute-length', message('0008 0010 '.concat('00'.repeat(16)))],
    ['attribute-length', message('001c 000c '.concat('00'.repeat(12)))],
    ['attribute-length', message('001c 0012 '.concat('00'.repeat(20)))],
    ['attribute-length', message('001c 0024 '.concat('00'.repeat(36)))],
    ['attribute-length', message('0003 0008 '.concat('00'.repeat(8)))],
    ['attribute-length', message('0009 0003 00000000')],
    ['attribute-length', message(`0009 0300 00000401 ${'20'.repeat(764)}`)],
    ['attribute-length', message('000a 0003 00010000')],
    ['attribute-length', message(`000a 0084 ${'00'.repeat(132)}`)],
    ['attribute-length', message('0027 0003 00010000')],
    ['attribute-length', message('8028 0008 '.concat('00'.repeat(8)))],
    ['attribute-length', message(`0006 0200 ${'61'.repeat(512)}`)],
    ['attribute-length', message(`8022 02fc ${'61'.repeat(764)}`)],
    ['address-family', message('0001 0008 0003 0000 00000000')],
    ['error-code', message('0009 0004 00000200')],
    ['error-code', message('0009 0004 00000700')],
    ['error-code', message('0009 0004 00000464')],
    ['text', message('0006 0004 61ff6162')],
    ['text', message('0015 0004 c0af6162')],
  ];
  for (const [refusal, bytes] of cases) t.equal(refusalOf(bytes), refusal, hexOf(bytes.subarray(20, 40)));
  const missing = new Set<string>(STUN_REFUSALS);
  for (const [refusal] of cases) missing.delete(refusal);
  t.same([...missing], [], 'each code has a case');
  t.ok(parseStun(message('ca110000'.repeat(MAX_STUN_ATTRIBUTES))).ok, 'as many attributes as allowed');
});

t.test('what cannot be said is not written', async (t) => {
  const bad: readonly (readonly [string, () => Uint8Array])[] = [
    ['method', () => encodeStun({ ...request(), method: 0x1000 })],
    ['method', () => encodeStun({ ...request(), method: 1.5 })],
    ['transaction ID', () => encodeStun({ ...request(), transactionId: ID_16 })],
    ['transaction ID', () => encodeStun({ ...oldRequest(), transactionId: ID_12 })],
    ['cookie in an RFC 3489 ID', () => encodeStun({ ...oldRequest(), transactionId: hex(`2112a442${hexOf(ID_12)}`) })],
    ['indication in RFC 3489', () => encodeStun({ ...oldRequest(), class: 'indication' })],
    ['fingerprint in RFC 3489', () => encodeStun(oldRequest(), { fingerprint: true })],
    ['SHA-256 in RFC 3489', () => encodeStun(oldRequest(), { integrity: { key: OTHER_KEY, algorithms: ['sha256'] } })],
    ['odd octets in RFC 3489', () => encodeStun(oldRequest(opaque(0xca11, hex('01'))))],
    ['address', () => encodeStun(request({ kind: 'mapped-address', address: 'localhost', port: 1 }))],
    ['port', () => encodeStun(request({ kind: 'mapped-address', address: '127.0.0.1', port: 65536 }))],
    ['error code', () => encodeStun(request({ kind: 'error-code', code: 200, reason: '' }))],
    ['error code', () => encodeStun(request({ kind: 'error-code', code: 1201, reason: '' }))],
    ['long text', () => encodeStun(request({ kind: 'software', text: 'x'.repeat(764) }))],
    ['long user name', () => encodeStun(request({ kind: 'username', text: 'x'.repeat(509) }))],
    ['a known type as opaque', () => encodeStun(request(opaque(0x0020, hex('0001a147e112a643'))))],
    ['a type of 17 bits', () => encodeStun(request(opaque(0x10000, hex(''))))],
    ['a datagram too small', () => encodeStun(request({ kind: 'padding', value: new Uint8Array(65_500) }))],
    ['a short HMAC', () => encodeStun(request({ kind: 'message-integrity', hmac: new Uint8Array(16) }))],
    [
      'too many',
      () => encodeStun(request(...Array(MAX_STUN_ATTRIBUTES).fill(opaque(0xca11, hex('')))), { fingerprint: true }),
    ],
    [
      'an attribute behind the integrity',
      () =>
        encodeStun(
          request({ kind: 'message-integrity', hmac: new Uint8Array(20) }, { kind: 'software', text: 'ignored' }),
        ),
    ],
    ['a second fingerprint', () => encodeStun(request({ kind: 'fingerprint', crc: 1 }), { fingerprint: true })],
  ];
  for (const [what, build] of bad) t.throws(build, RangeError, what);
});

t.test('carries a proprietary attribute, answers it, and lists what it does not know', async (t) => {
  const tag = hex('0102030405');
  const asked = parsed(encodeStun(request(opaque(0xca11, tag), opaque(0x7ffe, tag), opaque(0x7ffe, tag))));
  t.equal(hexOf(opaqueOf(asked, 0xca11) ?? hex('')), hexOf(tag));
  t.equal(opaqueOf(asked, 0xca12), null);
  t.same(
    notUnderstood(asked, ({ kind }) => kind !== 'opaque'),
    [0x7ffe],
  );
  const answer = parsed(
    encodeStun(stunResponse(asked, 'success', [{ kind: 'xor-mapped-address', address: '::1', port: 9 }])),
  );
  t.match(plain(answer), { class: 'success', method: BINDING, transactionId: hexOf(ID_12) });
  t.same(mappedAddressOf(answer), { address: '::1', port: 9 });
  t.equal(encodeStun(stunResponse(asked, 'success', [mapped('xor-mapped-address')])).length, 32);
});

const mapped = (
  kind: 'mapped-address' | 'xor-mapped-address' | 'legacy-xor-mapped-address',
  port = 1,
): StunAttribute => ({
  kind,
  address: '192.0.2.1',
  port,
});

t.test('the XORed address is believed before the plain one, which NATs rewrite', async (t) => {
  const all = [mapped('mapped-address', 1), mapped('legacy-xor-mapped-address', 2), mapped('xor-mapped-address', 3)];
  t.equal(mappedAddressOf(request(...all))?.port, 3);
  t.equal(mappedAddressOf(request(...all.slice(0, 2)))?.port, 2);
  t.equal(mappedAddressOf(request(...all.slice(0, 1)))?.port, 1);
  t.equal(mappedAddressOf(request()), null);
});

t.test('tells STUN from what shares its port (RFC 7983 §7)', async (t) => {
  for (const [name, bytes] of Object.entries(VECTORS)) t.ok(looksLikeStun(bytes), name);
  const not: readonly (readonly [string, Uint8Array])[] = [
    ['nothing', new Uint8Array(0)],
    ['zeros', new Uint8Array(20)],
    ['too short', message('').subarray(0, 16)],
    ['cut', VECTORS.coturn.subarray(0, -4)],
    ['followed by more', Buffer.concat([VECTORS.coturn, hex('00000000')])],
    ['no whole words', Buffer.concat([VECTORS.coturn, hex('00')])],
    ['RTP', Buffer.concat([hex('80000001'), message('').subarray(4)])],
    ['DTLS', Buffer.concat([hex('16fe0000'), message('').subarray(4)])],
    ['a TURN channel', Buffer.concat([hex('40010000'), message('').subarray(4)])],
    ['another type without a cookie', message('', '0003', hexOf(ID_16))],
  ];
  for (const [name, bytes] of not) t.notOk(looksLikeStun(bytes), name);
  t.ok(looksLikeStun(message('', '0001', hexOf(ID_16))), 'RFC 3489');
});

const octets = (maxLength: number) => fc.uint8Array({ maxLength });
const port = fc.integer({ min: 0, max: 65535 });
/** In the form that comes back. */
const address = fc.oneof(fc.ipV4(), fc.uint8Array({ minLength: 16, maxLength: 16 }).map(formatIp));
const text = (maxBytes: number) =>
  fc.string({ unit: 'binary', maxLength: 40 }).filter((each) => Buffer.byteLength(each) <= maxBytes);
const KNOWN: ReadonlySet<number> = new Set(Object.values(STUN_ATTRIBUTE_TYPES));

const someAttribute: fc.Arbitrary<StunAttribute> = fc.oneof(
  fc.record({
    kind: fc.constantFrom(
      'mapped-address' as const,
      'xor-mapped-address' as const,
      'legacy-xor-mapped-address' as const,
      'response-address' as const,
      'source-address' as const,
      'changed-address' as const,
      'reflected-from' as const,
      'alternate-server' as const,
      'response-origin' as const,
      'other-address' as const,
    ),
    address,
    port,
  }),
  fc.record({ kind: fc.constantFrom('username' as const, 'realm' as const, 'nonce' as const), text: text(508) }),
  fc.record({ kind: fc.constant('software' as const), text: text(763) }),
  fc.record({ kind: fc.constant('change-request' as const), changeIp: fc.boolean(), changePort: fc.boolean() }),
  fc.record({ kind: fc.constant('error-code' as const), code: fc.integer({ min: 300, max: 699 }), reason: text(763) }),
  fc.record({
    kind: fc.constant('unknown-attributes' as const),
    types: fc.uniqueArray(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 }),
  }),
  fc.record({ kind: fc.constant('padding' as const), value: octets(200) }),
  fc.record({ kind: fc.constant('response-port' as const), port }),
  fc.record({
    kind: fc.constant('opaque' as const),
    type: fc.integer({ min: 0, max: 0xffff }).filter((type) => !KNOWN.has(type)),
    value: octets(50),
  }),
);

const newMessage: fc.Arbitrary<StunMessage> = fc.record({
  dialect: fc.constant('rfc8489' as const),
  class: fc.constantFrom('request' as const, 'indication' as const, 'success' as const, 'error' as const),
  method: fc.integer({ min: 0, max: 0xfff }),
  transactionId: fc.uint8Array({ minLength: 12, maxLength: 12 }),
  attributes: fc.array(someAttribute, { maxLength: 8 }),
});

/** What RFC 3489 can say: values of whole words, text that does not end in its filling. */
const fitsRfc3489 = (attribute: StunAttribute): boolean => {
  switch (attribute.kind) {
    case 'username':
    case 'realm':
    case 'nonce':
      return Buffer.byteLength(attribute.text) % 4 === 0;
    case 'software':
      return !/[ \0]$/.test(attribute.text) && Buffer.byteLength(attribute.text) <= 760;
    case 'error-code':
      return !/[ \0]$/.test(attribute.reason) && Buffer.byteLength(attribute.reason) <= 760;
    case 'padding':
    case 'opaque':
      return attribute.value.length % 4 === 0;
    case 'response-port':
      return false;
    default:
      return true;
  }
};

const oldMessage: fc.Arbitrary<StunMessage> = fc.record({
  dialect: fc.constant('rfc3489' as const),
  class: fc.constantFrom('request' as const, 'success' as const, 'error' as const),
  method: fc.constantFrom(1, 2),
  transactionId: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .filter((id) => Buffer.from(id).readUInt32BE(0) !== 0x2112a442),
  attributes: fc.array(someAttribute.filter(fitsRfc3489), { maxLength: 8 }),
});

t.test('what is written is read back, in both dialects', async (t) => {
  fc.assert(
    fc.property(fc.oneof(newMessage, oldMessage), (sent) => {
      const bytes = encodeStun(sent);
      const received = parsed(bytes);
      if (!t.same(plain(received), plain(sent))) return false;
      return hexOf(encodeStun(received)) === hexOf(bytes);
    }),
    { numRuns: 1500 },
  );
});

t.test('a sealed message proves itself, and no bit of it can be turned', async (t) => {
  const changed = fc.record({ at: fc.nat(), bit: fc.nat(7) });
  fc.assert(
    fc.property(newMessage, fc.uint8Array({ minLength: 1, maxLength: 40 }), changed, (sent, key, { at, bit }) => {
      const bytes = encodeStun(sent, { integrity: { key, algorithms: ['sha1', 'sha256'] }, fingerprint: true });
      t.equal(verifyIntegrity(bytes, key, 'sha1'), 'valid');
      t.equal(verifyIntegrity(bytes, key, 'sha256'), 'valid');
      t.equal(verifyFingerprint(bytes), 'valid');
      const turned = Uint8Array.from(bytes);
      // The two octets of the length are computed anew for each MAC, and are told by the layout instead.
      const covered = bytes.length - 8 - 24 - 36;
      const where = at % covered;
      if (where === 2 || where === 3) return;
      turned[where] = (turned[where] ?? 0) ^ (1 << bit);
      t.not(verifyIntegrity(turned, key, 'sha1'), 'valid');
      t.not(verifyIntegrity(turned, key, 'sha256'), 'valid');
      t.not(verifyFingerprint(turned), 'valid');
    }),
    { numRuns: 300 },
  );
});

/** Everything that looks at bytes from the network. */
const tryAll = (bytes: Uint8Array): void => {
  const result = parseStun(bytes);
  if (!result.ok && !STUN_REFUSALS.includes(result.refusal)) throw new Error(`unlisted refusal ${result.refusal}`);
  looksLikeStun(bytes);
  verifyIntegrity(bytes, SHORT_TERM, 'sha1');
  verifyIntegrity(bytes, SHORT_TERM, 'sha256');
  verifyFingerprint(bytes);
  if (!result.ok) return;
  mappedAddressOf(result.value);
  notUnderstood(result.value, () => false);
};

t.test('no cut of any vector throws or passes for a message', async (t) => {
  for (const [name, bytes] of Object.entries(VECTORS)) {
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      tryAll(cut);
      if (refusalOf(cut) !== 'truncated') t.fail(`${name} cut to ${length}: ${refusalOf(cut)}`);
      // The same cut, with a length that fits it.
      if (length < 20) continue;
      const lying = Buffer.from(cut);
      lying.writeUInt16BE(length - 20, 2);
      tryAll(lying);
    }
  }
});

t.test('50,000 mutations of the vectors never throw', async (t) => {
  // A small generator with a fixed seed (mulberry32), so that a failure can be seen again.
  let state = 0x57_55_4e;
  const random = (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
  const seeds = Object.values(VECTORS);
  const interesting = [0x00, 0x01, 0x02, 0x04, 0x08, 0x14, 0x7f, 0x80, 0xff];
  let accepted = 0;
  for (let round = 0; round < 50_000; round++) {
    const bytes = Uint8Array.from(seeds[random(seeds.length)] ?? []);
    for (let change = 1 + random(4); change > 0; change--)
      bytes[random(bytes.length)] = random(2) ? random(256) : (interesting[random(interesting.length)] ?? 0);
    tryAll(bytes);
    if (parseStun(bytes).ok) accepted++;
  }
  t.ok(accepted > 5_000 && accepted < 45_000, `${accepted} of them still were messages`);
  fc.assert(fc.property(octets(200), tryAll), { numRuns: 2000 });
});

t.test('works on a view into a larger buffer', async (t) => {
  const around = new Uint8Array(200).fill(0xee);
  around.set(VECTORS.ipv4, 33);
  const view = around.subarray(33, 33 + VECTORS.ipv4.length);
  t.ok(looksLikeStun(view));
  t.same(mappedAddressOf(parsed(view)), { address: '192.0.2.1', port: 32853 });
  t.equal(verifyIntegrity(view, SHORT_TERM, 'sha1'), 'valid');
});

/** The part of node-stun 0.1.2 that is used here; it brings no types. */
interface NodeStun {
  createClient(): {
    setLocalAddr(address: string): void;
    setServerAddr(address: string, port: number): void;
    start(done: (result: number) => void): void;
    close(done: () => void): void;
    getMappedAddr(): { address: string; port: number };
    getNatType(): string;
  };
  createServer(config: {
    primary: { host: string; port: number };
    secondary: { host: string; port: number };
  }): EventEmitter & { listen(): void; close(): void };
}
const nodeStun = createRequire(import.meta.url)('node-stun') as NodeStun;

const bound = async (ip: string, atPort: number): Promise<Socket> => {
  const socket = createSocket('udp4');
  socket.bind(atPort, ip);
  await once(socket, 'listening');
  return socket;
};

const PRIMARY = '127.0.0.1';
const SECONDARY = '127.0.0.2';
const TWO_ADDRESSES = await bound(SECONDARY, 0).then(
  (socket) => {
    socket.close();
    return {};
  },
  () => ({ skip: `${SECONDARY} is no address of this host (Linux has all of 127.0.0.0/8)` }),
);

/** A port that is free on both addresses. */
const boundPair = async (): Promise<readonly [Socket, Socket]> => {
  for (;;) {
    const first = await bound(PRIMARY, 0);
    const second = await bound(SECONDARY, first.address().port).catch(() => null);
    if (second) return [first, second];
    first.close();
  }
};

t.test("node-stun's client discovers a NAT through our answers", TWO_ADDRESSES, async (t) => {
  const cases: readonly (readonly [string, (from: RemoteInfo, socket: number) => { address: string; port: number }])[] =
    [
      ['Open to internet', ({ address, port }) => ({ address, port })],
      ['Full cone', () => ({ address: '192.0.2.1', port: 40000 })],
      ['Symmetric', (_from, socket) => ({ address: '192.0.2.1', port: 40000 + socket })],
    ];
  for (const [natType, mappedFor] of cases) {
    const [a, b] = [await boundPair(), await boundPair()];
    // Bit 0 is the port, bit 1 the address, so that CHANGE-REQUEST flips bits.
    const sockets = [a[0], b[0], a[1], b[1]];
    const endpoint = (index: number) => {
      const { address, port } = sockets[index]?.address() ?? { address: '', port: 0 };
      return { address, port };
    };
    const problems: string[] = [];
    const respond = (index: number, bytes: Buffer, from: RemoteInfo): void => {
      const asked = parseStun(bytes);
      if (!looksLikeStun(bytes) || !asked.ok || asked.value.dialect !== 'rfc3489') {
        problems.push(`not understood: ${hexOf(bytes)}`);
        return;
      }
      const change = attributeOf(asked.value, 'change-request');
      const via = index ^ (change?.changeIp ? 2 : 0) ^ (change?.changePort ? 1 : 0);
      const answer = stunResponse(asked.value, 'success', [
        { kind: 'mapped-address', ...mappedFor(from, index) },
        { kind: 'source-address', ...endpoint(via) },
        { kind: 'changed-address', ...endpoint(index ^ 3) },
      ]);
      sockets[via]?.send(encodeStun(answer), from.port, from.address);
    };
    for (const [index, socket] of sockets.entries()) socket.on('message', (bytes, from) => respond(index, bytes, from));

    // It reports on the console, where it would mix with the test's own output.
    const silenced = t.capture(console, 'log');
    const client = nodeStun.createClient();
    client.setLocalAddr(PRIMARY);
    client.setServerAddr(PRIMARY, endpoint(0).port);
    const result = await new Promise<number>((resolve) => client.start(resolve));
    t.equal(result, 0, 'the discovery ran to its end');
    t.equal(client.getNatType(), natType);
    if (natType !== 'Open to internet') t.same(client.getMappedAddr(), { address: '192.0.2.1', port: 40000 });
    t.same(problems, []);
    await new Promise<void>((resolve) => client.close(resolve));
    silenced.restore();
    for (const socket of sockets) socket.close();
  }
});

t.test("node-stun's server answers our requests", TWO_ADDRESSES, async (t) => {
  const server = nodeStun.createServer({
    primary: { host: PRIMARY, port: 0 },
    secondary: { host: SECONDARY, port: 0 },
  });
  const listening = new Map<number, { address: string; port: number }>();
  const ready = new Promise<void>((resolve) => {
    server.on('log', ({ message }: { message: string }) => {
      const [, index, address = '', at] = /^soc\[(\d)\] listening on (.*):(\d+)$/.exec(message) ?? [];
      if (index) listening.set(Number(index), { address, port: Number(at) });
      if (listening.size === 4) resolve();
    });
  });
  server.listen();
  await ready;
  const primary = listening.get(0);
  const opposite = listening.get(3);
  const socket = await bound(PRIMARY, 0);
  const ask = async (sent: StunMessage): Promise<readonly [StunMessage, RemoteInfo]> => {
    socket.send(encodeStun(sent), primary?.port ?? 0, primary?.address);
    const [bytes, from] = (await once(socket, 'message')) as [Buffer, RemoteInfo];
    return [parsed(bytes), from];
  };
  const us = { address: PRIMARY, port: socket.address().port };

  const [answer, from] = await ask(oldRequest());
  t.match(plain(answer), { dialect: 'rfc3489', class: 'success', method: BINDING, transactionId: hexOf(ID_16) });
  t.same(mappedAddressOf(answer), us);
  t.match(attributeOf(answer, 'source-address'), { ...primary });
  t.match(attributeOf(answer, 'changed-address'), { address: SECONDARY });
  t.match(from, { ...primary });

  const [changed, changedFrom] = await ask(oldRequest({ kind: 'change-request', changeIp: true, changePort: true }));
  t.match(attributeOf(changed, 'source-address'), { ...opposite });
  t.match(changedFrom, { ...opposite }, 'our CHANGE-REQUEST was understood');

  const [modern] = await ask(request(opaque(0xca11, hex('01020304'))));
  t.match(plain(modern), { dialect: 'rfc8489', transactionId: hexOf(ID_12) }, 'an old server echoes the cookie');
  t.same(mappedAddressOf(modern), us);
  socket.close();
  server.close();
});

const COTURN_CLIENT = '/usr/bin/turnutils_stunclient';

t.test(
  "coturn's client reads our answer",
  existsSync(COTURN_CLIENT) ? {} : { skip: 'needs turnutils_stunclient (Debian: coturn)' },
  async (t) => {
    const socket = await bound(PRIMARY, 0);
    socket.on('message', (bytes, from) => {
      const answer = stunResponse(parsed(bytes), 'success', [
        { kind: 'xor-mapped-address', address: '192.0.2.1', port: 32853 },
        { kind: 'software', text: 'callpath' },
      ]);
      socket.send(encodeStun(answer, { fingerprint: true }), from.port, from.address);
    });
    const { stdout, stderr } = await promisify(execFile)(
      COTURN_CLIENT,
      ['-p', String(socket.address().port), PRIMARY],
      { timeout: 10_000 },
    );
    t.match(stdout + stderr, 'UDP reflexive addr: 192.0.2.1:32853');
    socket.close();
  },
);

t.test('transaction IDs have the length of their dialect', async (t) => {
  t.equal(parsed(message('')).transactionId.length, TRANSACTION_ID_BYTES.rfc8489);
  t.equal(parsed(message('', '0001', hexOf(ID_16))).transactionId.length, TRANSACTION_ID_BYTES.rfc3489);
});
