/** Starts each job when it is due: never two of a target's lane at once, never the same twice, and every missed one is said. */
import { type Clock, type ClockEvent, clockEvents, readClock } from './clock.js';
import { catchUpAt, countDue, nextDue, type Timing } from './due.js';

/** Why a run did not happen. */
const MISSED = [
  'stopped', // the agent was not running
  'asleep', // the host was suspended
  'clock-set', // the host's clock was set forward
  'busy', // the same job, or another of the same target and lane, was still running
  'late', // the process did not get to run in time
] as const;
type MissedReason = (typeof MISSED)[number];

export interface Job {
  /** `TARGET/KIND`, unique. */
  readonly name: string;
  readonly target: string;
  /** Jobs of one target and lane run one after the other; a light look waits for no sweep. */
  readonly lane: 'light' | 'full';
  readonly timing: Timing;
  /** Runs once. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

interface SchedulerOptions {
  readonly clock: Clock;
  readonly jobs: readonly Job[];
  /** When each job was last due before the start, in wall-clock milliseconds. */
  readonly lastDue: Readonly<Record<string, number>>;
  /** Of a light job as soon as it is due, of a longer one when it has run to its end: what a stop cut short is missed. */
  readonly onDue: (job: string, wallMs: number) => void;
  readonly onMissed: (job: string, count: number, reason: MissedReason) => void;
  readonly onClock: (event: ClockEvent) => void;
  /** Called at least twice a minute, for what has to be looked after. */
  readonly onTick: () => void;
  readonly signal: AbortSignal;
}

/** No wait is longer, so that a set clock or a suspension shows within half a minute. */
const MAX_WAIT_MS = 30_000;
/** Below this a timer would fire again before the clock has moved. */
const MIN_WAIT_MS = 5;

const whyLate = (events: readonly ClockEvent[]): MissedReason => {
  if (events.some(({ kind }) => kind === 'suspended')) return 'asleep';
  return events.length > 0 ? 'clock-set' : 'late';
};

interface Entry {
  readonly job: Job;
  dueAt: number | null;
  lastDue: number;
}

/** Runs until the signal fires; resolves when the last run has ended. */
export const runSchedule = (options: SchedulerOptions): Promise<void> =>
  new Promise((resolve) => {
    const { clock, signal, onMissed } = options;
    const started = clock.wall();
    const entries = options.jobs.map((job): Entry => ({ job, dueAt: nextDue(job.timing, started), lastDue: started }));
    const running = new Map<string, Job>();
    const waiting = new Map<string, Job[]>();
    let reading = readClock(clock);
    let cancel = (): void => undefined;

    const finished = (): void => {
      if (signal.aborted && running.size === 0) resolve();
    };

    /** Since when each long job that has begun was due. */
    const begun = new Map<string, number>();
    const placeOf = ({ target, lane }: Job): string => `${lane} ${target}`;
    const start = (job: Job): void => {
      const place = placeOf(job);
      running.set(place, job);
      void job.run(signal).finally(() => {
        running.delete(place);
        const dueAt = begun.get(job.name);
        if (dueAt !== undefined && !signal.aborted) options.onDue(job.name, dueAt);
        const [next, ...rest] = waiting.get(place) ?? [];
        waiting.set(place, rest);
        if (next && !signal.aborted) start(next);
        finished();
      });
    };

    const request = (job: Job): void => {
      const place = placeOf(job);
      const current = running.get(place);
      if (!current) {
        start(job);
        return;
      }
      const queue = waiting.get(place) ?? [];
      // One that waits already stands for the later one as well.
      if (current === job || queue.includes(job)) onMissed(job.name, 1, 'busy');
      else waiting.set(place, [...queue, job]);
    };

    const visit = (entry: Entry, now: number, events: readonly ClockEvent[]): void => {
      const wasSetBack = events.some((event) => event.kind === 'set' && event.byMs < 0);
      if (wasSetBack) {
        // What was due tomorrow by the old clock may be due in a minute by the new one.
        entry.dueAt = nextDue(entry.job.timing, now - 1);
        entry.lastDue = now - 1;
      }
      if (entry.dueAt === null || now < entry.dueAt) return;
      const due = countDue(entry.job.timing, entry.lastDue, now);
      if (due > 1) onMissed(entry.job.name, due - 1, whyLate(events));
      entry.lastDue = now;
      entry.dueAt = nextDue(entry.job.timing, now);
      if (entry.job.lane === 'light') options.onDue(entry.job.name, now);
      else begun.set(entry.job.name, now);
      request(entry.job);
    };

    const tick = (): void => {
      if (signal.aborted) return;
      const next = readClock(clock);
      const events = clockEvents(reading, next);
      reading = next;
      for (const event of events) options.onClock(event);
      options.onTick();
      for (const entry of entries) visit(entry, next.wall, events);
      const soonest = Math.min(...entries.flatMap(({ dueAt }) => dueAt ?? [])) - next.wall;
      cancel = clock.after(Math.max(MIN_WAIT_MS, Math.min(MAX_WAIT_MS, soonest)), tick);
    };

    const stop = (): void => {
      cancel();
      finished();
    };
    signal.addEventListener('abort', stop, { once: true });
    for (const entry of entries) {
      const { job, dueAt } = entry;
      const last = options.lastDue[job.name];
      const missed = last === undefined ? 0 : countDue(job.timing, last, started);
      if (missed === 0) continue;
      onMissed(job.name, missed, 'stopped');
      if (job.lane === 'full') entry.dueAt = catchUpAt(job.timing, started) ?? dueAt;
    }
    if (signal.aborted) stop();
    else tick();
  });
