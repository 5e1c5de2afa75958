/**
 * One check, asked until it is answered or until its silence means something. Repetition, spacing and the decision to
 * stop live here, once for all protocols.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { NotRun, Observation } from '../../model/observation.js';
import { failureOf, type SocketError } from '../../net/errno.js';
import { packetsNeeded } from '../../verdict/silence.js';
import type { Path } from '../path.js';
import { datagramLine, streamLine } from './flows.js';
import { type AskContext, createLedger, type Ledger } from './transactions.js';

/**
 * Pauses before asking again, in milliseconds: T1 of RFC 3261 §17.1.1.1 first, then longer, so that a burst of loss
 * does not swallow all attempts. The last one repeats.
 */
const RETRY_AFTER_MS = [500, 500, 750, 1000] as const;
/**
 * Each is longer by up to this share, at random: loss that comes in a rhythm (a radio that scans, bursts of a shaper) would
 * swallow all attempts that keep step with it, and those of all checks that began together.
 */
const RETRY_JITTER = 1 / 4;
/** Between two questions of a check that answers: far enough apart to be two samples, near enough for a short run. */
const SAMPLE_GAP_MS = 80;
/** A silent check is asked this often at least, which spreads it over 1.75 s: most bursts of loss are shorter. */
const MIN_SILENT_PACKETS = 4;
/** And this often where its silence proves nothing anyway, so that a dead target costs five seconds. */
const UNINFORMED_PACKETS = 6;
/**
 * A stranger that has answered has shown the path. One that then falls silent limits or bans who asks (RFC 3261 §21.4.10,
 * fail2ban): it is not pressed further.
 */
const SILENT_AFTER_ANSWER = 3;
/** A path so lossy that more than this were needed is reported as unknown; it would also take too long. */
export const MAX_SILENT_PACKETS = 20;
/** An error from the path is seen this often before it is believed. */
const MAX_ERRORS = 3;

export interface AskOptions {
  /** How many answers are wanted: one proves the path, more give a round-trip time. */
  readonly samples: number;
  /** The probability of a false "blocked" that is tolerated. */
  readonly doubt: number;
  /** Gives up after this many unanswered packets, whatever the path says. */
  readonly atMost?: number;
  /** Packets of this check that stayed unanswered when it was asked before; they count. 0 if left out. */
  readonly alreadySilent?: number;
}

/** An observation of a question that was not put. */
export const notAsked = (check: Check, notRun: NotRun): Observation => ({
  check,
  attempts: [],
  sequences: [],
  refused: {},
  seen: null,
  notRun,
});

/** Whether the silence so far is all that is worth waiting for; a stranger's proves nothing however long it lasts. */
const enough = (ledger: Ledger, silent: number, path: Path, options: AskOptions, mayProve: boolean): boolean => {
  if (silent >= (options.atMost ?? MAX_SILENT_PACKETS) || ledger.errors() >= MAX_ERRORS) return true;
  if (ledger.answered() > 0 && !mayProve) return silent >= SILENT_AFTER_ANSWER;
  if (ledger.answered() > 0 || !mayProve) return silent >= UNINFORMED_PACKETS;
  const needed = packetsNeeded(path.upperBound(), options.doubt);
  return silent >= (needed > MAX_SILENT_PACKETS ? UNINFORMED_PACKETS : Math.max(MIN_SILENT_PACKETS, needed));
};

/**
 * Asks one check. Resolves with what was observed, whatever the network does. When `signal` fires it resolves with
 * what is known so far, or as `interrupted` if nothing is.
 */
