/** Why nothing came any more at the end of a run: the line, or a guard that this run set off. */
import t from 'tap';
import { type Silence, unknownFarEnd } from '../../src/model/far-end.js';
import { endOf } from '../../src/verdict/far-end.js';

const silence = (fromMs: number, toMs: number | null, recentFlows = 2): Silence => ({
  ...{ fromMs, toMs, recentFlows },
  what: 'everything',
  asked: 20,
  flows: 50,
});

const cases: Record<string, readonly [isGone: boolean, silences: readonly Silence[], end: ReturnType<typeof endOf>]> = {
  'a line that never was away': [false, [], null],
  'a line that came back': [false, [silence(1000, 4000)], null],
  'a line that was away when the run ended': [false, [silence(1000, null)], 'outage'],
  'a far end that is gone': [true, [], 'outage'],
  'an end after a burst of new flows': [false, [silence(1000, null, 15)], 'cut-off'],
  'an end after two silences of eight seconds': [
    false,
    [silence(0, 8080), silence(10_000, 18_010), silence(18_500, null)],
    'cut-off',
  ],
  'an end after two silences of different lengths': [
    false,
    [silence(0, 8080), silence(10_000, 14_010), silence(18_500, null)],
    'outage',
  ],
  'two silences of eight seconds, and then answers': [false, [silence(0, 8080), silence(10_000, 18_010)], null],
};

t.test('a far end that refuses has ended, however many flows were opened before', async (t) => {
  const silences = [silence(1000, null, 40)];
  t.equal(endOf({ ...unknownFarEnd('198.51.100.10'), isGone: true, isRefusing: true, silences }), 'outage');
  t.equal(endOf({ ...unknownFarEnd('198.51.100.10'), isGone: true, silences }), 'cut-off');
});

for (const [about, [isGone, silences, end]] of Object.entries(cases)) {
  t.test(about, async (t) => {
    t.equal(endOf({ ...unknownFarEnd('198.51.100.10'), isGone, silences }), end);
  });
}
