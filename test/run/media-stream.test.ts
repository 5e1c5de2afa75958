/** A stream of audio over lines of every kind: what it measures, what it holds against the line, and what against nobody. */
import t from 'tap';
import type { MediaFacts } from '../../src/model/media.js';
import type { MediaOptions } from '../../src/model/run.js';
import { sendStreams } from '../../src/run/media/send.js';
import { study } from '../../src/run/studies/media-stream.js';
import { judge } from '../../src/verdict/studies/media-stream.js';
import { deriveKeys } from '../../src/wire/keys.js';
import { looksLikeRtp, parseRtp } from '../../src/wire/rtp.js';
import { EVERYWHERE, pureReflector, TOKEN } from '../support/pure-reflector.js';
import { ADDRESS, check, THRESHOLDS } from '../verdict/support/facts.js';
import { knownPath, toolsOf } from './support/context.js';
import { type FakeNet, fakeNet, LOCAL_ADDRESS, type Outcome } from './support/fake-net.js';

const SESSION = { id: new Uint8Array(8).fill(7), keys: deriveKeys(TOKEN, new Uint8Array(8).fill(7)) };
const RTP = check('rtp-echo/udp/16384');
const WAY = check('udp-echo/udp/5060');
const CLEAN = { trials: 200, answers: 200 };
const SIX_SECONDS: MediaOptions = { seconds: 6, codec: 'g711', calls: 1, maxPps: 10_000 };

/** What a line does with a packet of a stream: its place in its flow, how long the flow has lasted, and how many flows there were before it. */
interface Passing {
  readonly index: number;
  readonly ageMs: number;
  readonly flow: number;
  readonly atMs: number;
}
interface Line {
  /** Milliseconds on its way, for each copy that gets there; none of what is lost. 10 if left out. */
  readonly out?: (packet: Passing) => readonly number[];
  readonly back?: (packet: Passing) => readonly number[];
  /** What the reflector says of its own lateness. */
  readonly lateMs?: number;
  /** The reflector's port at which streams arrive, if not the one that they were sent to. */
  readonly arrivesAt?: number;
  /** What becomes of an answer of a stream. */
  readonly edit?: (bytes: Uint8Array) => Uint8Array;
}
const USUAL: readonly number[] = [10];

/** A network whose reflector lies behind this line; everything but streams passes it as it is. */
const behind = (line: Line): FakeNet => {
  let clockMs = 0;
  const reflector = pureReflector(() => BigInt(Math.round(clockMs * 1000)), {
    ...EVERYWHERE,
    ...(line.lateMs !== undefined && { lateMs: line.lateMs }),
  });
  const flows = new Map<number, { readonly flow: number; readonly sinceMs: number; count: number }>();
  const arriveAt = (atMs: number, bytes: Uint8Array, localPort: number, port: number): Uint8Array | null => {
    clockMs = atMs;
    return reflector.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: port });
  };
  return fakeNet({
    udp: ({ bytes, localPort, peer, atMs }): readonly Outcome[] => {
      const isMedia = looksLikeRtp(bytes);
      const flow = flows.get(localPort) ?? { flow: flows.size, sinceMs: atMs, count: 0 };
      if (isMedia) flows.set(localPort, flow);
      const packet = { index: flow.count, ageMs: atMs - flow.sinceMs, flow: flow.flow, atMs };
      flow.count += 1;
      const { out = () => USUAL, back = () => USUAL } = isMedia ? line : {};
      return out(packet).flatMap((wayMs) => {
        const answer = arriveAt(atMs + wayMs, bytes, localPort, (isMedia && line.arrivesAt) || peer.port);
        const edited = answer && isMedia && line.edit ? line.edit(answer) : answer;
        return edited === null ? [] : back(packet).map((backMs) => ({ afterMs: wayMs + backMs, bytes: edited }));
      });
    },
  });
};

const FAR_END = {
  ...{ address: ADDRESS, passing: [RTP, WAY], observations: [], signalling: [], ways: [WAY] },
  ...{ flows: null, connections: null, identity: null },
};

const ask = async (net: FakeNet, options: MediaOptions = SIX_SECONDS): Promise<MediaFacts> => {
  const tools = toolsOf(net, SESSION, { path: knownPath(200, 0) });
  const [facts] = await net.run(study.ask([FAR_END], tools, { deep: false, nat: false, media: options }));
  if (!facts) throw new Error('nothing came home');
  return facts;
};

