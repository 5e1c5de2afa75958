/** RTP and RTCP: vectors laid out by hand, properties, hostile input, and the packets that sipp plays. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import {
  cnameDescription,
  cnameOf,
  encodeRtcp,
  looksLikeRtcp,
  MAX_RTCP_PACKETS,
  MAX_SDES_ITEMS,
  MAX_XR_BLOCKS,
  parseRtcp,
  RTCP_REFUSALS,
  type RtcpCompound,
  type RtcpPacket,
  XR_UNAVAILABLE,
} from '../../src/wire/rtcp.js';
import { encodeRtp, looksLikeRtp, parseRtp, RTP_REFUSALS, type RtpPacket } from '../../src/wire/rtp.js';
import { hex, plain, spoiled, timed } from './support/bytes.js';

const NOTHING = new Uint8Array(0);

const rtp = (bytes: Uint8Array): RtpPacket => {
  const result = parseRtp(bytes);
  if (!result.ok) throw new Error(`refused: ${result.refusal}`);
  return result.value;
};
const rtpRefusal = (bytes: Uint8Array): string | null => {
  const result = parseRtp(bytes);
  return result.ok ? null : result.refusal;
};
const rtcp = (bytes: Uint8Array): RtcpCompound => {
  const result = parseRtcp(bytes);
  if (!result.ok) throw new Error(`refused: ${result.refusal}`);
  return result.value;
};
const rtcpRefusal = (bytes: Uint8Array): string | null => {
  const result = parseRtcp(bytes);
  return result.ok ? null : result.refusal;
};

// Version 2, padding, extension, two CSRCs; marker and PCMA; laid out by hand from RFC 3550 §5.1 and §5.3.1.
const FULL_RTP = 'b2 88 1234 a0000001 deadbeef 11111111 22222222 bede 0001 10aa0000 c0ffee 000003';
const FULL_RTP_PACKET: RtpPacket = {
  marker: true,
  payloadType: 8,
  sequence: 0x1234,
  timestamp: 0xa0000001,
  ssrc: 0xdeadbeef,
  csrcs: [0x11111111, 0x22222222],
  extension: { profile: 0xbede, data: hex('10aa0000') },
  payload: hex('c0ffee'),
  padding: 3,
};
const PLAIN_RTP = '80 00 0001 000000a0 00000001 d5d5d5d5';

t.test('RTP: every field, as RFC 3550 lays it out', async (t) => {
  t.same(plain(rtp(hex(FULL_RTP))), plain(FULL_RTP_PACKET));
  t.equal(Buffer.from(encodeRtp(FULL_RTP_PACKET)).toString('hex'), hex(FULL_RTP).toString('hex'));
  t.match(rtp(hex(PLAIN_RTP)), { marker: false, payloadType: 0, csrcs: [], extension: null, padding: 0 });
  t.match(rtp(hex('80 00 0001 000000a0 00000001')), { payload: { length: 0 } }, 'an empty payload is a packet');
  const inside = Buffer.concat([hex('ffff'), hex(PLAIN_RTP)]).subarray(2);
  t.same(plain(rtp(inside)), plain(rtp(hex(PLAIN_RTP))), 'a view into a larger buffer reads the same');
});

t.test('RTP: what is not a packet is refused by its reason', async (t) => {
  const cases: readonly [string, string, string][] = [
    ['version 1', '40 00 0001 000000a0 00000001', 'version'],
    ['version 3', 'c0 00 0001 000000a0 00000001', 'version'],
    ['11 octets', '80 00 0001 000000a0 000000', 'truncated'],
    ['15 CSRCs that are not there', '8f 00 0001 000000a0 00000001', 'truncated'],
    ['an extension without its header', '90 00 0001 000000a0 00000001', 'truncated'],
    ['an extension longer than the packet', '90 00 0001 000000a0 00000001 bede ffff 00000000', 'truncated'],
    ['padding without payload', 'a0 00 0001 000000a0 00000001', 'padding'],
    ['a padding count of 0', 'a0 00 0001 000000a0 00000001 00000000', 'padding'],
    ['padding into the header', 'a0 00 0001 000000a0 00000001 00000005', 'padding'],
    ['padding into the CSRCs', 'a1 00 0001 000000a0 00000001 11111111 00000005', 'padding'],
  ];
  for (const [name, bytes, refusal] of cases) t.equal(rtpRefusal(hex(bytes)), refusal, name);
  t.equal(rtpRefusal(Buffer.alloc(65_508, 0x80)), 'too-long');
  t.match(rtp(hex('a0 00 0001 000000a0 00000001 00000004')), { padding: 4, payload: { length: 0 } }, 'padding only');
  const full = hex(FULL_RTP);
  const payloadStart = 28;
  for (let length = 0; length < payloadStart; length++)
    t.not(rtpRefusal(full.subarray(0, length)), null, `cut at ${length}`);
});

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u8 = fc.integer({ min: 0, max: 0xff });
const words = (max: number): fc.Arbitrary<Uint8Array> =>
  fc.integer({ min: 0, max }).chain((count) => fc.uint8Array({ minLength: count * 4, maxLength: count * 4 }));

t.test('RTP: what is written is read', async () => {
  const packets: fc.Arbitrary<RtpPacket> = fc.record({
    marker: fc.boolean(),
    payloadType: fc.integer({ min: 0, max: 127 }),
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    csrcs: fc.array(u32, { maxLength: 15 }),
    extension: fc.option(fc.record({ profile: u16, data: words(8) }), { nil: null }),
    payload: fc.uint8Array({ maxLength: 200 }),
    padding: u8,
  });
  fc.assert(
    fc.property(packets, (packet) => JSON.stringify(plain(rtp(encodeRtp(packet)))) === JSON.stringify(plain(packet))),
  );
});

t.test('RTP: spoiled packets are read or refused, never anything else', async () => {
  fc.assert(
    fc.property(spoiled(hex(FULL_RTP)), (bytes) => {
      const result = parseRtp(bytes);
      if (!result.ok) return RTP_REFUSALS.includes(result.refusal);
      const again = rtp(encodeRtp(result.value));
      return JSON.stringify(plain(again)) === JSON.stringify(plain(result.value));
    }),
    { numRuns: 2000 },
  );
});

t.test('RTP: a field that does not fit is the caller’s mistake', async (t) => {
  const wrong: readonly [string, Partial<RtpPacket>][] = [
    ['payload type', { payloadType: 128 }],
    ['sequence', { sequence: 65536 }],
    ['timestamp', { timestamp: -1 }],
    ['CSRCs', { csrcs: Array.from({ length: 16 }, () => 1) }],
    ['extension', { extension: { profile: 0, data: new Uint8Array(3) } }],
    ['padding', { padding: 256 }],
    ['length', { payload: new Uint8Array(65_500) }],
  ];
  for (const [name, fields] of wrong) t.throws(() => encodeRtp({ ...FULL_RTP_PACKET, ...fields }), RangeError, name);
});

t.test('one port, many protocols: only RTP is taken for RTP, only RTCP for RTCP', async (t) => {
  const rest = '0001 000000a0 00000001 00000000';
  const cases: readonly [string, string, boolean, boolean][] = [
    ['PCMU', `80 00 ${rest}`, true, false],
    ['PCMU with marker', `80 80 ${rest}`, true, false],
    ['a dynamic payload type with marker', `80 e0 ${rest}`, true, false],
    ['the last type below RTCP, with marker', `80 bf ${rest}`, true, false],
    ['FIR, the first of RTCP (RFC 5761 §4)', `80 c0 ${rest}`, false, true],
    ['a sender report', `80 c8 ${rest}`, false, true],
    ['the last of RTCP', `80 df ${rest}`, false, true],
    ['with padding, extension and CSRCs', `bf 00 ${rest}`, true, false],
    ['a STUN Binding request (0–3)', '0001 0000 2112a442 000000000000000000000000', false, false],
    ['ZRTP (16–19)', `10 00 ${rest}`, false, false],
    ['a DTLS handshake (20–63)', `16 fe ${rest}`, false, false],
    ['a TURN channel (64–79)', `40 00 ${rest}`, false, false],
    ['above 191', `c0 00 ${rest}`, false, false],
    ['text', Buffer.from('OPTIONS sip:a SIP/2.0').toString('hex'), false, false],
    ['11 octets', '80 00 0001 000000a0 000000', false, false],
    ['7 octets', '80 c9 0001 000000', false, false],
    ['the shortest RTCP', '80 c9 0001 00000001', false, true],
    ['nothing', '', false, false],
  ];
  for (const [name, bytes, isRtp, isRtcp] of cases) {
    t.equal(looksLikeRtp(hex(bytes)), isRtp, `RTP? ${name}`);
    t.equal(looksLikeRtcp(hex(bytes)), isRtcp, `RTCP? ${name}`);
  }
});

const BLOCK = '0badf00d 40 fffffe 00011234 00000010 aabb0001 00010000';
const SR = `81 c8 000c cafe0001 e0000000 80000000 000000a0 00000032 00001f40 ${BLOCK}`;
const SDES = '81 ca 0004 cafe0001 01 06 70404031 3233 06 00 00 00'; // CNAME "p@@123", an empty TOOL, end, padding
const BYE = '81 cb 0003 cafe0001 04 646f6e65 000000'; // "done"
const APP = '85 cc 0003 cafe0001 746f6c6c 01020304'; // "toll"
const RR = '80 c9 0001 cafe0001';
const FEEDBACK = '81 cd 0003 cafe0001 0badf00d 00010000'; // generic NACK (RFC 4585)
const CALL = [SR, SDES, BYE].join('');
const ECHO = [RR, SDES, APP, FEEDBACK].join('');

t.test('RTCP: every field, as RFC 3550 §6 lays it out', async (t) => {
  const call: RtcpCompound = {
    packets: [
      {
        kind: 'sender-report',
        ssrc: 0xcafe0001,
        ntpTimestamp: 0xe000000080000000n,
        rtpTimestamp: 160,
        packetCount: 50,
        octetCount: 8000,
        reports: [
          {
            ssrc: 0x0badf00d,
            fractionLost: 64,
            cumulativeLost: -2,
            highestSequence: 0x11234,
            jitter: 16,
            lastSr: 0xaabb0001,
            delaySinceLastSr: 65536,
          },
        ],
        extension: NOTHING,
      },
      {
        kind: 'source-description',
        chunks: [
          {
            ssrc: 0xcafe0001,
            items: [
              { type: 1, value: Buffer.from('p@@123') },
              { type: 6, value: NOTHING },
            ],
          },
        ],
      },
      { kind: 'bye', ssrcs: [0xcafe0001], reason: Buffer.from('done') },
    ],
    padding: 0,
  };
  t.same(plain(rtcp(hex(CALL))), plain(call));
  t.equal(Buffer.from(encodeRtcp(call)).toString('hex'), hex(CALL).toString('hex'));
  t.equal(cnameOf(call), 'p@@123');

  const echo = rtcp(hex(ECHO));
  t.same(plain(echo.packets[0]), { kind: 'receiver-report', ssrc: 0xcafe0001, reports: [], extension: '' });
  t.same(plain(echo.packets[2]), { kind: 'app', subtype: 5, ssrc: 0xcafe0001, name: 'toll', data: '01020304' });
  t.same(plain(echo.packets[3]), {
    kind: 'unknown',
    packetType: 205,
    count: 1,
    body: 'cafe00010badf00d00010000',
  });
  t.equal(Buffer.from(encodeRtcp(echo)).toString('hex'), hex(ECHO).toString('hex'));
  t.equal(cnameOf(rtcp(hex(RR))), null);
  t.equal(cnameOf({ packets: [cnameDescription(1, 'büro@example')], padding: 0 }), 'büro@example');
});

// A receiver report, and behind it an extended one: receiver reference time (RFC 3611 §4.4), then VoIP metrics, by hand from §4.7.
const HEARD = `80 c9 0001 deadbeef
  80 cf 000d deadbeef
  04 00 0002 e1e2e3e4 80000000
  07 00 0008 cafebabe 0d 05 80 03 0078 2710 0028 003c e7 bf 7f 10 53 7f 29 28 f4 00 003c 0064 00c8`;

t.test('RTCP: extended reports, as RFC 3611 §4.7 lays them out', async (t) => {
  const compound: RtcpCompound = {
    packets: [
      { kind: 'receiver-report', ssrc: 0xdeadbeef, reports: [], extension: NOTHING },
      {
        kind: 'extended-report',
        ssrc: 0xdeadbeef,
        blocks: [
          { kind: 'unknown', blockType: 4, typeSpecific: 0, body: hex('e1e2e3e4 80000000') },
          {
            kind: 'voip-metrics',
            ssrc: 0xcafebabe,
            ...{ lossRate: 13, discardRate: 5, burstDensity: 128, gapDensity: 3 },
            ...{ burstDuration: 120, gapDuration: 10_000, roundTripDelay: 40, endSystemDelay: 60 },
            ...{ signalLevel: -25, noiseLevel: -65, echoReturnLoss: XR_UNAVAILABLE, gMin: 16 },
            ...{ rFactor: 83, externalRFactor: XR_UNAVAILABLE, mosListening: 41, mosConversational: 40 },
            // Enhanced concealment, an adaptive buffer, adjusting at rate 4.
            ...{ receiverConfiguration: 0xf4, bufferNominal: 60, bufferMaximum: 100, bufferAbsoluteMaximum: 200 },
          },
        ],
      },
    ],
    padding: 0,
  };
  t.same(plain(rtcp(hex(HEARD))), plain(compound));
  t.equal(Buffer.from(encodeRtcp(compound)).toString('hex'), hex(HEARD).toString('hex'));
  const xr = (words: string, rest: string): string => `${RR} 80 cf ${words} ${rest}`;
  for (const [name, bytes, refusal] of [
    ['nothing but an SSRC', xr('0001', '00000001'), null],
    ['no SSRC', xr('0000', ''), 'xr'],
    ['a block that runs past its packet', xr('0002', '00000001 04 00 0001'), 'xr'],
    ['VoIP metrics that are a word short', xr('0009', `00000001 07 00 0007 ${'00'.repeat(28)}`), 'xr'],
    ['VoIP metrics that are a word long', xr('000b', `00000001 07 00 0009 ${'00'.repeat(36)}`), 'xr'],
    ['as many blocks as are read', xr('0041', `00000001 ${'01000000'.repeat(MAX_XR_BLOCKS)}`), null],
    ['one more', xr('0042', `00000001 ${'01000000'.repeat(MAX_XR_BLOCKS + 1)}`), 'too-many-blocks'],
  ] as const)
    t.equal(rtcpRefusal(hex(bytes)), refusal, name);
  const written = (packet: RtcpPacket) => () =>
    encodeRtcp({
      packets: [{ kind: 'receiver-report', ssrc: 1, reports: [], extension: NOTHING }, packet],
      padding: 0,
    });
  const other = { kind: 'unknown', blockType: 4, typeSpecific: 0 } as const;
  for (const blocks of [
    [{ ...other, body: hex('000102') }],
    [{ ...other, blockType: 7, body: NOTHING }],
    Array.from({ length: MAX_XR_BLOCKS + 1 }, () => ({ ...other, body: NOTHING })),
  ])
    t.throws(written({ kind: 'extended-report', ssrc: 1, blocks }), RangeError);
  t.throws(written({ kind: 'unknown', packetType: 207, count: 0, body: NOTHING }), RangeError);
});

t.test('RTCP: padding stands behind the last packet only', async (t) => {
  const padded = `${RR} a5 cc 0005 cafe0001 746f6c6c 01020304 00000000 00000008`;
  const compound = rtcp(hex(padded));
  t.match(compound, { padding: 8, packets: [{ kind: 'receiver-report' }, { kind: 'app', data: { length: 4 } }] });
  t.equal(Buffer.from(encodeRtcp(compound)).toString('hex'), hex(padded).toString('hex'));
  t.throws(() => encodeRtcp({ packets: compound.packets.slice(0, 1), padding: 4 }), RangeError);
  t.throws(() => encodeRtcp({ ...compound, padding: 6 }), RangeError);
  t.throws(() => encodeRtcp({ ...compound, padding: 256 }), RangeError);
});

t.test('RTCP: what RFC 3550 §A.2 refuses, and what does not fit its lengths', async (t) => {
  const cases: readonly [string, string, string][] = [
    ['nothing', '', 'truncated'],
    ['a header alone', '80 c9 0000', 'truncated'],
    ['version 1', '40 c9 0001 cafe0001', 'version'],
    ['version 0 in a later packet', `${RR} 01 ca 0001 cafe0001`, 'version'],
    ['SDES first (RFC 5506 only)', SDES, 'first-type'],
    ['RTP', '80 00 0001 000000a0 00000001', 'first-type'],
    ['padding on the first packet', 'a0 c9 0002 cafe0001 00000004', 'padding'],
    ['padding before the last packet', `${RR} a0 cc 0003 cafe0001 746f6c6c 00000004 ${SDES}`, 'padding'],
    ['a padding count of 0', `${RR} a0 cc 0003 cafe0001 746f6c6c 00000000`, 'padding'],
    ['a padding count that is no word', `${RR} a0 cc 0003 cafe0001 746f6c6c 00000003`, 'padding'],
    ['padding longer than the packet', `${RR} a0 cc 0003 cafe0001 746f6c6c 00000010`, 'padding'],
    ['padding on an empty packet', `${RR} a0 cd 0000`, 'padding'],
    ['a length past the end', '80 c9 0002 cafe0001', 'length'],
    ['the longest length', '80 c9 ffff cafe0001', 'length'],
    ['half a word behind', `${RR} 80 cb`, 'length'],
    ['fewer blocks than counted', '81 c9 0001 cafe0001', 'report'],
    ['a report without SSRC', '80 c9 0000 80 c9 0000', 'report'],
    ['a sender report without sender info', '80 c8 0001 cafe0001', 'report'],
    ['31 chunks in one', `${RR} 9f ca 0002 cafe0001 00000000`, 'sdes'],
    ['chunks uncounted', `${RR} 80 ca 0002 cafe0001 00000000`, 'sdes'],
    ['an item past its packet', `${RR} 81 ca 0002 cafe0001 01ff4141`, 'sdes'],
    ['an item without length', `${RR} 81 ca 0003 cafe0001 01054141 41414101`, 'sdes'],
    ['a list without end', `${RR} 81 ca 0002 cafe0001 01024141`, 'sdes'],
    ['BYE for sources that are not there', `${RR} 82 cb 0001 cafe0001`, 'bye'],
    ['a BYE reason past its packet', `${RR} 81 cb 0002 cafe0001 ff414141`, 'bye'],
    ['APP without a name', `${RR} 80 cc 0001 cafe0001`, 'app'],
  ];
  for (const [name, bytes, refusal] of cases) t.equal(rtcpRefusal(hex(bytes)), refusal, name);
  t.match(
    rtcp(hex(`${RR} 80 cb 0000`)).packets[1],
    { kind: 'bye', ssrcs: [], reason: null },
    'a BYE of nobody is useless and valid',
  );
  t.equal(rtcpRefusal(hex(RR.repeat(MAX_RTCP_PACKETS))), null);
  t.equal(rtcpRefusal(hex(RR.repeat(MAX_RTCP_PACKETS + 1))), 'too-many-packets');
  t.equal(rtcpRefusal(Buffer.alloc(65_508, 0x80)), 'too-long');
  const whole = hex(CALL);
  const ends = new Set([hex(SR).length, hex(SR + SDES).length]);
  for (let length = 0; length < whole.length; length++)
    if (!ends.has(length)) t.not(rtcpRefusal(whole.subarray(0, length)), null, `cut at ${length}`);
});

t.test('RTCP: the bounds hold on both sides', async (t) => {
  const report: RtcpPacket = { kind: 'receiver-report', ssrc: 1, reports: [], extension: NOTHING };
  const withItems = (count: number): RtcpCompound => ({
    packets: [
      report,
      {
        kind: 'source-description',
        chunks: [{ ssrc: 1, items: Array.from({ length: count }, () => ({ type: 8, value: NOTHING })) }],
      },
    ],
    padding: 0,
  });
  t.equal(rtcpRefusal(encodeRtcp(withItems(MAX_SDES_ITEMS))), null);
  t.throws(() => encodeRtcp(withItems(MAX_SDES_ITEMS + 1)), RangeError);
  const tooMany = hex(`${RR} 81 ca 0012 cafe0001 ${'0800'.repeat(MAX_SDES_ITEMS + 1)} 0000`);
  t.equal(rtcpRefusal(tooMany), 'too-many-items');

  const wrong: readonly [string, readonly RtcpPacket[]][] = [
    ['no packet', []],
    ['no report first', [cnameDescription(1, 'a')]],
    ['33 packets', Array.from({ length: 33 }, () => report)],
    ['32 sources', [report, { kind: 'bye', ssrcs: Array.from({ length: 32 }, () => 1), reason: null }]],
    ['a reason of 256 octets', [report, { kind: 'bye', ssrcs: [], reason: new Uint8Array(256) }]],
    ['a CNAME of 256 octets', [report, cnameDescription(1, 'a'.repeat(256))]],
    [
      'an item of type 0',
      [report, { kind: 'source-description', chunks: [{ ssrc: 1, items: [{ type: 0, value: NOTHING }] }] }],
    ],
    ['a name of three', [report, { kind: 'app', subtype: 0, ssrc: 1, name: 'abc', data: NOTHING }]],
    ['a name beyond Latin-1', [report, { kind: 'app', subtype: 0, ssrc: 1, name: 'ab€c', data: NOTHING }]],
    ['subtype 32', [report, { kind: 'app', subtype: 32, ssrc: 1, name: 'abcd', data: NOTHING }]],
    ['APP data in half words', [report, { kind: 'app', subtype: 0, ssrc: 1, name: 'abcd', data: new Uint8Array(2) }]],
    [
      'more than a datagram',
      [report, { kind: 'app', subtype: 0, ssrc: 1, name: 'abcd', data: new Uint8Array(65_504) }],
    ],
  ];
  for (const [name, packets] of wrong) t.throws(() => encodeRtcp({ packets, padding: 0 }), RangeError, name);
});

const block = fc.record({
  ssrc: u32,
  fractionLost: u8,
  cumulativeLost: fc.integer({ min: -0x800000, max: 0x7fffff }),
  highestSequence: u32,
  jitter: u32,
  lastSr: u32,
  delaySinceLastSr: u32,
});
const reports = fc.array(block, { maxLength: 31 });
const receiverReport = fc.record({
  kind: fc.constant('receiver-report' as const),
  ssrc: u32,
  reports,
  extension: words(4),
});
const senderReport = fc.record({
  kind: fc.constant('sender-report' as const),
  ssrc: u32,
  ntpTimestamp: fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }),
  rtpTimestamp: u32,
  packetCount: u32,
  octetCount: u32,
  reports,
  extension: words(4),
});
const text = fc.uint8Array({ maxLength: 40 });
const level = fc.integer({ min: -128, max: 127 });
const voipMetrics = fc.record({
  kind: fc.constant('voip-metrics' as const),
  ssrc: u32,
  ...{ lossRate: u8, discardRate: u8, burstDensity: u8, gapDensity: u8 },
  ...{ burstDuration: u16, gapDuration: u16, roundTripDelay: u16, endSystemDelay: u16 },
  ...{ signalLevel: level, noiseLevel: level, echoReturnLoss: u8, gMin: u8 },
  ...{ rFactor: u8, externalRFactor: u8, mosListening: u8, mosConversational: u8, receiverConfiguration: u8 },
  ...{ bufferNominal: u16, bufferMaximum: u16, bufferAbsoluteMaximum: u16 },
});
const otherBlock = fc.record({
  kind: fc.constant('unknown' as const),
  blockType: u8.filter((type) => type !== 7),
  typeSpecific: u8,
  body: words(8),
});
const laterPacket: fc.Arbitrary<RtcpPacket> = fc.oneof(
  fc.record({
    kind: fc.constant('extended-report' as const),
    ssrc: u32,
    blocks: fc.array(fc.oneof(voipMetrics, otherBlock), { maxLength: 4 }),
  }),
  receiverReport,
  senderReport,
  fc.record({
    kind: fc.constant('source-description' as const),
    chunks: fc.array(
      fc.record({
        ssrc: u32,
        items: fc.array(fc.record({ type: fc.integer({ min: 1, max: 255 }), value: text }), { maxLength: 5 }),
      }),
      { maxLength: 4 },
    ),
  }),
  fc.record({
    kind: fc.constant('bye' as const),
    ssrcs: fc.array(u32, { maxLength: 31 }),
    reason: fc.option(text, { nil: null }),
  }),
  fc.record({
    kind: fc.constant('app' as const),
    subtype: fc.integer({ min: 0, max: 31 }),
    ssrc: u32,
    name: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    data: words(16),
  }),
  fc.record({
    kind: fc.constant('unknown' as const),
    packetType: fc.integer({ min: 205, max: 223 }).filter((type) => type !== 207),
    count: fc.integer({ min: 0, max: 31 }),
    body: words(8),
  }),
);
const compounds: fc.Arbitrary<RtcpCompound> = fc.record({
  packets: fc
    .tuple(fc.oneof(receiverReport, senderReport), fc.array(laterPacket, { minLength: 1, maxLength: 6 }))
    .map(([first, later]): RtcpPacket[] => [first, ...later]),
  padding: fc.integer({ min: 0, max: 63 }).map((count) => count * 4),
});

t.test('RTCP: what is written is read', async () => {
  fc.assert(
    fc.property(
      compounds,
      (compound) => JSON.stringify(plain(rtcp(encodeRtcp(compound)))) === JSON.stringify(plain(compound)),
    ),
    { numRuns: 200 },
  );
});

t.test('RTCP: spoiled compounds are read or refused, never anything else', async () => {
  for (const message of [CALL, ECHO, HEARD])
    fc.assert(
      fc.property(spoiled(hex(message)), (bytes) => {
        const result = parseRtcp(bytes);
        if (!result.ok) return RTCP_REFUSALS.includes(result.refusal);
        const again = rtcp(encodeRtcp(result.value));
        return JSON.stringify(plain(again)) === JSON.stringify(plain(result.value));
      }),
      { numRuns: 1500 },
    );
});

t.test('the largest hostile datagrams cost next to nothing', async (t) => {
  const size = 65_504;
  const packets = Buffer.alloc(size); // empty APP-sized packets to the brim
  for (let at = 0; at < size; at += 8) packets.set(hex('80 c9 0001 00000001'), at);
  const items = Buffer.alloc(size, hex('0100'));
  items.set(hex(`${RR} 9f ca 3ff5`));
  const extension = Buffer.alloc(size);
  extension.set(hex('90 00 0001 000000a0 00000001 bede 3ff4'));
  t.equal(rtcpRefusal(packets), 'too-many-packets');
  t.equal(rtcpRefusal(items), 'too-many-items');
  t.equal(rtpRefusal(extension), null);
  const elapsed = timed(() => {
    for (let round = 0; round < 100; round++)
      for (const bytes of [packets, items, extension]) [parseRtp(bytes), parseRtcp(bytes)];
  });
  t.ok(elapsed < 1000, `600 of them took ${elapsed.toFixed(1)} ms`);
});

const SIPP_FOLDER = '/usr/share/sip-tester';
/** Link, IPv4 and UDP headers in front of the payload, as sipp's own captures have them. */
const LINK_AND_UDP_BYTES = 14 + 20 + 8;

