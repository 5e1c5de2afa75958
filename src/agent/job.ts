/** One run of one schedule: within the budget, stored before it is weighed, looked at twice where it differs. */
import type { Report } from '../model/report.js';
import type { RunKind, ScheduleConfig, TargetConfig } from './config/schema.js';
import type { Policy } from './memory/confirm.js';
import { type HostNetwork, networkChanges } from './memory/network.js';
import { thingsOf } from './memory/things.js';
import { type TargetMemory, track } from './memory/tracker.js';
import type { Recorder } from './recorder.js';
import type { Budget } from './schedule/budget.js';
import { type Clock, pause } from './schedule/clock.js';
import type { StateStore } from './state-store.js';

/** What a run is to ask. */
interface RunRequest {
  readonly target: TargetConfig;
  readonly schedule: ScheduleConfig;
  readonly kind: RunKind;
  readonly packetsPerSecond: number;
  /** By range: ports to ask besides the sample. */
  readonly watched?: Readonly<Record<string, readonly number[]>>;
}

/** Runs a probe and reports it. Rejects if it could not run: a token file that is gone, a defect of ours. */
export type Runner = (request: RunRequest, signal: AbortSignal) => Promise<Report>;

/** What the status page and health show of a job. */
export interface JobState {
  runs: number;
  failures: number;
  missed: number;
  /** The same by reason. */
  readonly missedBy: Map<string, number>;
  lastReport: Report | null;
  /** Wall-clock milliseconds of the end of the last run, and the same by the monotonic clock. */
  lastRunAt: number | null;
  lastRunMonotonic: number | null;
  lastError: string | null;
  /** The run under way waits for its share of the budget, or got less than it wants: what comes late comes late for this. */
  isShort: boolean;
}

export const newJobState = (): JobState => ({
  runs: 0,
  failures: 0,
  missed: 0,
  missedBy: new Map(),
  lastReport: null,
  lastRunAt: null,
  lastRunMonotonic: null,
  lastError: null,
  isShort: false,
});

/** A job as others see it. */
export interface JobView {
  readonly target: string;
  readonly kind: RunKind;
  /** Null where a cron pattern says when. */
  readonly everyMs: number | null;
  readonly state: JobState;
}

interface JobOptions {
  /** The target's name in records. */
  readonly target: string;
  readonly config: TargetConfig;
  readonly schedule: ScheduleConfig;
  readonly policy: Policy;
  readonly secondLookAfterMs: number;
  /** What a run asks of the budget, in packets a second, unless its schedule says so. */
  readonly wanted: (kind: RunKind) => number;
  /** What it would ask if nobody else ran. */
  readonly wantedAlone: number;
  readonly state: JobState;
  readonly run: Runner;
  readonly clock: Clock;
  readonly budget: Budget;
  readonly stateStore: StateStore;
  readonly recorder: Recorder;
  readonly network: () => HostNetwork;
  /** Compares the network with the remembered one, and says what changed. */
  readonly lookAtNetwork: () => Promise<void>;
  readonly onMissed: (reason: 'budget') => void;
  readonly say: (message: string, details: Readonly<Record<string, unknown>>) => void;
}

/**
 * A sweep takes minutes, and a deep run longer; whether what differs stays so, a light look says as well, because it asks the
 * holes that are watched. Where there are more of them than are watched, it takes another sweep.
 */
const secondKind = (kind: RunKind, { watched = {} }: TargetMemory): RunKind =>
  kind === 'sweep' && Object.values(watched).some(({ isPart }) => isPart) ? 'sweep' : 'light';

/** One look: resolves with whether something differs that is not believed yet. */
const lookOnce = async (options: JobOptions, kind: RunKind, signal: AbortSignal): Promise<boolean> => {
  const { clock, budget, stateStore, recorder, state, target } = options;
  if (budget.isSpent(clock.wall())) {
    options.onMissed('budget');
    return false;
  }
  await options.lookAtNetwork();
  const before = options.network();
  const wanted = options.schedule.packetsPerSecond ?? options.wanted(kind);
  state.isShort = true;
  let report: Report;
  const share = await budget.acquire(wanted, signal);
  try {
    state.isShort = share.packetsPerSecond < Math.floor(options.schedule.packetsPerSecond ?? options.wantedAlone);
    const { config, schedule } = options;
    const watched = Object.fromEntries(
      Object.entries(stateStore.target(target).watched ?? {}).map(([range, { ports }]) => [range, ports]),
    );
    const { packetsPerSecond } = share;
    report = await options.run({ target: config, schedule, kind, packetsPerSecond, watched }, signal);
  } finally {
    state.isShort = false;
    share.release();
  }
  // Cut short by the agent's own end: what it did not ask would look like a change.
  if (signal.aborted) return false;
  budget.spend(report.totals.packetsSent, clock.wall());
  stateStore.noteSpent(budget.spent());
  state.runs += 1;
  state.lastReport = report;
  state.lastRunAt = clock.wall();
  state.lastRunMonotonic = clock.monotonic();
  state.lastError = null;
  await recorder.report(target, report, kind);
  if (networkChanges(before, options.network()).length > 0) {
    options.say('the network changed during a run, so the run is not used', {
      target,
      report: report.id,
    });
    await options.lookAtNetwork();
    return false;
  }
  let differs = false;
  await stateStore.withTarget(target, async (memory) => {
    const tracked = track(memory, report, kind, Date.parse(report.startedAt), options.policy);
    // Stored first and remembered then: after a crash in between the same change is worked out again, under the same id.
    for (const thing of thingsOf(tracked.changes)) await recorder.change(target, thing);
    if (tracked.baseline) await recorder.event('baseline', target, { kind, ...tracked.baseline });
    differs = tracked.suspects.length > 0;
    return tracked.memory;
  });
  await stateStore.save();
  return differs;
};

/** Looks again at once, as long as something differs: a host's silence is believed at the third look, all else at the second. */
const MAX_SECOND_LOOKS = 2;

/** Runs a job once, with its second looks. Never rejects. */
export const runJob = async (options: JobOptions, signal: AbortSignal): Promise<void> => {
  const { schedule, state, target } = options;
  try {
    let differs = await lookOnce(options, schedule.kind, signal);
    for (let again = 0; differs && again < MAX_SECOND_LOOKS; again += 1) {
      await pause(options.clock, options.secondLookAfterMs, signal);
      if (signal.aborted) return;
      const kind = secondKind(schedule.kind, options.stateStore.target(target));
      differs = await lookOnce(options, kind, signal);
    }
  } catch (error) {
    if (signal.aborted) return;
    const why = error instanceof Error ? error.message : String(error);
    const isNew = state.lastError !== why;
    state.failures += 1;
    state.lastError = why;
    options.say('a run failed', { target, kind: schedule.kind, why });
    // The same failure each minute is one event.
    if (isNew) await options.recorder.event('run-failed', target, { kind: schedule.kind, why });
  }
};
