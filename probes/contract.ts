/**
 * What a probe is: one exchange of one protocol, as two pure functions. `ask` builds what is sent, `read` recognises
 * the answer. Sockets, repetition, pacing and time are the engine's, once for all protocols alike.
 */
import type { Check } from '../src/model/check.js';
import type { AskedKind } from '../src/model/kinds.js';
import type { Attestation, Evidence } from '../src/model/observation.js';
import type { SessionKeys } from '../src/wire/keys.js';
import { judgeTag, type TagProof } from '../src/wire/proof.js';
import { readTag } from '../src/wire/tag.js';

/** What agent and reflector share during a run; `keys` is null without a token. */
export interface Session {
  readonly id: Uint8Array;
  readonly keys: SessionKeys | null;
}

/** All that a question depends on. Same input, same bytes. */
export interface Asking {
  readonly check: Check;
  /** The true local address and port of the socket: an ALG rewrites only what matches the flow. */
  readonly local: { readonly address: string; readonly port: number };
  readonly session: Session;
  /** Unique within the run. */
  readonly sequence: number;
  /** 32 random bytes of this transaction: ids, branches, nonces and SPIs are taken from it. */
  readonly seed: Uint8Array;
  readonly sentAtMicros: bigint;
  /** The TLS session's exported keying material, or null on other transports. */
  readonly binding: Uint8Array | null;
  /** What the far end wanted in the rounds before, all of it; absent in the first. The rest of the asking stays as it was. */
  readonly demands?: Demands;
}

/** What an answer asks to be in the next round: the probe's own words, carried from `read` to `ask`. */
export type Demands = Readonly<Record<string, Uint8Array | number>>;

export interface Question {
  /** Sent in order: one datagram each, or the bytes of a stream. */
  readonly messages: readonly Uint8Array[];
  /** The proof to expect, or null where none was asked for. */
  readonly proof: TagProof | null;
  /** True if an open connection is already the whole answer. */
  readonly answeredByOpening: boolean;
}

const READING_REFUSALS = [
  'malformed', // not a message of this protocol
  'wrong-id', // of this protocol, and not to our request
  'provisional', // to our request, and not final
  'not-an-answer', // a request, or our own message come back
  'bad-proof', // carries a proof, and it is not the far end's
  'oversized', // more than a peer of this protocol sends
] as const;
export type ReadingRefusal = (typeof READING_REFUSALS)[number];

/** What is wrong where a probe has no better word for it. */
export const REFUSAL_PHRASES: Readonly<Record<ReadingRefusal, string>> = {
  malformed: 'it is no message of this protocol',
  'wrong-id': 'it answers another request than the one that was sent',
  provisional: 'it is not final, and nothing followed',
  'not-an-answer': 'it is a request, or our own message come back',
  'bad-proof': 'its proof does not hold',
  oversized: 'it is longer than any answer that is read',
};

/** `V` is what an answer brings home besides the facts that every check has: what a reflector says of itself, say. */
export type Reading<V = never> =
  | {
      readonly kind: 'answer';
      readonly authentic: boolean | null;
      readonly attestation: Attestation | null;
      readonly detail: Evidence;
      /** The far end now keeps state for us that it will miss the end of: no further sample is taken. */
      readonly askNoMore?: true;
      readonly value?: V;
      /** Goes back over the same flow at once: the acknowledgement that ends a transaction (RFC 3261 §17.1.1.3). */
      readonly reply?: Uint8Array;
    }
  /**
   * Ask again over the same flow, with these demands met (RFC 7296 §2.6: COOKIE; §1.2: INVALID_KE_PAYLOAD). It proves the
   * path, so it stands for the answer where none follows. The engine follows a few rounds and no more.
   */
  | {
      readonly kind: 'again';
      readonly demands: Demands;
      readonly detail: Evidence;
      /** The question of this round met the demand already: it came late, or the far end is never satisfied. */
      readonly isRepeated?: boolean;
    }
  /** A stream that may still become an answer; `what` is wrong with it if nothing more comes. */
  | { readonly kind: 'partial'; readonly what?: string }
  /** `what` was wrong, in a phrase that ends the sentence "an answer came, and it cannot be read: …". */
  | { readonly kind: 'refused'; readonly why: ReadingRefusal; readonly what?: string; readonly value?: V };

