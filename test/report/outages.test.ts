/** Which silences are told as outages, and how. */
import t from 'tap';
import { type FarEndFacts, type Silence, unknownFarEnd } from '../../src/model/far-end.js';
import { outagesOf } from '../../src/report/outages.js';
import { recurrenceOf } from '../../src/verdict/away.js';
import { outageInWords, outageNotes, recurrenceNote, restartedNote } from '../../src/words/outages.js';

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

const away = (silences: readonly Silence[]): Partial<FarEndFacts> => ({
  pauses: silences.map((one) => ({ ...one, places: 2 })),
  aliveOverUdp: [[BEGUN_AT_MS, BEGUN_AT_MS + 24_000]],
});

t.test('a line that comes and goes is told with every time that it was away, and accuses no guard', async (t) => {
  const flaps = [1000, 5000, 9000, 13_000].map((atMs) => silence(atMs, atMs + 1300, { flows: 50 }));
  t.equal(told(flaps, 0.01, away(flaps)).length, 4);
  const recurrence = recurrenceOf({ ...unknownFarEnd('A'), ...away(flaps) }, 0.01);
  t.match(recurrence, { count: 4, usualMs: 1300, by: 'line' });
  if (!recurrence) return;
  const note = recurrenceNote({ address: 'A' }, recurrence, BEGUN_AT_MS);
  t.match(
    note,
    /4 times between 1\.0 s and 14\.3 s into the run nothing came from A for about 1\.3 s, 22 % of the time/,
  );
  t.match(note, /Either the line goes away again and again.*or flood or scan protection/);
});

t.test(
  'a guard that counts flows is one thing, and a far end that was restarted is no line that was away',
  async (t) => {
    const begun = [2000, 4000, 9000, 12_000, 20_000];
    const bans = begun.map((atMs, index) => silence(atMs, atMs + 1500, { flows: 30 + 40 * index }));
    t.same(told(bans, 0.01, away(bans)), []);
    const recurrence = { count: 5, usualMs: 1500, share: 0.3, fromMs: 102_000, toMs: 121_500, by: 'guard' } as const;
    const note = recurrenceNote({ address: 'A' }, recurrence, BEGUN_AT_MS);
    t.match(note, /about the same number of new flows: flood or scan protection blocks this host/);
    t.same(told([silence(2000, 6000)], 0.01, { isForgetful: true }), []);
    const restarted = restartedNote({ address: 'A', silences: [silence(2000, 6000)] }, BEGUN_AT_MS);
    t.match(restarted, /restarted during the run.*from 2\.0 s to 6\.0 s into the run\) shows no fault of the line/);
  },
);

t.test('one port that is silent for a second is no line that was away', async (t) => {
  t.same(told([silence(2000, 3200, { places: 1 })], 0.01), []);
  t.equal(told([silence(2000, 3200, { places: 2 })], 0.01).length, 1);
});

t.test('the note says what an outage means, and what it does not', async (t) => {
  const note = (what: Silence['what'], toMs: number | null): string =>
    outageNotes([{ fromMs: 2000, toMs, what, direction: null }]).join('\n');
  t.same(outageNotes([]), []);
  t.match(note('everything', 5000), /no evidence against any port; these checks were repeated\. A call at that time/);
  t.match(note('everything', null), /no evidence against any port; run again once the line is back\./);
  t.match(note('tcp', 5000), /Phones that use TCP or TLS could not call.*audio passed/);
});
