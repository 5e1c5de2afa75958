/** Ranges that hold the same ports: each is as exact as it is alone, and no port is asked twice for it. */
import t from 'tap';
import type { Report } from '../../src/model/report.js';
import { plan, questionsOf } from '../../src/plan/plan.js';
import { buildReport } from '../../src/report/build.js';
import { run } from '../../src/run/run.js';
import { pureReflector, TOKEN } from '../support/pure-reflector.js';
import { ADDRESS } from '../verdict/support/facts.js';
import { inputOf, NEVER } from './support/context.js';
import { fakeNet, LOCAL_ADDRESS } from './support/fake-net.js';
import { destination, input, profile, requirement } from './support/profiles.js';

const media = (name: string, ...questions: readonly string[]) =>
  profile(
    name,
    questions.map((question, index) => requirement(`media-${index}`, [question], { role: 'media' })),
  );
const LOW = media('low', 'rtp-echo+rtcp-echo/udp/21000-21799');
const HIGH = media('high', 'rtp-echo+rtcp-echo/udp/21400-22199');
const WITHIN = media('within', 'rtp-echo+rtcp-echo/udp/21500-21599');
/** A port of the ranges that is also a check of its own. */
const SINGLE = media('single', 'udp-echo/udp/21560', 'rtp-echo/udp/21556');

const isDropped = (port: number): boolean => port >= 21_556 && port <= 21_699;

const reportOf = async (profiles: readonly (typeof LOW)[]) => {
  const farEnd = pureReflector();
  const net = fakeNet({
    maxPps: 5000,
    udp: ({ bytes, peer, localPort }) => {
      if (isDropped(peer.port)) return [];
      const answer = farEnd.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return answer ? [{ afterMs: 5, bytes: answer }] : [];
    },
  });
  const planned = plan(input({ profiles, target: destination([ADDRESS]), random: () => 0.37 }));
  const { ranges } = planned;
  const output = await net.run(run(inputOf(questionsOf(planned), TOKEN, { ranges }), NEVER, () => undefined, net));
  const report = buildReport({
    id: 'test',
    startedAt: new Date(0),
    durationMs: 1,
    agent: { id: 'test', version: '0', hostname: 'test', platform: 'test' },
    target: { host: 'target.example', addresses: [ADDRESS] },
    reflectors: [],
    localAddresses: [LOCAL_ADDRESS],
    profiles,
    plan: planned,
    output,
    notes: [],
  });
  return { report, output };
};

/** Of each range the runs that do not pass, exactly. */
const holesOf = ({ ranges }: Report): Readonly<Record<string, readonly string[]>> => {
  const holes: Record<string, string[]> = {};
  for (const { id, from, to, verdict } of ranges) {
    const own = holes[id] ?? [];
    holes[id] = own;
    if (verdict !== 'pass') own.push(`${verdict} ${from}-${to}`);
  }
  return holes;
};

const EXACT = {
  'rtp-echo/udp/21000-21798': ['blocked 21556-21698'],
  'rtcp-echo/udp/21001-21799': ['blocked 21557-21699'],
  'rtp-echo/udp/21400-22198': ['blocked 21556-21698'],
  'rtcp-echo/udp/21401-22199': ['blocked 21557-21699'],
  'rtp-echo/udp/21500-21598': ['blocked 21556-21598'],
  'rtcp-echo/udp/21501-21599': ['blocked 21557-21599'],
} as const;
const exactly = (...names: readonly (keyof typeof EXACT)[]) =>
  Object.fromEntries(names.map((name) => [name, [...EXACT[name]]]));

t.test('together they are as exact as alone', async (t) => {
  const [low, lowControl, high, highControl, within, withinControl] = Object.keys(EXACT) as (keyof typeof EXACT)[];
  if (!low || !lowControl || !high || !highControl || !within || !withinControl) throw new Error('six ranges');
  t.same(holesOf((await reportOf([LOW])).report), exactly(low, lowControl));
  t.same(holesOf((await reportOf([HIGH])).report), exactly(high, highControl));
  t.same(holesOf((await reportOf([LOW, HIGH])).report), exactly(low, lowControl, high, highControl));
  t.same(
    holesOf((await reportOf([HIGH, WITHIN, LOW])).report),
    exactly(low, lowControl, high, highControl, within, withinControl),
  );
});

t.test('a port that stands for itself as well', async (t) => {
  const { report, output } = await reportOf([LOW, SINGLE]);
  t.same(holesOf(report)['rtp-echo/udp/21000-21798'], ['blocked 21556-21698']);
  t.match(
    report.checks.find(({ id }) => id === 'rtp-echo/udp/21556'),
    { verdict: 'blocked', requiredBy: ['single'] },
  );
  const ids = output.observations.map(({ check }) => check.id);
  t.equal(new Set(ids).size, ids.length, 'every question has one observation');
});

t.test('what two ranges share is asked once', async (t) => {
  const alone = (await reportOf([LOW])).output.totals.packetsSent;
  const both = (await reportOf([LOW, media('same', 'rtp-echo+rtcp-echo/udp/21000-21799')])).output.totals.packetsSent;
  t.equal(both, alone);
});