const judged = (facts: MediaFacts) => {
  const { checks = [], quality = [], capacity = null, notes = [] } = judge([facts], CLEAN, THRESHOLDS);
  const [one] = checks;
  const of = (direction: string) => quality.find((each) => each.direction === direction);
  return {
    ...{ capacity, notes, check: one },
    said: one ? `${one.finding.verdict}/${one.finding.reason}` : 'nothing',
    outbound: of('outbound'),
    inbound: of('inbound'),
  };
};
const over = async (line: Line, options: MediaOptions = SIX_SECONDS) => judged(await ask(behind(line), options));

/** Every nth packet, beginning with the fourth. */
const every = (nth: number) => (index: number) => index % nth === 3;

t.test('a stream as a phone sends it', async (t) => {
  const net = behind({});
  const { said, outbound, inbound, check: row } = judged(await ask(net));
  t.equal(said, 'pass/answered');
  t.match(outbound, {
    packets: 300,
    lossRatio: 0,
    jitterMs: 0,
    reordered: 0,
    mos: 4.41,
    rttMs: 20,
    throttledAfter: null,
  });
  t.match(inbound, { packets: 300, lossRatio: 0, jitterMs: 0, reordered: 0, mos: 4.41 });
  t.match(row, { sent: 300, seen: 300, answered: 300, received: 300, port: 16_384, probe: 'media-stream' });
  const packets = net.sent.filter(({ bytes }) => looksLikeRtp(bytes));
  t.same([...new Set(packets.map(({ bytes }) => bytes.length))], [172], 'G.711 of 20 ms');
  const headers = packets.map(({ bytes }) => parseRtp(bytes)).flatMap((one) => (one.ok ? one.value : []));
  t.same([...new Set(headers.map(({ ssrc }) => ssrc))].length, 1, 'one source');
  t.same(headers.filter(({ marker }) => marker).length, 1, 'one talk spurt');
  t.ok(
    headers.every(({ sequence, timestamp }, index) => {
      const before = headers[index - 1];
      return !before || (sequence === ((before.sequence + 1) & 0xffff) && timestamp === (before.timestamp + 160) >>> 0);
    }),
    'numbers and clock go on evenly',
  );
  t.ok(
    packets.every(({ atMs }, index) => index === 0 || Math.abs(atMs - (packets[index - 1]?.atMs ?? 0) - 20) < 0.001),
    'a packet every 20 ms',
  );
  t.equal(net.openSockets(), 0, 'and no socket is left');
});

t.test('other codecs have their size and their rate', async (t) => {
  const net = behind({});
  const { outbound } = judged(await ask(net, { ...SIX_SECONDS, codec: 'g729' }));
  t.match(outbound, { codec: 'g729', mos: 4.1, rFactor: 82.2 });
  t.same([...new Set(net.sent.filter(({ bytes }) => looksLikeRtp(bytes)).map(({ bytes }) => bytes.length))], [112]);
});

t.test('loss is told by direction, and proven before it is called too much', async (t) => {
  const away: readonly number[] = [];
  const five = await over({ out: ({ index }) => (every(20)(index) ? away : USUAL) });
  t.equal(five.said, 'degraded/loss');
  t.match(five.outbound, { lost: 15, packets: 300, lossRatio: 0.05, longestGap: 1 });
  t.match(five.inbound, { lost: 0, packets: 285 });
  t.ok((five.outbound?.lossLower ?? 0) > 0.01 && (five.outbound?.lossUpper ?? 1) < 0.1);
  const back = await over({ back: ({ index }) => (every(20)(index) ? away : USUAL) });
  t.equal(back.said, 'degraded/loss');
  t.match(back.outbound, { lost: 0 });
  t.match(back.inbound, { lost: 15, packets: 300 });
  const two = await over({ out: ({ index }) => (every(100)(index) ? away : USUAL) });
  t.equal(two.said, 'pass/answered', '3 of 300 prove nothing');
  t.match(two.check?.evidence, { packetsNeeded: { inbound: 299 } }, '297 bound nothing below 1 %');
});

t.test('jitter, order, copies and length of the way', async (t) => {
  const rough = await over({ back: ({ index }) => [10 + ((index * 7919) % 97)] });
  t.equal(rough.said, 'degraded/jitter');
  t.ok((rough.inbound?.jitterMs ?? 0) > 30);
  t.equal(rough.outbound?.jitterMs, 0);
  t.equal((await over({ back: ({ index }) => [10 + (index % 20)] })).said, 'pass/answered');
  const mixed = await over({ out: ({ index }) => (every(20)(index) ? [55] : USUAL) });
  t.equal(mixed.said, 'degraded/reordered');
  t.match(mixed.outbound, { reordered: 15, lost: 0 });
  t.match(mixed.inbound, { reordered: 0, lost: 0 });
  const twice = await over({ out: ({ index }) => (every(10)(index) ? [10, 10] : USUAL) });
  t.equal(twice.said, 'pass/answered');
  t.match(twice.outbound, { duplicates: 30, lost: 0 });
  t.match(twice.inbound, { duplicates: 0, lost: 0 });
  t.equal((await over({ out: () => [400] })).said, 'degraded/latency');
});

