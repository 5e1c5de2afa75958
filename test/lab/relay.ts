/**
 * Delay, jitter, loss, duplicates and reordering for UDP in user space, where the kernel has no netem. Runs inside the
 * firewall, which redirects the ports to it with their numbers kept: one listening socket per port, and one socket
 * per flow onwards, from the client's own port where that is free. Connection tracking puts the far end's address
 * back on what goes to the client, so that both ends see an ordinary NAT.
 */
import { createSocket, type Socket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/model/random.js';
import { createFate, type Fate, type Impairment } from './impairment.js';

interface RelayOptions {
  readonly listen: string;
  readonly to: string;
  readonly ports: readonly number[];
  readonly impairment: Impairment;
  readonly seed: number;
}

export interface Direction {
  received: number;
  sent: number;
  lost: number;
  duplicated: number;
  reordered: number;
}

interface RelayStats {
  readonly flows: number;
  readonly up: Readonly<Direction>;
  readonly down: Readonly<Direction>;
}

interface Relay {
  /** The bound ports, in the order of the options: for port 0, what the system chose. */
  readonly ports: readonly number[];
  readonly stats: () => RelayStats;
  readonly close: () => Promise<void>;
}

/** Far more than a probe opens; a relay of the lab needs no eviction. */
const MAX_FLOWS = 8192;

const nothingYet = (): Direction => ({ received: 0, sent: 0, lost: 0, duplicated: 0, reordered: 0 });

const bind = (address: string, port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = createSocket({ type: 'udp4', lookup: (name, _options, done) => done(null, name, 4) });
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(port, address, () => {
      socket.removeAllListeners('error');
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });

/** What waits, in the order of its release: late timers of a busy host fire in any order. */
export const createQueue = () => {
  const waiting: { readonly at: number; readonly send: () => void }[] = [];
  return {
    add: (at: number, send: () => void): void => {
      let place = waiting.length;
      while (place > 0 && (waiting[place - 1]?.at ?? 0) > at) place -= 1;
      waiting.splice(place, 0, { at, send });
    },
    releaseUntil: (ms: number): void => {
      while ((waiting[0]?.at ?? Number.POSITIVE_INFINITY) <= ms) waiting.shift()?.send();
    },
  };
};

/** Starts relaying. Rejects if a port cannot be bound. */
export const startRelay = async (options: RelayOptions): Promise<Relay> => {
  const random = seededRandom(options.seed);
  const fate = { up: createFate(options.impairment, random), down: createFate(options.impairment, random) };
  const stats = { up: nothingYet(), down: nothingYet() };
  const flows = new Map<string, Promise<Socket>>();
  const timers = new Set<NodeJS.Timeout>();
  const queues = { up: createQueue(), down: createQueue() };
  let closed = false;

  const pass = (direction: 'up' | 'down', decide: (nowMs: number) => Fate, send: () => void): void => {
    const counts = stats[direction];
    const now = performance.now();
    const { releases, reordered } = decide(now);
    counts.received += 1;
    if (releases.length === 0) counts.lost += 1;
    if (releases.length > 1) counts.duplicated += 1;
    if (reordered) counts.reordered += 1;
    for (const release of releases) {
      queues[direction].add(release, () => {
        counts.sent += 1;
        send();
      });
      const timer = setTimeout(() => {
        timers.delete(timer);
        queues[direction].releaseUntil(Math.max(release, performance.now()));
      }, release - now);
      timers.add(timer);
    }
  };

  const openFlow = async (
    listener: Socket,
    port: number,
    client: { address: string; port: number },
  ): Promise<Socket> => {
    const onwards = await bind('0.0.0.0', client.port).catch(() => bind('0.0.0.0', 0));
    if (closed) onwards.close();
    onwards.on('message', (message, from) => {
      if (from.address !== options.to || from.port !== port) return;
      pass('down', fate.down, () => listener.send(message, client.port, client.address, () => undefined));
    });
    return onwards;
  };

  const listeners = await Promise.all(options.ports.map((port) => bind(options.listen, port)));
  const ports = listeners.map((listener) => listener.address().port);
  for (const [index, listener] of listeners.entries()) {
    const port = ports[index] ?? 0;
    listener.on('message', (message, client) => {
      const key = `${client.address} ${client.port} ${port}`;
      const known = flows.get(key);
      if (!known && flows.size >= MAX_FLOWS) return;
      const flow = known ?? openFlow(listener, port, client);
      flows.set(key, flow);
      // The fate is decided on arrival, so that opening the flow adds nothing to the delay of its first datagram.
      pass('up', fate.up, () => {
        flow.then((onwards) => onwards.send(message, port, options.to, () => undefined)).catch(() => undefined);
      });
    });
  }

  return {
    ports,
    stats: () => ({ flows: flows.size, up: { ...stats.up }, down: { ...stats.down } }),
    close: async () => {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
      const opened = await Promise.allSettled(flows.values());
      for (const socket of [...listeners, ...opened.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))]) {
        socket.close();
      }
    },
  };
};

/** `5060,16384-16447` as numbers. */
const portsOf = (text: string): readonly number[] =>
  text.split(',').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });

/** How often the counts are written, for whoever keeps a lab up to look at. */
const STATS_EVERY_MS = 500;

const main = async (): Promise<void> => {
  const number = { type: 'string', default: '0' } as const;
  const { values } = parseArgs({
    options: {
      listen: { type: 'string', default: '127.0.0.1' },
      to: { type: 'string', default: '127.0.0.1' },
      ports: { type: 'string', default: '' },
      stats: { type: 'string' },
      seed: { ...number, default: '1' },
      delay: number,
      jitter: number,
      loss: number,
      duplicate: number,
      reorder: number,
    },
  });
  const { delay, jitter, loss, duplicate, reorder } = values;
  const relay = await startRelay({
    listen: values.listen,
    to: values.to,
    ports: portsOf(values.ports),
    seed: Number(values.seed),
    impairment: {
      delay: Number(delay),
      jitter: Number(jitter),
      loss: Number(loss),
      duplicate: Number(duplicate),
      reorder: Number(reorder),
    },
  });
  const { stats } = values;
  if (stats !== undefined) setInterval(() => writeFileSync(stats, JSON.stringify(relay.stats())), STATS_EVERY_MS);
  console.log('relay ready');
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
