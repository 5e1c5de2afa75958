/** When runs happen: over restarts, sleeps and set clocks, within the budget, and never all agents at once. */
import fc from 'fast-check';
import t from 'tap';
import { createMissedRuns } from '../../src/agent/missed.js';
import { createBudget } from '../../src/agent/schedule/budget.js';
import { clockEvents } from '../../src/agent/schedule/clock.js';
import {
  catchUpAt,
  countDue,
  cronMistake,
  nextDue,
  offsetOf,
  type Timing,
  timingOf,
} from '../../src/agent/schedule/due.js';
import { runSchedule } from '../../src/agent/schedule/scheduler.js';
import { neededRate, shareFor } from '../../src/agent/schedule/shares.js';
import { simClock } from './support/sim.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

t.test('due instants', async (t) => {
  const every = fc.record({
    everyMs: fc.integer({ min: 10_000, max: DAY }),
    part: fc.double({ min: 0, max: 0.999, noNaN: true }),
    from: fc.integer({ min: 0, max: 4e12 }),
  });
  const steady = fc.property(every, ({ everyMs, part, from }) => {
    const timing: Timing = { kind: 'every', everyMs, offsetMs: Math.floor(part * everyMs) };
    const first = nextDue(timing, from) ?? 0;
    const second = nextDue(timing, first) ?? 0;
    return (
      first > from &&
      first - from <= everyMs &&
      second - first === everyMs &&
      countDue(timing, from, first) === 1 &&
      countDue(timing, from, first - 1) === 0 &&
      countDue(timing, from, second) === 2
    );
  });
  t.equal(fc.check(steady).failed, false, 'evenly spaced, whenever one asks');

  const night = timingOf({ cron: '0 3 * * *', timezone: 'Europe/Berlin', jitter: 0 }, 'agent', 'hq/deep');
  t.equal(iso(nextDue(night, Date.UTC(2026, 9, 24, 12))), '2026-10-25T02:00:00.000Z', 'winter time has come');
  t.equal(iso(nextDue(night, Date.UTC(2026, 5, 1, 12))), '2026-06-02T01:00:00.000Z');
  t.equal(countDue(night, Date.UTC(2026, 5, 1, 12), Date.UTC(2026, 5, 8, 12)), 7);
  const spread = timingOf({ cron: '0 3 * * *', timezone: 'UTC' }, 'agent', 'hq/deep');
  t.ok(spread.offsetMs > 0 && spread.offsetMs < 10 * MINUTE);
  t.equal(nextDue(spread, Date.UTC(2026, 5, 1, 3) + spread.offsetMs - 1), Date.UTC(2026, 5, 1, 3) + spread.offsetMs);
  t.match(cronMistake('0 3 * *', undefined), /.+/);
  t.match(cronMistake('0 3 * * *', 'Europe/Nowhere'), /.+/);
  t.equal(cronMistake('*/5 8-18 * * 1-5', 'Asia/Kolkata'), null);
});

t.test('ten thousand agents do not fire together', async (t) => {
  const perSecond = new Map<number, number>();
  for (let agent = 0; agent < 10_000; agent += 1) {
    const second = Math.floor(offsetOf(`agent ${agent}`, 'hq/light', MINUTE) / 1000);
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  }
  t.equal(perSecond.size, 60, 'every second is used');
  // 10,000 in 60 cells: 167 ± 13; eight deviations.
  t.ok(Math.max(...perSecond.values()) < 270, `${Math.max(...perSecond.values())} in the fullest second`);
  t.equal(offsetOf('a', 'x', MINUTE), offsetOf('a', 'x', MINUTE), 'each keeps its place');
  t.equal(offsetOf('a', 'x', 0), 0);
});

