/** From the configured targets and schedules to jobs of the scheduler, and what each of them asks of the budget. */
import { nameOfTarget } from './config/rules.js';
import type { Config, ScheduleConfig, TargetConfig } from './config/schema.js';
import { type JobView, newJobState, type Runner, runJob } from './job.js';
import type { HostNetwork } from './memory/network.js';
import type { Recorder } from './recorder.js';
import type { Budget } from './schedule/budget.js';
import type { Clock } from './schedule/clock.js';
import { timingOf } from './schedule/due.js';
import type { Job } from './schedule/scheduler.js';
import { type Need, shareFor } from './schedule/shares.js';
import type { StateStore } from './state-store.js';
import type { Watch } from './watch.js';

/** What a light run of one service sends. */
const TYPICAL_PACKETS = 270;

const nameOfJob = (target: TargetConfig, { kind }: ScheduleConfig): string => `${nameOfTarget(target)}/${kind}`;

/** The names of all jobs, in the order of the configuration. */
export const namesOfJobs = ({ targets }: Config): readonly string[] =>
  targets.flatMap((target) => target.schedules.map((schedule) => nameOfJob(target, schedule)));

/** Of light runs, as the last one of each says; of one that has not run yet, what such runs send. */
const lightNeeds = (jobs: ReadonlyMap<string, JobView>): readonly Need[] =>
  [...jobs.values()].flatMap(({ kind, everyMs, state: { lastReport } }) =>
    kind === 'light' && everyMs !== null
      ? [{ everyMs, packets: lastReport?.totals.packetsSent ?? TYPICAL_PACKETS }]
      : [],
  );

/** What is under way of the job's target is slow for want of budget, and not because it takes so long. */
export const isShort = (jobs: ReadonlyMap<string, JobView>, job: string): boolean => {
  const target = jobs.get(job)?.target;
  return [...jobs.values()].some((one) => one.target === target && one.state.isShort);
};

interface JobsOptions {
  readonly config: Config;
  readonly agentId: string;
  /** Filled here, by name of job. */
  readonly views: Map<string, JobView>;
  readonly run: Runner;
  readonly clock: Clock;
  readonly budget: Budget;
  readonly stateStore: StateStore;
  readonly recorder: Recorder;
  readonly network: () => HostNetwork;
  readonly watch: Pick<Watch, 'lookAtNetwork' | 'onMissed'>;
  readonly say: (message: string, details: Readonly<Record<string, unknown>>) => void;
}

const createJob = (options: JobsOptions, target: TargetConfig, schedule: ScheduleConfig): Job => {
  const { config, views, watch, run, clock, budget, stateStore, recorder, network, say } = options;
  const { confirmation } = config;
  const { kind } = schedule;
  const targetName = nameOfTarget(target);
  const name = nameOfJob(target, schedule);
  const state = newJobState();
  views.set(name, { target: targetName, kind, everyMs: schedule.every ?? null, state });
  const rate = config.budget.packetsPerSecond;
  const jobOptions: Parameters<typeof runJob>[0] = {
    ...{ run, clock, budget, stateStore, recorder, network, say, schedule, state },
    target: targetName,
    config: target,
    policy: {
      needed: confirmation.needed,
      of: confirmation.of,
      flapAfter: confirmation.flapAfter,
      flapWithinMs: confirmation.flapWithin,
    },
    secondLookAfterMs: confirmation.secondLookAfter,
    wanted: (wantedKind) => shareFor(wantedKind, rate, lightNeeds(views)),
    wantedAlone: shareFor(kind, rate, []),
    lookAtNetwork: watch.lookAtNetwork,
    onMissed: (reason) => watch.onMissed(name, 1, reason),
  };
  return {
    name,
    target: targetName,
    lane: kind === 'light' ? 'light' : 'full',
    timing: timingOf(schedule, options.agentId, name),
    run: (signal) => runJob(jobOptions, signal),
  };
};

/** A job for each schedule of each target. */
export const createJobs = (options: JobsOptions): readonly Job[] =>
  options.config.targets.flatMap((target) => target.schedules.map((schedule) => createJob(options, target, schedule)));
