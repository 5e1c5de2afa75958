/**
 * Packets of a sweep on their way: sent over one shared socket, at most a window of them in flight, answers matched by
 * source address, source port and the question's own sequence. Knows nothing of rounds and verdicts.
 */
import type { Family } from '../../model/check.js';
import { failureOf } from '../../net/errno.js';
import { createPacer, type Pacer } from '../../net/pacing.js';
import type { SharedUdp } from '../../net/udp-shared.js';
import { formatIp, parseIp, unmapIp } from '../../wire/ip.js';
import type { Tools } from '../tools.js';
import { type Asked, failed, offer, type SweptPort } from './port.js';

/**
 * In flight at once, where neither the pace nor this host's buffer sets a lower bound: as many small packets as a slow
 * line's queue holds. More gains nothing.
 */
const MAX_WINDOW = 512;
/**
 * What one small datagram costs of a receive buffer, as Linux counts it, its bookkeeping included; the buffer is filled
 * to half, which never overflowed in measurements, however late this process came to read. Linux's default: 128.
 */
const BUFFER_PER_PACKET = 1664;
const BUFFER_SHARE = 1 / 2;
/** After a wait it is worth to send several at once; waking for each answer costs more than the answer. */
const REFILL_SHARE = 3 / 4;
/** No answer of a swept protocol is longer. */
const MAX_DATAGRAM_BYTES = 2048;
/** Of 256 bits ids and SSRCs are taken; drawn for many packets at once. */
const SEED_BYTES = 32;
const SEEDS_AT_ONCE = 256;
/** A packet holds its place in the window for this many round trips; its answer counts whenever it comes. */
const PLACE_ROUND_TRIPS = 4;
/** A busy host answers this late however near it is; and before any round trip is known nothing shorter is safe. */
const PLACE_MS = { least: 5, unknown: 100, most: 300 } as const;
/** Made once, because an error with its stack for each waking would cost as much as a packet. */
const WOKEN = new Error('woken');
/** Weight of the newest round trip in the smoothed one (RFC 6298 §2: 1/8). */
const SMOOTHING = 1 / 8;

export interface Exchange {
  /** Sends one question, at once if window and pace allow; otherwise resolves when it was sent. */
  ask(port: SweptPort, signal: AbortSignal): Promise<void> | undefined;
  /** From now on the socket of this number asks, another source port; answers are heard on all. */
  fromFlow(index: number): Promise<void>;
  /** Where answers to this port's questions are looked for; several may wait at the same port. */
  watch(port: SweptPort): void;
  forget(port: SweptPort): void;
  /**
   * Waits until every port of `once` has answered, and every packet to those of `each` is answered, at most `ms`: what
   * loss is measured by must not count as lost what a long path has not brought back yet.
   */
  settle(
    waiting: { readonly once?: readonly SweptPort[]; readonly each: readonly SweptPort[] },
    ms: number,
    signal: AbortSignal,
  ): Promise<void>;
  /** Waits until the pace allows one more packet; for those who send over sockets of their own. */
  pace(signal: AbortSignal): Promise<void>;
  /** How long an unanswered packet holds its place in the window, in milliseconds: a few round trips. */
  placeMs(): number;
  /** Packets per second from now on, below the run's own cap. */
  setRate(packetsPerSecond: number): void;
  rate(): number;
  /** Round trips that were measured since the last call, in milliseconds. */
  takeRtts(): readonly number[];
  close(): void;
}

const canonical = (address: string): string => {
  const parsed = parseIp(address);
  return parsed ? formatIp(unmapIp(parsed.bytes)) : address;
};

/** Builds the question of a port and enters it in the port's book. */
export const question = (
  port: SweptPort,
  tools: Tools,
  local: { readonly address: string; readonly port: number },
  seed: Uint8Array,
): Asked => {
  const sentAtMicros = tools.net.nowMicros();
  const sequence = tools.nextSequence();
  const built = port.probe.ask({
    check: port.check,
    local,
    session: tools.session,
    sequence,
    seed,
    sentAtMicros,
    binding: null,
  });
  const sourcePort = local.port;
  const asked: Asked = { port, question: built, sourcePort, sentAtMs: tools.net.now(), sentAtMicros, inFlight: true };
  port.pending.push(asked);
  port.sequences.push(sequence);
  port.packets += 1;
  port.counted += 1;
  for (const message of built.messages) {
    tools.totals.packetsSent += 1;
    tools.totals.bytesSent += message.length;
  }
  return asked;
};

