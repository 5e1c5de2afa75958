/** The sweep against a firewall in memory: exact under loss, told apart from policing, and bounded in what it opens. */
import fc from 'fast-check';
import t from 'tap';
import { probe as rtpEcho } from '../../probes/rtp-echo.js';
import { type Check, keyOf } from '../../src/model/check.js';
import { seededRandom } from '../../src/model/random.js';
import { limitOfRate, refusesNewFlows } from '../../src/run/sweep/limit.js';
import { MAX_SCOUTS, SURE_WIDTH, scoutPorts, scoutSpacing } from '../../src/run/sweep/scouts.js';
import { createSweeper } from '../../src/run/sweep/sweep.js';
import { coverageOf } from '../../src/verdict/coverage.js';
import { deriveKeys } from '../../src/wire/keys.js';
import { pureReflector, TOKEN } from '../support/pure-reflector.js';
import { NEVER, toolsOf } from './support/context.js';
import { type FakeNet, fakeNet, LOCAL_ADDRESS, type SentPacket } from './support/fake-net.js';

const ADDRESS = '192.0.2.99';
const SESSION = new Uint8Array(8).fill(7);

const checkAt = (port: number): Check => ({
  key: keyOf({ probe: 'rtp-echo', transport: 'udp', port, address: ADDRESS }),
  id: `rtp-echo/udp/${port}`,
  probe: 'rtp-echo',
  transport: 'udp',
  port,
  address: ADDRESS,
  family: 4,
  host: ADDRESS,
  requiredBy: [],
  isOfRange: true,
  natT: false,
});
const ports = (from: number, count: number): readonly number[] => Array.from({ length: count }, (_, i) => from + i);

/** A reflector behind a rule; `passes` says whether a packet gets there and back. */
const behind = (passes: (packet: SentPacket) => boolean): FakeNet => {
  const reflector = pureReflector();
  return fakeNet({
    maxPps: 5000,
    udp: (packet) => {
      if (!passes(packet)) return [];
      const from = { address: LOCAL_ADDRESS, port: packet.localPort, localPort: packet.peer.port };
      const bytes = reflector.datagram(packet.bytes, from);
      return bytes ? [{ afterMs: 10, bytes }] : [];
    },
  });
};

const sweep = async (net: FakeNet, asked: readonly number[], signal: AbortSignal = NEVER) => {
  const sweeper = createSweeper({
    address: ADDRESS,
    family: 4,
    tools: { ...toolsOf(net, { id: SESSION, keys: deriveKeys(TOKEN, SESSION) }, { probe: rtpEcho }), signal },
    ways: () => [],
    quiet: Promise.resolve(),
    maxPackets: 1_000_000,
    onDecided: () => undefined,
  });
  try {
    const { observations } = await net.run(sweeper.ask(asked.map(checkAt), 'certain'));
    const open = observations
      .filter(({ attempts }) => attempts.some(({ outcome }) => outcome === 'answer'))
      .map(({ check }) => check.port);
    return { observations, open, limit: sweeper.limit(), flows: sweeper.flows() };
  } finally {
    sweeper.close();
  }
};

t.test('every port of a range, exactly, whatever the path loses', async (t) => {
  for (const loss of [0, 0.04, 0.19, 0.36]) {
    const roll = seededRandom(Math.round(loss * 1000) + 1);
    const isBlocked = (port: number): boolean =>
      (port >= 20_100 && port < 20_164) || port === 20_300 || port % 97 === 5;
    const net = behind(({ peer }) => !isBlocked(peer.port) && roll() >= loss);
    const asked = ports(20_000, 500);
    const { observations, open, limit } = await sweep(net, asked);
    t.same(
      [...open].sort(),
      asked.filter((port) => !isBlocked(port)),
      `at a loss of ${loss}`,
    );
    t.equal(observations.length, asked.length, 'one observation each');
    t.equal(limit, null, 'random loss is no limit of rate');
    t.equal(net.openSockets(), 0, 'all sockets are closed');
    t.equal(net.timers(), 0, 'all timers are gone');
  }
});

t.test('what is dropped above a rate is found, and no port is blamed', async (t) => {
  let credit = 20;
  let at = 0;
  const net = behind((packet) => {
    credit = Math.min(20, credit + ((packet.atMs - at) / 1000) * 300);
    at = packet.atMs;
    if (credit < 1) return false;
    credit -= 1;
    return true;
  });
  const { open, limit } = await sweep(net, ports(20_000, 600));
  t.equal(open.length, 600);
  t.equal(limit?.kind, 'rate');
  const found = limit?.kind === 'rate' ? limit.packetsPerSecond : 0;
  t.ok(found > 200 && found < 400, `300 packets a second pass, ${found} were found`);
});

