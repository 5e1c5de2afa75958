/** A far end that is away again and again: what counts, what explains it, and what a guard that counts flows looks like. */
import t from 'tap';
import { type FarEndFacts, type Silence, unknownFarEnd } from '../../src/model/far-end.js';
import { isGuard, recurrenceFor, recurrenceOf } from '../../src/verdict/away.js';
import { classify } from '../../src/verdict/classify.js';
import { farEndStates } from '../../src/verdict/far-end.js';
import { ADDRESS, check, circumstances, observed, proven, reflector } from './support/facts.js';

const pause = (fromMs: number, ms: number, fields: Partial<Silence> = {}): Silence => ({
  ...{ fromMs, toMs: fromMs + ms, what: 'udp', asked: 6, places: 2, flows: 50, recentFlows: 0 },
  ...fields,
});
const flaps = (fields: Partial<Silence> = {}): readonly Silence[] =>
  [1000, 5000, 9000, 13_000].map((fromMs) => pause(fromMs, 1300, fields));
const of = (pauses: readonly Silence[], fields: Partial<FarEndFacts> = {}): FarEndFacts => ({
  ...{ ...unknownFarEnd(ADDRESS), pauses, aliveOverUdp: [[0, 20_000]], alive: [[0, 20_000]] },
  ...fields,
});
const flows = {
  ...{ asked: 12, dead: 0, packetsOfDead: 0, firstLost: 0, firstPackets: 0, firstHeld: 0 },
  ...{ packetsOfLiving: 48, lostOfLiving: 0 },
};

const cases: Record<string, readonly [facts: FarEndFacts, loss: number | null, share: number | null]> = {
  'away for a quarter of the time': [of(flaps()), 0.01, 0.26],
  'half of all slots of 0.7 s': [
    of([0, 2, 4, 6, 8, 10, 12].map((slot) => pause(slot * 1400, 750, { asked: 4 }))),
    0.04,
    0.2625,
  ],
  'away twice is an outage each time': [of(flaps().slice(0, 2)), 0.01, null],
  'three times for a moment in a long run': [of(flaps().slice(1), { aliveOverUdp: [[0, 200_000]] }), 0.01, null],
  'one port alone': [of(flaps({ places: 1 })), 0.01, null],
  'a path whose loss explains it': [of(flaps({ asked: 3 })), 0.3, null],
  'bursts of a path that loses': [of(flaps({ asked: 30 })), 0.1, null],
  'flows that die': [of(flaps(), { flows: { ...flows, dead: 5, packetsOfDead: 10 } }), 0.01, null],
  'flows whose first packet is held': [of(flaps(), { flows: { ...flows, firstHeld: 12 } }), 0.01, null],
  'a limit of packets': [of(flaps(), { limit: { kind: 'rate', packetsPerSecond: 20 } }), 0.01, null],
};

for (const [about, [facts, loss, share]] of Object.entries(cases)) {
  t.test(about, async (t) => {
    t.equal(recurrenceOf(facts, loss)?.share ?? null, share);
  });
}

t.test('a guard counts flows; a line that comes and goes knows nothing of them', async (t) => {
  const at = (begun: readonly number[], flowsUntil: readonly number[]): readonly Silence[] =>
    begun.map((fromMs, index) => pause(fromMs, 1300, { flows: flowsUntil[index] ?? 0 }));
  const [regular, irregular] = [
    [1000, 5000, 9000, 13_000],
    [1000, 3000, 9000, 12_000],
  ];
  t.equal(isGuard(at(irregular, [30, 70, 112, 150])), true);
  t.equal(isGuard(at(regular, [30, 70, 112, 150])), false, 'at regular times it may be a clock');
  t.equal(isGuard(at(irregular, [30, 200, 205, 206])), false);
  t.equal(isGuard(at(irregular, [30, 31, 32, 33])), false, 'hardly any flows');
  t.equal(isGuard(at(irregular.slice(1), [70, 112, 150])), false, 'three times');
});

