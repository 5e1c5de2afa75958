/** The book of one check: every request, how often it was sent, and what became of it. */
import type { Probe, Question, ReadingRefusal, Session } from '../../probes/contract.js';
import type { Check } from '../model/check.js';
import type { Attempt, Evidence, Failure } from '../model/observation.js';
import type { SocketError } from '../net/errno.js';
import type { Net, Totals } from './net.js';

export interface AskContext {
  readonly net: Net;
  readonly session: Session;
  readonly totals: Totals;
  readonly nextSequence: () => number;
}

/** One request; `packets` counts its sendings, because some protocols retransmit. */
export interface Transaction {
  readonly question: Question;
  /** Null as long as there is no question. */
  readonly sequence: number | null;
  readonly sentAtMicros: bigint;
  readonly firstSentAtMs: number;
  packets: number;
  answers: number;
  attempt: Attempt | null;
  /** What the connection showed when it opened, or null. */
  opened: Evidence | null;
}

export interface Ledger {
  begin(local: { readonly address: string; readonly port: number }, binding: Uint8Array | null): Transaction;
  /** A request that could not be built yet, because the connection that it needs is not open. */
  beginUnopened(): Transaction;
  /** The connection is open: the question takes the place of the unopened request. */
  opened(
    unopened: Transaction,
    local: { readonly address: string; readonly port: number },
    binding: Uint8Array | null,
    detail: Evidence,
  ): Transaction;
  /**
   * Offers what arrived to the transactions that it may belong to, the likeliest first. What none of them takes is
   * refused, and counted once. `rttMs` is the round trip to report instead of the time from the question to its answer.
   */
  offer(candidates: readonly Transaction[], bytes: Uint8Array, atMs: number, rttMs?: number): void;
  /** The open connection is the answer. */
  answeredByOpening(transaction: Transaction, rttMs: number): void;
  fail(transaction: Transaction | null, failure: Failure, error: SocketError): void;
  refuse(why: string): void;
  answered(): number;
  errors(): number;
  packets(): number;
  answers(): number;
  /** True while something that was sent may still be answered. */
  outstanding(): boolean;
  attempts(): readonly Attempt[];
  /** Sequence numbers of the requests that were built. */
  sequences(): readonly number[];
  refused(): Readonly<Record<string, number>>;
  /** Resolves at the next event, or after `ms`; rejects with the signal's reason. */
  news(ms: number, signal: AbortSignal): Promise<void>;
}

const NO_QUESTION: Question = { messages: [], proof: null, answeredByOpening: false };
/** Of 256 bits ids, branches, nonces and SPIs are taken. */
const SEED_BYTES = 32;

