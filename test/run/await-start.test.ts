/** A reflector that comes up while it is asked: what it did until then is nothing that the path does, and all is asked anew. */
import t from 'tap';
import { plan, questionsOf } from '../../src/plan/plan.js';
import { buildReport } from '../../src/report/build.js';
import { run } from '../../src/run/run.js';
import { EVERYWHERE, pureReflector, TOKEN } from '../support/pure-reflector.js';
import { ADDRESS } from '../verdict/support/facts.js';
import { inputOf, NEVER } from './support/context.js';
import { type FakeNet, fakeNet, LOCAL_ADDRESS } from './support/fake-net.js';
import { destination, input, profile, requirement } from './support/profiles.js';

const PROFILE = profile('phones', [
  requirement('signalling', ['sip-options/udp/5060'], { role: 'signalling' }),
  requirement('media', ['rtp-echo/udp/21000-21199', 'stun-binding/udp/3478'], { role: 'media' }),
]);
const STRANGER = Buffer.from('of another house');

interface World {
  /** When it comes up, by the run's clock. */
  readonly upAtMs: number;
  /** From when on it knows whom it talks to. */
  readonly knowsAtMs: number;
  /** From when on packets to any port arrive. */
  readonly wholeAtMs: number;
  /** Whether somebody else answers SIP, however late it is asked. */
  readonly isIntercepted?: boolean;
  readonly timeoutMs?: number;
}

const reported = async ({ upAtMs, knowsAtMs, wholeAtMs, isIntercepted = false, timeoutMs = 120_000 }: World) => {
  const wallMs = Date.UTC(2026, 10, 28, 2, 41);
  const nowMicros = (): bigint => net.nowMicros();
  let reflector: ReturnType<typeof pureReflector> | null = null;
  let stranger: ReturnType<typeof pureReflector> | null = null;
  const net: FakeNet = fakeNet({
    maxPps: 5000,
    udp: ({ bytes, peer, localPort, atMs }) => {
      if (atMs < upAtMs) return [];
      if (atMs < wholeAtMs && peer.port > 21_099) return [];
      const startedAtMs = Math.round(Number(nowMicros()) / 1000 - atMs + upAtMs);
      reflector ??= pureReflector(nowMicros, { ...EVERYWHERE, startedAtMs });
      stranger ??= pureReflector(nowMicros, EVERYWHERE, STRANGER);
      const isStranger = peer.port === 5060 && (isIntercepted || atMs < knowsAtMs);
      const answer = (isStranger ? stranger : reflector).datagram(bytes, {
        ...{ address: LOCAL_ADDRESS, port: localPort, localPort: peer.port },
      });
      return answer ? [{ afterMs: 5, bytes: answer }] : [];
    },
  });
  const planned = plan(input({ profiles: [PROFILE], target: destination([ADDRESS]), random: () => 0.37 }));
  const { ranges } = planned;
  const questions = questionsOf(planned);
  const output = await net.run(run(inputOf(questions, TOKEN, { ranges, timeoutMs }), NEVER, () => undefined, net));
  const report = buildReport({
    ...{ id: 'test', startedAt: new Date(wallMs), durationMs: 60_000, profiles: [PROFILE], plan: planned, output },
    agent: { id: 'test', version: '0', hostname: 'test', platform: 'test' },
    target: { host: 'target.example', addresses: [ADDRESS] },
    ...{ reflectors: [], localAddresses: [LOCAL_ADDRESS], notes: [] },
  });
  return { report, output, net };
};

t.test('what it answered as a stranger, and what it lost while it came up, is not said of the path', async (t) => {
  const { report, output, net } = await reported({ upAtMs: 1500, knowsAtMs: 2300, wholeAtMs: 2600 });
  t.same(
    report.checks.map(({ id, verdict, reason }) => `${id} ${verdict} ${reason}`),
    ['sip-options/udp/5060 pass answered', 'stun-binding/udp/3478 pass answered'],
  );
  t.same(
    report.ranges.map(({ verdict }) => verdict),
    ['pass'],
  );
  t.same(report.outages, []);
  t.notMatch(report.notes.join('\n'), /rule that changed|first packet|Outage/);
  t.equal(output.loss.answers, output.loss.trials, 'nothing was lost');
  t.same([net.openSockets(), net.timers()], [0, 0]);
});

t.test('somebody who answers in its place does so when all is asked anew as well', async (t) => {
  const { report } = await reported({ upAtMs: 1500, knowsAtMs: 1500, wholeAtMs: 1500, isIntercepted: true });
  t.match(report.checks[0], { verdict: 'altered', reason: 'answered-by-other' });
});

t.test('who was there all the time is asked once', async (t) => {
  const early = await reported({ upAtMs: -60_000, knowsAtMs: 0, wholeAtMs: 0 });
  const late = await reported({ upAtMs: 1500, knowsAtMs: 1500, wholeAtMs: 1500 });
  const sip = ({ net }: typeof early): number => net.sent.filter(({ peer }) => peer.port === 5060).length;
  t.ok(sip(early) < sip(late));
});