/** What came before `untilMs` of a flow leaves then, `alone` the first packet only, and the one that comes next before it. */
const heldUntil =
  (untilMs: number, alone = false) =>
  ({ index, ageMs }: Passing): readonly number[] =>
    ageMs >= untilMs ? [10] : alone && index > 0 ? USUAL : [10 + untilMs - ageMs + 1 + (index % 7)];

t.test('what the set-up of a flow does to its first packets is no fault of the line', async (t) => {
  for (const [name, line] of [
    ['all of 0.4 s are held, and leave in any order', { out: heldUntil(400) }],
    ['the same, inwards', { back: heldUntil(400) }],
    ['all of 1.2 s', { out: heldUntil(1200) }],
    ['the first one alone', { out: heldUntil(400, true) }],
    ['the first 0.4 s are lost', { out: ({ ageMs }: Passing) => (ageMs < 400 ? [] : USUAL) }],
  ] as const) {
    const { said, outbound, inbound } = await over(line);
    t.equal(said, 'pass/answered', name);
    for (const one of [outbound, inbound]) {
      t.match(one, { reordered: 0, jitterMs: 0, discarded: 0, mos: 4.41 }, name);
    }
  }
});

t.test('order is held against the line where the sample proves it', async (t) => {
  const once = await over({ out: ({ index }) => (index === 200 ? [55] : USUAL) });
  t.equal(once.said, 'pass/answered', '1 of 300 may be chance');
  t.match(once.outbound, { reordered: 1 });
  t.match(once.check?.evidence, { packetsNeededForOrder: { outbound: 1974 } });
  const burst = await over({
    out: ({ index }) => (index >= 150 && index < 170 ? [10 + 20 * (170 - index) + (index % 5)] : USUAL),
  });
  t.equal(burst.said, 'pass/answered', 'one queue that was released in disorder is one event');
  t.ok((burst.outbound?.reordered ?? 0) > 10);
  const needed = burst.check?.evidence.packetsNeededForOrder as { outbound: number } | undefined;
  t.ok((needed?.outbound ?? 0) > 300, JSON.stringify(burst.check?.evidence));
  t.equal((await over({ back: ({ index }) => (every(20)(index) ? [55] : USUAL) })).said, 'degraded/reordered');
});

t.test('a proven stream that is changed or led elsewhere does not pass', async (t) => {
  const elsewhere = await over({ arrivesAt: 5060 });
  t.equal(elsewhere.said, 'altered/answered-by-other');
  const atEnd = (bytes: Uint8Array): Uint8Array => Buffer.from(bytes).fill(0x55, bytes.length - 4);
  t.equal((await over({ edit: atEnd })).said, 'altered/payload-rewritten', 'on its way back, the proof left as it is');
  const renumbered = (bytes: Uint8Array): Uint8Array => {
    const copy = Buffer.from(bytes);
    copy.writeUInt32BE(7, 8);
    return copy;
  };
  t.equal((await over({ edit: renumbered })).said, 'altered/payload-rewritten', 'another source');
});

t.test('a flow that is cut: what is counted there', async (t) => {
  const after60 = await over({ out: ({ index }) => (index < 60 ? USUAL : []) });
  t.equal(after60.said, 'degraded/loss');
  t.match(after60.outbound?.throttledAfter, { packets: 60, seconds: 1.2, bytes: 12_000, kind: 'quota' });
  t.equal(after60.inbound?.throttledAfter, null);
  const after3s = await over({ back: ({ ageMs }) => (ageMs < 3000 ? USUAL : []) });
  t.equal(after3s.said, 'degraded/loss');
  t.match(after3s.inbound?.throttledAfter, { packets: 150, seconds: 3, kind: 'timer' });
  const third = await over({ out: ({ index }) => (index < 100 || index % 3 > 0 ? USUAL : []) });
  t.match(third.outbound?.throttledAfter, { kind: 'quota' }, 'throttled and not cut');
});

t.test('a line that is away once is no throttle, and no loss of the line', async (t) => {
  const away = await over({ out: ({ atMs }) => (atMs < 4000 ? USUAL : atMs < 6000 ? [] : USUAL) });
  t.equal(away.said, 'unknown/outage');
  t.equal(away.outbound?.throttledAfter, null);
  const burst = await over({ out: ({ index, flow }) => (flow === 0 && index >= 100 && index < 112 ? [] : USUAL) });
  t.equal(burst.said, 'pass/answered', 'nor is one burst of a quarter of a second');
  t.match(burst.outbound, { lost: 12, longestGap: 12 });
});

