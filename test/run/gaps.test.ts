/** A line that is away for a moment is told from one that loses packets: all that went out then was lost, in a row. */
import t from 'tap';
import { seededRandom } from '../../src/model/random.js';
import { gapsOf } from '../../src/run/gaps.js';
import { createTimeline } from '../../src/run/timeline.js';

/** Times of `count` packets, one each `everyMs`, split by what `isLost` says of each. */
const sent = (count: number, everyMs: number, isLost: (atMs: number) => boolean) => {
  const all = Array.from({ length: count }, (_, index) => index * everyMs);
  return { answered: all.filter((atMs) => !isLost(atMs)), lost: all.filter(isLost) };
};
const between = (from: number, to: number) => (atMs: number) => atMs >= from && atMs < to;
const found = ({ answered, lost }: ReturnType<typeof sent>) => gapsOf(answered, lost);

t.test('what is away', async (t) => {
  t.same(found(sent(1000, 5, between(2000, 2500))), [[1995, 2500]], 'half a second, a hundred packets');
  t.same(found(sent(1000, 5, (at) => between(1000, 1300)(at) || between(3000, 4000)(at))), [
    [995, 1300],
    [2995, 4000],
  ]);
  t.same(found(sent(1000, 5, () => false)), []);
  t.same(found(sent(1000, 5, between(2000, 2100))), [], 'a tenth of a second is a burst');
  t.same(found(sent(100, 200, between(2000, 2500))), [], 'two or three packets may be lost by chance');
  t.same(gapsOf([], [1, 2, 3]), [], 'nothing was ever answered');
  t.same(gapsOf([0, 10, 20], [30, 40, 50, 60, 1000]), [], 'what never ends is told elsewhere');
});

t.test('a line that goes away again and again loses in bursts', async (t) => {
  t.same(found(sent(2000, 5, (at) => at % 2000 < 300)), []);
});

t.test('independent losses make no gap', async (t) => {
  for (const loss of [0.01, 0.05, 0.2, 0.5]) {
    const random = seededRandom(Math.round(loss * 100));
    let gaps = 0;
    for (let run = 0; run < 100; run += 1) gaps += found(sent(1500, 2, () => random() < loss)).length;
    t.equal(gaps, 0, `${loss}`);
  }
});

t.test('nothing vouches for what went out then', async (t) => {
  const timeline = createTimeline(() => 0);
  const { answered, lost } = sent(1000, 5, between(2000, 2500));
  for (const atMs of answered) timeline.answered('192.0.2.1', atMs, 'udp');
  t.equal(timeline.witnessed('192.0.2.1', lost, 'udp'), lost.length, 'too short for its canaries');
  timeline.findGaps('192.0.2.1', lost);
  t.equal(timeline.witnessed('192.0.2.1', lost, 'udp'), 0);
  t.equal(
    timeline.witnessed('192.0.2.1', [...answered, 1990], 'udp'),
    answered.length + 1,
    'and all else is as it was',
  );
  t.same(timeline.silences('192.0.2.1', 300), [], 'no outage is told of half a second');
});