/** Jobs whose runs take `takes` ms of simulated time, and what was said of them. */
const world = (
  jobs: Readonly<
    Record<
      string,
      { readonly everyMs: number; readonly takes: number; readonly target?: string; readonly lane?: 'light' | 'full' }
    >
  >,
  lastDue = {},
) => {
  const clock = simClock(Date.UTC(2026, 10, 21, 8, 0, 30));
  const controller = new AbortController();
  const ran: Record<string, number[]> = {};
  const missed: string[] = [];
  const clocks: string[] = [];
  const due: Record<string, number> = {};
  const active = new Map<string, number>();
  let together = 0;
  const ended = runSchedule({
    clock,
    lastDue,
    signal: controller.signal,
    onDue: (job, at) => {
      due[job] = at;
    },
    onTick: () => undefined,
    onMissed: (job, count, reason) => missed.push(`${job} ${count} ${reason}`),
    onClock: (event) => clocks.push(event.kind === 'set' ? `set ${event.byMs}` : `suspended ${event.forMs}`),
    jobs: Object.entries(jobs).map(([name, { everyMs, takes, target = name, lane = 'light' }]) => ({
      ...{ name, target, lane },
      timing: { kind: 'every', everyMs, offsetMs: 0 } as const,
      run: (signal) =>
        new Promise((resolve) => {
          ran[name] = [...(ran[name] ?? []), clock.wall()];
          active.set(target, (active.get(target) ?? 0) + 1);
          together = Math.max(together, active.get(target) ?? 0);
          const finish = (): void => {
            signal.removeEventListener('abort', finish);
            active.set(target, (active.get(target) ?? 0) - 1);
            resolve();
          };
          clock.after(takes, finish);
          signal.addEventListener('abort', finish);
        }),
    })),
  });
  return { clock, ran, missed, clocks, due, controller, ended, together: () => together };
};

t.test('each minute, and no more', async (t) => {
  const { clock, ran, missed, controller, ended } = world({ light: { everyMs: MINUTE, takes: 2000 } });
  await clock.advance(10 * MINUTE);
  t.equal(ran.light?.length, 10);
  t.same(
    ran.light?.map((at) => at % MINUTE < 1000),
    new Array(10).fill(true),
    'on the minute',
  );
  t.same(missed, []);
  controller.abort();
  await ended;
  t.equal(clock.timers(), 0, 'nothing is left behind');
});

t.test('light runs go on beside a sweep of minutes', async (t) => {
  const { clock, ran, missed, controller, ended, together } = world({
    light: { everyMs: MINUTE, takes: 2000, target: 'hq' },
    sweep: { everyMs: HOUR, takes: 5 * MINUTE, target: 'hq', lane: 'full' },
    deep: { everyMs: HOUR, takes: 5 * MINUTE, target: 'hq', lane: 'full' },
  });
  await clock.advance(2 * HOUR + 10 * MINUTE);
  t.equal(ran.light?.length, 130);
  t.same([ran.sweep?.length, ran.deep?.length], [2, 2]);
  t.equal(together(), 2, 'sweep and deep run one after the other');
  t.same(missed, []);
  controller.abort();
  await ended;
});

t.test('runs of one target and lane never overlap, and what does not fit is said', async (t) => {
  const { clock, ran, missed, controller, ended, together } = world({
    light: { everyMs: MINUTE, takes: 2000, target: 'hq' },
    sweep: { everyMs: HOUR, takes: 5 * MINUTE, target: 'hq' },
    slow: { everyMs: MINUTE, takes: 90_000, target: 'other' },
  });
  await clock.advance(2 * HOUR);
  t.equal(together(), 1);
  t.equal(ran.sweep?.length, 2);
  t.ok((ran.light?.length ?? 0) >= 108, `${ran.light?.length} light runs beside two sweeps`);
  t.equal(
    missed.filter((line) => line === 'light 1 busy').length,
    120 - (ran.light?.length ?? 0),
    'each missed one is said',
  );
  t.ok(missed.includes('slow 1 busy'), 'a run that takes longer than its interval misses every other');
  controller.abort();
  await ended;
});

t.test('the host sleeps for a night', async (t) => {
  const { clock, ran, missed, clocks, controller, ended } = world({ light: { everyMs: MINUTE, takes: 2000 } });
  await clock.advance(5 * MINUTE);
  clock.suspend(8 * HOUR);
  await clock.advance(5 * MINUTE);
  t.same(clocks, [`suspended ${8 * HOUR}`]);
  t.equal(missed.length, 1);
  t.match(missed[0], /^light 4(79|80) asleep$/, 'told once, with how many');
  t.ok((ran.light?.length ?? 0) >= 10 && (ran.light?.length ?? 0) <= 12, 'and not made up for');
  controller.abort();
  await ended;
});