t.test(
  'a far end that is away again and again is known for it, and what a guard does to this run is not',
  async (t) => {
    const own = [observed(check('stun-binding/udp/3478'), [proven()])];
    const stateWith = (facts: FarEndFacts) => farEndStates(own, [facts], 0.01).get(ADDRESS);
    t.match(stateWith(of(flaps()))?.recurrence, { count: 4, isOfAll: false });
    t.match(stateWith(of(flaps({ what: 'everything' })))?.recurrence, { isOfAll: true });
    const guard = [1000, 3000, 9000, 12_000].map((fromMs, index) => pause(fromMs, 1300, { flows: 30 + 40 * index }));
    t.equal(stateWith(of(guard, { silences: guard }))?.recurrence, null);
  },
);

t.test('what passes at a far end that is away again and again is degraded', async (t) => {
  const verdictOf = (name: string, isOfAll: boolean): string => {
    const of = check(name);
    const recurrence = {
      count: 4,
      usualMs: 1300,
      share: 0.26,
      fromMs: 1000,
      toMs: 14_300,
      isOfAll,
      by: 'line',
    } as const;
    const answers = [1, 2, 3].map(() => proven({}, { arrivalPort: of.port }));
    const { verdict, reason } = classify(observed(of, answers), reflector({ recurrence }), circumstances());
    return `${verdict}/${reason}`;
  };
  t.equal(verdictOf('stun-binding/udp/3478', false), 'degraded/loss');
  t.equal(verdictOf('sip-options/tcp/5060', false), 'pass/answered', 'UDP alone was away, as far as is known');
  t.equal(verdictOf('sip-options/tcp/5060', true), 'degraded/loss');
});

t.test('silent for eight seconds each time, out of any rhythm: a guard may do that, and a line', async (t) => {
  const at = (pauses: readonly Silence[]) =>
    recurrenceOf(of(pauses, { silences: pauses, aliveOverUdp: [[0, 60_000]] }), 0.01);
  const bans = [10_700, 18_900, 27_400, 35_500].map((fromMs, index) => pause(fromMs, 8000 + 30 * index, { asked: 40 }));
  t.equal(at(bans)?.by, null);
  const [first, ...others] = bans;
  const noticedLate = first ? [{ ...first, toMs: 19_900 }, ...others] : [];
  t.equal(at(noticedLate)?.by, null, 'the end of one was noticed late');
  const shorter = bans.map((one, index) => ({ ...one, toMs: one.fromMs + 4000 + 1500 * index }));
  t.equal(at(shorter)?.by, 'line', 'for another time each time');
  const rhythm = [5000, 20_100, 35_000, 50_050].map((fromMs) => pause(fromMs, 5000, { asked: 40 }));
  t.equal(at(rhythm)?.by, 'line', 'by the clock');
  t.equal(at(rhythm.slice(1))?.by, null, 'two of the same length between three show no rhythm');
  const short = [1000, 3700, 9000, 11_900, 19_000, 22_000].map((fromMs) => pause(fromMs, 2500, { asked: 12 }));
  t.equal(at(short)?.by, null, 'six alike are no chance, however short');
  t.equal(at(short.slice(0, 4))?.by, 'line');
  const between = [0, 5040, 10_080, 15_120].map((fromMs) => pause(fromMs, 5000, { asked: 40 }));
  t.equal(at(between)?.by, null, 'no line comes back for a moment only');
  const one = check('sip-options/udp/5060');
  const answers = [1, 2, 3].map(() => proven({}, { arrivalPort: 5060 }));
  const said = classify(observed(one, answers), reflector({ recurrence: at(bans) }), circumstances());
  t.match(said, { verdict: 'unknown', reason: 'cut-off' });
});

t.test('a line on which UDP alone goes away says nothing of ranges over TCP', async (t) => {
  const overUdp = {
    count: 4,
    usualMs: 1300,
    share: 0.26,
    fromMs: 1000,
    toMs: 14_300,
    isOfAll: false,
    by: 'line',
  } as const;
  t.same([recurrenceFor(overUdp, true), recurrenceFor(overUdp, false)], [overUdp, null]);
  const ofAll = { ...overUdp, isOfAll: true };
  t.same([recurrenceFor(ofAll, false), recurrenceFor(null, true), recurrenceFor(undefined, true)], [ofAll, null, null]);
});
