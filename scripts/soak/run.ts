/** A soak: mutated packets and hostile streams against a reflector process, and what has to be true during and after it. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ASKED_KINDS, kindOf } from '../../src/model/kinds.js';
import { seededRandom } from '../../src/model/random.js';
import { agentRequests, askAs, JUNK, sendInRealTime, strangersRequests } from '../../test/reflector/support.js';
import { below } from './mutate.js';
import { fuzzPackets } from './packets.js';
import { fuzzStreams } from './streams.js';
import { startTarget, type Target } from './target.js';

interface SoakOptions {
  readonly packets: number;
  readonly streams: number;
  readonly seed: number;
  readonly progress?: (line: string) => void;
}

interface SoakReport {
  readonly packets: number;
  readonly proofs: number;
  readonly datagramsRead: number;
  readonly streams: number;
  readonly streamsRefused: number;
  readonly streamsHeard: number;
  /** MiB: the reflector's memory at the start, in the middle and at the end; the middle is what the end is held against. */
  readonly memory: { readonly start: number; readonly warm: number; readonly end: number };
  readonly seconds: number;
  /** Empty if all is well. */
  readonly findings: readonly string[];
}

const SAMPLE_MS = 500;
/** V8 takes what it may before it tidies up: growth below this says nothing. */
const ALLOWED_GROWTH_MIB = 48;
/** What a datagram that the kernel dropped would show as: more than these and the fuzz did not reach its target. */
const MAX_LOST = 0.02;
const CLOSED_WITHIN_MS = 45_000;
const ANSWER_WITHIN_MS = 2000;
const TRIES = 5;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** Every UDP protocol asked as its probe asks; those whose authentic answer does not come. */
const unproven = async (target: Target): Promise<readonly string[]> => {
  const missing: string[] = [];
  const kinds = ASKED_KINDS.filter((kind) => kindOf(kind).transports.includes('udp'));
  for (const [index, kind] of kinds.entries()) {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    let proven = false;
    for (let tries = 0; tries < TRIES && !proven; tries += 1) {
      const { probe, asking, question } = await askAs(kind, {
        sequence: 1 + index * TRIES + tries,
        session: 78,
        port: 4500,
      });
      const heard = once(socket, 'message', { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
      for (const message of question.messages) socket.send(message, 4500, target.address);
      const [answer] = await heard.catch(() => [null]);
      if (!answer) continue;
      const reading = probe.read(answer, { check: asking.check, question, receivedAtMicros: 0n, elapsedMicros: 0 });
      proven = reading?.kind === 'answer' && reading.authentic === true;
    }
    socket.close();
    if (!proven) missing.push(`at the end: no authentic answer to ${kind}`);
  }
  return missing;
};

/** Runs it to its end. Linux; rejects only if no reflector could be started. */
export const soak = async ({
  packets,
  streams,
  seed,
  progress = () => undefined,
}: SoakOptions): Promise<SoakReport> => {
  sendInRealTime();
  const random = seededRandom(seed);
  const corpus = [...(await agentRequests()), ...(await strangersRequests()), ...JUNK].map(({ bytes }) => bytes);
  const target = await startTarget(`127.${200 + (process.pid % 50)}.${below(Math.random, 256)}.1`);
  const began = performance.now();
  const samples: number[] = [];
  const sampler = setInterval(() => {
    const rss = target.rss();
    if (rss !== null) samples.push(rss);
    if (samples.length % 20 === 0)
      progress(`${((performance.now() - began) / 1000).toFixed(0)} s: ${rss?.toFixed(0)} MiB`);
  }, SAMPLE_MS);
  try {
    const [sent, opened] = await Promise.all([
      fuzzPackets(target, packets, corpus, seededRandom(below(random, 2 ** 32))),
      fuzzStreams(target, streams, seededRandom(below(random, 2 ** 32))),
    ]);
    clearInterval(sampler);
    const findings = [...sent.findings, ...opened.findings];
    const read = (await target.counter('callpath_reflector_datagrams_total')) ?? 0;
    if (read < sent.sent * (1 - MAX_LOST)) findings.push(`of ${sent.sent} packets it read ${read}`);
    const until = performance.now() + CLOSED_WITHIN_MS;
    let left = await target.counter('callpath_reflector_open_connections');
    while (left !== 0 && target.ended() === null && performance.now() < until) {
      await sleep(200);
      left = await target.counter('callpath_reflector_open_connections');
    }
    if (left !== 0) findings.push(`${left} connections are still open`);
    findings.push(...(await unproven(target)));
    const third = Math.ceil(samples.length / 3);
    const memory = {
      start: samples[0] ?? 0,
      warm: median(samples.slice(third, 2 * third)),
      end: target.rss() ?? Number.POSITIVE_INFINITY,
    };
    if (memory.end - memory.warm > ALLOWED_GROWTH_MIB)
      findings.push(`it grew by ${(memory.end - memory.warm).toFixed(0)} MiB`);
    const ended = target.ended();
    if (ended !== null) findings.push(ended);
    findings.push(...target.complaints().map((line) => `it logged: ${line}`));
    return {
      packets: sent.sent,
      proofs: sent.proofs,
      datagramsRead: read,
      streams: opened.opened,
      streamsRefused: opened.refused,
      streamsHeard: opened.heard,
      memory,
      seconds: (performance.now() - began) / 1000,
      findings,
    };
  } finally {
    clearInterval(sampler);
    await target.stop();
  }
};