/** When and over what the bytes arrived: what `read` needs besides them. */
export interface Arrival {
  readonly check: Check;
  readonly question: Question;
  readonly receivedAtMicros: bigint;
  /** How long the answer took, in microseconds. */
  readonly elapsedMicros: number;
  /** The address and port that the question left from, where known: what a far end says of them is judged by it. */
  readonly local?: { readonly address: string; readonly port: number };
}

export interface Probe<V = never> {
  readonly kind: AskedKind;
  /**
   * The protocol has transactions and retransmits the same bytes until one is answered (RFC 3261 §17.1.2.2,
   * RFC 8489 §6.2.1, RFC 7296 §2.1); others send a new question each time.
   */
  readonly retransmits: boolean;
  /** On a stream, what the round trip is taken from: opening the connection, or the exchange over it. */
  readonly timed: 'opening' | 'exchange';
  ask(asking: Asking): Question;
  read(bytes: Uint8Array, arrival: Arrival): Reading<V>;
}

/**
 * Judges an answer that carries its tag inside another protocol. Without a tag it is an answer all the same, and not
 * the reflector's: whoever gave it stands in between.
 */
export const judgeEmbedded = (
  tag: Uint8Array | null,
  { question, elapsedMicros }: Arrival,
  detail: Evidence,
): Reading => {
  if (!question.proof) return { kind: 'answer', authentic: null, attestation: null, detail };
  const judged = tag && judgeTag(tag, question.proof, elapsedMicros);
  return judged?.authentic
    ? { kind: 'answer', authentic: true, attestation: judged.attestation, detail }
    : { kind: 'answer', authentic: false, attestation: null, detail };
};

/** For an answer whose proof holds, and whose carrier, which no MAC covers, was changed on the way back. */
export const changedOnReturn = (reading: Reading, changed: boolean): Reading =>
  changed && reading.kind === 'answer' && reading.attestation
    ? { ...reading, attestation: { ...reading.attestation, intact: false } }
    : reading;

/** Reads an answer that is a bare tag and nothing else. */
export const readBareTag = (bytes: Uint8Array, arrival: Arrival): Reading => {
  const { proof } = arrival.question;
  if (!proof) return { kind: 'refused', why: 'not-an-answer' };
  const overUdp = arrival.check.transport === 'udp';
  const parsed = readTag(bytes);
  if (!parsed.ok && overUdp) return { kind: 'refused', why: 'malformed' };
  // Of a stream the first octet may come alone; a tag is told by two.
  if (!parsed.ok && (parsed.refusal === 'truncated' || bytes.length < 2)) return { kind: 'partial' };
  // Over a connection anything that is said in the far end's place is an answer, and an impostor's.
  if (!parsed.ok) return { kind: 'answer', authentic: false, attestation: null, detail: {} };
  if (parsed.value.tag.type === 'echoRequest') return { kind: 'refused', why: 'not-an-answer' };
  const judged = judgeTag(bytes, proof, arrival.elapsedMicros);
  if (judged.authentic) return { kind: 'answer', authentic: true, attestation: judged.attestation, detail: {} };
  return overUdp
    ? { kind: 'refused', why: 'bad-proof' }
    : { kind: 'answer', authentic: false, attestation: null, detail: {} };
};

/** The probe of a kind; each file is loaded when its first question is asked. */
export const loadProbe = async (kind: AskedKind): Promise<Probe> => {
  const loaded = (await import(`./${kind}.js`)) as { readonly probe: Probe };
  return loaded.probe;
};
