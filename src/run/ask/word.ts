/**
 * Questions by which a reflector gives its word, in a bare tag: who it is, what arrived, what that looked like, what came of a
 * call from outside. Who asks may vary the question from turn to turn, because a path may lose all that is long.
 */
import type { Arrival, Probe, Question } from '../../../probes/contract.js';
import { NOTHING } from '../../wire/octets.js';
import { expectProof, type Judged, judgeTag, makeTag } from '../../wire/proof.js';
import { ANSWER_TO, MAX_TAG_BYTES, type RequestType, readTag } from '../../wire/tag.js';

interface Word<V> {
  readonly request: RequestType;
  /** The body of the request in turn `turn`, counted from 1. */
  readonly body: (turn: number) => Uint8Array;
  /** What a proven answer to the request of that turn says; null where it cannot be read. */
  readonly value: (judged: Extract<Judged, { authentic: true }>, turn: number, arrival: Arrival) => V | null;
  /** What a refusal says, which carries no proof; nothing if left out. */
  readonly refusal?: (because: number) => V;
}

export const wordProbe = <V>({ request, body, value, refusal }: Word<V>): Probe<V> => {
  const turnOf = new Map<Question, number>();
  return {
    kind: 'udp-echo',
    retransmits: false,
    timed: 'exchange',
    ask: (asking) => {
      const turn = turnOf.size + 1;
      const message = makeTag(asking, request, body(turn)) ?? NOTHING;
      const question = { messages: [message], proof: expectProof(asking, message), answeredByOpening: false };
      turnOf.set(question, turn);
      return question;
    },
    read: (bytes, arrival) => {
      const { question, elapsedMicros } = arrival;
      if (bytes.length > MAX_TAG_BYTES) return { kind: 'refused', why: 'oversized' };
      const parsed = readTag(bytes);
      if (!parsed.ok)
        return parsed.refusal === 'truncated' ? { kind: 'partial' } : { kind: 'refused', why: 'malformed' };
      const { tag } = parsed.value;
      const judged = question.proof && judgeTag(bytes, question.proof, elapsedMicros);
      if (!judged?.authentic || judged.tag.type !== ANSWER_TO[request]) {
        return tag.type === 'refusal' && refusal
          ? { kind: 'refused', why: 'bad-proof', value: refusal(tag.because) }
          : { kind: 'refused', why: 'bad-proof' };
      }
      const found = value(judged, turnOf.get(question) ?? turnOf.size, arrival);
      return found === null
        ? { kind: 'refused', why: 'malformed' }
        : { kind: 'answer', authentic: true, attestation: judged.attestation, detail: {}, value: found };
    },
  };
};
