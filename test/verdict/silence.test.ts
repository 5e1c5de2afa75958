/** The loss bounds against an independent calculation, and how much silence proves. */
import fc from 'fast-check';
import t from 'tap';
import type { LossSample } from '../../src/model/observation.js';
import { createPath } from '../../src/run/path.js';
import {
  doubtOfSilence,
  lossLowerBound,
  lossUpperBound,
  MIN_TRIALS,
  packetsNeeded,
  RANGE_PORT_DOUBT,
  SINGLE_CHECK_DOUBT,
} from '../../src/verdict/silence.js';

/**
 * The distribution of losses, one trial after the other: slow, and built on nothing but "each packet is lost with
 * probability p".
 */
const distribution = (trials: number, p: number): readonly number[] => {
  let chances = [1];
  for (let trial = 0; trial < trials; trial += 1) {
    chances = Array.from(
      { length: chances.length + 1 },
      (_, lost) => (chances[lost] ?? 0) * (1 - p) + (chances[lost - 1] ?? 0) * p,
    );
  }
  return chances;
};

const atMost = (lost: number, trials: number, p: number): number =>
  distribution(trials, p)
    .slice(0, lost + 1)
    .reduce((sum, chance) => sum + chance, 0);

/** The p at which a falling function of p crosses `level`. */
const crossing = (falling: (p: number) => number, level: number): number => {
  let low = 0;
  let high = 1;
  for (let step = 0; step < 40; step += 1) {
    const middle = (low + high) / 2;
    if (falling(middle) > level) low = middle;
    else high = middle;
  }
  return low;
};

const slowUpper = (lost: number, trials: number): number => crossing((p) => atMost(lost, trials, p), 0.05);
const slowLower = (lost: number, trials: number): number => crossing((p) => atMost(lost - 1, trials, p), 0.99);

const near = (a: number | null, b: number, within = 1e-9): boolean => a !== null && Math.abs(a - b) <= within;
const sample = (lost: number, trials: number): LossSample => ({ trials, answers: trials - lost });

t.test('the bounds agree with a slow calculation', async (t) => {
  for (const [lost, trials] of [
    [0, 3],
    [1, 3],
    [2, 3],
    [1, 7],
    [1, 8],
    [5, 9],
    [1, 20],
    [19, 20],
    [3, 36],
    [30, 60],
    [7, 120],
    [40, 150],
  ] as const) {
    t.ok(near(lossUpperBound(sample(lost, trials)), slowUpper(lost, trials)), `at most, ${lost} of ${trials}`);
    const lower = lost === 0 ? 0 : slowLower(lost, trials);
    t.ok(near(lossLowerBound(sample(lost, trials)), lower), `at least, ${lost} of ${trials}`);
  }
});

t.test('the bounds are those of Clopper and Pearson, as tables give them', async (t) => {
  t.ok(near(lossUpperBound(sample(0, 20)), 1 - 0.05 ** (1 / 20)), 'none of 20: closed form');
  t.ok(near(lossUpperBound(sample(0, 20)), 0.1391, 5e-5));
  t.ok(near(lossUpperBound(sample(1, 20)), 0.2161, 5e-5));
  t.ok(near(lossUpperBound(sample(1, 10)), 0.3942, 5e-5));
  t.ok(near(lossUpperBound(sample(5, 10)), 0.7776, 5e-5));
  t.ok(near(lossLowerBound(sample(5, 5)), 0.01 ** (1 / 5)), 'all of five: closed form');
  t.ok(near(lossLowerBound(sample(1, 100)), 1 - 0.99 ** (1 / 100)), 'one of a hundred: closed form');
  t.ok(near(lossLowerBound(sample(5, 10), 0.95), 0.2224, 5e-5));
  t.ok(near(lossUpperBound(sample(0, 65_536)), 1 - 0.05 ** (1 / 65_536)), 'as many trials as there are ports');
});

t.test('too little is no evidence', async (t) => {
  t.equal(lossUpperBound({ trials: 0, answers: 0 }), null);
  t.equal(lossUpperBound({ trials: MIN_TRIALS - 1, answers: MIN_TRIALS - 1 }), null);
  t.equal(lossUpperBound({ trials: 100, answers: 0 }), null, 'where nothing answers, nothing bounds the loss');
  t.equal(lossLowerBound({ trials: 0, answers: 0 }), 0);
  t.equal(lossLowerBound({ trials: 9, answers: 9 }), 0);
  t.equal(doubtOfSilence(1000, null), 1);
  t.equal(packetsNeeded(null, SINGLE_CHECK_DOUBT), Number.POSITIVE_INFINITY);
  t.equal(packetsNeeded(1, SINGLE_CHECK_DOUBT), Number.POSITIVE_INFINITY);
  t.equal(packetsNeeded(0, SINGLE_CHECK_DOUBT), 1);
});

const anySample = fc
  .tuple(fc.integer({ min: MIN_TRIALS, max: 400 }), fc.nat(399))
  .map(([trials, lost]): [number, number] => [Math.min(lost, trials - 1), trials]);

