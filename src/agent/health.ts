/** Whether the agent is well, as a judgement on its state: a pure function, and the same for every way to ask. */
import type { RunKind } from './config/schema.js';
import type { DaemonState } from './daemon.js';
import { DROPPED_LATELY_MS } from './watch.js';

export interface Health {
  /** Nobody need look. */
  readonly healthy: boolean;
  /** It does its work, as far as it is its own: a receiver that is down is nothing that a restart mends. */
  readonly alive: boolean;
  /** Why not, in words; empty if it is. */
  readonly problems: readonly string[];
  /** Worth knowing, and no reason to restart anything. */
  readonly remarks: readonly string[];
  readonly agent: {
    readonly id: string;
    readonly name: string;
    readonly site: string | null;
    readonly version: string;
    readonly pid: number;
  };
  readonly startedAt: string;
  readonly upSeconds: number;
  readonly residentMegabytes: number;
  readonly cpuSeconds: number;
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly target: string;
        readonly kind: RunKind;
        /** Null where a cron pattern says when. */
        readonly everySeconds: number | null;
        readonly runs: number;
        readonly failures: number;
        readonly missed: number;
        readonly missedBy: Readonly<Record<string, number>>;
        readonly lastRunAt: string | null;
        readonly verdicts: Readonly<Record<string, string>>;
      }
    >
  >;
  readonly spool: {
    readonly records: number;
    readonly bytes: number;
    readonly maxBytes: number;
    readonly held: number;
    /** Why the disk takes nothing, or null. */
    readonly failing: string | null;
    readonly waiting: Readonly<Record<string, number>>;
    readonly dropped: Readonly<Record<string, number>>;
  };
  readonly exporters: Readonly<
    Record<
      string,
      {
        readonly delivered: number;
        readonly refused: number;
        readonly failures: number;
        readonly lastDeliveredAt: string | null;
        readonly lastError: string | null;
        /** For how long the delivery under way has lasted; null if none is. */
        readonly deliveringSeconds: number | null;
      }
    >
  >;
}

/** The scheduler ticks at least twice a minute; three minutes without one is an agent that hangs. */
const MAX_SILENCE_MS = 180_000;
/** A batch is delivered in seconds; after a minute somebody should look at the receiver. */
const LONG_DELIVERY_MS = 60_000;
/** A receiver that is restarted is back in minutes. */
const BEHIND_MS = 3_600_000;
/** One look may be missed, and one may take long. */
const MISSED_INTERVALS = 3;

const hours = (ms: number): string => `${(ms / 3_600_000).toFixed(1)} h`;

/** Receivers that take nothing, and targets that nobody looks at: an agent that lives and does not tell what it should. */
const notices = (
  state: DaemonState,
  waiting: Health['spool']['waiting'],
  now: { readonly monotonic: number },
): readonly string[] => {
  const behind = [...state.deliveries].flatMap(([name, { failingSince }]) => {
    const forMs = failingSince === null ? 0 : now.monotonic - failingSince;
    return forMs > BEHIND_MS
      ? [
          `exporter ${name}: its receiver has accepted nothing for ${hours(forMs)}; ${waiting[name] ?? 0} results are queued`,
        ]
      : [];
  });
  const overlooked = [...state.jobs].flatMap(([name, { everyMs, state: job }]) => {
    const forMs = now.monotonic - (job.lastRunMonotonic ?? state.startedMonotonic);
    return everyMs !== null && forMs > MISSED_INTERVALS * everyMs
      ? [`${name}: no run for ${Math.round(forMs / 1000)} s, although one is due every ${Math.round(everyMs / 1000)} s`]
      : [];
  });
  return [...behind, ...overlooked];
};

