/** Which silences are told as outages, and how. */
import t from 'tap';
import { type FarEndFacts, type Silence, unknownFarEnd } from '../../src/model/far-end.js';
import { outagesOf } from '../../src/report/outages.js';
import { bansOf } from '../../src/verdict/far-end.js';
import { bansNote, outageInWords, outageNotes, restartedNote } from '../../src/words/outages.js';

const BEGUN_AT_MS = 100_000;

/** In vain asked at the rate of the canary. */
const silence = (fromMs: number, toMs: number | null, fields: Partial<Silence> = {}): Silence => ({
  fromMs: BEGUN_AT_MS + fromMs,
  toMs: toMs === null ? null : BEGUN_AT_MS + toMs,
  what: 'everything',
  asked: Math.round(((toMs ?? fromMs + 4000) - fromMs) / 200),
  flows: 3,
  recentFlows: 1,
  ...fields,
});

const told = (silences: readonly Silence[], lossUpperBound: number | null, fields: Partial<FarEndFacts> = {}) =>
  outagesOf(
    { farEnds: [{ ...unknownFarEnd('198.51.100.10'), silences, ...fields }], begunAtMs: BEGUN_AT_MS },
    lossUpperBound,
  ).map(outageInWords);

t.test('an outage is what loss does not explain', async (t) => {
  t.same(told([silence(2000, 6000)], 0.02), ['from 2.0 s to 6.0 s into the run nothing passed (4.0 s)']);
  t.same(told([silence(2000, 6000)], 0.6), [], 'twenty in vain are chance where more than half is lost');
  t.same(told([silence(2000, 3500)], 0.1), [], 'a burst of loss on a path that loses');
  t.same(told([silence(2000, 3500)], 0.01).length, 1, 'on one that does not, so short a silence is an outage');
  t.same(told([silence(2000, 6000, { asked: 0 })], 0.01), [], 'nobody asked');
});

t.test('of what there was none', async (t) => {
  t.match(told([silence(0, 3000, { what: 'udp' })], 0.01), [/nothing over UDP passed/]);
  t.match(told([silence(0, 3000, { what: 'tcp' })], 0.01), [/nothing over TCP passed/]);
  t.match(told([silence(2000, null)], 0.01), [/from 2\.0 s into the run until its end nothing passed/]);
});

t.test('what a guard began to drop is no outage, and where flows die a short silence is theirs', async (t) => {
  t.same(told([silence(2000, null, { recentFlows: 40 })], 0.01), []);
  const flows = {
    asked: 12,
    dead: 6,
    packetsOfDead: 10,
    firstLost: 0,
    firstPackets: 0,
    firstHeld: 0,
    packetsOfLiving: 24,
    lostOfLiving: 0,
  };
  t.same(told([silence(2000, 6000)], 0.01, { flows }), []);
  t.equal(told([silence(2000, 8000)], 0.01, { flows }).length, 1);
});

t.test(
  'a guard that bans again and again is one thing, and a far end that was restarted is no line that was away',
  async (t) => {
    const bans = [2000, 6000, 10_000, 14_000, 18_000].map((atMs, index) => silence(atMs, atMs + 1500 + 50 * index));
    t.same(told(bans, 0.01), []);
    t.match(bansOf({ silences: bans }), { count: 5, usualMs: 1600 });
    const note = bansNote({ address: 'A' }, { count: 5, usualMs: 1600, fromMs: 102_000, toMs: 119_700 }, BEGUN_AT_MS);
    t.match(note, /5 times between 2\.0 s and 19\.7 s into the run nothing came from A for about 1\.6 s/);
    const flapping = [1200, 3000, 5200, 1800, 9000].map((ms, index) => silence(index * 10_000, index * 10_000 + ms));
    t.equal(bansOf({ silences: flapping }), null, 'a line that flaps is away now longer and now shorter');
    t.equal(told(flapping, 0.01).length, 5);
    t.same(told([silence(2000, 6000)], 0.01, { isForgetful: true }), []);
    const restarted = restartedNote({ address: 'A', silences: [silence(2000, 6000)] }, BEGUN_AT_MS);
    t.match(restarted, /restarted during the run.*from 2\.0 s to 6\.0 s into the run\) shows no fault of the line/);
  },
);

t.test('the note says what an outage means, and what it does not', async (t) => {
  const note = (what: Silence['what'], toMs: number | null): string =>
    outageNotes([{ fromMs: 2000, toMs, what, direction: null }]).join('\n');
  t.same(outageNotes([]), []);
  t.match(note('everything', 5000), /no evidence against any port; these checks were repeated\. A call at that time/);
  t.match(note('everything', null), /no evidence against any port; run again once the line is back\./);
  t.match(note('tcp', 5000), /Phones that use TCP or TLS could not call.*audio passed/);
});