/** The UDP payloads of a little-endian classic pcap file: a 24-octet header, and 16 in front of each frame. */
const payloadsOf = (capture: Buffer): Buffer[] => {
  const payloads: Buffer[] = [];
  for (let at = 24; at < capture.length; ) {
    const length = capture.readUInt32LE(at + 8);
    payloads.push(capture.subarray(at + 16 + LINK_AND_UDP_BYTES, at + 16 + length));
    at += 16 + length;
  }
  return payloads;
};

t.test(
  'real phones’ RTP, as sipp plays it',
  { skip: !existsSync(SIPP_FOLDER) && 'needs the captures of sipp (Debian: sip-tester)' },
  async (t) => {
    const [speech, digit] = ['g711a.pcap', 'dtmf_2833_7.pcap'].map((file) =>
      payloadsOf(readFileSync(join(SIPP_FOLDER, file))),
    );
    if (!speech || !digit) throw new Error('unreachable: two files were read');
    const spoken = speech.map(rtp);
    t.equal(spoken.length, 236);
    t.ok(
      spoken.every(({ payloadType, payload }) => payloadType === 8 && payload.length === 240),
      'PCMA, 30 ms each',
    );
    t.ok(
      spoken.every(({ marker }, index) => marker === (index === 0)),
      'the talk spurt begins once',
    );
    const steps = spoken
      .slice(1)
      .map(({ sequence, timestamp }, index) => [
        (sequence - (spoken[index]?.sequence ?? 0) + 65536) % 65536,
        timestamp - (spoken[index]?.timestamp ?? 0),
      ]);
    t.ok(
      steps.every(([count, time]) => count === 1 && time === 240),
      'sequence and timestamp advance evenly',
    );

    const pressed = digit.map(rtp);
    t.ok(
      pressed.every(({ payloadType, payload }) => payloadType === 101 && payload[0] === 7),
      'the digit 7 (RFC 4733)',
    );
    t.equal(new Set(pressed.map(({ timestamp }) => timestamp)).size, 1, 'one event has one timestamp');

    t.ok([...speech, ...digit].every(looksLikeRtp) && ![...speech, ...digit].some(looksLikeRtcp));
    t.same(
      [...spoken, ...pressed].map((packet) => plain(encodeRtp(packet))),
      [...speech, ...digit].map(plain),
      'written as they were read',
    );
  },
);
