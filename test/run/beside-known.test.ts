/** A port that is away while other content and short messages are asked there, and a filter that drops them: told apart. */
import t from 'tap';
import { loadProbe } from '../../probes/contract.js';
import { otherTraffic } from '../../src/run/studies/other-traffic.js';
import { askSmaller, factsOfSmaller, SMALLER_SIZES } from '../../src/run/studies/sizes.js';
import type { Tools } from '../../src/run/tools.js';
import { toldOf } from '../../src/verdict/studies/sip-port.js';
import { sessionOf } from '../reflector/support.js';
import { pureReflector, TOKEN } from '../support/pure-reflector.js';
import { check } from '../verdict/support/facts.js';
import { knownPath, toolsOf } from './support/context.js';
import { fakeNet, LOCAL_ADDRESS, type SentPacket } from './support/fake-net.js';

const SIP = check('sip-options/udp/5060');
const LOSS = 0.01;
const PROBES = {
  'sip-options': await loadProbe('sip-options'),
  'stun-binding': await loadProbe('stun-binding'),
  'udp-echo': await loadProbe('udp-echo'),
} as const;
const isAsked = (kind: string): kind is keyof typeof PROBES => kind in PROBES;

const isSip = ({ bytes }: SentPacket): boolean => Buffer.from(bytes).includes('SIP/2.0');
/** RFC 8489 §5: the magic cookie. */
const isStun = ({ bytes }: SentPacket): boolean => Buffer.from(bytes).readUInt32BE(4) === 0x2112a442;

const netLosing = (isLost: (packet: SentPacket) => boolean) => {
  const farEnd = pureReflector();
  const net = fakeNet({
    udp: (packet) => {
      const { bytes, localPort, peer } = packet;
      const answer = farEnd.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return answer && !isLost(packet) ? [{ afterMs: 10, bytes: answer }] : [];
    },
  });
  const usual = toolsOf(net, sessionOf(1, TOKEN), { path: knownPath(600, 0) });
  const tools: Tools = {
    ...usual,
    // Other ports pass all the time, so the line vouches for what stays silent on this one.
    timeline: { ...usual.timeline, unwitnessed: () => 0 },
    probeOf: (kind) => PROBES[isAsked(kind) ? kind : 'udp-echo'],
  };
  return { net, tools };
};

/** Nothing passes for so long from the first such packet on. */
const awayFrom = (begins: (packet: SentPacket) => boolean, ms: number) => {
  let fromMs: number | null = null;
  return (packet: SentPacket): boolean => {
    if (fromMs === null && begins(packet)) fromMs = packet.atMs;
    return fromMs !== null && packet.atMs < fromMs + ms;
  };
};

const others = async (isLost: (packet: SentPacket) => boolean, isAnswered = true) => {
  const { net, tools } = netLosing(isLost);
  const { stun, bareTag } = await net.run(otherTraffic(SIP, isAnswered, tools));
  return { stun: toldOf(stun, LOSS), tag: toldOf(bareTag, LOSS), away: (stun.away ?? 0) > 0 };
};

t.test('other content on a port that is away for some seconds', async (t) => {
  for (const ms of [2500, 4000, 6000]) {
    t.match(await others(awayFrom(isStun, ms)), { stun: true, tag: true, away: false }, `${ms} ms`);
  }
  const gone = awayFrom(isStun, 3_600_000);
  t.same(await others(gone), { stun: null, tag: null, away: true }, 'and on one that stays away');
});

t.test('a filter drops it beside SIP that passes', async (t) => {
  t.same(await others((packet) => !isSip(packet)), { stun: false, tag: false, away: false });
  t.same(await others(isStun), { stun: false, tag: true, away: false });
  t.same(
    await others((packet) => isSip(packet) || isStun(packet), false),
    { stun: false, tag: true, away: false },
    'where OPTIONS are never answered the first silence counts',
  );
});

const sizes = async (isLost: (packet: SentPacket) => boolean, isAnswered = true) => {
  const { net, tools } = netLosing(isLost);
  const all = await net.run(askSmaller(SIP, isAnswered, tools));
  return factsOfSmaller(all, (one) => one, tools).filter(({ passes }) => !passes);
};

t.test('short messages on a port that is away for some seconds', async (t) => {
  const isShortest = ({ bytes }: SentPacket): boolean => bytes.length === SMALLER_SIZES[0];
  t.same(await sizes(awayFrom(isShortest, 6000)), [], 'all pass in the end');
  const gone = await sizes(awayFrom(isShortest, 3_600_000));
  t.ok(gone.length > 0 && gone.every(({ silent }) => silent === 0), 'what stays away says nothing of sizes');
});

t.test('a rule about length drops short messages beside SIP that passes', async (t) => {
  const isDropped = ({ bytes }: SentPacket): boolean => bytes.length <= 225;
  for (const isAnswered of [true, false]) {
    const silent = await sizes(isDropped, isAnswered);
    t.same(
      silent.map(({ bytes }) => bytes),
      [150, 225],
    );
    t.ok(silent.every((one) => toldOf(one, LOSS) === false));
  }
});