const jobsOf = (state: DaemonState): Health['jobs'] =>
  Object.fromEntries(
    [...state.jobs].map(([name, { target, kind, everyMs, state: job }]) => [
      name,
      {
        ...{ target, kind, everySeconds: everyMs === null ? null : everyMs / 1000 },
        runs: job.runs,
        failures: job.failures,
        missed: job.missed,
        missedBy: Object.fromEntries(job.missedBy),
        lastRunAt: job.lastRunAt === null ? null : new Date(job.lastRunAt).toISOString(),
        verdicts: Object.fromEntries(
          (job.lastReport?.services ?? []).map(({ profile, verdict }) => [profile, verdict]),
        ),
      },
    ]),
  );

const exportersOf = (state: DaemonState, monotonic: number): Health['exporters'] =>
  Object.fromEntries(
    [...state.deliveries].map(([name, { delivered, refused, failures, lastDeliveredAt, lastError, since }]) => [
      name,
      {
        ...{ delivered, refused, failures, lastError },
        lastDeliveredAt: lastDeliveredAt === null ? null : new Date(lastDeliveredAt).toISOString(),
        deliveringSeconds: since === null ? null : Math.round((monotonic - since) / 1000),
      },
    ]),
  );

/** An exporter that fails is the network's or the receiver's trouble, which a restart of the agent does not mend. */
export const healthOf = (state: DaemonState, now: { readonly wall: number; readonly monotonic: number }): Health => {
  const spool = state.spool.stats();
  const silence = now.monotonic - state.lastTickAt;
  const long = [...state.deliveries].flatMap(([name, { since }]) =>
    since !== null && now.monotonic - since > LONG_DELIVERY_MS
      ? [
          `exporter ${name}: a delivery to its receiver has been pending for ${Math.round((now.monotonic - since) / 1000)} s`,
        ]
      : [],
  );
  const own = [
    ...(silence > MAX_SILENCE_MS ? [`the scheduler has not ticked for ${Math.round(silence / 1000)} s`] : []),
    ...(spool.failing === null
      ? []
      : [`the disk does not take results (${spool.failing}); ${spool.held} are held in memory`]),
  ];
  const dropped = Object.values(spool.dropped).reduce((sum, count) => sum + count, 0);
  const isDropping =
    dropped > 0 && (state.lastDropAt === null || now.monotonic - state.lastDropAt <= DROPPED_LATELY_MS);
  const problems = [
    ...own,
    ...long,
    ...notices(state, spool.waiting, now),
    ...(isDropping
      ? [`${dropped} results were dropped since the start: the spool is too small, or the disk fails`]
      : []),
  ];
  const remarks = [
    ...[...state.deliveries].flatMap(([name, { lastError }]) =>
      lastError === null ? [] : [`exporter ${name}: ${lastError}; ${spool.waiting[name] ?? 0} results are queued`],
    ),
    ...[...state.jobs].flatMap(([name, job]) =>
      job.state.lastError === null ? [] : [`${name}: ${job.state.lastError}`],
    ),
    ...(dropped > 0 && !isDropping
      ? [`${dropped} results were dropped since the start, none of them in the last hour`]
      : []),
    ...(spool.damaged > 0 ? [`${spool.damaged} damaged results were found in the spool`] : []),
  ];
  const usage = process.resourceUsage();
  return {
    healthy: problems.length === 0,
    alive: own.length === 0,
    problems,
    remarks,
    agent: {
      ...{ id: state.agent.id, name: state.agent.name, site: state.agent.site ?? null },
      ...{ version: state.agent.version, pid: process.pid },
    },
    startedAt: new Date(state.startedAt).toISOString(),
    upSeconds: Math.round((now.wall - state.startedAt) / 1000),
    residentMegabytes: Math.round(process.memoryUsage.rss() / 1024 / 1024),
    cpuSeconds: (usage.userCPUTime + usage.systemCPUTime) / 1e6,
    jobs: jobsOf(state),
    spool: {
      records: spool.records,
      bytes: spool.bytes,
      maxBytes: spool.maxBytes,
      held: spool.held,
      failing: spool.failing,
      waiting: spool.waiting,
      dropped: spool.dropped,
    },
    exporters: exportersOf(state, now.monotonic),
  };
};
