/** The transactions of one check: every request, how often it was sent, and what became of it. */
import {
  type Asking,
  type Demands,
  type Probe,
  type Question,
  REFUSAL_PHRASES,
  type Reading,
  type ReadingRefusal,
} from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { Attempt, Evidence, Failure, Observation } from '../../model/observation.js';
import type { SocketError } from '../../net/errno.js';
import type { Tools } from '../tools.js';
import { createWake } from './wake.js';

/** One request; `packets` counts its sendings, because some protocols retransmit. */
export interface Transaction {
  /** The question of the current round. */
  question: Question;
  /** Null as long as there is no question. */
  readonly sequence: number | null;
  readonly sentAtMicros: bigint;
  /** When the question of this round was built. */
  firstSentAtMs: number;
  /** What the question was made from; null as long as there is none. */
  readonly asking: Asking | null;
  /** What each earlier round was answered with. */
  readonly rounds: Evidence[];
  demands: Demands;
  /** Sendings of earlier rounds. */
  packetsBefore: number;
  /** The last demand for another round: an answer, should nothing better follow. */
  fallback: Attempt | null;
  packets: number;
  answers: number;
  /** When each sending went out. */
  readonly sentAtMs: number[];
  /** The source port; null as long as no connection is open. */
  readonly sourcePort: number | null;
  attempt: Attempt | null;
  /** What the connection showed when it opened, or null. */
  opened: Evidence | null;
  /** Demands of this round that it had met already. */
  repeats: number;
  /** What is wrong with what has come so far, if nothing more comes. */
  unfinished: string | null;
}

/** A request by its number, and its first message. */
export interface Request {
  readonly sequence: number;
  readonly sent: Uint8Array;
}

export type Elsewhere = NonNullable<Observation['elsewhere']>;

/** `V` is what the probe's answers bring home. */
export interface Transactions<V> {
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
  offer(
    candidates: readonly Transaction[],
    bytes: Uint8Array,
    atMs: number,
    rttMs?: number,
  ): { readonly reply: Uint8Array | null };
  /** The request went out once more. */
  sent(transaction: Transaction): void;
  /** Those that were built and sent, in order. */
  requests(): readonly Request[];
  /** What answers and refusals brought home, in order of arrival. */
  values(): readonly V[];
  /** The open connection is the answer. */
  answeredByOpening(transaction: Transaction, rttMs: number): void;
  fail(transaction: Transaction | null, failure: Failure, error: SocketError): void;
  /** `what` was wrong, in a phrase. */
  refuse(why: ReadingRefusal, what?: string): void;
  /** Something came from elsewhere than where it was asked; kept if it is an answer to one of these. */
  stray(candidates: readonly Transaction[], bytes: Uint8Array, from: Elsewhere, atMs: number): void;
  /** Transactions whose next round has to be sent; each is given out once. */
  takeAgain(): readonly Transaction[];
  /** An answer asked not to be asked any more. */
  isClosed(): boolean;
  answered(): number;
  errors(): number;
  packets(): number;
  answers(): number;
  /** When those sendings went out that stayed unanswered so far. */
  lostAtMs(): readonly number[];
  /** True while something that was sent may still be answered. */
  outstanding(): boolean;
  /** A connection stands: what is asked over it has its time from now on. */
  stands(): void;
  /** When the last connection stood, in milliseconds of the run's clock; before the beginning if none did. */
  stoodAtMs(): number;
  /** The longest that an answer took since its request was first sent, or its connection asked for, in milliseconds; 0 as long as nothing is answered. */
  slowestMs(): number;
  attempts(): readonly Attempt[];
  /** Requests that were put, each with all its retransmissions. */
  transactions(): number;
  unreadable(): Readonly<Record<string, number>>;
  elsewhere(): Elsewhere | null;
  /** Sequence numbers of the requests that were built. */
  sequences(): readonly number[];
  refused(): Readonly<Record<string, number>>;
  /** Resolves at the next event, or after `ms`; rejects with the signal's reason. */
  news(ms: number, signal: AbortSignal): Promise<void>;
}

type Refused<V> = Extract<Reading<V>, { kind: 'refused' }>;

