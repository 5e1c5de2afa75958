/** What is known of one port of a sweep while it is asked, and the observation that comes of it. */
import type { Probe, Question } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { Attempt, Failure, Observation } from '../../model/observation.js';
import type { SocketError } from '../../net/errno.js';

type Answer = Extract<Attempt, { outcome: 'answer' }>;

/** One packet that may still be answered. */
export interface Asked {
  readonly port: SweptPort;
  readonly question: Question;
  /** The source port that it left from. */
  readonly sourcePort: number;
  readonly sentAtMs: number;
  readonly sentAtMicros: bigint;
  /** Takes up a place of the window. */
  inFlight: boolean;
  /** How long its socket is listened to, where that is not until the end. */
  heardForMs?: number;
}

export interface SweptPort {
  readonly check: Check;
  readonly probe: Probe;
  /** Newest first is the order in which answers are looked for. */
  readonly pending: Asked[];
  readonly sequences: number[];
  packets: number;
  answers: number;
  /** Packets since the path was last found to be another than before; only these count against silence. */
  counted: number;
  answer: Answer | null;
  errors: number;
  failure: { readonly failure: Failure; readonly code: string } | null;
  readonly refused: Record<string, number>;
}

/** A port that was not asked yet. */
export const sweptPort = (check: Check, probe: Probe): SweptPort => ({
  check,
  probe,
  pending: [],
  sequences: [],
  packets: 0,
  answers: 0,
  counted: 0,
  answer: null,
  errors: 0,
  failure: null,
  refused: {},
});

/** Offers a datagram that came from the port. True if it answers what was asked; otherwise it is counted as refused. */
export const offer = (port: SweptPort, bytes: Uint8Array, atMs: number): Asked | null => {
  let why: string | null = null;
  for (let index = port.pending.length - 1; index >= 0; index -= 1) {
    const asked = port.pending[index];
    if (!asked) continue;
    const elapsedMs = Math.max(0, atMs - asked.sentAtMs);
    const elapsedMicros = Math.round(elapsedMs * 1000);
    const reading = port.probe.read(bytes, {
      check: port.check,
      question: asked.question,
      receivedAtMicros: asked.sentAtMicros + BigInt(elapsedMicros),
      elapsedMicros,
    });
    if (reading.kind === 'answer') {
      port.pending.splice(index, 1);
      port.answers += 1;
      port.answer ??= {
        outcome: 'answer',
        packets: 1,
        answers: 1,
        sourcePort: asked.sourcePort,
        lostAtMs: [],
        rttMs: elapsedMs,
        authentic: reading.authentic,
        attestation: reading.attestation,
        detail: reading.detail,
      };
      return asked;
    }
    why ??= reading.kind === 'refused' ? reading.why : 'malformed';
  }
  if (why !== null) port.refused[why] = (port.refused[why] ?? 0) + 1;
  return null;
};

export const failed = (port: SweptPort, failure: Failure, error: SocketError): void => {
  port.errors += 1;
  port.failure ??= { failure, code: error.code };
};

const UNSENT = { sourcePort: null, lostAtMs: [] } as const;

/** Forgets what was listened to for less than answers take, as it turned out: that it stayed unanswered says nothing. */
export const forgetUnheard = (port: SweptPort, answersTakeMs: number): void => {
  for (let index = port.pending.length - 1; index >= 0; index -= 1) {
    if ((port.pending[index]?.heardForMs ?? Number.POSITIVE_INFINITY) >= answersTakeMs) continue;
    port.pending.splice(index, 1);
    port.packets -= 1;
  }
};

/** When those went out that stayed unanswered. */
export const lostOf = ({ pending }: SweptPort): readonly number[] => pending.map(({ sentAtMs }) => sentAtMs);

/** What stayed unanswered, by the source port that it left from. */
const lostByFlow = ({ pending }: SweptPort) => {
  const flows = new Map<number, number[]>();
  for (const { sourcePort, sentAtMs } of pending) {
    const flow = flows.get(sourcePort);
    if (flow) flow.push(sentAtMs);
    else flows.set(sourcePort, [sentAtMs]);
  }
  return [...flows].map(([sourcePort, lostAtMs]) => ({ sourcePort, packets: lostAtMs.length, lostAtMs }));
};

/**
 * The facts, as `classify` takes them. Receipts are asked for ports that stayed silent only: an authentic answer attests
 * that its request arrived, and a sweep of thousands of ports would need hundreds of queries for the others.
 * @param receipts for how many of its last packets receipts are asked, if it did not answer
 * @param vouches they are asked although it answered: a far end that denies them has forgotten the others, too
 */
export const observationOf = (
  port: SweptPort,
  interrupted: boolean,
  receipts = Number.POSITIVE_INFINITY,
  vouches = false,
): Observation => {
  const { check, packets, answers, answer, failure } = port;
  const lost = packets - answers;
  const unanswered = lostByFlow(port);
  const attempts: Attempt[] = [
    ...(answer ? [{ ...answer, packets: answers, answers }] : []),
    ...(failure && (lost > 0 || packets === 0)
      ? [
          {
            ...{ outcome: 'error' as const, ...(unanswered[0] ?? UNSENT), ...failure, opened: null },
            // Those that were refused as well as those of other flows: when each went out tells whether the far end was there.
            ...{ packets: lost, lostAtMs: lostOf(port) },
          },
        ]
      : []),
    ...(failure ? [] : unanswered.map((flow) => ({ outcome: 'silence' as const, ...flow, opened: null }))),
  ];
  const complete = answer?.authentic === true && lost === 0;
  return {
    check,
    attempts: interrupted && !answer ? [] : attempts,
    sequences: receipts === 0 || (answer?.authentic === true && !vouches) ? [] : port.sequences.slice(-receipts),
    refused: port.refused,
    seen: complete ? answers : null,
    notRun: attempts.length === 0 || (interrupted && !answer) ? 'interrupted' : null,
  };
};