/** An empty book for one check. */
export const createLedger = (check: Check, probe: Probe, context: AskContext): Ledger => {
  const { net } = context;
  const transactions: Transaction[] = [];
  const refused: Record<string, number> = {};
  let errors = 0;
  let ring: () => void = () => undefined;

  const build = (local: { address: string; port: number }, binding: Uint8Array | null): Transaction => {
    const sentAtMicros = net.nowMicros();
    const sequence = context.nextSequence();
    const question = probe.ask({
      check,
      local,
      session: context.session,
      sequence,
      seed: net.random(SEED_BYTES),
      sentAtMicros,
      binding,
    });
    return {
      question,
      sequence,
      sentAtMicros,
      firstSentAtMs: net.now(),
      packets: 0,
      answers: 0,
      attempt: null,
      opened: null,
    };
  };
  const refuse = (why: string): void => {
    refused[why] = (refused[why] ?? 0) + 1;
  };
  const sum = (of: (transaction: Transaction) => number): number =>
    transactions.reduce((total, transaction) => total + of(transaction), 0);

  /** Takes what belongs to the transaction; or says why it does not. */
  const take = (
    transaction: Transaction,
    bytes: Uint8Array,
    atMs: number,
    rttMs: number | undefined,
  ): ReadingRefusal | null => {
    const elapsedMs = Math.max(0, atMs - transaction.firstSentAtMs);
    const elapsedMicros = Math.round(elapsedMs * 1000);
    const reading = probe.read(bytes, {
      check,
      question: transaction.question,
      receivedAtMicros: transaction.sentAtMicros + BigInt(elapsedMicros),
      elapsedMicros,
    });
    if (reading.kind === 'partial') return null;
    if (reading.kind === 'refused') return reading.why;
    transaction.answers = Math.min(transaction.packets, transaction.answers + 1);
    if (transaction.attempt?.outcome !== 'answer') {
      // Karn's rule: an answer after a retransmission may belong to either sending.
      const ambiguous = transaction.packets > 1;
      const { attestation } = reading;
      transaction.attempt = {
        outcome: 'answer',
        packets: transaction.packets,
        answers: transaction.answers,
        rttMs: rttMs ?? (ambiguous ? null : elapsedMs),
        authentic: reading.authentic,
        attestation: attestation && ambiguous ? { ...attestation, clockSkewMs: null } : attestation,
        detail: { ...reading.detail, ...transaction.opened },
      };
    }
    ring();
    return null;
  };

  return {
    begin: (local, binding) => {
      const transaction = build(local, binding);
      transactions.push(transaction);
      return transaction;
    },
    beginUnopened: () => {
      const transaction: Transaction = {
        question: NO_QUESTION,
        sequence: null,
        sentAtMicros: net.nowMicros(),
        firstSentAtMs: net.now(),
        packets: 1,
        answers: 0,
        attempt: null,
        opened: null,
      };
      transactions.push(transaction);
      return transaction;
    },
    opened: (unopened, local, binding, detail) => {
      const transaction = build(local, binding);
      transaction.packets = 1;
      transaction.opened = detail;
      transactions[transactions.indexOf(unopened)] = transaction;
      return transaction;
    },
    offer: (candidates, bytes, atMs, rttMs) => {
      let refusal: ReadingRefusal | null = null;
      for (const transaction of candidates) {
        const why = take(transaction, bytes, atMs, rttMs);
        if (why === null) return;
        refusal ??= why;
      }
      if (refusal !== null) refuse(refusal);
    },
    answeredByOpening: (transaction, rttMs) => {
      transaction.answers = 1;
      transaction.attempt = {
        outcome: 'answer',
        packets: 1,
        answers: 1,
        rttMs,
        authentic: null,
        attestation: null,
        detail: transaction.opened ?? {},
      };
      ring();
    },
    fail: (transaction, failure, error) => {
      errors += 1;
      if (transaction && transaction.attempt === null) {
        const { packets, opened } = transaction;
        transaction.attempt = { outcome: 'error', packets, failure, code: error.code, opened };
      }
      ring();
    },
    refuse,
    answered: () => sum((transaction) => (transaction.answers > 0 ? 1 : 0)),
    errors: () => errors,
    packets: () => sum((transaction) => transaction.packets),
    answers: () => sum((transaction) => transaction.answers),
    outstanding: () =>
      transactions.some(
        ({ attempt, answers, packets }) => attempt === null || (attempt.outcome === 'answer' && answers < packets),
      ),
    attempts: () =>
      transactions.map(({ attempt, packets, answers, opened }) => {
        if (attempt === null) return { outcome: 'silence', packets, opened };
        return attempt.outcome === 'answer' ? { ...attempt, packets, answers } : { ...attempt, packets };
      }),
    sequences: () => transactions.flatMap(({ sequence }) => sequence ?? []),
    refused: () => ({ ...refused }),
    news: async (ms, signal) => {
      const rest = new AbortController();
      try {
        await Promise.race([
          new Promise<void>((resolve) => {
            ring = resolve;
          }),
          net.sleep(ms, AbortSignal.any([signal, rest.signal])).catch(() => undefined),
        ]);
      } finally {
        rest.abort();
        ring = () => undefined;
      }
      signal.throwIfAborted();
    },
  };
};
