/** What an agent with a token notices of an attack: the round trips of its authenticated echoes, and those that never return. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { deriveKeys } from '../../../src/wire/keys.js';
import { expectProof, judgeTag, makeTag, type TagProof } from '../../../src/wire/proof.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES } from '../../../src/wire/tag.js';
import { TOKEN } from '../../../test/reflector/support.js';

/** Round trips in milliseconds; one that never returned is as long as we wait. */
export type Trips = readonly number[];

/** As often as five calls send: enough samples in seconds, and no load by itself. */
const EVERY_MS = 4;
/** What is later than this is lost to any agent. */
export const LATE_MS = 1500;
const PADDING = new Uint8Array(ANSWER_TAG_BYTES - REQUEST_TAG_BYTES);

export const quantile = (trips: Trips, share: number): number =>
  trips.toSorted((a, b) => a - b)[Math.min(trips.length - 1, Math.floor(trips.length * share))] ??
  Number.POSITIVE_INFINITY;

/** How long a process has waited for a core that others used, in milliseconds (proc_pid_schedstat(5)); 0 where nobody can say. */
const waitedOf = (pid: number): number => {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
};

/** A wait for a core that others use is no work of the target's. What it delays says nothing, nor what came shortly after. */
const WAITED_MS = 0.5;
const AFTERMATH = 6;

interface Measurement {
  readonly address: string;
  readonly port: number;
  readonly forMs: number;
  /** Of the process that answers. */
  readonly pid: number;
}

/** Asks one UDP port for a while; leaves out the trips in which the target had no core. */
export const measureTrips = async ({ address, port, forMs, pid }: Measurement): Promise<Trips> => {
  const id = randomBytes(8);
  const session = { id, keys: deriveKeys(TOKEN, id) };
  const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
  socket.on('error', () => undefined);
  const bound = once(socket, 'listening');
  socket.bind(0, '127.0.0.1');
  await bound;
  const waiting = new Map<number, { readonly proof: TagProof; readonly at: number; readonly waited: number }>();
  /** What the target had waited at the last few sendings. */
  let waits: readonly number[] = [waitedOf(pid)];
  const trips: number[] = [];
  socket.on('message', (bytes) => {
    const now = performance.now();
    const sequence = bytes.length >= ANSWER_TAG_BYTES ? bytes.readUInt32BE(20) : -1;
    const asked = waiting.get(sequence);
    if (!asked || !judgeTag(bytes, asked.proof, 0).authentic) return;
    waiting.delete(sequence);
    if (waitedOf(pid) - asked.waited < WAITED_MS) trips.push(now - asked.at);
  });
  const began = performance.now();
  let sequence = 0;
  while (performance.now() - began < forMs) {
    const asking = { session, sequence, sentAtMicros: BigInt(Date.now()) * 1000n, binding: null };
    const tag = makeTag(asking, 'echoRequest', PADDING);
    const proof = tag && expectProof(asking, tag);
    if (tag && proof) {
      waits = [...waits.slice(1 - AFTERMATH), waitedOf(pid)];
      waiting.set(sequence, { proof, at: performance.now(), waited: waits[0] ?? 0 });
      socket.send(tag, port, address);
    }
    sequence += 1;
    await sleep(EVERY_MS);
  }
  await sleep(Math.min(LATE_MS, forMs));
  socket.close();
  return [...trips, ...[...waiting].map(() => LATE_MS)];
};