export const askCheck = async (
  check: Check,
  probe: Probe,
  context: AskContext,
  path: Path,
  options: AskOptions,
  signal: AbortSignal,
): Promise<Observation> => {
  const { net } = context;
  const before = options.alreadySilent ?? 0;
  if (check.address === null || check.family === null) return notAsked(check, 'dns-failure');
  const peer = { address: check.address, port: check.port, family: check.family, host: check.host };
  const mayProve = context.session.keys !== null;
  const ledger = createLedger(check, probe, context);
  const line = (check.transport === 'udp' ? datagramLine : streamLine)(check, peer, probe, context, ledger);

  /** Waits for news; what asks for another round gets it at once, at the pace of everything else. */
  const hear = async (ms: number): Promise<void> => {
    await ledger.news(ms, signal);
    for (const transaction of ledger.takeAgain()) {
      await net.pacer.take(1, signal);
      await line.resend(transaction);
    }
  };

  const sendAndWait = async (pauseMs: number): Promise<void> => {
    await net.pacer.take(1, signal);
    const answered = ledger.answered();
    const errors = ledger.errors();
    const until = net.now() + pauseMs;
    await line.send();
    while (ledger.answered() === answered && ledger.errors() === errors && net.now() < until) {
      await hear(until - net.now());
    }
    if (ledger.answered() > answered) return;
    // An error that came at once must not shorten the spacing of the attempts.
    if (!enough(ledger, before, path, options, mayProve)) await net.sleep(Math.max(0, until - net.now()), signal);
  };

  /**
   * What this check says of the path's loss. A stranger's server absorbs retransmissions (RFC 3261 §17.2) and takes its
   * time, so of it only transactions count.
   */
  const sampleOf = (): readonly [trials: number, answers: number] =>
    mayProve ? [before + ledger.packets(), ledger.answers()] : [ledger.transactions(), ledger.answered()];

  const converse = async (): Promise<void> => {
    let silent = before;
    while (ledger.answered() < options.samples && !ledger.isClosed()) {
      const answered = ledger.answered();
      // After what may be the last packet only its answer is waited for, not the time of another packet.
      const isLast = enough(ledger, silent + 1, path, options, mayProve);
      const usual = RETRY_AFTER_MS[Math.min(silent, RETRY_AFTER_MS.length - 1)] ?? RETRY_AFTER_MS[0];
      const pause = usual * (1 + (RETRY_JITTER * (net.random(1)[0] ?? 0)) / 256);
      await sendAndWait(isLast ? Math.min(pause, path.lateMs()) : pause);
      path.report(check.id, ...sampleOf());
      if (ledger.answered() > answered) {
        if (ledger.answered() < options.samples && !ledger.isClosed()) await net.sleep(SAMPLE_GAP_MS, signal);
        continue;
      }
      silent += 1;
      if (enough(ledger, silent, path, options, mayProve)) break;
    }
    const until = net.now() + path.lateMs();
    while (ledger.outstanding() && ledger.errors() < MAX_ERRORS && net.now() < until) {
      await hear(until - net.now());
    }
    path.report(check.id, ...sampleOf());
    for (const attempt of ledger.attempts()) {
      if (attempt.outcome === 'answer' && attempt.rttMs !== null) path.reportRtt(attempt.rttMs);
    }
  };

  const observed = (): Observation => ({
    check,
    attempts: ledger.attempts(),
    sequences: context.session.keys ? ledger.sequences() : [],
    refused: ledger.refused(),
    ...(Object.keys(ledger.unreadable()).length > 0 && { unreadable: ledger.unreadable() }),
    ...(ledger.elsewhere() !== null && { elsewhere: ledger.elsewhere() }),
    seen: null,
    notRun: null,
  });
  try {
    await converse();
    return observed();
  } catch (error) {
    if (signal.aborted) return ledger.answered() > 0 ? observed() : notAsked(check, 'interrupted');
    if (error instanceof Error) throw error;
    const { code, syscall } = error as SocketError;
    const failure = failureOf({ code, syscall }, check.transport === 'udp' ? 'udp' : 'stream');
    return {
      ...observed(),
      attempts: [...ledger.attempts(), { outcome: 'error', packets: 0, failure, code, opened: null }],
    };
  } finally {
    line.close();
  }
};
