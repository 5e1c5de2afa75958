/**
 * The processes of one reflector, seen from the first: starts the others, and carries between them what each has to know
 * of the rest. One process cannot open enough sockets where the limit is low, and one core cannot answer what several can.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ReflectorInfo } from '../model/far-end.js';
import type { NamedToken } from '../model/token.js';
import type { Place } from './alternates.js';
import type { Credentials } from './certificate.js';
import type { Core, CoreOptions, Siblings } from './core.js';
import type { Counters } from './metrics.js';
import { createRecordBatch } from './record-batch.js';
import { TELLS_WITHIN_MS } from './self-report.js';
import type { FromWorker, Lately, Share, ToWorker } from './worker-messages.js';

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));

interface WorkerProcess {
  readonly process: ChildProcess;
  counters: Counters | null;
  lately: Lately | null;
  readonly udp: Set<number>;
}

export interface Workers {
  /** What the first process's own core needs to know of the others. */
  readonly siblings: Siblings;
  /** Binds what each is given; resolves with all that could be bound. */
  start(
    core: Core,
    shares: readonly Share[],
  ): Promise<{ readonly udp: readonly Place[]; readonly tcp: readonly number[] }>;
  allBound(info: ReflectorInfo, bound: readonly Place[]): void;
  setInfo(info: ReflectorInfo): void;
  setTokens(tokens: readonly NamedToken[]): void;
  setCredentials(credentials: Credentials): void;
  counters(): readonly Counters[];
  close(): Promise<void>;
}

const MAX_PORTS = 65_536;
const keyOf = ({ listener, port }: Place): number => listener * MAX_PORTS + port;

const together = (all: readonly { readonly lately: Lately | null }[]): Lately => ({
  lateMs: Math.max(0, ...all.map(({ lately }) => lately?.lateMs ?? 0)),
  overruns: all.flatMap(({ lately }) => lately?.overruns ?? []),
});

/** @param failed called once if one of them ends by itself: its ports are closed then */
export const startWorkers = (options: CoreOptions, failed: (error: Error) => void): Workers => {
  const workers: WorkerProcess[] = [];
  let core: Core | null = null;
  let closing = false;
  let questions = 0;
  const flushed = new Map<number, () => void>();

  const tellOthers = (message: ToWorker, but: WorkerProcess | null): void => {
    for (const worker of workers)
      if (worker !== but && worker.process.connected) worker.process.send(message, () => undefined);
  };
  const batch = createRecordBatch((records) => {
    if (records.length > 0) tellOthers({ say: 'records', records }, null);
  });

  /** Resolves when all have told what they saw, or have had their time, with whether all have. */
  const flushAll = async (but: WorkerProcess | null): Promise<boolean> => {
    const asked = workers.filter((worker) => worker !== but && worker.process.connected);
    const answers = asked.map(
      (worker) =>
        new Promise<boolean>((resolve) => {
          questions += 1;
          const id = questions;
          const settle = (hasTold: boolean): void => {
            clearTimeout(timer);
            flushed.delete(id);
            resolve(hasTold);
          };
          const timer = setTimeout(() => settle(false), TELLS_WITHIN_MS);
          flushed.set(id, () => settle(true));
          worker.process.send({ say: 'flush', id } satisfies ToWorker, () => undefined);
        }),
    );
    return (await Promise.all(answers)).every((hasTold) => hasTold);
  };

  const latelyBut = (worker: WorkerProcess): Lately =>
    together([{ lately: core?.lately() ?? null }, ...workers.filter((one) => one !== worker)]);

  const sendFrom = (place: Place, bytes: Uint8Array, to: { address: string; port: number }): boolean => {
    if (core?.sendFrom(place, bytes, to)) return true;
    const owner = workers.find(({ udp }) => udp.has(keyOf(place)));
    owner?.process.send({ say: 'send', place, bytes, to } satisfies ToWorker, () => undefined);
    return owner !== undefined;
  };

  const hear = (worker: WorkerProcess, message: FromWorker): void => {
    switch (message.say) {
      case 'warn':
        options.warn(message.message);
        break;
      case 'records':
        worker.counters = message.counters;
        worker.lately = message.lately;
        for (const record of message.records) core?.merge(record);
        if (message.records.length > 0) tellOthers({ say: 'records', records: message.records }, worker);
        break;
      case 'flushed':
        flushed.get(message.id)?.();
        break;
      case 'consult':
        // What the others told has been passed on before this answer, over the same channel.
        void flushAll(worker).then((haveAllTold) => {
          batch.flush();
          if (worker.process.connected) {
            const told = { say: 'consulted', id: message.id, haveAllTold, lately: latelyBut(worker) } as const;
            worker.process.send(told satisfies ToWorker, () => undefined);
          }
        });
        break;
      case 'send':
        sendFrom(message.place, message.bytes, message.to);
        break;
      case 'bound':
        break;
    }
  };

  const startOne = async (share: Share): Promise<Extract<FromWorker, { say: 'bound' }>> => {
    const child = fork(WORKER, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const worker: WorkerProcess = { process: child, counters: null, lately: null, udp: new Set() };
    workers.push(worker);
    const bound = new Promise<Extract<FromWorker, { say: 'bound' }>>((resolve, reject) => {
      child.on('message', (message) => {
        const said = message as FromWorker;
        if (said.say === 'bound') resolve(said);
        else hear(worker, said);
      });
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        const error = new Error(`process ${child.pid} of the reflector ended (${signal ?? code})`);
        reject(error);
        if (!closing) failed(error);
      });
    });
    const { listeners, tokens, credentials, version, hashSeed, inbound = false } = options;
    child.send(
      { say: 'start', listeners, tokens, credentials, version, hashSeed, inbound, share } satisfies ToWorker,
      () => undefined,
    );
    const said = await bound;
    for (const place of said.udp) worker.udp.add(keyOf(place));
    return said;
  };

  return {
    siblings: {
      tell: batch.tell,
      consult: () => flushAll(null),
      sendFrom,
      isBound: (place) => workers.some(({ udp }) => udp.has(keyOf(place))),
      lately: () => together(workers),
    },
    start: async (own, shares) => {
      core = own;
      const bound = await Promise.all(shares.map(startOne));
      return { udp: bound.flatMap(({ udp }) => udp), tcp: bound.flatMap(({ tcp }) => tcp) };
    },
    allBound: (info, bound) => tellOthers({ say: 'all-bound', info, bound }, null),
    setInfo: (info) => tellOthers({ say: 'info', info }, null),
    setTokens: (tokens) => tellOthers({ say: 'tokens', tokens }, null),
    setCredentials: (credentials) => tellOthers({ say: 'credentials', credentials }, null),
    counters: () => workers.flatMap(({ counters }) => counters ?? []),
    close: async () => {
      closing = true;
      batch.close();
      await Promise.all(
        workers.map(async ({ process: child }) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          const gone = once(child, 'exit');
          if (child.connected) child.disconnect();
          else child.kill('SIGKILL');
          await gone;
        }),
      );
    },
  };
};