t.test('a full table of flows is told from blocked ports', async (t) => {
  const flows = new Set<string>();
  const net = behind(({ localPort, peer }) => {
    const flow = `${localPort} ${peer.port}`;
    if (flows.has(flow)) return true;
    if (flows.size >= 100) return false;
    flows.add(flow);
    return true;
  });
  const { open, limit } = await sweep(net, ports(20_000, 300));
  t.equal(open.length, 100);
  t.equal(limit?.kind, 'flows');
});

t.test('bursts of loss that swallow new flows are no limit of flows', async (t) => {
  const usual = new Map<number, number>();
  let lost = 0;
  const net = behind(({ localPort, peer }) => {
    if (peer.port === 20_100) return false;
    usual.set(localPort, (usual.get(localPort) ?? 0) + 1);
    const isNew = usual.size > 1 && usual.get(localPort) === 1;
    // Known ports from new flows: each time they begin, twenty packets in a row are lost.
    if (isNew && lost % 20 === 0) lost += 1;
    else if (lost % 20 === 0) return true;
    else lost += 1;
    return false;
  });
  const { open, limit } = await sweep(net, ports(20_000, 300));
  t.ok(lost > 10, 'new flows have met a burst');
  t.equal(limit, null);
  t.equal(open.length, 299);
});

t.test('answers from elsewhere, echoes and late ones', async (t) => {
  const reflector = pureReflector();
  const late = fakeNet({
    maxPps: 5000,
    udp: ({ bytes, peer, localPort }) => {
      const from = { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port };
      const answer = reflector.datagram(bytes, from);
      if (!answer) return [];
      if (peer.port === 20_001) return [{ afterMs: 1, bytes }];
      return [{ afterMs: peer.port === 20_002 ? 350 : 5, bytes: answer }];
    },
  });
  const { observations, open } = await sweep(late, ports(20_000, 64));
  t.notOk(open.includes(20_001), 'our own packet come back is no answer');
  t.ok(open.includes(20_002), 'late is not lost');
  const echoed = observations.find(({ check }) => check.port === 20_001);
  t.same(Object.keys(echoed?.refused ?? {}), ['bad-proof']);
});

t.test('an interrupted sweep says what it knows', async (t) => {
  const controller = new AbortController();
  const net = behind(({ peer }) => peer.port % 2 === 0);
  // It waits 2 s for a round trip that nobody measures here before it begins.
  net.at(2150, () => controller.abort());
  const { observations, open } = await sweep(net, ports(20_000, 200), controller.signal);
  t.equal(observations.length, 200);
  t.ok(open.length > 50);
  t.ok(
    observations.filter(({ check }) => check.port % 2 === 1).every(({ notRun }) => notRun === 'interrupted'),
    'silence that was cut short is no silence',
  );
});

t.test('scouts leave no room for a wide hole, and are few', async (t) => {
  const ranges = fc.record({ from: fc.integer({ min: 1, max: 60_000 }), size: fc.integer({ min: 1, max: 60_000 }) });
  fc.assert(
    fc.property(ranges, fc.integer({ min: 1, max: 2 }), fc.integer(), ({ from, size }, step, seed) => {
      const range = { from, to: Math.min(65_535, from + size), step };
      const width = scoutSpacing([range]);
      const scouts = scoutPorts(range, width, seededRandom(seed));
      const gaps = [range.from - step, ...scouts, range.to + step].map((port, i, all) => port - (all[i - 1] ?? port));
      return scouts.length <= MAX_SCOUTS * 1.05 + 1 && Math.max(...gaps) <= width + step;
    }),
  );
  t.equal(
    scoutSpacing([
      { from: 16_384, to: 32_766, step: 2 },
      { from: 16_385, to: 32_767, step: 2 },
    ]),
    SURE_WIDTH,
  );
});

t.test('what a sample can have missed', async (t) => {
  const range = { from: 100, to: 199, step: 1 };
  t.same(coverageOf(range, [109, 119, 129, 139, 149, 159, 169, 179, 189, 199]), {
    sureWidth: 10,
    evenOddsWidth: 6,
    fivePercentWidth: 10,
  });
});

t.test('loss that follows rate, and loss that does not', async (t) => {
  t.equal(limitOfRate({ trials: 200, answers: 60, goodput: 51 }, { trials: 30, answers: 30 }), 51);
  t.equal(limitOfRate({ trials: 200, answers: 130, goodput: 130 }, { trials: 30, answers: 20 }), null);
  t.equal(limitOfRate({ trials: 200, answers: 130, goodput: 130 }, { trials: 30, answers: 0 }), null);
  t.equal(refusesNewFlows({ trials: 12, answers: 0 }, { trials: 50, answers: 50 }), true);
  t.equal(refusesNewFlows({ trials: 12, answers: 1 }, { trials: 50, answers: 50 }), false);
  t.equal(refusesNewFlows({ trials: 3, answers: 0 }, { trials: 50, answers: 10 }), false, 'chance explains it');
});