t.test('how the bounds move', async (t) => {
  const upper = (lost: number, trials: number): number => lossUpperBound(sample(lost, trials)) ?? Number.NaN;
  const lower = (lost: number, trials: number): number => lossLowerBound(sample(lost, trials));
  const moves = fc.property(anySample, ([lost, trials]) => {
    const mean = lost / trials;
    const holds =
      lower(lost, trials) <= mean &&
      mean <= upper(lost, trials) &&
      upper(lost, trials) <= 1 &&
      lower(lost, trials) >= 0 &&
      // One more answer can only lower what the path may lose, one more loss only raise it.
      upper(lost, trials + 1) <= upper(lost, trials) &&
      upper(lost + 1, trials + 1) >= upper(lost, trials) &&
      lower(lost, trials + 1) <= lower(lost, trials) &&
      lower(lost + 1, trials + 1) >= lower(lost, trials);
    return holds;
  });
  t.doesNotThrow(() => fc.assert(moves, { numRuns: 150 }));
});

t.test('the packets that are needed are enough, and not one too many', async (t) => {
  const exact = (bound: number, doubt: number): boolean => {
    const needed = packetsNeeded(bound, doubt);
    return doubtOfSilence(needed, bound) <= doubt && (needed === 1 || doubtOfSilence(needed - 1, bound) > doubt);
  };
  const doubts = [SINGLE_CHECK_DOUBT, RANGE_PORT_DOUBT];
  // Every hundredth, among them 0.1, whose third power is a rounding above a thousandth.
  const failing = Array.from({ length: 99 }, (_, index) => (index + 1) / 100).flatMap((bound) =>
    doubts.filter((doubt) => !exact(bound, doubt)).map((doubt) => `${bound} at ${doubt}`),
  );
  t.strictSame(failing, []);
  t.equal(packetsNeeded(0.3, SINGLE_CHECK_DOUBT), 6);
  t.equal(packetsNeeded(0.3, RANGE_PORT_DOUBT), 8);
  t.equal(packetsNeeded(0.5, 1 / 1024), 10, 'a power of two hits the boundary exactly');
  const any = fc.property(
    fc.double({ min: 1e-6, max: 0.999, noNaN: true }),
    fc.double({ min: 1e-9, max: 0.5, noNaN: true }),
    exact,
  );
  t.doesNotThrow(() => fc.assert(any, { numRuns: 2000 }));
});

t.test('what a run has learnt about its path', async (t) => {
  const path = createPath();
  t.equal(path.upperBound(), null);
  path.open('192.0.2.1', 'udp')(20, 0);
  t.equal(path.upperBound(), null, 'a silent check says nothing about loss: it may be blocked');
  const account = path.open('192.0.2.1', 'udp');
  account(1, 1);
  account(3, 3);
  t.strictSame(
    path.sample(),
    { trials: 3, answers: 3 },
    'a later report of the same check takes the place of the first',
  );
  path.open('192.0.2.1', 'udp')(4, 3);
  t.strictSame(path.sample(), { trials: 7, answers: 6 });
  t.ok(near(path.upperBound(), slowUpper(1, 7)));

  t.equal(path.lateMs('udp'), 1000, 'nothing is known about round trips');
  for (let index = 0; index < 10; index += 1) path.reportRtt(20, 'udp');
  t.equal(path.lateMs('udp'), 300, 'however short the round trips, a busy host may take this long');
  path.reportRtt(150, 'udp');
  t.equal(path.lateMs('udp'), 600);
  path.reportRtt(900, 'udp');
  t.equal(path.lateMs('udp'), 1800, 'a long way varies by less than itself');
});

t.test('a sweep of all media ports does not stop to calculate', async (t) => {
  const PORTS = 16_384;
  const path = createPath();
  const started = performance.now();
  for (let port = 0; port < PORTS; port += 1) {
    // One in twenty is answered at the second attempt; each silent neighbour asks what that means.
    path.open('192.0.2.1', 'udp')(port % 20 === 0 ? 2 : 1, 1);
    path.upperBound();
  }
  const took = performance.now() - started;
  t.ok(took < 5000, `took ${Math.round(took)} ms`);
  const lost = Math.ceil(PORTS / 20);
  t.strictSame(path.sample(), { trials: PORTS + lost, answers: PORTS });
  const exact = lossUpperBound({ trials: PORTS + lost, answers: PORTS }) ?? Number.NaN;
  t.ok(near(path.upperBound(), exact, exact / 50), 'and what it goes by is not out of date');
});

t.test('what a connection sends again makes no way longer over UDP', async (t) => {
  const path = createPath();
  path.reportRtt(2500, 'tcp');
  t.equal(path.longestRttMs('udp'), 2500, 'as long as nothing else is known');
  path.reportRtt(40, 'udp');
  t.equal(path.longestRttMs('udp'), 40);
  t.equal(path.lateMs('udp'), 1000);
  t.equal(path.longestRttMs('tls'), 2500, 'connections are waited for as they are');
  path.reportRtt(3000, 'udp');
  t.equal(path.longestRttMs('tcp'), 3000, 'nor are they quicker than packets');
});
