/** How the agent probes: as its configuration says, in the thread that stands ready. */
import { createHash } from 'node:crypto';
import { prepare } from '../probing/prepare.js';
import { probe } from '../probing/probe.js';
import type { ProbePace, ProbeRequest } from '../probing/request.js';
import { agentId } from '../probing/who.js';
import { LIGHT_SCOUTS } from '../run/sweep/scouts.js';
import type { ProbeThread } from '../run/thread/thread.js';
import type { RunKind, ScheduleConfig, TargetConfig } from './config/schema.js';
import type { Runner } from './job.js';

/** How long a run may take unless the schedule says otherwise; a sweep of 16,384 ports takes minutes at 100 a second. */
const DEFAULT_TIMEOUT_MS = { light: 60_000, sweep: 900_000, deep: 3_600_000 } as const;

/** How long audio is sent where the schedule does not say: long enough to bound loss well below 1 %, and not with every light run. */
const DEFAULT_MEDIA_MS = { light: 0, sweep: 60_000, deep: 60_000 } as const;

/** The audio of a run, or none. A look at what differed is of another kind than its schedule, and repeats no audio. */
export const mediaOf = (schedule: ScheduleConfig, kind: RunKind): Pick<ProbePace, 'media'> => {
  const ms = (kind === schedule.kind ? schedule.media : undefined) ?? DEFAULT_MEDIA_MS[kind];
  return ms === 0 ? {} : { media: { seconds: ms / 1000, codec: 'g711', calls: 1 } };
};

/** How long a run may take. */
const timeoutMsOf = (schedule: ScheduleConfig, kind: RunKind): number =>
  schedule.timeout ?? DEFAULT_TIMEOUT_MS[kind] + 1000 * (mediaOf(schedule, kind).media?.seconds ?? 0);

/** Above what Linux gives to programs that ask for any port (32768 to 60999); a port that is taken is left alone. */
const PERSISTENT_PORTS = { first: 61_000, count: 4_000 } as const;

/** The same port for a target on this host in each run, also after a restart: a flow as a phone keeps its own. */
const persistentPortFor = (target: string): number =>
  PERSISTENT_PORTS.first +
  (createHash('sha256').update(`${agentId()} ${target}`).digest().readUInt32BE(0) % PERSISTENT_PORTS.count);

/** What a run of a schedule asks. A token comes from the target's file alone. */
export const requestOf = (
  target: TargetConfig,
  schedule: ScheduleConfig,
  kind: RunKind,
  watched: NonNullable<ProbeRequest['watched']>,
): ProbeRequest => ({
  target: target.host,
  port: null,
  from: null,
  reflectors: target.reflectors,
  profiles: schedule.profiles ?? target.profiles,
  rtpRange: target.rtpRange ?? null,
  exhaustive: kind === 'sweep',
  transports: target.transports ?? null,
  // A target of the configuration has a host of its own.
  plmn: { mcc: null, mnc: null },
  tokenFile: target.tokenFile ?? null,
  families: target.families,
  watched,
});

/** Runs in this thread. */
export const runnerIn =
  (thread: ProbeThread): Runner =>
  async ({ target, schedule, kind, packetsPerSecond, watched = {} }, signal) => {
    const prepared = await prepare(requestOf(target, schedule, kind, watched), {}, signal);
    return probe(
      prepared,
      {
        source: target.source ?? null,
        maxPps: packetsPerSecond,
        timeoutMs: timeoutMsOf(schedule, kind),
        deep: kind === 'deep',
        nat: true,
        persistentPort: persistentPortFor(target.name ?? target.host),
        ...mediaOf(schedule, kind),
        ...(kind === 'light' && { scouts: LIGHT_SCOUTS }),
      },
      signal,
      { run: thread.run },
    );
  };
