/** A hole that was found is asked at each look, however few ports a look has, until it is known to be gone. */
import t from 'tap';
import { freshBaseline, NO_MEMORY, track } from '../../src/agent/memory/tracker.js';
import { type Watched, watchAfter } from '../../src/agent/memory/watched.js';
import type { Report } from '../../src/model/report.js';
import { plan, questionsOf } from '../../src/plan/plan.js';
import { buildReport } from '../../src/report/build.js';
import { run } from '../../src/run/run.js';
import { LIGHT_SCOUTS } from '../../src/run/sweep/scouts.js';
import { fakeNet, LOCAL_ADDRESS } from '../run/support/fake-net.js';
import { destination, input, profile, requirement } from '../run/support/profiles.js';
import { pureReflector, TOKEN } from '../support/pure-reflector.js';

const ADDRESS = '198.51.100.10';
const RTP = 'rtp-echo/udp/16384-32766';
const RTCP = 'rtcp-echo/udp/16385-32767';
const MEDIA = profile('media', [requirement('media', ['rtp-echo+rtcp-echo/udp/16384-32767'], { role: 'media' })]);
const SESSION_ID = Buffer.alloc(8, 7);

/** A report of the agent's light run behind a firewall that drops these ports. */
const lookAt = async (isDropped: (port: number) => boolean, watched: Readonly<Record<string, Watched>> = {}) => {
  const farEnd = pureReflector();
  const net = fakeNet({
    maxPps: 5000,
    udp: ({ bytes, peer, localPort }) => {
      if (isDropped(peer.port)) return [];
      const answer = farEnd.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return answer ? [{ afterMs: 5, bytes: answer }] : [];
    },
  });
  const ports = Object.fromEntries(Object.entries(watched).map(([range, one]) => [range, one.ports]));
  const planned = plan(input({ profiles: [MEDIA], target: destination([ADDRESS]), watched: ports }));
  const output = await net.run(
    run(
      {
        questions: questionsOf(planned),
        ranges: planned.ranges,
        token: TOKEN,
        reflectorAddresses: null,
        sessionId: SESSION_ID,
        maxPps: 5000,
        timeoutMs: 60_000,
        source: null,
        scouts: LIGHT_SCOUTS,
      },
      new AbortController().signal,
      () => undefined,
      net,
    ),
  );
  return buildReport({
    id: 'test',
    startedAt: new Date(0),
    durationMs: 1,
    agent: { id: 'test', version: '0', hostname: 'test', platform: 'test' },
    target: { host: 'target.example', addresses: [ADDRESS] },
    reflectors: [],
    localAddresses: [LOCAL_ADDRESS],
    profiles: [MEDIA],
    plan: planned,
    output,
    notes: [],
  });
};
const blockedIn = ({ ranges }: Report): readonly string[] =>
  ranges.filter(({ verdict }) => verdict === 'blocked').map(({ id, from, to }) => `${id} ${from}-${to}`);
const isNarrowHole = (port: number): boolean => port >= 20_001 && port <= 20_011;
const HOLES = [`${RTP} 20002-20010`, `${RTCP} 20001-20011`];
const EDGES = {
  [RTP]: { ports: [20_000, 20_002, 20_010, 20_012], clean: 0 },
  [RTCP]: { ports: [19_999, 20_001, 20_011, 20_013], clean: 0 },
};

t.test('a narrow hole, once it was found', async (t) => {
  const missed = await lookAt(isNarrowHole);
  t.same(blockedIn(missed), [], 'too narrow for a look at few ports');
  t.ok(missed.totals.packetsSent < 200, `${missed.totals.packetsSent} packets`);
  const found = await lookAt(isNarrowHole, EDGES);
  t.same(blockedIn(found), HOLES, 'to the port');
  t.same(watchAfter(EDGES, found, 3), EDGES, 'and it is asked again');

  let watched = watchAfter(EDGES, await lookAt(() => false, EDGES), 3);
  t.same(watched[RTP], { ...EDGES[RTP], clean: 1 }, 'one look that finds nothing is not enough');
  watched = watchAfter(watched, found, 3);
  t.equal(watched[RTP]?.clean, 0);
  for (const _ of [1, 2, 3]) watched = watchAfter(watched, missed, 3);
  t.same(watched, {}, 'three are');
});

const told = (...runs: readonly (readonly [from: number, to: number, verdict: string, tested?: number])[]): Report =>
  ({
    ranges: runs.map(([from, to, verdict, tested = 9]) => ({
      ...{ id: RTP, from, to, step: 2, tested, verdict },
      reason: verdict === 'unknown' ? 'target-unreachable' : 'dropped-outbound',
    })),
  }) as unknown as Report;

t.test('what is watched', async (t) => {
  const before = { [RTP]: { ports: [20_000], clean: 1 } };
  t.same(watchAfter(before, told([16_384, 32_766, 'unknown']), 3), before, 'a dead host says nothing of it');
  t.same(watchAfter({}, told([16_384, 32_766, 'blocked']), 3), {}, 'where all is blocked any sample tells');
  t.same(watchAfter(before, told([16_384, 32_766, 'blocked']), 3), { [RTP]: { ports: [20_000], clean: 0 } });
  t.same(watchAfter({}, told([16_384, 20_000, 'pass'], [20_002, 20_004, 'blocked', 0]), 3), {}, 'untested');
  const pattern = Array.from(
    { length: 400 },
    (_, index) => [16_384 + 4 * index, 16_384 + 4 * index, index % 2 ? 'blocked' : 'pass'] as const,
  );
  t.ok((watchAfter({}, told(...pattern), 3)[RTP]?.ports.length ?? 0) <= 32, 'few, whatever the range looks like');
});

t.test('it is part of what is remembered', async (t) => {
  const policy = { needed: 2, of: 3, flapAfter: 4, flapWithinMs: 3_600_000 };
  const report = await lookAt(isNarrowHole, EDGES);
  const { memory } = track(NO_MEMORY, report, 'sweep', 0, policy);
  t.same(memory.watched, EDGES, 'what a sweep finds as well');
  t.equal(freshBaseline(memory).watched, undefined, 'another network has other holes');
});
