/** RTCP beside a stream: what a phone would report, when, and that nothing hangs on it. */
import t from 'tap';
import type { MediaOptions } from '../../src/model/run.js';
import { createReception } from '../../src/run/media/reception.js';
import { ntpOf } from '../../src/run/media/reports.js';
import { sendStreams } from '../../src/run/media/send.js';
import { deriveKeys } from '../../src/wire/keys.js';
import { cnameOf, looksLikeRtcp, parseRtcp } from '../../src/wire/rtcp.js';
import { looksLikeRtp, parseRtp } from '../../src/wire/rtp.js';
import { EVERYWHERE, pureReflector, TOKEN } from '../support/pure-reflector.js';
import { check } from '../verdict/support/facts.js';
import { knownPath, toolsOf } from './support/context.js';
import { fakeNet, LOCAL_ADDRESS } from './support/fake-net.js';

const SESSION = { id: new Uint8Array(8).fill(7), keys: deriveKeys(TOKEN, new Uint8Array(8).fill(7)) };

t.test('times of NTP', async (t) => {
  t.equal(ntpOf(0n), 2_208_988_800n << 32n, '1970 (RFC 868)');
  t.equal(ntpOf(1_500_000n), (2_208_988_801n << 32n) | 0x80000000n, 'half a second is half of 2^32');
});

t.test('reception, as RFC 3550 counts it', async (t) => {
  const reception = createReception(8);
  t.equal(reception.report(1, 1000), null, 'nothing came');
  for (const index of [0, 1, 2, 3, 4, 5, 6, 7])
    if (index !== 3 && index !== 5) reception.note(index, 20 * index, 20 * index + 30);
  t.match(reception.report(0xcafe, 1000), {
    ...{ ssrc: 0xcafe, fractionLost: 64, cumulativeLost: 2, highestSequence: 1007, jitter: 0 },
    ...{ lastSr: 0, delaySinceLastSr: 0 },
  });
  for (const index of [8, 9, 10, 11]) reception.note(index, 20 * index, 20 * index + 30);
  t.match(
    reception.report(1, 0xfff8),
    { fractionLost: 0, cumulativeLost: 2, highestSequence: 0x10003 },
    'one cycle on',
  );
  for (const index of [8, 8, 8]) reception.note(index, 160, 190);
  t.match(reception.report(1, 0), { fractionLost: 0, cumulativeLost: -1 }, 'copies make it negative');
  const rough = createReception(8);
  // J grows by (|D| − J)/16 with each |D| of 10 ms, in units of 1/8 ms.
  for (const index of [0, 1, 2, 3, 4]) rough.note(index, 20 * index, 20 * index + 10 * (index % 2));
  t.equal(rough.report(1, 0)?.jitter, Math.round(8 * 10 * (1 - (15 / 16) ** 4)));
});

const stream = async (options: { readonly port: number; readonly reports: boolean; readonly loses: boolean }) => {
  let clockMs = 0;
  const reflector = pureReflector(() => BigInt(Math.round(clockMs * 1000)), EVERYWHERE);
  const net = fakeNet({
    udp: ({ bytes, localPort, peer, atMs }) => {
      if (options.loses && looksLikeRtcp(bytes)) return [];
      clockMs = atMs + 10;
      const answer = reflector.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return answer === null ? [] : [{ afterMs: 20, bytes: answer }];
    },
  });
  const codec: MediaOptions['codec'] = 'g711';
  const tools = toolsOf(net, SESSION, { path: knownPath(200, 0) });
  const asked = { codec, spacingMs: 20, count: 1000, reports: options.reports } as const;
  const sent = await net.run(sendStreams([check(`rtp-echo/udp/${options.port}`)], asked, tools));
  const reports = net.sent.filter(({ bytes }) => looksLikeRtcp(bytes));
  return { net, sent, reports, media: net.sent.filter(({ bytes }) => looksLikeRtp(bytes)) };
};

t.test('sender reports go to the port above, at the intervals of RFC 3550', async (t) => {
  const { net, sent, reports, media } = await stream({ port: 16_384, reports: true, loses: false });
  t.same([...new Set(reports.map(({ peer }) => peer.port))], [16_385]);
  const times = reports.map(({ atMs }) => atMs);
  // Half to one and a half of 5 s, over 1.21828, of the first half of it; a packet's time late at most.
  const gaps = times.map((at, index) => at - (times[index - 1] ?? 0));
  t.ok(
    gaps.every((gap, index) => gap >= (index === 0 ? 1025 : 2051) && gap <= (index === 0 ? 3100 : 6180)),
    `${gaps}`,
  );
  t.ok(reports.length >= 3 && reports.length <= 9, `${reports.length} in 20 s`);
  t.same(sent.rtcp, { sent: reports.length, answered: reports.length });
  const [first] = media.map(({ bytes }) => parseRtp(bytes)).flatMap((one) => (one.ok ? one.value : []));
  for (const { bytes, atMs } of reports) {
    const compound = parseRtcp(bytes);
    t.ok(compound.ok);
    if (!compound.ok) continue;
    t.ok(cnameOf(compound.value));
    const [report] = compound.value.packets;
    const before = media.filter((one) => one.atMs <= atMs).length;
    const heard = media.filter((one) => one.atMs + 20 <= atMs).length;
    t.match(report, {
      kind: 'sender-report',
      ...{ ssrc: first?.ssrc, packetCount: before, octetCount: 160 * before },
      rtpTimestamp: ((first?.timestamp ?? 0) + 160 * (before - 1)) >>> 0,
      reports: [{ ssrc: first?.ssrc, fractionLost: 0, cumulativeLost: 0, jitter: 0 }],
    });
    const [block] = report?.kind === 'sender-report' ? report.reports : [];
    t.ok(Math.abs((block?.highestSequence ?? 0) - ((first?.sequence ?? 0) + heard - 1)) <= 1);
  }
  t.equal(net.openSockets(), 0, 'and no socket is left');
});

t.test('where they come to nothing, the stream does not mind', async (t) => {
  const lost = await stream({ port: 16_384, reports: true, loses: true });
  t.equal(lost.sent.rtcp.answered, 0);
  t.ok(lost.sent.rtcp.sent > 0);
  t.equal(lost.sent.ended, 'complete');
  t.ok(lost.sent.streams[0]?.sent.every(({ heard }) => heard === 1));
  for (const quiet of [
    { port: 16_385, reports: true },
    { port: 16_384, reports: false },
  ])
    t.same((await stream({ ...quiet, loses: false })).sent.rtcp, { sent: 0, answered: 0 }, `port ${quiet.port}`);
});
