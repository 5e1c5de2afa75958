/** When a schedule is due: a pure function of the wall clock and of who the agent is. */
import { createHash } from 'node:crypto';
import { Cron } from 'croner';

/** When a schedule fires, in wall-clock milliseconds. */
export type Timing =
  | { readonly kind: 'every'; readonly everyMs: number; readonly offsetMs: number }
  | { readonly kind: 'cron'; readonly pattern: string; readonly timezone: string | null; readonly offsetMs: number };

/** Agents that a nightly pattern would start together are spread over this, unless the configuration says otherwise. */
const CRON_JITTER_MS = 600_000;
/** After a long pause the missed instants of a cron pattern are counted up to here; more is said as "at least". */
const MAX_COUNTED = 10_000;

/**
 * Where in its interval an agent fires: 0 ≤ offset < window, the same after every restart, spread evenly over agents.
 * Chance at each run would let agents meet again and again; a fixed place keeps them apart for good.
 */
export const offsetOf = (agentId: string, schedule: string, windowMs: number): number =>
  windowMs <= 0 ? 0 : createHash('sha256').update(`${agentId}\n${schedule}`).digest().readUIntBE(0, 6) % windowMs;

/** The timing of a schedule. `every` stands at a fixed phase of the wall clock, so that a restart moves nothing. */
export const timingOf = (
  schedule: {
    readonly every?: number | undefined;
    readonly cron?: string | undefined;
    readonly timezone?: string | undefined;
    readonly jitter?: number | undefined;
  },
  agentId: string,
  name: string,
): Timing => {
  if (schedule.cron !== undefined) {
    const offsetMs = offsetOf(agentId, name, schedule.jitter ?? CRON_JITTER_MS);
    return { kind: 'cron', pattern: schedule.cron, timezone: schedule.timezone ?? null, offsetMs };
  }
  const everyMs = schedule.every ?? 60_000;
  return { kind: 'every', everyMs, offsetMs: offsetOf(agentId, name, Math.min(schedule.jitter ?? everyMs, everyMs)) };
};

/** Why a pattern cannot be used, in its parser's words, or null. */
export const cronMistake = (pattern: string, timezone: string | undefined): string | null => {
  try {
    const job = new Cron(pattern, { paused: true, ...(timezone === undefined ? {} : { timezone }) });
    return job.nextRun() === null ? 'it never fires' : null;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return text.replace(/\s+/g, ' ').slice(0, 120);
  }
};

/** The first instant after `after` at which the schedule fires; null if it never does again. */
export const nextDue = (timing: Timing, after: number): number | null => {
  if (timing.kind === 'every') {
    const { everyMs, offsetMs } = timing;
    return Math.floor((after - offsetMs) / everyMs) * everyMs + everyMs + offsetMs;
  }
  const job = new Cron(timing.pattern, {
    paused: true,
    ...(timing.timezone === null ? {} : { timezone: timing.timezone }),
  });
  // The pattern's own instant lies `offset` before ours.
  const next = job.nextRun(new Date(after - timing.offsetMs));
  return next === null ? null : next.getTime() + timing.offsetMs;
};

/** What was missed is made up for within so much after a start; agents that start together keep apart by their own places. */
const CATCH_UP_WITHIN_MS = 600_000;
/** The baseline comes first. */
const CATCH_UP_AFTER_MS = 60_000;

/**
 * When to make up for a run that was missed while the agent was stopped: a sweep each hour would otherwise be two hours away
 * after a restart at the wrong moment. Null where it is due soon by itself, and for a pattern, which says when it may be.
 */
export const catchUpAt = (timing: Timing, startedAt: number): number | null => {
  if (timing.kind !== 'every') return null;
  const at = startedAt + CATCH_UP_AFTER_MS + (timing.offsetMs % CATCH_UP_WITHIN_MS);
  const next = nextDue(timing, startedAt) ?? at;
  return next - at > timing.everyMs / 4 ? at : null;
};

/** How many instants lie after `from` and not after `to`. */
export const countDue = (timing: Timing, from: number, to: number): number => {
  if (to <= from) return 0;
  if (timing.kind === 'every') {
    const before = (instant: number): number => Math.floor((instant - timing.offsetMs) / timing.everyMs);
    return before(to) - before(from);
  }
  let count = 0;
  for (let at = nextDue(timing, from); at !== null && at <= to && count < MAX_COUNTED; at = nextDue(timing, at))
    count += 1;
  return count;
};
