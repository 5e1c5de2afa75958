/**
 * Datagrams that arrived at this host and were dropped before anybody read them, because a socket's receive buffer was
 * full: Linux counts them by socket (proc(5), /proc/net/udp, `drops`). They are our doing and no firewall's, so agents
 * are told on which ports there were any. Other systems keep no such count; there it stays zero.
 */
import { readFile } from 'node:fs/promises';

interface Overruns {
  /** Since the start. */
  total(): number;
  /** Ports with any lately: in about the last two minutes, which no run of an agent outlasts by much. */
  recent(): readonly number[];
  /** Looks once; the timer does so by itself every second. */
  look(): Promise<void>;
  close(): void;
}

const EVERY_MS = 1000;
/** `recent` covers one such period that is over and the one that runs. */
const PERIOD_MS = 60_000;
/** All sockets of a family in this network namespace, and sums over them, which are cheap to read. */
const TABLES = ['/proc/net/udp', '/proc/net/udp6'] as const;
const SUMS = ['/proc/net/snmp', '/proc/net/snmp6'] as const;
/** Slot, local address and port in hex, …, and drops as the last column. */
const ROW = /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) .* (\d+)\s*$/gm;

/** Drops by local socket, for sockets on these ports that have any. */
export const readDrops = (table: string, ports: ReadonlySet<number>): ReadonlyMap<string, number> => {
  const found = new Map<string, number>();
  for (const [, address, port = '', drops] of table.matchAll(ROW)) {
    if (drops !== '0' && ports.has(Number.parseInt(port, 16))) found.set(`${address}:${port}`, Number(drops));
  }
  return found;
};

const portOf = (socket: string): number => Number.parseInt(socket.slice(socket.indexOf(':') + 1), 16);

/** Whatever changes when any socket of this namespace drops something. */
const readSums = (text: string): string => {
  const [names = [], values = []] = [...text.matchAll(/^Udp: (.*)$/gm)].map(([, line = '']) => line.split(' '));
  return values[names.indexOf('RcvbufErrors')] ?? /^Udp6RcvbufErrors\s+(\d+)$/m.exec(text)?.[1] ?? '';
};

const orNothing = async (read: (path: string) => Promise<string>, path: string): Promise<string> => {
  try {
    return await read(path);
  } catch {
    // Not Linux, or no IPv6.
    return '';
  }
};

/** Watches the sockets on these ports until it is closed. */
export const createOverruns = (
  ports: ReadonlySet<number>,
  read: (path: string) => Promise<string> = (path) => readFile(path, 'latin1'),
  now: () => number = () => performance.now(),
): Overruns => {
  let sums = '';
  let last: ReadonlyMap<string, number> = new Map();
  let total = 0;
  let period = { startedAt: now(), ports: new Set<number>() };
  let before: ReadonlySet<number> = new Set();
  const turn = (): void => {
    const age = now() - period.startedAt;
    if (age < PERIOD_MS) return;
    before = age < 2 * PERIOD_MS ? period.ports : new Set();
    period = { startedAt: now(), ports: new Set() };
  };
  const lookNow = async (): Promise<void> => {
    const seen = (await Promise.all(SUMS.map((path) => orNothing(read, path)))).map(readSums).join(' ');
    if (seen === sums) return;
    sums = seen;
    const tables = await Promise.all(TABLES.map((path) => orNothing(read, path)));
    const drops = new Map(tables.flatMap((table) => [...readDrops(table, ports)]));
    turn();
    for (const [socket, count] of drops) {
      const more = Math.max(0, count - (last.get(socket) ?? 0));
      total += more;
      if (more > 0) period.ports.add(portOf(socket));
    }
    last = drops;
  };
  // One after the other: who looks while another does is told when both are done.
  let running: Promise<void> = Promise.resolve();
  const look = (): Promise<void> => {
    running = running.then(lookNow);
    return running;
  };
  let busy = false;
  const timer = setInterval(async () => {
    if (busy) return;
    busy = true;
    await look();
    busy = false;
  }, EVERY_MS).unref();
  return {
    total: () => total,
    recent: () => {
      turn();
      return [...new Set([...before, ...period.ports])];
    },
    look,
    close: () => clearInterval(timer),
  };
};
