/** Connections that die beside others that open: a dead link of a bundle, a limit of new connections, or a blocked port. */
import t from 'tap';
import { examineConnections } from '../../src/run/phases/examine-connections.js';
import { watchLine } from '../../src/run/phases/watch-line.js';
import { classify } from '../../src/verdict/classify.js';
import { pureReflector } from '../support/pure-reflector.js';
import { ADDRESS, circumstances, reflector } from '../verdict/support/facts.js';
import { type FakeNet, fakeNet, type Happening, LOCAL_ADDRESS } from './support/fake-net.js';
import { planned, stateWith } from './support/state.js';

const SIP = planned('sip-options/tcp/5060');
const STUN = planned('stun-binding/udp/3478');
const PUSH = planned('tcp-connect/tcp/5223');

/** Whether a connection opens that is asked for at this moment, as the `count`th, from 0, to this port. */
type Rule = (atMs: number, count: number, port: number) => boolean;

interface Examined {
  readonly connections: { readonly asked: number; readonly dead: number; readonly isLimited?: boolean } | null;
  /** `port verdict/reason` of what was asked. */
  readonly verdicts: readonly string[];
  /** When each connection was asked for that the examination itself opened. */
  readonly askedAtMs: readonly number[];
  readonly net: FakeNet;
}

const examined = async (opens: Rule, isAway: (atMs: number) => boolean = () => false): Promise<Examined> => {
  const farEnd = pureReflector();
  const net: FakeNet = fakeNet({
    udp: ({ bytes, localPort, peer }) => {
      const answer = farEnd.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return answer && !isAway(net.now()) ? [{ afterMs: 10, bytes: answer }] : [];
    },
    connect: ({ port }, _secure, count): readonly Happening[] =>
      !isAway(net.now()) && opens(net.now(), count, port) ? [{ afterMs: 10, open: { binding: null, tls: null } }] : [],
    written: (bytes, peer, local) =>
      farEnd
        .conversation()
        .push(bytes, farEnd.arrival({ ...local, localPort: peer.port }))
        .send.map(({ bytes: one }): Happening => ({ afterMs: 10, bytes: one })),
  });
  const state = await stateWith(net, [], { questions: [SIP, PUSH, STUN] });
  state.tools.path.open(ADDRESS, 'udp')(300, 300);
  state.farEnds.passedOverUdp(STUN);
  const done = new AbortController();
  // Over UDP all is well, which vouches for every moment.
  const watching = watchLine(state, done.signal);
  await net.run(Promise.all([SIP, PUSH].map((one) => state.ask(one))));
  const { length } = net.connections;
  await net.run(examineConnections(state));
  done.abort(new Error('done'));
  await net.run(watching);
  state.close();
  const connections = state.farEnds.get(ADDRESS)?.facts.connections ?? null;
  const verdicts = [SIP, PUSH].flatMap(({ key }) => {
    const observation = state.observations.get(key);
    if (!observation) return [];
    const { verdict, reason } = classify(
      observation,
      reflector({ connections }),
      circumstances({ lossUpperBound: 0.01 }),
    );
    return [`${observation.check.port} ${verdict}/${reason}`];
  });
  return { connections, verdicts, askedAtMs: net.connections.slice(length).map(({ atMs }) => atMs), net };
};

/** At most one new connection a second. */
const onePerSecond = (): Rule => {
  let lastAtMs = Number.NEGATIVE_INFINITY;
  return (atMs) => {
    if (atMs - lastAtMs < 1000) return false;
    lastAtMs = atMs;
    return true;
  };
};

t.test('where all open nothing is examined', async (t) => {
  const { connections, askedAtMs, verdicts } = await examined(() => true);
  t.same([connections, askedAtMs], [null, []]);
  t.same(verdicts, ['5060 pass/answered', '5223 pass/answered']);
});

t.test('a dead link of two: some never open, however slowly they are asked', async (t) => {
  const { connections, verdicts, net } = await examined((_atMs, count) => count % 2 === 0);
  t.match(connections, { asked: 12, dead: 6, isLimited: false });
  t.match(verdicts, [/^5060 (pass|degraded\/flow-loss)/, /^5223 degraded\/flow-loss/]);
  t.equal(net.openSockets(), 0);
});

t.test('a limit of new connections: one after the other they all open', async (t) => {
  const { connections, askedAtMs, verdicts } = await examined(onePerSecond());
  t.match(connections, { isLimited: true });
  t.ok((connections?.dead ?? 0) > 1);
  t.notMatch(verdicts.join(), /flow-loss|blocked/);
  t.match(verdicts, [/^5060 degraded\/rate-limited/, /^5223 degraded\/rate-limited/]);
  const later = askedAtMs.slice(connections?.asked ?? 0);
  const pauseAfter = later.findIndex((atMs, index) => (later[index + 1] ?? Number.POSITIVE_INFINITY) - atMs < 1000);
  const slowly = later.slice(0, pauseAfter + 1);
  t.ok(slowly.length >= 5, 'one that opens slowly is chance');
  t.ok(
    later.length - slowly.length >= 11,
    'then as many at once as at first: a line that was away lets all of them pass',
  );
  const pauses = slowly.slice(1).map((atMs, index) => atMs - (slowly[index] ?? 0));
  t.ok(Math.min(...pauses) >= 1000, 'each after a pause');
});

t.test('a port that the limit left with nothing is asked at a pace that the limit bears', async (t) => {
  let lastAtMs = Number.NEGATIVE_INFINITY;
  const others = onePerSecond();
  const { connections, verdicts } = await examined((atMs, count, port) => {
    // Whoever comes too soon waits anew, as guards against floods have it.
    const isSoon = atMs - lastAtMs < 1000;
    lastAtMs = atMs;
    return port === PUSH.port ? !isSoon : others(atMs, count, port);
  });
  t.match(connections, { isLimited: true });
  t.match(verdicts, [/^5060/, /^5223 degraded\/rate-limited/]);
});

t.test('a blocked port beside one that opens is asked no further', async (t) => {
  const { connections, verdicts } = await examined((_atMs, _count, port) => port === 5060);
  t.match(connections, { dead: 0 });
  t.same(verdicts, ['5060 pass/answered', '5223 blocked/dropped']);
});

t.test('connections that were asked for while nothing passed at all are no dead ones', async (t) => {
  // One dies at first. Then the fourth of those that are asked for at once makes a guard shut everything out for eight seconds.
  let [shutUntilMs, atOnce, lastAtMs] = [0, 0, 0];
  const guard: Rule = (atMs, count) => {
    atOnce = atMs === lastAtMs ? atOnce + 1 : 1;
    lastAtMs = atMs;
    if (atOnce === 4 && shutUntilMs === 0) shutUntilMs = atMs + 8000;
    return count !== 0 && atMs >= shutUntilMs;
  };
  const { connections } = await examined(guard, (atMs) => atMs < shutUntilMs);
  t.match(connections, { dead: 0 });
});