t.test('the clock is set back a day, and forward again', async (t) => {
  const { clock, ran, missed, clocks, controller, ended } = world({ light: { everyMs: MINUTE, takes: 2000 } });
  await clock.advance(5 * MINUTE);
  clock.set(-DAY);
  await clock.advance(5 * MINUTE);
  t.equal(ran.light?.length, 10, 'it goes on at once, and does not wait a day');
  t.same(missed, []);
  clock.set(DAY);
  await clock.advance(5 * MINUTE);
  t.same(clocks, [`set ${-DAY}`, `set ${DAY}`]);
  t.match(missed, [/^light 1(439|440) clock-set$/]);
  t.ok((ran.light?.length ?? 0) <= 16, 'nothing is made up for');
  controller.abort();
  await ended;
});

t.test('what was missed while the agent was stopped is said', async (t) => {
  const start = Date.UTC(2026, 10, 21, 8, 0, 30);
  const { missed, controller, ended, clock } = world(
    { sweep: { everyMs: HOUR, takes: 10 } },
    { sweep: start - 5 * HOUR },
  );
  t.same(missed, ['sweep 5 stopped']);
  await clock.advance(HOUR);
  t.same(missed, ['sweep 5 stopped'], 'once');
  controller.abort();
  await ended;
  const set = world({ sweep: { everyMs: HOUR, takes: 10 } }, { sweep: start + DAY });
  t.same(set.missed, [], 'a last run in the future (the clock was set back meanwhile) is none');
  set.controller.abort();
  await set.ended;
});

t.test('a sweep that a stop cut short, or that fell into it, is made up for once', async (t) => {
  const jobs = { sweep: { everyMs: HOUR, takes: 7 * MINUTE, lane: 'full' } } as const;
  // Starts at 08:00:30, sweeps at the full hour.
  const first = world(jobs);
  await first.clock.advance(HOUR + 10 * MINUTE);
  t.same(first.due, { sweep: Date.UTC(2026, 10, 21, 9) });
  await first.clock.advance(52 * MINUTE);
  first.controller.abort();
  await first.ended;
  t.equal(first.ran.sweep?.length, 2);
  t.same(first.due, { sweep: Date.UTC(2026, 10, 21, 9) }, 'what was cut short did not happen');

  const start = Date.UTC(2026, 10, 21, 8, 0, 30);
  const again = world(jobs, { sweep: start - HOUR - 20 * MINUTE });
  t.same(again.missed, ['sweep 2 stopped']);
  await again.clock.advance(40 * MINUTE);
  t.same(again.ran.sweep?.map(iso), ['2026-11-21T08:01:30.000Z'], 'a minute later, and not only when it is due');
  await again.clock.advance(HOUR);
  t.same(again.ran.sweep?.slice(1).map(iso), ['2026-11-21T09:00:00.000Z']);
  t.same(again.missed, ['sweep 2 stopped']);
  again.controller.abort();
  await again.ended;

  const light = world({ light: { everyMs: HOUR, takes: 10 } }, { light: start - HOUR });
  await light.clock.advance(40 * MINUTE);
  t.same(light.ran, {}, 'a light look comes soon enough by itself');
  light.controller.abort();
  await light.ended;
  const at = (offsetMs: number): number | null => catchUpAt({ kind: 'every', everyMs: HOUR, offsetMs }, start);
  t.equal(iso(at(37 * MINUTE)), '2026-11-21T08:08:30.000Z', 'each agent has its own place within ten minutes');
  t.equal(at(12 * MINUTE), null, 'it is due by itself soon');
  t.equal(catchUpAt(timingOf({ cron: '0 3 * * *' }, 'agent', 'hq/deep'), start), null, 'what is for the night');
});

t.test('an end waits for the run that is under way', async (t) => {
  const { clock, ran, controller, ended } = world({ light: { everyMs: MINUTE, takes: HOUR } });
  await clock.advance(2 * MINUTE);
  t.equal(ran.light?.length, 1);
  controller.abort();
  await ended;
});

