/** How the agent runs a probe: as `probe --target` would, in the standing thread. */
import { createHash } from 'node:crypto';
import type { Runner, RunRequest } from '../agent/job.js';
import { LIGHT_SCOUTS } from '../run/sweep/scouts.js';
import type { ProbeThread } from '../run/thread/thread.js';
import type { ProbeOptions } from './options.js';
import { agentId, prepare, runPrepared } from './run-command.js';

/** How long a run may take unless the schedule says otherwise; a sweep of 16,384 ports takes minutes at 100 a second. */
const DEFAULT_TIMEOUT_MS = { light: 60_000, sweep: 900_000, deep: 3_600_000 } as const;

/** The options that a user would have given to ask the same. */
const optionsFor = ({ target, schedule, kind, packetsPerSecond }: RunRequest): ProbeOptions => ({
  target: target.host,
  reflectors: target.reflectors,
  profiles: schedule.profiles ?? target.profiles,
  rtpRange: target.rtpRange ?? null,
  exhaustive: kind === 'sweep',
  transports: target.transports ?? null,
  deep: kind === 'deep',
  nat: true,
  tokenFile: target.tokenFile ?? null,
  strict: false,
  output: 'json',
  outFile: null,
  maxPps: packetsPerSecond,
  timeoutMs: schedule.timeout ?? DEFAULT_TIMEOUT_MS[kind],
  source: target.source ?? null,
  // A target of the configuration has a host of its own.
  plmn: { mcc: null, mnc: null },
  families: target.families,
  dryRun: false,
  verbose: false,
  color: false,
});

const NOWHERE = { isTTY: false, write: () => undefined };

/** Above what Linux gives to programs that ask for any port (32768 to 60999); a port that is taken is left alone. */
const PERSISTENT_PORTS = { first: 61_000, count: 4_000 } as const;

/** The same port for a target on this host in each run, also after a restart: a flow as a phone keeps its own. */
const persistentPortFor = (target: string): number =>
  PERSISTENT_PORTS.first +
  (createHash('sha256').update(`${agentId()} ${target}`).digest().readUInt32BE(0) % PERSISTENT_PORTS.count);

/** Runs each probe as `probe --target` would, in the standing thread. A token comes from the target's file alone. */
export const runnerIn =
  (thread: ProbeThread): Runner =>
  async (request, signal) => {
    const options = optionsFor(request);
    const { kind, watched = {} } = request;
    return runPrepared(await prepare(options, {}, signal, watched), options, signal, {
      drawn: NOWHERE,
      run: thread.run,
      ...(kind === 'light' && { scouts: LIGHT_SCOUTS }),
      persistentPort: persistentPortFor(request.target.name ?? request.target.host),
    });
  };
