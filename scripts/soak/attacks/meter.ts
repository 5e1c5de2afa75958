/** What an agent with a token notices of an attack: the round trips of its authenticated echoes, and those that never return. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { deriveKeys } from '../../../src/wire/keys.js';
import { expectProof, judgeTag, makeTag, type TagProof } from '../../../src/wire/proof.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES } from '../../../src/wire/tag.js';
import { TOKEN } from '../../../test/reflector/support.js';

interface Trips {
  readonly asked: number;
  readonly answered: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** As often as five calls send: enough samples in seconds, and no load by itself. */
const EVERY_MS = 4;
/** What is later than this is lost to any agent. */
const LATE_MS = 1500;
const PADDING = new Uint8Array(ANSWER_TAG_BYTES - REQUEST_TAG_BYTES);

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.POSITIVE_INFINITY;

/** Asks one UDP port for `forMs`. Lost answers count as the latest. */
export const measureTrips = async (address: string, port: number, forMs: number): Promise<Trips> => {
  const id = randomBytes(8);
  const session = { id, keys: deriveKeys(TOKEN, id) };
  const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
  socket.on('error', () => undefined);
  const bound = once(socket, 'listening');
  socket.bind(0, '127.0.0.1');
  await bound;
  const waiting = new Map<number, { readonly proof: TagProof; readonly at: number }>();
  const trips: number[] = [];
  socket.on('message', (bytes) => {
    const now = performance.now();
    const sequence = bytes.length >= ANSWER_TAG_BYTES ? bytes.readUInt32BE(20) : -1;
    const asked = waiting.get(sequence);
    if (!asked || !judgeTag(bytes, asked.proof, 0).authentic) return;
    waiting.delete(sequence);
    trips.push(now - asked.at);
  });
  const began = performance.now();
  let sequence = 0;
  while (performance.now() - began < forMs) {
    const asking = { session, sequence, sentAtMicros: BigInt(Date.now()) * 1000n, binding: null };
    const tag = makeTag(asking, 'echoRequest', PADDING);
    const proof = tag && expectProof(asking, tag);
    if (tag && proof) {
      waiting.set(sequence, { proof, at: performance.now() });
      socket.send(tag, port, address);
    }
    sequence += 1;
    await sleep(EVERY_MS);
  }
  await sleep(Math.min(LATE_MS, forMs));
  socket.close();
  const all = [...trips, ...[...waiting].map(() => LATE_MS)].sort((a, b) => a - b);
  return { asked: sequence, answered: trips.length, p50Ms: quantile(all, 0.5), p99Ms: quantile(all, 0.99) };
};
