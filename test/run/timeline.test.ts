/** Silence is evidence only at moments in which the address was alive; and a far end that has ended is told from a quiet one. */
import fc from 'fast-check';
import t from 'tap';
import { createTimeline } from '../../src/run/timeline.js';

const ADDRESS = '192.0.2.1';

t.test('deaf is who answered before, and nothing for long although much was expected', async (t) => {
  let now = 1000;
  const timeline = createTimeline(() => now);
  const after = (ms: number, questions: number): boolean => {
    now += ms;
    for (let count = 0; count < questions; count += 1) timeline.expected(ADDRESS);
    return timeline.isDeaf(ADDRESS);
  };
  t.equal(after(60_000, 100), false, 'who never answered has not ended');
  timeline.answered(ADDRESS, now);
  t.equal(after(4000, 100), false, 'a burst of loss');
  t.equal(after(2000, 0), true);
  t.equal(timeline.isDeaf('192.0.2.2'), false, 'each address for itself');
  timeline.answered(ADDRESS, now);
  t.equal(after(60_000, 5), false, 'where nothing is known to pass nothing can be missed');
  t.equal(after(1, 10), true);
});

t.test('an outage of seconds vouches for nothing', async (t) => {
  const timeline = createTimeline(() => 0);
  for (let at = 0; at <= 3000; at += 200) timeline.answered(ADDRESS, at);
  for (let at = 8000; at <= 9000; at += 200) timeline.answered(ADDRESS, at);
  t.same(timeline.spans(ADDRESS), [
    [0, 3000],
    [8000, 9000],
  ]);
  t.equal(timeline.isWitnessed(ADDRESS, 1500), true);
  t.equal(timeline.isWitnessed(ADDRESS, 3050), true, 'together with the last that was answered');
  t.equal(timeline.isWitnessed(ADDRESS, 3200), false);
  t.equal(timeline.isWitnessed(ADDRESS, 5000), false);
  t.equal(timeline.isWitnessed(ADDRESS, 7800), false);
  t.equal(timeline.isWitnessed('192.0.2.2', 1500), false);
  t.equal(timeline.witnessed(ADDRESS, [100, 4000, 6000, 8500]), 2);
});

t.test('answers may come in any order', async (t) => {
  const times = fc.uniqueArray(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(times, (all) => {
      const [shuffled, sorted] = [createTimeline(() => 0), createTimeline(() => 0)];
      for (const at of all) shuffled.answered(ADDRESS, at);
      for (const at of [...all].sort((a, b) => a - b)) sorted.answered(ADDRESS, at);
      t.same(shuffled.spans(ADDRESS), sorted.spans(ADDRESS));
    }),
    { numRuns: 300 },
  );
});
