/** The line is watched over what is known to pass: how often, over which flow, and what is noticed when it goes away. */
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { either } from '../../src/run/either.js';
import { watchLine } from '../../src/run/phases/watch-line.js';
import { pureReflector } from '../support/pure-reflector.js';
import { ADDRESS, check, observed, proven } from '../verdict/support/facts.js';
import { fakeNet, LOCAL_ADDRESS, type SentPacket } from './support/fake-net.js';
import { stateWith } from './support/state.js';

const STUN = check('stun-binding/udp/3478');
const ECHO = check('rtp-echo/udp/16384');

interface Watched {
  readonly sent: readonly SentPacket[];
  readonly silences: readonly { readonly fromMs: number; readonly toMs: number | null; readonly what: string }[];
  readonly openSockets: number;
}

/** Watches for so long a far end of which these ways are known, where what `isLost` says is lost. */
const watched = async (
  forMs: number,
  isLost: (packet: SentPacket) => boolean = () => false,
  ways = [STUN],
): Promise<Watched> => {
  const farEnd = pureReflector();
  const net = fakeNet({
    udp: (packet) => {
      const { bytes, localPort, peer } = packet;
      const answer = farEnd.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return answer && !isLost(packet) ? [{ afterMs: 10, bytes: answer }] : [];
    },
  });
  const state = await stateWith(
    net,
    ways.map((way) => observed(way, [proven({}, { arrivalPort: way.port })])),
  );
  for (const way of ways) state.farEnds.passedOverUdp(way);
  const done = new AbortController();
  net.at(forMs, () => done.abort(new Error('done')));
  await net.run(watchLine(state, done.signal));
  state.close();
  return { sent: net.sent, silences: state.tools.timeline.silences(ADDRESS, 300), openSockets: net.openSockets() };
};

const within = (sent: readonly SentPacket[], fromMs: number, toMs: number): readonly SentPacket[] =>
  sent.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);

t.test('a line that is well: five questions a second over one flow, and nothing to tell', async (t) => {
  const { sent, silences, openSockets } = await watched(2000);
  t.equal(sent.length, 10);
  t.equal(new Set(sent.map(({ localPort }) => localPort)).size, 1);
  t.same(silences, []);
  t.equal(openSockets, 0, 'and nothing is left open');
});

t.test('a line that is away from 1 s to 3 s', async (t) => {
  const { silences } = await watched(5000, ({ atMs }) => atMs >= 1000 && atMs < 3000);
  t.match(silences, [{ fromMs: 800, toMs: 3000, what: 'udp' }], 'over connections nothing was asked');
});

t.test('a line that goes away for good', async (t) => {
  const { silences } = await watched(5000, ({ atMs }) => atMs >= 1000);
  t.match(silences, [{ fromMs: 800, toMs: null }]);
});

t.test('a flow that dies alone is replaced before anything is missed', async (t) => {
  const { sent, silences } = await watched(6000, ({ localPort, atMs }) => localPort === 40_000 && atMs >= 1000);
  t.same(
    silences.filter(({ fromMs, toMs }) => toMs === null || toMs - fromMs > 2000),
    [],
  );
  t.equal(sent.at(-1)?.localPort, 40_001);
});

t.test('a second way takes its turn where the first stays silent', async (t) => {
  const { sent } = await watched(6000, ({ peer }) => peer.port === ECHO.port, [STUN, ECHO]);
  t.equal(sent[0]?.peer.port, ECHO.port, 'what servers keep no state of comes first');
  t.equal(sent.at(-1)?.peer.port, STUN.port);
});

t.test('after two minutes one question a second is enough', async (t) => {
  const { sent } = await watched(130_000);
  t.equal(within(sent, 10_000, 20_000).length, 50);
  t.equal(within(sent, 122_000, 128_000).length, 6);
});

t.test('as many questions as are in flight may wait for the end', async (t) => {
  const [run, watch] = [new AbortController(), new AbortController()];
  const warnings: string[] = [];
  const warned = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', warned);
  const signal = either(run.signal, watch.signal);
  let heard = 0;
  for (let count = 0; count < 20; count += 1) signal.addEventListener('abort', () => (heard += 1));
  await setImmediate();
  process.off('warning', warned);
  t.same(warnings, [], 'Node takes more than ten for a leak, and writes so to stderr');
  watch.abort(new Error('done'));
  t.equal(heard, 20);
  t.match(signal.reason, { message: 'done' });
});
