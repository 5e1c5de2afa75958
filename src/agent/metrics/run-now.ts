/** Runs a target because somebody asks now, from the same packet budget as the schedules. Nothing of it is remembered. */
import { nameOfTarget } from '../config/rules.js';
import type { Config } from '../config/schema.js';
import type { Runner } from '../job.js';
import { type Budget, createBudget } from '../schedule/budget.js';
import type { Clock } from '../schedule/clock.js';
import type { ProbeRunner } from './on-demand.js';

/** As of a scheduled run: half of the rate, so that another finds room beside it. */
const PART_OF_BUDGET = 0.5;
/** What is asked now may spend this part of the day's packets: whoever can ask must not end the schedules. */
const PART_OF_DAY = 0.25;

interface RunNowOptions {
  readonly run: Runner;
  readonly budget: Budget;
  readonly clock: Pick<Clock, 'wall' | 'monotonic'>;
  /** Called when packets were spent, for them to be remembered. */
  readonly onSpent: () => void;
}

type Names = Pick<ProbeRunner, 'targets' | 'modules'>;

/** What may be asked: the targets of the configuration, and every profile that one of them names. */
const namesIn = ({ targets }: Config): Names => ({
  targets: targets.map(nameOfTarget),
  modules: [
    ...new Set(
      targets.flatMap(({ profiles, schedules }) => [...profiles, ...schedules.flatMap((s) => s.profiles ?? [])]),
    ),
  ],
});

/** A runner of the configuration's targets. */
export const createRunNow = (config: Config, { run, budget, clock, onSpent }: RunNowOptions): ProbeRunner => {
  const { packetsPerSecond: rate, packetsPerDay } = config.budget;
  const own = createBudget({
    packetsPerSecond: rate,
    packetsPerDay: packetsPerDay === undefined ? null : packetsPerDay * PART_OF_DAY,
    spent: { day: '', packets: 0 },
  });
  return {
    ...namesIn(config),
    whyNot: () => {
      if (budget.isSpent(clock.wall())) return 'the daily packet budget is used up';
      return own.isSpent(clock.wall()) ? 'the daily packet budget for on-demand runs is used up' : null;
    },
    run: async (name, module, timeoutMs, signal) => {
      const target = config.targets.find((one) => nameOfTarget(one) === name);
      if (target === undefined) throw new Error(`no target ${name}`);
      const until = clock.monotonic() + timeoutMs;
      const share = await budget.acquire(
        Math.max(1, rate * PART_OF_BUDGET),
        // Timers take whole milliseconds alone.
        AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(timeoutMs))]),
      );
      try {
        const schedule = {
          kind: 'light',
          timeout: Math.max(1, Math.floor(until - clock.monotonic())),
          ...(module === null ? {} : { profiles: [module] }),
        } as const;
        const { packetsPerSecond } = share;
        const report = await run({ target, schedule, kind: 'light', packetsPerSecond }, signal);
        budget.spend(report.totals.packetsSent, clock.wall());
        own.spend(report.totals.packetsSent, clock.wall());
        onSpent();
        return report;
      } finally {
        share.release();
      }
    },
  };
};

/** Stands in for the runner of an agent that is not up yet: exporters are opened first. */
export const createLateRunner = (config: Config) => {
  let runner: ProbeRunner | null = null;
  return {
    runner: {
      ...namesIn(config),
      whyNot: () => (runner === null ? 'the agent is still starting' : runner.whyNot()),
      run: (...asked) => runner?.run(...asked) ?? Promise.reject(new Error('the agent is still starting')),
    } satisfies ProbeRunner as ProbeRunner,
    begin: (ready: ProbeRunner): void => {
      runner = ready;
    },
  };
};
