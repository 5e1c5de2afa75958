/** Silence is evidence only at moments in which the address was alive; and a far end that has ended is told from a quiet one. */
import fc from 'fast-check';
import t from 'tap';
import type { Transport } from '../../src/model/kinds.js';
import { awayBeforeUdp, connectionsAway, createTimeline, type Timeline } from '../../src/run/timeline.js';

const ADDRESS = '192.0.2.1';
const isWitnessed = (timeline: Timeline, address: string, atMs: number, over: Transport): boolean =>
  timeline.witnessed(address, [atMs], over) === 1;

t.test('deaf is who answered before, and nothing for long although much was expected', async (t) => {
  let now = 1000;
  const timeline = createTimeline(() => now);
  const after = (ms: number, questions: number): boolean => {
    now += ms;
    for (let count = 0; count < questions; count += 1) timeline.expected(ADDRESS, 'udp');
    return timeline.isDeaf(ADDRESS, 'udp');
  };
  t.equal(after(60_000, 100), false, 'who never answered has not ended');
  timeline.answered(ADDRESS, now, 'udp');
  t.equal(after(4000, 100), false, 'a burst of loss');
  t.equal(after(7000, 0), true);
  t.equal(timeline.isDeaf('192.0.2.2', 'udp'), false, 'each address for itself');
  timeline.answered(ADDRESS, now, 'udp');
  t.equal(after(60_000, 5), false, 'where nothing is known to pass nothing can be missed');
  t.equal(after(1, 10), true);
});

t.test('an outage of seconds vouches for nothing', async (t) => {
  const timeline = createTimeline(() => 0);
  for (let at = 0; at <= 3000; at += 200) timeline.answered(ADDRESS, at, 'udp');
  for (let at = 8000; at <= 9000; at += 200) timeline.answered(ADDRESS, at, 'udp');
  t.same(timeline.spans(ADDRESS, 'udp'), [
    [-100, 3000],
    [8000, 9100],
  ]);
  t.equal(isWitnessed(timeline, ADDRESS, 1500, 'udp'), true);
  t.equal(isWitnessed(timeline, ADDRESS, -50, 'udp'), true, 'together with the first that was answered');
  t.equal(isWitnessed(timeline, ADDRESS, 3050, 'udp'), false, 'the line may have gone away by then');
  t.equal(isWitnessed(timeline, ADDRESS, 3200, 'udp'), false);
  t.equal(isWitnessed(timeline, ADDRESS, 5000, 'udp'), false);
  t.equal(isWitnessed(timeline, ADDRESS, 7800, 'udp'), false);
  t.equal(isWitnessed(timeline, '192.0.2.2', 1500, 'udp'), false);
  t.equal(timeline.witnessed(ADDRESS, [100, 4000, 6000, 8500], 'udp'), 2);
});

t.test('what was asked for longer before the first answer was not beside it', async (t) => {
  let now = 0;
  const timeline = createTimeline(() => now);
  timeline.opened(ADDRESS);
  now = 2950;
  timeline.answered(ADDRESS, 3000, 'udp');
  timeline.expected(ADDRESS, 'udp');
  t.equal(isWitnessed(timeline, ADDRESS, 2950, 'udp'), false);
  t.equal(isWitnessed(timeline, ADDRESS, 3000, 'udp'), true);
  const [away, ...others] = awayBeforeUdp(timeline, ADDRESS, [0, 500, 1000, 2000, 3100]);
  t.match(away, { fromMs: 0, toMs: 3000, what: 'everything', asked: 4 });
  t.same(others, []);
  t.same(awayBeforeUdp(timeline, ADDRESS, [2500, 3100]), [], 'a moment is a burst of loss');
  timeline.answered(ADDRESS, 1500, 'tcp');
  now = 1500;
  timeline.answered(ADDRESS, 1500, 'tls');
  t.match(awayBeforeUdp(timeline, ADDRESS, [0, 500]), [{ what: 'udp' }], 'answers came over a connection meanwhile');
});

t.test('a port that was shut by itself vouches for nothing until it passed', async (t) => {
  const timeline = createTimeline(() => 0);
  for (let at = 0; at <= 3000; at += 200) timeline.answered(ADDRESS, at, 'udp');
  timeline.shut(ADDRESS, [{ port: 16_384, fromMs: 100, toMs: 2000 }]);
  t.equal(timeline.witnessed(ADDRESS, [1000, 2500], 'udp', 16_384), 1);
  t.equal(timeline.witnessed(ADDRESS, [1000, 2500], 'udp', 16_386), 2);
  t.equal(timeline.witnessed(ADDRESS, [1000, 2500], 'udp'), 2);
  t.equal(timeline.unwitnessed(ADDRESS, [1000, 2500], 'tcp', 16_384), 0, 'of UDP only');
});

t.test('answers may come in any order', async (t) => {
  const times = fc.uniqueArray(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(times, (all) => {
      const [shuffled, sorted] = [createTimeline(() => 0), createTimeline(() => 0)];
      for (const at of all) shuffled.answered(ADDRESS, at, 'udp');
      for (const at of [...all].sort((a, b) => a - b)) sorted.answered(ADDRESS, at, 'udp');
      t.same(shuffled.spans(ADDRESS, 'udp'), sorted.spans(ADDRESS, 'udp'));
    }),
    { numRuns: 300 },
  );
});

