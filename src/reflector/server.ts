/** Starts the reflector: binds what it can, says what it could not, answers until it is closed. */

import type { ReflectorInfo } from '../model/far-end.js';
import type { NamedToken } from '../model/token.js';
import { descriptorLimit } from '../net/limits.js';
import { spansOf } from '../wire/info.js';
import type { Listener, Place } from './alternates.js';
import type { Credentials } from './certificate.js';
import { createCore, newHashSeed } from './core.js';
import { type Counters, sumCounters } from './metrics.js';
import type { PortPlan } from './ports.js';
import { dealShares, MAX_PROCESSES, roomUnder } from './shares.js';
import { startWorkers, type Workers } from './workers.js';

interface ReflectorOptions {
  /** Addresses to bind; `::` takes IPv4 as well where the system allows it. */
  readonly listeners: readonly Listener[];
  readonly ports: PortPlan;
  readonly tokens: readonly NamedToken[];
  readonly credentials: Credentials;
  readonly version: string;
  /** Whether agents may have ports of their own address tried from here; they may not if left out. */
  readonly inbound?: boolean;
  /** Whether it is the other end of agents' calls; it is if left out, as long as one process does everything. */
  readonly calls?: boolean;
  /** How many processes to use; null for as many as the limit of open files asks for. */
  readonly processes?: number | null;
  /** Called once for each port that cannot be bound. */
  readonly warn: (message: string) => void;
  /** Called if one of several processes ends by itself. */
  readonly failed?: (error: Error) => void;
}

export interface Reflector {
  readonly udp: readonly number[];
  readonly tcp: readonly number[];
  readonly processes: number;
  counters(): Counters;
  setTokens(tokens: readonly NamedToken[]): void;
  setCredentials(credentials: Credentials): void;
  close(): Promise<void>;
}

/** Sockets that are being bound at the same time; more gain nothing and make a failure harder to read. */
const BINDING_AT_ONCE = 512;

const inChunks = async <T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
  for (let at = 0; at < items.length; at += BINDING_AT_ONCE) {
    await Promise.all(items.slice(at, at + BINDING_AT_ONCE).map(work));
  }
};

const sorted = (ports: Iterable<number>): readonly number[] => [...new Set(ports)].sort((a, b) => a - b);

/** Starts answering. Resolves when every socket that can be bound is bound, even if none could be. */
export const startReflector = async (options: ReflectorOptions): Promise<Reflector> => {
  const { warn, listeners } = options;
  const limit = descriptorLimit();
  const { shares, leftOut } = dealShares(listeners, options.ports, roomUnder(limit), options.processes ?? null);
  if (leftOut > 0) {
    warn(
      `the limit of open files is ${limit}, too low for all sockets even with ${MAX_PROCESSES} processes: the last ${leftOut} are left out (raise it with ulimit -Hn or LimitNOFILE=)`,
    );
  }
  const [own = { udp: [], tcp: [] }, ...others] = shares;
  const coreOptions = { ...options, hashSeed: newHashSeed() };
  const workers: Workers | null =
    others.length > 0 ? startWorkers(coreOptions, options.failed ?? ((error) => warn(error.message))) : null;
  const core = createCore({ ...coreOptions, siblings: workers?.siblings });

  const bindOwn = async (): Promise<void> => {
    await inChunks(own.tcp, core.bindTcp);
    await inChunks(own.udp, core.bindUdp);
  };
  const [elsewhere] = await Promise.all([workers?.start(core, others) ?? { udp: [], tcp: [] }, bindOwn()]);
  const bound: readonly Place[] = [...core.udpPlaces(), ...elsewhere.udp];
  const udp = sorted(bound.map(({ port }) => port));
  const tcp = sorted([...core.tcpPorts(), ...elsewhere.tcp]);
  let { credentials } = options;
  const info = (): ReflectorInfo => ({
    version: options.version,
    udp: spansOf(udp),
    tcp: spansOf(tcp),
    ...(options.inbound === true && { inbound: true }),
    ...(!workers && options.calls !== false && { calls: true }),
    certificateSha256: credentials.sha256,
  });
  core.setInfo(info());
  workers?.allBound(info(), bound);

  return {
    udp,
    tcp,
    processes: shares.length,
    counters: () => sumCounters([core.counters(), ...(workers?.counters() ?? [])]),
    setTokens: (tokens) => {
      core.setTokens(tokens);
      workers?.setTokens(tokens);
    },
    setCredentials: (next) => {
      // First what can fail.
      core.setCredentials(next);
      credentials = next;
      core.setInfo(info());
      workers?.setCredentials(next);
      workers?.setInfo(info());
    },
    close: async () => {
      await Promise.all([core.close(), workers?.close()]);
    },
  };
};
