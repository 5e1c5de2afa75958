/** What `run` touches of the world: sockets, clocks, chance. Passed in, so that tests can put their own in its place. */
import { randomBytes } from 'node:crypto';
import { createPacer, type Pacer, sleep } from '../net/pacing.js';
import { openStream } from '../net/stream.js';
import { openUdp } from '../net/udp.js';
import { openSharedUdp } from '../net/udp-shared.js';

export interface Net {
  readonly openUdp: typeof openUdp;
  readonly openSharedUdp: typeof openSharedUdp;
  readonly openStream: typeof openStream;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly pacer: Pacer;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Microseconds since 1970, for clocks to be compared with. */
  readonly nowMicros: () => bigint;
  readonly random: (bytes: number) => Uint8Array;
  /** The local address to send from, where the user chose one. */
  readonly source: string | null;
}

/** The real world, at most `maxPps` packets per second of it. */
export const systemNet = (maxPps: number, source: string | null): Net => ({
  openUdp,
  openSharedUdp,
  openStream,
  sleep,
  pacer: createPacer(maxPps),
  now: () => performance.now(),
  // performance.now() has the resolution that Date.now() lacks, and its origin is a time of day.
  nowMicros: () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)),
  random: (bytes) => randomBytes(bytes),
  source,
});