t.test('UDP can be away while connections live', async (t) => {
  let now = 0;
  const timeline = createTimeline(() => now);
  timeline.answered(ADDRESS, 0, 'tcp');
  t.equal(isWitnessed(timeline, ADDRESS, 50, 'udp'), true, 'nothing was heard over UDP yet: any answer vouches');
  timeline.answered(ADDRESS, 100, 'udp');
  for (now = 200; now <= 5000; now += 200) {
    timeline.expected(ADDRESS, 'udp');
    timeline.answered(ADDRESS, now, 'tcp');
  }
  t.equal(isWitnessed(timeline, ADDRESS, 3000, 'udp'), false);
  t.equal(isWitnessed(timeline, ADDRESS, 3000, 'tcp'), true);
  t.match(timeline.silences(ADDRESS, 0), [{ fromMs: 100, toMs: null, what: 'udp', asked: 25 }]);
});

t.test(
  'what studies are the first to hear over UDP takes nothing back from what connections vouched for',
  async (t) => {
    let now = 0;
    const heard = (studiesBegin: boolean): Timeline => {
      now = 0;
      const timeline = createTimeline(() => now);
      for (let at = 0; at <= 5000; at += 500) timeline.answered(ADDRESS, at, 'tcp');
      if (studiesBegin) timeline.beginStudies();
      now = 6000;
      timeline.answered(ADDRESS, now, 'udp');
      timeline.expected(ADDRESS, 'udp');
      return timeline;
    };
    const asked = [1000, 2000, 3000];
    t.equal(heard(true).witnessed(ADDRESS, asked, 'udp'), 3, 'audio that was dropped stays dropped');
    t.equal(heard(false).witnessed(ADDRESS, asked, 'udp'), 0, 'before, UDP as a whole may have been away until then');

    const timeline = createTimeline(() => now);
    now = 0;
    timeline.answered(ADDRESS, 0, 'udp');
    timeline.expected(ADDRESS, 'udp');
    timeline.beginStudies();
    for (let at = 0; at <= 5000; at += 500) timeline.answered(ADDRESS, at, 'tcp');
    t.equal(timeline.witnessed(ADDRESS, asked, 'udp'), 0, 'where UDP had been heard it stays judged by itself');
  },
);

t.test('where nothing was heard of an address nothing is unwitnessed: all of its silence counts', async (t) => {
  const timeline = createTimeline(() => 0);
  t.equal(timeline.unwitnessed(ADDRESS, [100, 200], 'udp'), 0);
  timeline.answered(ADDRESS, 1000, 'udp');
  t.equal(timeline.unwitnessed(ADDRESS, [100, 1000], 'udp'), 1);
  t.equal(timeline.unwitnessed('192.0.2.2', [100, 1000], 'udp'), 0);
});

t.test(
  'connections were away until the first stood, although the system got each through by sending its SYN again',
  async (t) => {
    let now = 0;
    const timeline = createTimeline(() => now);
    for (let at = 0; at <= 6000; at += 200) timeline.answered(ADDRESS, at, 'udp');
    t.same(connectionsAway(timeline, ADDRESS, []), [], 'nothing came over a connection');
    now = 4300;
    timeline.answered(ADDRESS, now, 'tcp');
    t.same(connectionsAway(timeline, ADDRESS, []), [], 'nothing was lost');
    for (const at of [100, 600, 1200, 2100]) timeline.openedLate(ADDRESS, at);
    t.match(connectionsAway(timeline, ADDRESS, [700]), [{ fromMs: 100, toMs: 4300, what: 'tcp', asked: 5 }]);
    timeline.openedLate(ADDRESS, 5000);
    t.match(connectionsAway(timeline, ADDRESS, []), [{ asked: 4 }], 'nothing came after that one yet');
    now = 6000;
    timeline.answered(ADDRESS, now, 'tcp');
    t.match(connectionsAway(timeline, ADDRESS, [4400, 5200]), [{ asked: 4 }, { fromMs: 4400, toMs: 6000, asked: 3 }]);
  },
);

t.test('a silence that late answers or this host explain is none', async (t) => {
  /** Answered until 2 s and from `toMs` on; asked in vain between at these times, at these ports in turn. */
  const away = (toMs: number, askedAtMs: readonly number[], ports: readonly number[] = [3478, 16_384]): Timeline => {
    let now = 0;
    const timeline = createTimeline(() => now);
    for (let at = 0; at <= 2000; at += 200) timeline.answered(ADDRESS, at, 'udp');
    askedAtMs.forEach((at, index) => {
      now = at;
      timeline.expected(ADDRESS, 'udp', ports[index % ports.length]);
    });
    now = 6000;
    for (let at = toMs; at <= 6000; at += 200) timeline.answered(ADDRESS, at, 'udp');
    return timeline;
  };
  const steady = [2200, 2400, 2600, 2800, 3000, 3200];
  const span = { fromMs: 2000, toMs: 3300 };
  t.match(away(3300, steady).silences(ADDRESS, 0, 20), [{ ...span, places: 2 }]);
  t.same(away(3300, steady).silences(ADDRESS, 0, 1500), [], 'shorter than a round trip takes');
  t.same(away(3300, [2200, 3200]).silences(ADDRESS, 0, 20), [], 'it asked nothing for a second of it');
  t.match(away(3300, steady, [16_384]).silences(ADDRESS, 0, 20), [{ ...span, places: 1 }], 'of one port alone');
  t.match(away(2800, [2200, 2400, 2600]).pauses(ADDRESS, 20), [{ fromMs: 2000, toMs: 2800, asked: 3 }]);
  t.same(away(2800, [2200, 2400, 2600]).silences(ADDRESS, 0, 20), [], 'too short to be told by itself');
  t.same(away(2800, [2400]).pauses(ADDRESS, 20), [], 'one lost question');
});