t.test(
  'a stream that was begun beside everything else counts where it is spotless, and is sent again where it is not',
  async (t) => {
    const begun = async (line: Line) => {
      const net = behind(line);
      const tools = toolsOf(net, SESSION, { path: knownPath(200, 0) });
      const early = await net.run(sendStreams([RTP], { codec: 'g711', spacingMs: 20, count: 300 }, tools));
      const farEnd = { ...FAR_END, audio: Promise.resolve(early) };
      const [facts] = await net.run(study.ask([farEnd], tools, { deep: false, nat: false, media: SIX_SECONDS }));
      const streams = new Set(net.sent.filter(({ bytes }) => looksLikeRtp(bytes)).map(({ localPort }) => localPort))
        .size;
      return { streams, ...(facts ? judged(facts) : { said: 'nothing', outbound: undefined }) };
    };
    const clean = await begun({});
    t.match(clean, { streams: 1, said: 'pass/answered', outbound: { packets: 300, lost: 0 } });
    const lossyAtFirst = await begun({ out: ({ flow, index }) => (flow === 0 && index % 10 === 3 ? [] : USUAL) });
    t.match(lossyAtFirst, { streams: 2, said: 'pass/answered', outbound: { packets: 300, lost: 0 } }, 'our own load');
    const lossy = await begun({ out: ({ index }) => (index % 10 === 3 ? [] : USUAL) });
    t.match(lossy, { streams: 2, said: 'degraded/loss', outbound: { lost: 30 } });
  },
);

t.test('a dead flow is not the port', async (t) => {
  const second = await over({ out: ({ flow }) => (flow === 0 ? [] : USUAL) });
  t.equal(second.said, 'pass/answered');
  t.match(second.outbound, { packets: 300, lost: 0 });
  t.equal((await over({ out: () => [] })).said, 'unknown/outage', 'and where none lives, nothing is known of the line');
});

t.test('what this host, or the far end, did late is no fault of the line', async (t) => {
  const busy = behind({});
  let turn = 0;
  const sleep: FakeNet['sleep'] = (ms, signal) => {
    turn += 1;
    return busy.sleep(turn % 3 === 0 ? ms + 60 : ms, signal);
  };
  const { said, notes, outbound } = judged(await ask({ ...busy, sleep }));
  t.equal(said, 'unknown/local-error');
  t.equal(outbound, undefined);
  t.match(notes, [/This host sent or read/]);
  const inBunches = ({ index }: Passing): readonly number[] => [10 + 20 * (9 - (index % 10))];
  t.equal((await over({ out: inBunches })).said, 'degraded/jitter');
  const lateFarEnd = await over({ out: inBunches, lateMs: 120 });
  t.equal(lateFarEnd.said, 'pass/answered', 'a reflector that was late made the jitter');
  t.equal(lateFarEnd.outbound?.discarded, 0);
});

t.test('how many calls pass at once', async (t) => {
  const all: MediaOptions = { ...SIX_SECONDS, calls: 4 };
  t.same((await over({}, all)).capacity, { calls: 4, limitedBy: null, asked: 4 });
  /** Lets so many packets a second through, in a bucket of a quarter of a second. */
  const policed = (perSecond: number): ((packet: Passing) => readonly number[]) => {
    let [level, at] = [perSecond / 4, 0];
    return ({ atMs }) => {
      level = Math.min(perSecond / 4, level + ((atMs - at) / 1000) * perSecond);
      at = atMs;
      if (level < 1) return [];
      level -= 1;
      return USUAL;
    };
  };
  const net = behind({ out: policed(120) });
  const { capacity } = judged(await ask(net, { ...all, calls: 16 }));
  t.same(capacity, { calls: 2, limitedBy: 'outbound', asked: 16 });
  const flows = new Map<number, number>();
  for (const { bytes, localPort } of net.sent)
    if (looksLikeRtp(bytes)) flows.set(localPort, (flows.get(localPort) ?? 0) + 1);
  t.equal(flows.size, 1 + 1 + 2 + 4, 'and no more calls were tried');
  t.ok(
    [...flows.values()].slice(-4).every((count) => count < 150),
    'the last ones were stopped at once',
  );
  t.same((await over({ back: policed(120) }, all)).capacity, { calls: 2, limitedBy: 'inbound', asked: 4 });
});

t.test('no stream where the pace has no room for it, and what that is called', async (t) => {
  const { said, notes } = await over({}, { ...SIX_SECONDS, maxPps: 40 });
  t.equal(said, 'nothing');
  t.match(notes, [/no room for 50 packets a second/]);
});