t.test('small steps of the clock are NTP, and nothing to tell', async (t) => {
  const before = { wall: 0, monotonic: 0, sinceBoot: 0 };
  t.same(clockEvents(before, { wall: 30_900, monotonic: 30_000, sinceBoot: 31_000 }), []);
  t.same(clockEvents(before, { wall: 3_630_000, monotonic: 30_000, sinceBoot: 3_630_000 }), [
    { kind: 'suspended', forMs: 3_600_000 },
  ]);
  t.same(clockEvents(before, { wall: -DAY, monotonic: 30_000, sinceBoot: 30_000 }), [
    { kind: 'set', byMs: -DAY - 30_000 },
  ]);
});

t.test('the budget', async (t) => {
  const day = Date.UTC(2026, 10, 21);
  const budget = createBudget({
    packetsPerSecond: 200,
    packetsPerDay: 1000,
    spent: { day: '2026-11-21', packets: 400 },
  });
  const never = new AbortController();
  const first = await budget.acquire(100, never.signal);
  const second = await budget.acquire(100, never.signal);
  t.equal(first.packetsPerSecond + second.packetsPerSecond, 200);
  const order: string[] = [];
  const third = budget.acquire(200, never.signal).then((share) => {
    order.push('third');
    return share;
  });
  const fourth = budget.acquire(10, never.signal).then((share) => {
    order.push('fourth');
    return share;
  });
  const given = new AbortController();
  const fifth = budget.acquire(100, given.signal);
  given.abort(new Error('the agent ends'));
  await t.rejects(fifth, /the agent ends/);
  t.same(order, [], 'nothing is free');
  first.release();
  first.release();
  const granted = await third;
  t.equal(granted.packetsPerSecond, 100, 'half of what it wants is worth starting with');
  t.same(order, ['third'], 'nobody overtakes');
  second.release();
  t.equal((await fourth).packetsPerSecond, 10);
  const huge = await budget.acquire(5000, never.signal);
  t.equal(huge.packetsPerSecond, 90, 'and nobody gets more than there is');

  t.equal(budget.isSpent(day), false);
  budget.spend(600, day + HOUR);
  t.equal(budget.isSpent(day + HOUR), true);
  t.equal(budget.isSpent(day + DAY), false, 'tomorrow is another day');
  budget.spend(5, day + DAY);
  t.same(budget.spent(), { day: '2026-11-22', packets: 5 });
});

t.test('shares of the rate', async (t) => {
  const light = (count: number, packets = 271) => Array.from({ length: count }, () => ({ packets, everyMs: MINUTE }));
  t.equal(shareFor('light', 200, light(1)), 100, 'half, so that another finds room');
  t.equal(shareFor('sweep', 200, light(1)), 100);
  t.equal(shareFor('sweep', 200, light(40)), 200 - neededRate(light(40)), 'what light runs leave');
  for (const [count, rate] of [
    [10, 200],
    [20, 200],
    [40, 250],
    [40, 300],
  ] as const) {
    const share = shareFor('light', rate, light(count));
    const runMs = 5000 + (271 / share) * 1000;
    const under = (count * runMs) / MINUTE;
    t.ok(under * share <= rate * 1.01, `${count} at ${rate}: ${under.toFixed(1)} runs of ${share.toFixed(1)} each`);
  }
  t.equal(shareFor('light', 3, light(40)), 3, 'never more than there is');
  t.ok(shareFor('light', 200, light(100)) >= 5);
});

t.test('missed runs are told together', async (t) => {
  const missed = createMissedRuns();
  missed.add('a', 1, 'busy');
  t.same(missed.take(0), [{ job: 'a', counts: { busy: 1 } }], 'the first at once');
  missed.add('a', 1, 'busy');
  missed.add('a', 3, 'asleep');
  missed.add('b', 1, 'budget');
  t.same(missed.take(MINUTE), [{ job: 'b', counts: { budget: 1 } }]);
  t.same(missed.take(HOUR), [{ job: 'a', counts: { busy: 1, asleep: 3 } }]);
  t.same(missed.take(2 * HOUR), []);
});