/** Opens the shared socket. Rejects with a `SocketError` if this host refuses. */
export const createExchange = async (address: string, family: Family, tools: Tools): Promise<Exchange> => {
  const { net, totals } = tools;
  const target = canonical(address);
  const byPort = new Map<number, SweptPort[]>();
  const queue: Asked[] = [];
  let head = 0;
  let inFlight = 0;
  let smoothedRttMs: number | null = null;
  let rtts: number[] = [];
  let ring: () => void = () => undefined;
  let ringBelow = 0;
  let packetsPerSecond = Number.POSITIVE_INFINITY;
  let pacer: Pacer | null = null;
  let seeds: Uint8Array = new Uint8Array(0);

  const release = (asked: Asked): void => {
    if (!asked.inFlight) return;
    asked.inFlight = false;
    inFlight -= 1;
  };
  const heard = (bytes: Uint8Array, from: string, fromPort: number, atMs: number): void => {
    const waiting = byPort.get(fromPort);
    if (!waiting || (from !== address && canonical(from) !== target)) return;
    totals.packetsReceived += 1;
    if (bytes.length > MAX_DATAGRAM_BYTES) {
      for (const port of waiting) port.refused.oversized = (port.refused.oversized ?? 0) + 1;
      return;
    }
    for (const port of waiting) {
      const asked = offer(port, bytes, atMs);
      if (!asked) continue;
      release(asked);
      tools.timeline.answered(address, asked.sentAtMs, 'udp');
      const seenAs = port.answers === 1 && port.answer?.attestation?.seenAddress;
      if (seenAs) tools.timeline.seenAs(address, asked.sentAtMs, seenAs);
      tools.ways.heard(port.check);
      const rtt = Math.max(0, atMs - asked.sentAtMs);
      smoothedRttMs = smoothedRttMs === null ? rtt : smoothedRttMs + SMOOTHING * (rtt - smoothedRttMs);
      rtts.push(rtt);
      break;
    }
    if (inFlight <= ringBelow) ring();
  };
  const open = (): Promise<SharedUdp> => net.openSharedUdp(family, heard, net.source);
  const first = await open();
  const sockets: SharedUdp[] = [first];
  let current = 0;
  const socketNow = (): SharedUdp => sockets[current] ?? first;
  const room = Math.floor((socketNow().receiveBuffer * BUFFER_SHARE) / BUFFER_PER_PACKET);
  const window = Math.max(1, Math.min(MAX_WINDOW, room));

  /** How long a packet holds its place. */
  const placeMs = (): number =>
    smoothedRttMs === null
      ? PLACE_MS.unknown
      : Math.min(PLACE_MS.most, Math.max(PLACE_MS.least, PLACE_ROUND_TRIPS * smoothedRttMs));

  /** Gives up the places of packets that were not answered in time; resolves how long until the next is due. */
  const expire = (): number => {
    const now = net.now();
    const hold = placeMs();
    while (head < queue.length) {
      const oldest = queue[head];
      if (oldest?.inFlight) {
        const left = oldest.sentAtMs + hold - now;
        if (left > 0) return left;
        release(oldest);
      }
      head += 1;
    }
    queue.length = 0;
    head = 0;
    return 0;
  };

  const news = async (ms: number, below: number, signal: AbortSignal): Promise<void> => {
    const rest = new AbortController();
    const stop = (): void => rest.abort(WOKEN);
    signal.addEventListener('abort', stop, { once: true });
    try {
      await Promise.race([
        new Promise<void>((resolve) => {
          ring = resolve;
          ringBelow = below;
        }),
        net.sleep(Math.max(1, ms), rest.signal).catch(() => undefined),
      ]);
    } finally {
      signal.removeEventListener('abort', stop);
      rest.abort(WOKEN);
      ring = () => undefined;
    }
    signal.throwIfAborted();
  };

  const seed = (): Uint8Array => {
    if (seeds.length < SEED_BYTES) seeds = net.random(SEED_BYTES * SEEDS_AT_ONCE);
    const drawn = seeds.subarray(0, SEED_BYTES);
    seeds = seeds.subarray(SEED_BYTES);
    return drawn;
  };

  const put = (port: SweptPort): void => {
    const socket = socketNow();
    if (port.packets === 0) tools.timeline.opened(address);
    const asked = question(port, tools, socket.local, seed());
    inFlight += 1;
    queue.push(asked);
    for (const message of asked.question.messages) {
      socket.send(message, port.check.port, address, (error) => {
        release(asked);
        failed(port, failureOf(error, 'udp'), error);
      });
    }
  };

  const askLater = async (port: SweptPort, signal: AbortSignal, hasSlot: boolean): Promise<void> => {
    signal.throwIfAborted();
    while (inFlight >= window) {
      const due = expire();
      if (inFlight >= window) await news(due, Math.floor(window * REFILL_SHARE), signal);
    }
    if (pacer && !hasSlot) await pacer.take(1, signal);
    await net.pacer.take(1, signal);
    put(port);
  };

  return {
    ask: (port, signal) => {
      if (inFlight >= window || signal.aborted) return askLater(port, signal, false);
      if (pacer && !pacer.tryTake(1)) return askLater(port, signal, false);
      if (!net.pacer.tryTake(1)) return askLater(port, signal, true);
      put(port);
      return undefined;
    },
    watch: (port) => {
      const waiting = byPort.get(port.check.port);
      if (waiting) waiting.push(port);
      else byPort.set(port.check.port, [port]);
    },
    forget: (port) => {
      const left = (byPort.get(port.check.port) ?? []).filter((one) => one !== port);
      if (left.length > 0) byPort.set(port.check.port, left);
      else byPort.delete(port.check.port);
    },
    settle: async ({ once = [], each }, ms, signal) => {
      const until = net.now() + ms;
      const quiet = (): boolean =>
        once.every(({ answers, errors }) => answers > 0 || errors > 0) &&
        each.every(({ packets, answers, errors }) => answers >= packets || errors > 0);
      while (net.now() < until && !quiet()) {
        await news(until - net.now(), 0, signal);
      }
      expire();
    },
    pace: async (signal) => {
      if (pacer) await pacer.take(1, signal);
    },
    placeMs,
    setRate: (next) => {
      packetsPerSecond = next;
      pacer = Number.isFinite(next) ? createPacer(next, net.now, net.sleep) : null;
    },
    rate: () => packetsPerSecond,
    takeRtts: () => {
      const taken = rtts;
      rtts = [];
      return taken;
    },
    fromFlow: async (index) => {
      while (sockets.length <= index) sockets.push(await open());
      current = index;
    },
    close: () => {
      for (const socket of sockets) socket.close();
    },
  };
};