const NO_REPLY = { reply: null } as const;
const NO_QUESTION: Question = { messages: [], proof: null, answeredByOpening: false };
/** Of 256 bits ids, branches, nonces and SPIs are taken. */
const SEED_BYTES = 32;
/**
 * Rounds of one transaction after its first. RFC 7296 §2.6.1 shows two, a cookie and another group; a third is for a
 * cookie that expired meanwhile. What a far end wants beyond that is not followed.
 */
const MAX_FURTHER_ROUNDS = 3;

/**
 * The first demand that the question met already may be a late one to the round before; with the second the far end is
 * known never to be satisfied, and has answered all the same.
 */
const REPEATS_THAT_END = 2;

const firstRound = (): Pick<
  Transaction,
  'rounds' | 'demands' | 'packetsBefore' | 'fallback' | 'repeats' | 'unfinished'
> => ({
  repeats: 0,
  unfinished: null,
  rounds: [],
  demands: {},
  packetsBefore: 0,
  fallback: null,
});

/** No transaction yet. */
export const createTransactions = <V>(check: Check, probe: Probe<V>, tools: Tools): Transactions<V> => {
  const { net } = tools;
  const transactions: Transaction[] = [];
  let stoodAtMs = Number.NEGATIVE_INFINITY;
  const refused: Record<string, number> = {};
  const unreadable: Record<string, number> = {};
  let elsewhere: Elsewhere | null = null;
  let errors = 0;
  let slowestMs = 0;
  const waiting = createWake(net.sleep);
  const values: V[] = [];
  const again: Transaction[] = [];
  let closed = false;

  const build = (local: { address: string; port: number }, binding: Uint8Array | null): Transaction => {
    const sentAtMicros = net.nowMicros();
    const sequence = tools.nextSequence();
    const asking: Asking = {
      check,
      local,
      session: tools.session,
      sequence,
      seed: net.random(SEED_BYTES),
      sentAtMicros,
      binding,
    };
    return {
      question: probe.ask(asking),
      asking,
      ...firstRound(),
      sequence,
      sentAtMicros,
      firstSentAtMs: net.now(),
      packets: 0,
      answers: 0,
      sentAtMs: [],
      sourcePort: local.port,
      attempt: null,
      opened: null,
    };
  };
  /** Answers come to the last sendings: what was sent before them is what was lost. */
  const lostOf = ({ sentAtMs, answers }: Transaction): readonly number[] =>
    answers === 0 ? sentAtMs : sentAtMs.slice(0, Math.max(0, sentAtMs.length - answers));
  const sendingsOf = (transaction: Transaction) => ({
    packets: transaction.packets,
    sourcePort: transaction.sourcePort,
    lostAtMs: lostOf(transaction),
  });
  const refuse: Transactions<V>['refuse'] = (why, what = REFUSAL_PHRASES[why]) => {
    refused[why] = (refused[why] ?? 0) + 1;
    unreadable[what] = (unreadable[what] ?? 0) + 1;
  };
  const sum = (of: (transaction: Transaction) => number): number =>
    transactions.reduce((total, transaction) => total + of(transaction), 0);

  /** The far end wants another round: the same transaction goes on with a new question. */
  const goOn = (
    transaction: Transaction,
    { demands, detail, isRepeated = false }: Extract<Reading<V>, { kind: 'again' }>,
    elapsedMs: number,
  ): void => {
    const { asking } = transaction;
    if (!asking || transaction.attempt !== null) {
      refuse('provisional');
      return;
    }
    if (isRepeated || transaction.rounds.length >= MAX_FURTHER_ROUNDS) {
      // Each demand is an answer to what was sent, however many there are.
      transaction.answers = Math.min(transaction.packets, transaction.answers + 1);
      transaction.repeats += 1;
      if (transaction.fallback?.outcome === 'answer' && (!isRepeated || transaction.repeats >= REPEATS_THAT_END)) {
        transaction.attempt = {
          ...transaction.fallback,
          detail: { ...transaction.fallback.detail, ...detail, isNeverSatisfied: true },
        };
      }
      waiting.wake();
      return;
    }
    const isRetransmission = transaction.packets > transaction.packetsBefore + 1;
    transaction.answers = Math.min(transaction.packets, transaction.answers + 1);
    transaction.fallback = {
      outcome: 'answer',
      ...sendingsOf(transaction),
      answers: transaction.answers,
      rttMs: isRetransmission ? null : elapsedMs,
      // A reflector keeps no state and asks for nothing: who demands another round has not proven to be one.
      authentic: transaction.question.proof ? false : null,
      attestation: null,
      detail: { ...detail, ...(transaction.rounds.length > 0 && { rounds: [...transaction.rounds] }) },
    };
    transaction.rounds.push(detail);
    transaction.demands = { ...transaction.demands, ...demands };
    transaction.question = probe.ask({ ...asking, demands: transaction.demands });
    transaction.packetsBefore = transaction.packets;
    transaction.repeats = 0;
    transaction.firstSentAtMs = net.now();
    again.push(transaction);
    waiting.wake();
  };

  /** Takes what belongs to the transaction; or says why it does not. */
  const take = (
    transaction: Transaction,
    bytes: Uint8Array,
    atMs: number,
    rttMs: number | undefined,
  ): Refused<V> | { readonly reply: Uint8Array | null } => {
    const elapsedMs = Math.max(0, atMs - transaction.firstSentAtMs);
    // A connection had to open first: where its SYN was lost, the next one's may be as well.
    const openingMs = check.transport === 'udp' ? 0 : transaction.firstSentAtMs - (transaction.sentAtMs[0] ?? 0);
    const elapsedMicros = Math.round(elapsedMs * 1000);
    const reading = probe.read(bytes, {
      check,
      question: transaction.question,
      receivedAtMicros: transaction.sentAtMicros + BigInt(elapsedMicros),
      elapsedMicros,
      ...(transaction.asking && { local: transaction.asking.local }),
    });
    if (reading.kind === 'again') {
      goOn(transaction, reading, elapsedMs);
      return NO_REPLY;
    }
    if (reading.kind === 'partial') {
      transaction.unfinished = reading.what ?? null;
      return NO_REPLY;
    }
    if (reading.value !== undefined) values.push(reading.value);
    if (reading.kind === 'refused') return reading;
    closed ||= reading.askNoMore === true;
    if (reading.authentic === true && check.address !== null) {
      // What a connection brings late the system has sent again meanwhile: it vouches for the moment in which it comes.
      const sentAtMs = transaction.sentAtMs.at(-1) ?? transaction.firstSentAtMs;
      tools.timeline.answered(check.address, check.transport === 'udp' ? sentAtMs : net.now(), check.transport);
      // A connection keeps the address that it began with.
      const seenAs = check.transport === 'udp' ? reading.attestation?.seenAddress : undefined;
      if (seenAs !== undefined) tools.timeline.seenAs(check.address, sentAtMs, seenAs);
      tools.ways.heard(check);
    }
    transaction.answers = Math.min(transaction.packets, transaction.answers + 1);
    if (transaction.attempt?.outcome !== 'answer') {
      slowestMs = Math.max(slowestMs, openingMs + elapsedMs);
      // Karn's rule: an answer after a retransmission may belong to either sending.
      const ambiguous = transaction.packets > transaction.packetsBefore + 1;
      // At once, because others that are silent now wait as long as the path is known to take.
      if (rttMs !== undefined || !ambiguous) tools.path.reportRtt(rttMs ?? elapsedMs, check.transport);
      const { attestation } = reading;
      transaction.attempt = {
        outcome: 'answer',
        ...sendingsOf(transaction),
        answers: transaction.answers,
        rttMs: rttMs ?? (ambiguous ? null : elapsedMs),
        authentic: reading.authentic,
        attestation: attestation && ambiguous ? { ...attestation, clockSkewMs: null } : attestation,
        detail: {
          ...reading.detail,
          ...transaction.opened,
          ...(transaction.rounds.length > 0 && { rounds: transaction.rounds }),
        },
      };
    }
    waiting.wake();
    return { reply: reading.reply ?? null };
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
        asking: null,
        ...firstRound(),
        sequence: null,
        sentAtMicros: net.nowMicros(),
        firstSentAtMs: net.now(),
        packets: 1,
        answers: 0,
        sentAtMs: [net.now()],
        sourcePort: null,
        attempt: null,
        opened: null,
      };
      transactions.push(transaction);
      return transaction;
    },
    opened: (unopened, local, binding, detail) => {
      const transaction = build(local, binding);
      transaction.packets = 1;
      // What the connection took to open is part of the exchange: its silence began when it was asked for.
      transaction.sentAtMs.push(...unopened.sentAtMs);
      transaction.opened = detail;
      transactions[transactions.indexOf(unopened)] = transaction;
      return transaction;
    },
    offer: (candidates, bytes, atMs, rttMs) => {
      let refusal: Refused<V> | null = null;
      for (const transaction of candidates) {
        const taken = take(transaction, bytes, atMs, rttMs);
        if ('reply' in taken) return taken;
        refusal ??= taken;
      }
      if (refusal !== null) refuse(refusal.why, refusal.what);
      return NO_REPLY;
    },
    stray: (candidates, bytes, from, atMs) => {
      for (const { asking, question, sentAtMicros, firstSentAtMs } of candidates) {
        const elapsedMicros = Math.round(Math.max(0, atMs - firstSentAtMs) * 1000);
        const receivedAtMicros = sentAtMicros + BigInt(elapsedMicros);
        const local = asking ? { local: asking.local } : {};
        const { kind } = probe.read(bytes, { check, question, receivedAtMicros, elapsedMicros, ...local });
        if (kind === 'answer' || kind === 'again') elsewhere ??= from;
      }
    },
    sent: (transaction) => {
      transaction.packets += 1;
      transaction.sentAtMs.push(net.now());
    },
    requests: () =>
      transactions.flatMap(({ sequence, question: { messages } }) =>
        sequence !== null && messages[0] ? [{ sequence, sent: messages[0] }] : [],
      ),
    values: () => values,
    answeredByOpening: (transaction, rttMs) => {
      tools.path.reportRtt(rttMs, check.transport);
      transaction.answers = 1;
      transaction.attempt = {
        outcome: 'answer',
        ...sendingsOf(transaction),
        answers: 1,
        rttMs,
        authentic: null,
        attestation: null,
        detail: transaction.opened ?? {},
      };
      waiting.wake();
    },
    fail: (transaction, failure, error) => {
      errors += 1;
      if (transaction && transaction.attempt === null) {
        const { opened } = transaction;
        transaction.attempt = { outcome: 'error', ...sendingsOf(transaction), failure, code: error.code, opened };
      }
      waiting.wake();
    },
    refuse,
    takeAgain: () => again.splice(0),
    isClosed: () => closed,
    answered: () => sum(({ attempt }) => (attempt?.outcome === 'answer' ? 1 : 0)),
    errors: () => errors,
    packets: () => sum((transaction) => transaction.packets),
    answers: () => sum((transaction) => transaction.answers),
    lostAtMs: () => transactions.flatMap(lostOf),
    stands: () => {
      stoodAtMs = net.now();
    },
    stoodAtMs: () => stoodAtMs,
    outstanding: () =>
      transactions.some(
        ({ attempt, answers, packets }) => attempt === null || (attempt.outcome === 'answer' && answers < packets),
      ),
    slowestMs: () => slowestMs,
    attempts: () =>
      transactions.map((transaction) => {
        const { attempt: final, fallback } = transaction;
        const attempt = final?.outcome === 'answer' ? final : (fallback ?? final);
        const sendings = sendingsOf(transaction);
        if (attempt === null) return { outcome: 'silence', ...sendings, opened: transaction.opened };
        return attempt.outcome === 'answer'
          ? { ...attempt, ...sendings, answers: transaction.answers }
          : { ...attempt, ...sendings };
      }),
    transactions: () => transactions.length,
    unreadable: () => {
      const all = { ...unreadable };
      for (const { attempt, unfinished } of transactions) {
        if (unfinished !== null && attempt?.outcome !== 'answer') all[unfinished] = (all[unfinished] ?? 0) + 1;
      }
      return all;
    },
    elsewhere: () => elsewhere,
    sequences: () => transactions.flatMap(({ sequence }) => sequence ?? []),
    refused: () => ({ ...refused }),
    news: waiting.wait,
  };
};
