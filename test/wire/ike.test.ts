/** IKE and NAT-T: hand-made vectors, captures, hostile input, and two peers that we did not write: charon and ike-scan. */
import { execFile } from 'node:child_process';
import { createDiffieHellmanGroup, createECDH, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import {
  buildSaInitRequest,
  buildSaInitResponse,
  buildVersionRefusal,
  encodeIke,
  findNotify,
  groupName,
  IKE_EXCHANGES,
  IKE_GROUPS,
  IKE_REFUSALS,
  type IkeHeader,
  type IkeMessage,
  type IkePayload,
  keyLengthOf,
  looksLikeIke,
  MAX_IKE_PAYLOADS,
  makeKeyExchange,
  NO_SPI,
  NOTIFY_TYPES,
  natDetectionHash,
  notify,
  notifyName,
  parseIke,
  parseIkeHeader,
  publicValueBytes,
  readSaInitResponse,
  SA_INIT_RESPONSE_REFUSALS,
  type SaInitRequest,
  type SaInitResponse,
  vendorIdsOf,
} from '../../src/wire/ike.js';
import {
  classifyNatT,
  encodeEspInUdp,
  NAT_T_KEEPALIVE,
  NON_ESP_MARKER,
  withNonEspMarker,
} from '../../src/wire/nat-t.js';
import { fixture, hex, plain, spoiled, timed } from './support/bytes.js';
import { charonMissing, startCharon } from './support/charon.js';

const run = promisify(execFile);
const NOTHING = new Uint8Array(0);

const header = (bytes: Uint8Array): IkeHeader => {
  const result = parseIkeHeader(bytes);
  if (!result.ok) throw new Error(`refused: ${result.refusal}`);
  return result.value;
};
const ike = (bytes: Uint8Array): IkeMessage => {
  const result = parseIke(bytes);
  if (!result.ok) throw new Error(`refused: ${result.refusal}`);
  return result.value;
};
const ikeRefusal = (bytes: Uint8Array): string | null => {
  const result = parseIke(bytes);
  return result.ok ? null : result.refusal;
};
const answered = (bytes: Uint8Array, spiI: Uint8Array): SaInitResponse => {
  const result = readSaInitResponse(bytes, { spiI });
  if (!result.ok) throw new Error(`refused: ${result.refusal}`);
  return result.value;
};
const answerRefusal = (bytes: Uint8Array, spiI: Uint8Array): string | null => {
  const result = readSaInitResponse(bytes, { spiI });
  return result.ok ? null : result.refusal;
};

const SPI = hex('0123456789abcdef');
const SPI_HEX = '0123456789abcdef';
const NO_SPI_HEX = '0000000000000000';

/** A message with this first payload type and these payloads: version 2.0, IKE_SA_INIT, from the initiator, id 0. */
const message = (next: string, payloads: string, { spiR = NO_SPI_HEX, flags = '08' } = {}): Buffer => {
  const body = hex(payloads);
  const length = (28 + body.length).toString(16).padStart(8, '0');
  return Buffer.concat([hex(`${SPI_HEX} ${spiR} ${next} 20 22 ${flags} 00000000 ${length}`), body]);
};
const answer = (next: string, payloads: string, spiR = NO_SPI_HEX): Buffer =>
  message(next, payloads, { spiR, flags: '20' });

// RFC 5903 §8.1: the initiator's point on the 256-bit random curve, and the KE payload that carries it.
const GIX = 'DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180';
const GIY = '5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3';
const KE_BODY = `0048 0013 0000 ${GIX} ${GIY}`;
const NONCE_BODY = '0014 000102030405060708090a0b0c0d0e0f';
// One proposal of four transforms: AES-CBC-256, PRF and integrity of HMAC-SHA2-256, ECP-256.
const SA_BODY =
  '0030 00 00 002c 01 01 00 04 03 00 000c 01 00 000c 800e0100 03 00 0008 02 00 0005 03 00 0008 03 00 000c 00 00 0008 04 00 0013';

const REQUEST: SaInitRequest = {
  spiI: SPI,
  groups: [19, 31, 14],
  ke: { group: 19, value: hex(GIX + GIY) },
  nonce: hex('000102030405060708090a0b0c0d0e0f'),
  natDetection: { source: Buffer.alloc(20, 0xaa), destination: Buffer.alloc(20, 0xbb) },
  cookie: hex('c0'),
  vendorIds: [Buffer.from('one'), Buffer.from('two')],
  fragmentationSupported: true,
};

t.test('a request is built byte for byte as RFC 7296 lays it out', async (t) => {
  const transforms = [
    '03 00 000c 01 00 000c 800e0100', // AES-CBC, 256 bits
    '03 00 000c 01 00 000c 800e0080', // AES-CBC, 128 bits
    '03 00 0008 02 00 0005', // PRF-HMAC-SHA2-256
    '03 00 0008 02 00 0002', // PRF-HMAC-SHA1
    '03 00 0008 03 00 000c', // HMAC-SHA2-256-128
    '03 00 0008 03 00 0002', // HMAC-SHA1-96
    '03 00 0008 04 00 0013', // ECP-256
    '03 00 0008 04 00 001f', // Curve25519
    '00 00 0008 04 00 000e', // MODP-2048
  ].join('');
  const payloads = [
    '21 00 0009 00 00 4006 c0', // COOKIE, before all others
    `22 00 005c 00 00 0058 01 01 00 09 ${transforms}`,
    `28 00 ${KE_BODY}`,
    `29 00 ${NONCE_BODY}`,
    `29 00 001c 00 00 4004 ${'aa'.repeat(20)}`,
    `29 00 001c 00 00 4005 ${'bb'.repeat(20)}`,
    '2b 00 0008 00 00 402e', // IKEV2_FRAGMENTATION_SUPPORTED
    `2b 00 0007 ${Buffer.from('one').toString('hex')}`,
    `00 00 0007 ${Buffer.from('two').toString('hex')}`,
  ].join('');
  t.equal(Buffer.from(buildSaInitRequest(REQUEST)).toString('hex'), message('29', payloads).toString('hex'));

  const bare = buildSaInitRequest({
    ...REQUEST,
    cookie: null,
    natDetection: null,
    vendorIds: [],
    fragmentationSupported: false,
  });
  t.same(
    ike(bare).payloads.map(({ kind }) => kind),
    ['sa', 'ke', 'nonce'],
  );
  t.ok(looksLikeIke(bare));
  t.match(header(bare), { major: 2, minor: 0, exchange: 34, initiator: true, response: false, messageId: 0 });

  const wrong: readonly [string, Partial<SaInitRequest>][] = [
    ['a zero SPI', { spiI: NO_SPI }],
    ['a short SPI', { spiI: hex('01') }],
    ['a KE of a group that is not offered', { groups: [14, 31] }],
    ['a KE of the wrong length', { ke: { group: 14, value: hex(GIX + GIY) } }],
    ['a nonce of 15 octets', { nonce: new Uint8Array(15) }],
    ['a nonce of 257 octets', { nonce: new Uint8Array(257) }],
    ['a cookie of 65 octets', { cookie: new Uint8Array(65) }],
    ['an empty cookie', { cookie: NOTHING }],
    ['too many payloads', { vendorIds: Array.from({ length: MAX_IKE_PAYLOADS }, () => NOTHING) }],
    ['more than a datagram', { vendorIds: [new Uint8Array(65_000), new Uint8Array(65_000)] }],
  ];
  for (const [name, fields] of wrong) t.throws(() => buildSaInitRequest({ ...REQUEST, ...fields }), RangeError, name);
});

t.test('every payload that is read', async (t) => {
  const bytes = message(
    '21',
    [
      `22 00 ${SA_BODY}`,
      `28 00 ${KE_BODY}`,
      `29 00 ${NONCE_BODY}`,
      '2b 00 000e 03 04 000b aabbccdd eeff', // INVALID_SPI about an ESP SA
      '30 00 0007 766964', // vendor ID
      'f0 80 0006 1234', // EAP with a critical bit, which is ignored on what RFC 7296 defines
      '2e 00 0005 99', // type 240, not critical: skipped
      '23 00 0006 5678', // encrypted: its next payload lies inside
    ].join(''),
  );
  const { payloads } = ike(bytes);
  t.same(plain(payloads), [
    {
      kind: 'sa',
      proposals: [
        {
          number: 1,
          protocol: 1,
          spi: '',
          transforms: [
            { type: 1, id: 12, attributes: [{ type: 14, value: 256 }] },
            { type: 2, id: 5, attributes: [] },
            { type: 3, id: 12, attributes: [] },
            { type: 4, id: 19, attributes: [] },
          ],
        },
      ],
    },
    { kind: 'ke', group: 19, value: (GIX + GIY).toLowerCase() },
    { kind: 'nonce', value: '000102030405060708090a0b0c0d0e0f' },
    { kind: 'notify', protocol: 3, spi: 'aabbccdd', type: 11, data: 'eeff' },
    { kind: 'vendor-id', value: '766964' },
    { kind: 'raw', payloadType: 48, body: '1234' },
    { kind: 'raw', payloadType: 240, body: '99' },
    { kind: 'encrypted', payloadType: 46, firstInside: 35, body: '5678' },
  ]);
  t.equal(findNotify(payloads, NOTIFY_TYPES.INVALID_SPI)?.data.length, 2);
  t.equal(findNotify(payloads, NOTIFY_TYPES.COOKIE), null);
  t.same(vendorIdsOf(payloads).map(plain), ['766964']);
  t.equal(notifyName(14), 'NO_PROPOSAL_CHOSEN');
  t.equal(notifyName(9999), 'notify 9999');
});

t.test('what does not fit its lengths is refused by its reason', async (t) => {
  const good = message('29', '00 00 0008 00 00 000e');
  t.equal(ikeRefusal(good), null);
  const sa = (text: string): Buffer => message('21', text);
  const chain = (count: number): Buffer =>
    message('29', `${'29 00 0008 00 00 000e'.repeat(count - 1)}00 00 0008 00 00 000e`);
  const cases: readonly [string, Buffer, string][] = [
    ['nothing', Buffer.alloc(0), 'truncated'],
    ['27 octets', good.subarray(0, 27), 'truncated'],
    [
      'a length field above the datagram',
      Buffer.concat([good.subarray(0, 24), hex('ffffffff'), good.subarray(28)]),
      'truncated',
    ],
    [
      'a length field below a header',
      Buffer.concat([good.subarray(0, 24), hex('00000000'), good.subarray(28)]),
      'length',
    ],
    ['an octet behind the message', Buffer.concat([good, hex('00')]), 'length'],
    ['65,508 octets', Buffer.alloc(65_508), 'too-long'],
    ['version 1', Buffer.concat([good.subarray(0, 17), hex('10'), good.subarray(18)]), 'version'],
    ['version 3', Buffer.concat([good.subarray(0, 17), hex('30'), good.subarray(18)]), 'version'],
    ['a payload of length 0, which would loop', message('29', '29 00 0000'), 'payload-length'],
    ['a payload shorter than its header', message('29', '29 00 0003'), 'payload-length'],
    ['a payload past the message', message('29', '00 00 0009 00 00 000e'), 'payload-length'],
    ['a next payload that is not there', message('29', '29 00 0008 00 00 000e'), 'payload-length'],
    ['bytes behind the last payload', message('29', '00 00 0008 00 00 000e 00'), 'trailing'],
    ['bytes without a payload', message('00', '00'), 'trailing'],
    ['bytes behind an encrypted payload', message('2e', '00 00 0004 00000004'), 'trailing'],
    ['65 payloads', chain(MAX_IKE_PAYLOADS + 1), 'too-many-payloads'],
    ['8,000 notifies', chain(8000), 'too-many-payloads'],
    ['an unknown critical payload', message('f0', '00 80 0004'), 'critical-payload'],
    ['type 49, which RFC 7296 does not define, critical', message('31', '00 80 0004'), 'critical-payload'],
    ['a notify without type', message('29', '00 00 0006 0000'), 'notify'],
    ['a notify with an SPI that is not there', message('29', '00 00 0008 00 ff 000e'), 'notify'],
    ['a KE without group', message('22', '00 00 0006 000e'), 'ke'],
    ['a nonce of 15 octets', message('28', `00 00 0013 ${'11'.repeat(15)}`), 'nonce'],
    ['a nonce of 257 octets', message('28', `00 00 0105 ${'11'.repeat(257)}`), 'nonce'],
    ['an SA without proposals', sa('00 00 0004'), 'sa'],
    ['a proposal shorter than its header', sa('00 00 000c 00 00 0007 01 01 00 00'), 'sa'],
    ['a proposal of length 0', sa('00 00 000c 00 00 0000 01 01 00 00'), 'sa'],
    ['a proposal past its payload', sa('00 00 000c 00 00 0009 01 01 00 00'), 'sa'],
    ['a proposal SPI past its proposal', sa('00 00 000c 00 00 0008 01 01 01 00'), 'sa'],
    ['another proposal that is not there', sa('00 00 000c 02 00 0008 01 01 00 00'), 'sa'],
    ['bytes behind the last proposal', sa('00 00 0010 00 00 0008 01 01 00 00 00000000'), 'sa'],
    ['an unknown proposal marker', sa('00 00 000c 01 00 0008 01 01 00 00'), 'sa'],
    ['33 proposals', sa(`00 00 010c ${'02 00 0008 01 01 00 00'.repeat(32)} 00 00 0008 01 01 00 00`), 'sa'],
    ['more transforms than counted', sa('00 00 0014 00 00 0010 01 01 00 00 00 00 0008 02 00 0005'), 'sa'],
    ['fewer transforms than counted', sa('00 00 0014 00 00 0010 01 01 00 02 03 00 0008 02 00 0005'), 'sa'],
    [
      'a last mark on the first of two',
      sa(`00 00 001c 00 00 0018 01 01 00 02 ${'00 00 0008 02 00 0005'.repeat(2)}`),
      'sa',
    ],
    ['a transform of length 0', sa('00 00 0014 00 00 0010 01 01 00 01 00 00 0000 02 00 0005'), 'sa'],
    ['a transform past its proposal', sa('00 00 0014 00 00 0010 01 01 00 01 00 00 000c 02 00 0005'), 'sa'],
    ['half an attribute', sa('00 00 0016 00 00 0012 01 01 00 01 00 00 000a 01 00 000c 800e'), 'sa'],
    ['an attribute past its transform', sa('00 00 0018 00 00 0014 01 01 00 01 00 00 000c 01 00 000c 000e 0001'), 'sa'],
    ['9 attributes', sa(`00 00 0038 00 00 0034 01 01 00 01 00 00 002c 01 00 000c ${'800e0100'.repeat(9)}`), 'sa'],
  ];
  for (const [name, bytes, refusal] of cases) t.equal(ikeRefusal(bytes), refusal, name);
  t.equal(ikeRefusal(chain(MAX_IKE_PAYLOADS)), null, `${MAX_IKE_PAYLOADS} payloads are read`);
  t.equal(ikeRefusal(message('00', '')), null, 'a message may have no payload');

  const whole = buildSaInitRequest(REQUEST);
  for (let length = 0; length < whole.length; length++) {
    const cut = Buffer.from(whole.subarray(0, length));
    t.equal(ikeRefusal(cut), 'truncated', `cut at ${length}`);
    if (length < 28) continue;
    // The same cut with a length field that agrees: now the payloads have to notice.
    cut.writeUInt32BE(length, 24);
    t.not(ikeRefusal(cut), null, `cut at ${length}, and lied about`);
  }
});

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const blob = fc.uint8Array({ maxLength: 40 });
const attribute = fc.record({
  type: fc.integer({ min: 0, max: 0x7fff }),
  value: fc.oneof(u16, fc.uint8Array({ maxLength: 8 })),
});
const proposal = fc.record({
  number: u8,
  protocol: u8,
  spi: fc.uint8Array({ maxLength: 8 }),
  transforms: fc.array(fc.record({ type: u8, id: u16, attributes: fc.array(attribute, { maxLength: 3 }) }), {
    maxLength: 6,
  }),
});
const payload: fc.Arbitrary<IkePayload> = fc.oneof(
  fc.record({
    kind: fc.constant('sa' as const),
    proposals: fc.array(proposal, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant('ke' as const), group: u16, value: blob }),
  fc.record({ kind: fc.constant('nonce' as const), value: fc.uint8Array({ minLength: 16, maxLength: 256 }) }),
  fc.record({
    kind: fc.constant('notify' as const),
    protocol: u8,
    spi: fc.uint8Array({ maxLength: 8 }),
    type: u16,
    data: blob,
  }),
  fc.record({ kind: fc.constant('vendor-id' as const), value: blob }),
  fc.record({
    kind: fc.constant('raw' as const),
    payloadType: fc.constantFrom(35, 36, 37, 42, 47, 48, 49, 240),
    body: blob,
  }),
);
const lastPayload: fc.Arbitrary<IkePayload> = fc.record({
  kind: fc.constant('encrypted' as const),
  payloadType: fc.constantFrom(46 as const, 53 as const),
  firstInside: u8,
  body: blob,
});
const spi = fc.uint8Array({ minLength: 8, maxLength: 8 });

t.test('what is written is read', async (t) => {
  fc.assert(
    fc.property(
      fc.record({
        spiI: spi,
        spiR: spi,
        exchange: u8,
        initiator: fc.boolean(),
        higherVersion: fc.boolean(),
        response: fc.boolean(),
        messageId: fc.integer({ min: 0, max: 0xffffffff }),
      }),
      fc
        .tuple(fc.array(payload, { maxLength: 8 }), fc.array(lastPayload, { maxLength: 1 }))
        .map((parts) => parts.flat()),
      (fields, payloads) => {
        const bytes = encodeIke(fields, payloads);
        const read = ike(bytes);
        return (
          JSON.stringify(plain(read.payloads)) === JSON.stringify(plain(payloads)) &&
          JSON.stringify(plain({ ...read.header, ...fields })) === JSON.stringify(plain(read.header)) &&
          read.header.length === bytes.length
        );
      },
    ),
    { numRuns: 500 },
  );
  const encrypted: IkePayload = { kind: 'encrypted', payloadType: 46, firstInside: 0, body: NOTHING };
  t.throws(() => encodeIke(header(buildSaInitRequest(REQUEST)), [encrypted, notify(14)]), RangeError);
});

const FIXTURES = ['charon-accepted', 'charon-cookie', 'charon-invalid-ke', 'charon-no-proposal', 'ike-scan-v2-request'];

t.test('spoiled messages are read or refused, never anything else', async () => {
  for (const bytes of [buildSaInitRequest(REQUEST), ...FIXTURES.map((name) => fixture(`ike/${name}.hex`))])
    fc.assert(
      fc.property(spoiled(bytes), fc.boolean(), (spoilt, mendLength) => {
        if (mendLength && spoilt.length >= 28) spoilt.writeUInt32BE(spoilt.length, 24);
        const response = readSaInitResponse(spoilt, { spiI: spoilt.subarray(0, 8) });
        const result = parseIke(spoilt);
        looksLikeIke(spoilt);
        if (!response.ok && !SA_INIT_RESPONSE_REFUSALS.includes(response.refusal)) return false;
        if (!result.ok) return IKE_REFUSALS.includes(result.refusal) && !response.ok;
        const again = ike(encodeIke(result.value.header, result.value.payloads));
        return JSON.stringify(plain(again.payloads)) === JSON.stringify(plain(result.value.payloads));
      }),
      { numRuns: 600 },
    );
});

t.test('the largest hostile datagrams cost next to nothing', async (t) => {
  const fill = (next: string, unit: string): Buffer =>
    message(next, unit.repeat(Math.floor((65_507 - 28) / hex(unit).length)));
  const longSa = (count: number, unit: string): Buffer => {
    const transforms = unit.repeat(count - 1) + unit.replace(/^03/, '00');
    const length = 8 + hex(transforms).length;
    const field = (octets: number): string => octets.toString(16).padStart(4, '0');
    return message(
      '21',
      `00 00 ${field(length + 4)} 00 00 ${field(length)} 01 01 00 ${count.toString(16)} ${transforms}`,
    );
  };
  const hostile = [
    fill('29', '29 00 0008 00 00 000e'),
    fill('2b', '2b 00 0004'),
    fill('21', '21 00 000c 00 00 0008 01 01 00 00'),
    longSa(255, '03 00 0028 01 00 000c 800e0100800e0100800e0100800e0100800e0100800e0100800e0100800e0100'),
  ];
  t.same(hostile.map(ikeRefusal), ['too-many-payloads', 'too-many-payloads', 'too-many-payloads', null]);
  const elapsed = timed(() => {
    for (let round = 0; round < 100; round++) hostile.forEach(parseIke);
  });
  t.ok(elapsed < 1500, `400 of them took ${elapsed.toFixed(1)} ms`);
});

t.test('only IKE looks like IKE', async (t) => {
  const good = buildSaInitRequest(REQUEST);
  const changed = (at: number, ...octets: number[]): Buffer => {
    const bytes = Buffer.from(good);
    bytes.set(octets, at);
    return bytes;
  };
  const cases: readonly [string, Uint8Array, boolean][] = [
    ['our request', good, true],
    ['ike-scan, version 1', fixture('ike/ike-scan-v1-request.hex'), true],
    ['ike-scan, version 2', fixture('ike/ike-scan-v2-request.hex'), true],
    ['ike-scan, behind the marker', fixture('ike/ike-scan-nat-t-request.hex'), false],
    ['ike-scan, marker stripped', fixture('ike/ike-scan-nat-t-request.hex').subarray(4), true],
    ['charon', fixture('ike/charon-accepted.hex'), true],
    ['IKE_AUTH', changed(18, 35), true],
    ['an exchange that nobody assigned', changed(18, 45), false],
    ['version 2 with an exchange of version 1', changed(18, 2), false],
    ['version 1 with an exchange of version 2', changed(17, 0x10), false],
    ['version 0', changed(17, 0), false],
    ['version 3', changed(17, 0x30), false],
    ['a zero initiator SPI', changed(0, 0, 0, 0, 0, 0, 0, 0, 0), false],
    ['an octet less', good.subarray(0, good.length - 1), false],
    ['an octet more', Buffer.concat([good, NAT_T_KEEPALIVE]), false],
    ['a STUN Binding request', hex('0001 0008 2112a442 000000000000000000000000 8022 0004 74657374'), false],
    ['RTP', Buffer.concat([hex('80 00 0001 000000a0 00000001'), Buffer.alloc(160, 0xd5)]), false],
    ['text', Buffer.from('OPTIONS sip:a@example.com SIP/2.0\r\n\r\n'), false],
    ['nothing', NOTHING, false],
  ];
  for (const [name, bytes, expected] of cases) t.equal(looksLikeIke(bytes), expected, name);
});

t.test('captured answers of charon', async (t) => {
  const spiOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, 8);
  const accepted = fixture('ike/charon-accepted.hex');
  const yes = answered(accepted, spiOf(accepted));
  if (yes.kind !== 'accepted') throw new Error(yes.kind);
  t.same([yes.ke.group, yes.ke.value.length, yes.nonce.length], [IKE_GROUPS.ecp256, 64, 32]);
  t.same(
    yes.proposal.transforms.map((chosen) => [chosen.type, chosen.id, keyLengthOf(chosen)]),
    [
      [1, 12, 256],
      [3, 12, null],
      [2, 5, null],
      [4, 19, null],
    ],
  );
  t.same(
    yes.notifies.map(({ type }) => notifyName(type)),
    [
      'NAT_DETECTION_SOURCE_IP',
      'NAT_DETECTION_DESTINATION_IP',
      'IKEV2_FRAGMENTATION_SUPPORTED',
      'CHILDLESS_IKEV2_SUPPORTED',
      'MULTIPLE_AUTH_SUPPORTED',
    ],
  );
  const source = natDetectionHash(spiOf(accepted), yes.spiR, Uint8Array.of(127, 0, 0, 1), 500);
  t.same(plain(yes.notifies[0]?.data), plain(source), 'both hash the same way (RFC 7296 §2.23)');

  const cookie = fixture('ike/charon-cookie.hex');
  const asked = answered(cookie, spiOf(cookie));
  t.same([asked.kind, asked.kind === 'cookie' && asked.cookie.length], ['cookie', 24]);
  const invalid = fixture('ike/charon-invalid-ke.hex');
  const other = answered(invalid, spiOf(invalid));
  t.same([other.kind, other.kind === 'invalid-ke' && other.group], ['invalid-ke', IKE_GROUPS.ecp256]);
  const none = fixture('ike/charon-no-proposal.hex');
  const refused = answered(none, spiOf(none));
  t.same([refused.kind, refused.kind === 'notify' && refused.type], ['notify', NOTIFY_TYPES.NO_PROPOSAL_CHOSEN]);
});

t.test('what answers something else is refused by its reason', async (t) => {
  const full = `22 00 ${SA_BODY} 28 00 ${KE_BODY} 00 00 ${NONCE_BODY}`;
  const error = '00 00 0008 00 00 000e';
  t.equal(answered(answer('21', full, SPI_HEX), SPI).kind, 'accepted');
  t.match(answered(answer('29', error), SPI), { kind: 'notify', type: 14 });
  t.match(answered(answer('29', '00 00 000c 00 00 4017 03 00 aabb'), SPI), { kind: 'notify', type: 16407 }, 'REDIRECT');
  const both = `${error.replace(/^00/, '21')} ${full}`;
  t.match(answered(answer('29', both, SPI_HEX), SPI), { kind: 'notify', type: 14 }, 'an error outweighs an SA');
  const withExchange = Buffer.from(answer('29', error));
  withExchange[18] = IKE_EXCHANGES.auth;
  const withId = Buffer.from(answer('29', error));
  withId[23] = 1;
  const cases: readonly [string, Uint8Array, string][] = [
    ['our own request, come back', buildSaInitRequest(REQUEST), 'not-a-response'],
    ['an answer from the initiator', message('29', error, { flags: '28' }), 'not-a-response'],
    ['another exchange', withExchange, 'wrong-exchange'],
    ['another message id', withId, 'message-id'],
    ['nothing inside', answer('00', ''), 'incomplete'],
    ['a vendor ID alone', answer('2b', '00 00 0005 01'), 'incomplete'],
    ['SA without KE and nonce', answer('21', `00 00 ${SA_BODY}`, SPI_HEX), 'incomplete'],
    ['acceptance without a responder SPI', answer('21', full), 'incomplete'],
    [
      'acceptance of two proposals',
      answer(
        '21',
        `22 00 005c 02 00 ${SA_BODY.slice(11)} 00 00 ${SA_BODY.slice(11)} 28 00 ${KE_BODY} 00 00 ${NONCE_BODY}`,
        SPI_HEX,
      ),
      'incomplete',
    ],
    [
      'a public value of the wrong length',
      answer('21', `22 00 ${SA_BODY} 28 00 000a 0013 0000 1234 00 00 ${NONCE_BODY}`, SPI_HEX),
      'ke',
    ],
    ['an empty cookie', answer('29', '00 00 0008 00 00 4006'), 'notify-data'],
    ['a cookie of 65 octets', answer('29', `00 00 0049 00 00 4006 ${'cc'.repeat(65)}`), 'notify-data'],
    ['INVALID_KE_PAYLOAD without a group', answer('29', '00 00 0008 00 00 0011'), 'notify-data'],
    [
      'version 1',
      Buffer.concat([answer('29', error).subarray(0, 17), hex('10'), answer('29', error).subarray(18)]),
      'version',
    ],
  ];
  for (const [name, bytes, refusal] of cases) t.equal(answerRefusal(bytes, SPI), refusal, name);
  t.equal(answerRefusal(answer('29', error), hex('ffffffffffffffff')), 'wrong-spi');
  t.equal(answerRefusal(answer('29', error), NOTHING), 'wrong-spi');
});

t.test('our refusing answer is small, and read as what it is', async (t) => {
  const bytes = buildSaInitResponse({
    spiI: SPI,
    spiR: NO_SPI,
    notifies: [notify(NOTIFY_TYPES.NO_PROPOSAL_CHOSEN)],
    vendorIds: [Buffer.from('proof')],
  });
  t.equal(
    Buffer.from(bytes).toString('hex'),
    answer('29', '2b 00 0008 00 00 000e 00 00 0009 70726f6f66').toString('hex'),
  );
  const read = answered(bytes, SPI);
  t.match(read, { kind: 'notify', type: 14 });
  t.same(read.vendorIds.map(plain), ['70726f6f66']);
});

t.test('other versions get a polite no, once', async (t) => {
  const v1 = fixture('ike/ike-scan-v1-request.hex');
  t.match(header(v1), { major: 1, minor: 0, exchange: 2 });
  const refusal = buildVersionRefusal(header(v1));
  t.equal(
    refusal && Buffer.from(refusal).toString('hex'),
    `${v1.toString('hex', 0, 8)}${NO_SPI_HEX}0b100500${'00000000'}00000028${'0000000c'}00000001${'01000005'}`,
    'an ISAKMP Notification of INVALID-MAJOR-VERSION (RFC 2408 §3.14)',
  );
  t.equal(refusal && buildVersionRefusal(header(refusal)), null, 'which itself draws nothing');

  const v3 = Buffer.from(buildSaInitRequest(REQUEST));
  v3[17] = 0x30;
  const higher = buildVersionRefusal(header(v3));
  t.match(higher && answered(higher, SPI), { kind: 'notify', type: NOTIFY_TYPES.INVALID_MAJOR_VERSION });
  t.equal(higher && buildVersionRefusal(header(higher)), null);

  const of = (fields: Partial<IkeHeader>): Uint8Array | null => buildVersionRefusal({ ...header(v1), ...fields });
  t.equal(of({ major: 2 }), null, 'version 2 is spoken');
  t.equal(of({ major: 0 }), null, 'version 0 is nothing');
  t.equal(of({ spiI: NO_SPI }), null, 'nobody to answer');
  t.equal(of({ spiR: SPI }), null, 'a standing SA');
  t.equal(of({ exchange: 5 }), null, 'an Informational exchange');
  t.equal(of({ major: 3, response: true }), null, 'an answer');
  t.equal(of({ length: 39 }), null, 'less than the answer');
});

t.test('key exchange values are true ones of their groups', async (t) => {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(hex('C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433'));
  t.equal(curve.getPublicKey('hex'), `04${(GIX + GIY).toLowerCase()}`, 'the vector of RFC 5903 §8.1 is what it says');

  for (const group of Object.values(IKE_GROUPS)) {
    const values = [makeKeyExchange(group), makeKeyExchange(group)];
    t.ok(
      values.every(({ length }) => length === publicValueBytes(group)),
      `${groupName(group)} has its length`,
    );
    t.not(plain(values[0]), plain(values[1]), `${groupName(group)} is fresh each time`);
  }
  const other = createECDH('prime256v1');
  other.generateKeys();
  const point = Buffer.concat([hex('04'), makeKeyExchange(IKE_GROUPS.ecp256)]);
  t.equal(other.computeSecret(point).length, 32, 'a point on the curve, or this would throw');
  const modp = createDiffieHellmanGroup('modp14');
  modp.generateKeys();
  t.ok(modp.computeSecret(makeKeyExchange(IKE_GROUPS.modp2048)).length > 200, 'a residue of the group');
  t.equal(publicValueBytes(2), null);
  t.equal(groupName(2), 'group 2');
});

t.test('NAT-T: three kinds of datagram on one port', async (t) => {
  const kindOf = (bytes: Uint8Array): string => {
    const result = classifyNatT(bytes);
    return result.ok ? result.value.kind : result.refusal;
  };
  const request = buildSaInitRequest(REQUEST);
  const wrapped = withNonEspMarker(request);
  t.equal(Buffer.from(wrapped).toString('hex'), `00000000${Buffer.from(request).toString('hex')}`);
  const cases: readonly [string, Uint8Array, string][] = [
    ['a keepalive', NAT_T_KEEPALIVE, 'keepalive'],
    ['IKE behind the marker', wrapped, 'ike'],
    ['the marker alone', NON_ESP_MARKER, 'ike'],
    ['ike-scan --nat-t', fixture('ike/ike-scan-nat-t-request.hex'), 'ike'],
    ['ESP', hex('00000100 00000001 aabb'), 'esp'],
    ['ESP that begins like a keepalive', hex('ff000000 00000001'), 'esp'],
    ['IKE without the marker, which the port takes for ESP', request, 'esp'],
    ['ESP without a whole sequence number', hex('00000100 000000'), 'truncated'],
    ['one octet that is no keepalive', hex('fe'), 'truncated'],
    ['two octets of 0xFF', hex('ffff'), 'truncated'],
    ['half a marker', hex('0000'), 'truncated'],
    ['nothing', NOTHING, 'truncated'],
    ['65,508 octets', new Uint8Array(65_508), 'too-long'],
  ];
  for (const [name, bytes, expected] of cases) t.equal(kindOf(bytes), expected, name);
  const unwrapped = classifyNatT(wrapped);
  t.same(plain(unwrapped), { ok: true, value: { kind: 'ike', message: plain(request) } });

  fc.assert(
    fc.property(
      fc.record({
        spi: fc.integer({ min: 256, max: 0xffffffff }),
        sequence: fc.integer({ min: 0, max: 0xffffffff }),
        payload: fc.uint8Array({ maxLength: 100 }),
      }),
      (esp) => {
        const bytes = encodeEspInUdp(esp);
        const result = classifyNatT(Buffer.concat([hex('00'), bytes]).subarray(1));
        return result.ok && JSON.stringify(plain(result.value)) === JSON.stringify(plain({ kind: 'esp', ...esp }));
      },
    ),
  );
  for (const spi of [0, 1, 255, -1, 1.5, Number.NaN, 0x100000000])
    t.throws(() => encodeEspInUdp({ spi, sequence: 1, payload: NOTHING }), RangeError, `SPI ${spi}`);
  t.throws(() => encodeEspInUdp({ spi: 256, sequence: 0x100000000, payload: NOTHING }), RangeError, 'sequence');
  t.throws(() => encodeEspInUdp({ spi: 256, sequence: 1, payload: new Uint8Array(65_500) }), RangeError, 'length');
});

interface Asked {
  readonly localPort: number;
  readonly response: { readonly ok: boolean; readonly value?: Record<string, unknown>; readonly refusal?: string };
}

t.test('strongSwan’s charon answers our request', { skip: charonMissing, timeout: 60_000 }, async (t) => {
  const charon = await startCharon();
  t.teardown(charon.stop);
  const client = fileURLToPath(new URL('support/ike-client.js', import.meta.url));
  const ask = async (port: number, group: number, spiI: string, cookie = ''): Promise<Asked> => {
    const args = [
      'netns',
      'exec',
      charon.namespace,
      process.execPath,
      client,
      String(port),
      String(group),
      spiI,
      cookie,
    ];
    try {
      const { stdout } = await run('ip', args);
      return JSON.parse(stdout);
    } catch (error) {
      throw new Error(`charon said:\n${charon.log()}`, { cause: error });
    }
  };
  const newSpi = (): string => randomBytes(8).toString('hex');
  const { modp2048, ecp256, curve25519 } = IKE_GROUPS;

  for (const [port, group] of [
    [500, modp2048],
    [4500, curve25519],
  ] as const) {
    const { response } = await ask(port, group, newSpi());
    t.match(response, { ok: true, value: { kind: 'notify', type: NOTIFY_TYPES.NO_PROPOSAL_CHOSEN } }, `on ${port}`);
  }
  t.match(charon.log(), /parsed IKE_SA_INIT request 0 \[ SA KE No N\(NATD_S_IP\) N\(NATD_D_IP\) N\(FRAG_SUP\) V \]/);

  charon.acceptEcp256();
  const refused = await ask(500, modp2048, newSpi());
  t.match(refused.response, { ok: true, value: { kind: 'invalid-ke', group: ecp256 } }, 'it wants the other group');

  const spiI = newSpi();
  const { response, localPort } = await ask(500, ecp256, spiI);
  t.match(response, { ok: true, value: { kind: 'accepted', ke: { group: ecp256 } } }, 'and accepts it');
  const spiR = hex(String(response.value?.spiR));
  const hash = (port: number): unknown => plain(natDetectionHash(hex(spiI), spiR, Uint8Array.of(127, 0, 0, 1), port));
  t.match(
    response.value?.notifies,
    [
      { type: NOTIFY_TYPES.NAT_DETECTION_SOURCE_IP, data: hash(500) },
      { type: NOTIFY_TYPES.NAT_DETECTION_DESTINATION_IP, data: hash(localPort) },
    ],
    'its NAT detection hashes are ours',
  );
  t.match(charon.log(), /generating IKE_SA_INIT response 0 \[ SA KE No N\(NATD_S_IP\)/);

  const again = newSpi();
  const asked = await ask(4500, ecp256, again);
  t.match(asked.response, { ok: true, value: { kind: 'cookie' } }, 'with one IKE SA half open it wants a cookie');
  const paid = await ask(4500, ecp256, again, String(asked.response.value?.cookie));
  t.match(paid.response, { ok: true, value: { kind: 'accepted' } }, 'and takes its own back');
});

const IKE_SCAN = '/usr/bin/ike-scan';

t.test(
  'ike-scan understands our answers',
  { skip: !existsSync(IKE_SCAN) && 'needs ike-scan (Debian: ike-scan)', timeout: 30_000 },
  async (t) => {
    const socket = createSocket('udp4');
    t.teardown(() => socket.close());
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    socket.on('message', (datagram, from) => {
      const framed = classifyNatT(datagram);
      const marked = framed.ok && framed.value.kind === 'ike';
      const request = marked ? framed.value.message : datagram;
      if (!looksLikeIke(request)) return;
      const bytes =
        buildVersionRefusal(header(request)) ??
        buildSaInitResponse({
          spiI: ike(request).header.spiI,
          spiR: NO_SPI,
          notifies: [notify(NOTIFY_TYPES.NO_PROPOSAL_CHOSEN)],
          vendorIds: [Buffer.from('callpath')],
        });
      socket.send(marked ? withNonEspMarker(bytes) : bytes, from.port, from.address);
    });
    const scan = async (...options: string[]): Promise<string> => {
      const ports = ['--sport=0', `--dport=${socket.address().port}`];
      return (await run(IKE_SCAN, [...options, ...ports, '--retry=1', '127.0.0.1'])).stdout;
    };
    t.match(await scan('--ikev2'), /Notify message 14 \(NO_PROPOSAL_CHOSEN\).*IKEv2/);
    t.match(await scan('--nat-t', '--ikev2'), /Notify message 14 \(NO_PROPOSAL_CHOSEN\).*IKEv2/);
    t.match(await scan(), /Notify message 5 \(INVALID-MAJOR-VERSION\)/);
    t.match(await scan('--aggressive', '--id=probe'), /Notify message 5 \(INVALID-MAJOR-VERSION\)/);
  },
);
