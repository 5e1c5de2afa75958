/** What the lab's wire does to frames: checksums that hold, edits of an ALG, delays. */
import t from 'tap';
import { udpInside, withChecksums, withPayload } from './frames.js';
import { createWire, editSip } from './wire-rules.js';

/** From 10.77.0.2:5070 to 198.51.100.10, as a pair of interfaces passes it on: without checksums. */
const frameOf = (port: number, payload: string | Buffer): Buffer => {
  const head = Buffer.from(
    '0200000000020200000000010800' + '4500000000004000401100000a4d0002c633640a' + '13ce000000000000',
    'hex',
  );
  head.writeUInt16BE(port, 36);
  return withPayload(head, Buffer.from(payload));
};

/** RFC 1071: what contains its own checksum sums up to all ones. */
const sum = (bytes: Buffer): number => {
  let total = 0;
  for (let at = 0; at < bytes.length; at += 2) total += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
};

t.test('a frame with another payload has lengths and checksums that hold', async (t) => {
  for (const payload of ['odd', 'even', '']) {
    const frame = withChecksums(frameOf(5060, payload));
    t.equal(udpInside(frame)?.payload.toString(), payload);
    t.equal(sum(frame.subarray(14, 34)), 0xffff, 'IP');
    const udp = frame.subarray(34);
    const pseudo = Buffer.concat([frame.subarray(26, 34), Buffer.from([0, 17, 0, udp.length])]);
    t.equal(sum(Buffer.concat([pseudo, udp])), 0xffff, 'UDP');
  }
  const fragment = frameOf(5060, 'part');
  fragment.writeUInt16BE(0x2000, 20);
  t.equal(udpInside(fragment), null);
  t.equal(withChecksums(fragment), fragment, 'a fragment stays as it is');
  t.equal(udpInside(Buffer.alloc(60)), null);
});

const REQUEST = [
  'REGISTER sip:a SIP/2.0',
  'Via: SIP/2.0/UDP 10.77.0.2:5070;branch=z9hG4bK1',
  'User-Agent: phone',
  'Supported: replaces,',
  ' timer',
  'CSeq: 2 REGISTER',
  'Content-Length: 4',
  '',
  'body',
].join('\r\n');

t.test('header fields go with their continuation, and Content-Length follows the body', async (t) => {
  const edit = (...edits: Parameters<typeof editSip>[0]) => editSip(edits, Buffer.from(REQUEST))?.toString() ?? null;
  const shorter = edit({ of: 'requests', remove: ['User-Agent', 'Supported'] });
  t.equal(shorter, REQUEST.replace('User-Agent: phone\r\nSupported: replaces,\r\n timer\r\n', ''));
  t.match(edit({ of: 'requests', replace: [['^body$', 'longer']] }), /Content-Length: 6\r\n\r\nlonger$/);
  t.equal(edit({ of: 'responses', remove: ['User-Agent'] }), REQUEST);
  t.equal(edit({ of: 'requests', methods: ['INVITE'], drop: true }), REQUEST);
  t.equal(edit({ of: 'requests', methods: ['REGISTER'], drop: true }), null);
  t.equal(editSip([{ of: 'requests', drop: true }], Buffer.from('no SIP'))?.toString(), 'no SIP');
});

t.test('a wire delays, holds the first of a flow with those behind it, and edits one direction', async (t) => {
  const slow = createWire({ delayMs: { outbound: 600 } });
  t.equal(slow('outbound', frameOf(5060, 'a'), 10)?.at, 610);
  t.equal(slow('inbound', frameOf(5060, 'a'), 10)?.at, 10);
  t.equal(slow('outbound', Buffer.alloc(60), 10)?.at, 10, 'address resolution is not delayed');

  const holding = createWire({ holdFirstMs: 400 });
  const times = [0, 100, 500].map((now) => holding('outbound', frameOf(5060, 'a'), now)?.at);
  t.same(times, [400, 400, 500]);
  t.equal(holding('outbound', frameOf(5061, 'a'), 500)?.at, 900, 'another flow');

  const alg = createWire({ sip: [{ of: 'requests', remove: ['User-Agent'] }] });
  const after = (port: number): string =>
    udpInside(alg('outbound', frameOf(port, REQUEST), 0)?.frame ?? Buffer.alloc(0))?.payload.toString() ?? '';
  t.notMatch(after(5060), /User-Agent/);
  t.equal(after(5062), REQUEST, 'another port is none of its business');

  const bare = createWire({ bareStun: 3478, cut: { from: 16_384, to: 16_400, bytes: 4 } });
  const request = Buffer.concat([Buffer.from('000100082112a442', 'hex'), Buffer.alloc(20)]);
  const stun = udpInside(bare('outbound', frameOf(3478, request), 0)?.frame ?? request)?.payload;
  t.same([stun?.length, stun?.readUInt16BE(2)], [20, 0]);
  t.equal(udpInside(bare('outbound', frameOf(16_390, 'longer'), 0)?.frame ?? request)?.payload.toString(), 'long');
});
