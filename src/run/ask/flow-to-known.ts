/**
 * One UDP flow over which a way that is known to pass is asked as often as wanted. Nothing waits for an answer: each is told
 * when it comes, by the number of its question.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { Tools } from '../tools.js';

export interface FlowToKnown {
  /** The port that it leaves from. */
  readonly sourcePort: number;
  /** Sends the next question at the run's pace: what is known to pass, or another to the same port. @throws the signal's reason when it fires */
  ask(other?: Question): Promise<void>;
  close(): void;
}

/** What is asked, and how. */
export interface Question {
  readonly check: Check;
  readonly probe: Probe<unknown>;
}

interface FlowEvents {
  /** Question `index`, counted from 0, goes out now. */
  asking(index: number): void;
  /** Its proven answer came so long after it was sent. */
  answered(index: number, afterMs: number): void;
}

/** Questions whose answers are waited for; of a dead flow the oldest are given up. */
const MAX_PENDING = 64;
/** Of 256 bits ids and SSRCs are taken. */
const SEED_BYTES = 32;

/** Opens it; from this source port where one is given. @throws SocketError if no socket opens */
export const openFlowToKnown = async (
  way: Check,
  tools: Tools,
  events: FlowEvents,
  sourcePort?: number,
): Promise<FlowToKnown> => {
  const { net, session, timeline, totals } = tools;
  const address = way.address ?? '';
  const known: Question = { check: way, probe: tools.probeOf(way.probe) };
  const pending = new Map<
    number,
    Question & { readonly question: ReturnType<Probe<unknown>['ask']>; readonly atMs: number }
  >();
  let asked = 0;
  const flow = await net.openUdp(
    { address, port: way.port, family: way.family ?? 4 },
    {
      message: (bytes, atMs) => {
        totals.packetsReceived += 1;
        for (const [index, { check, probe, question, atMs: sentAtMs }] of pending) {
          const elapsedMicros = Math.round((atMs - sentAtMs) * 1000);
          const reading = probe.read(bytes, { check, question, receivedAtMicros: 0n, elapsedMicros });
          if (reading.kind !== 'answer' || reading.authentic !== true) continue;
          pending.delete(index);
          // Nobody answers a reply, so nobody waits to hear that it could not be sent.
          if (reading.reply) void put(reading.reply);
          timeline.answered(address, sentAtMs, 'udp');
          if (reading.attestation) timeline.seenAs(address, sentAtMs, reading.attestation.seenAddress);
          events.answered(index, atMs - sentAtMs);
          return;
        }
      },
      // What says no is no answer; the next one asks again.
      error: () => undefined,
    },
    { address: net.source ?? undefined, ...(sourcePort !== undefined && { port: sourcePort }) },
  );
  const put = async (message: Uint8Array): Promise<void> => {
    totals.packetsSent += 1;
    totals.bytesSent += message.length;
    await flow.send(message).catch(() => undefined);
  };
  return {
    sourcePort: flow.local.port,
    ask: async ({ check, probe } = known) => {
      await net.pacer.take(1, tools.signal);
      const question = probe.ask({
        ...{ check, local: flow.local, session, sequence: tools.nextSequence(), binding: null },
        seed: net.random(SEED_BYTES),
        sentAtMicros: net.nowMicros(),
      });
      const index = asked;
      asked += 1;
      pending.set(index, { check, probe, question, atMs: net.now() });
      const [oldest] = pending.keys();
      if (pending.size > MAX_PENDING && oldest !== undefined) pending.delete(oldest);
      events.asking(index);
      for (const message of question.messages) await put(message);
    },
    close: flow.close,
  };
};
