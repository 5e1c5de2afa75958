/**
 * One check, asked until it is answered or until its silence means something. Repetition, spacing and the decision to
 * stop live here, once for all protocols.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { NotRun, Observation } from '../../model/observation.js';
import { failureOf, type SocketError } from '../../net/errno.js';
import { packetsNeeded } from '../../verdict/silence.js';
import { LATE_MOST_MS, type Path } from '../path.js';
import type { Tools } from '../tools.js';
import { datagramLine, streamLine } from './flows.js';
import { whileAway } from './hold.js';
import { createTransactions, type Request, type Transactions } from './transactions.js';

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
/** How much longer than the longest round trip an answer is waited for before the question is repeated. */
const PATIENCE = 1.25;
/** One for the question; before it one that opens the connection (RFC 9293 §3.5), and one for TLS (RFC 8446 §2). */
const ROUND_TRIPS = { udp: 1, tcp: 2, tls: 3 } as const;
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
/** However often the line goes away, no check is asked more often than this. */
const MAX_UNWITNESSED = 24;
/** An error from the path is seen this often before it is believed. */
const MAX_ERRORS = 3;

interface AskOptions {
  /** How many answers are wanted: one proves the path, more give a round-trip time. */
  readonly samples: number;
  /** The probability of a false "blocked" that is tolerated. */
  readonly doubt: number;
  /** Gives up after this many unanswered packets, whatever the path says. */
  readonly atMost?: number;
  /** Packets of this check that stayed unanswered when it was asked before; they count. 0 if left out. */
  readonly alreadySilent?: number;
  /** The source port, where it is part of the question; one flow's worth of packets goes out from it. */
  readonly sourcePort?: number;
  /** Asks while the line is away as well: it is the line that is asked about. */
  readonly evenIfAway?: boolean;
  /** Ends this question before the run ends. */
  readonly signal?: AbortSignal;
}

/** What came of a question whose answers bring something home. */
interface Asked<V> {
  readonly observation: Observation;
  readonly values: readonly V[];
  /** Requests as they were built, the latest last. */
  readonly requests: readonly Request[];
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
const enough = (
  transactions: Pick<Transactions<unknown>, 'errors' | 'answered'>,
  silent: number,
  path: Path,
  options: AskOptions,
  mayProve: boolean,
): boolean => {
  if (silent >= (options.atMost ?? MAX_SILENT_PACKETS) || transactions.errors() >= MAX_ERRORS) return true;
  if (transactions.answered() > 0 && !mayProve) return silent >= SILENT_AFTER_ANSWER;
  if (transactions.answered() > 0 || !mayProve) return silent >= UNINFORMED_PACKETS;
  const needed = packetsNeeded(path.upperBound(), options.doubt);
  return silent >= (needed > MAX_SILENT_PACKETS ? UNINFORMED_PACKETS : Math.max(MIN_SILENT_PACKETS, needed));
};

/**
 * Asks one question of which the answers bring something home. Resolves with what was observed, whatever the network
 * does. When the run ends it resolves with what is known so far, or as `interrupted` if nothing is.
 */
export const askFor = async <V>(
  check: Check,
  probe: Probe<V>,
  options: AskOptions,
  tools: Tools,
): Promise<Asked<V>> => {
  const { net, path, timeline } = tools;
  const signal = options.signal ?? tools.signal;
  const before = options.alreadySilent ?? 0;
  if (check.address === null || check.family === null) {
    return { observation: notAsked(check, 'dns-failure'), values: [], requests: [] };
  }
  const peer = { address: check.address, port: check.port, family: check.family, host: check.host };
  const account = path.open(check.address, check.transport, check.port);
  const mayProve = tools.session.keys !== null;
  const transactions = createTransactions(check, probe, tools);
  const line =
    check.transport === 'udp'
      ? datagramLine(check, peer, probe, tools, transactions, options.sourcePort)
      : streamLine(check, peer, probe, tools, transactions);

  /** Waits for news; what asks for another round gets it at once, at the pace of everything else. */
  const hear = async (ms: number): Promise<void> => {
    await transactions.news(ms, signal);
    for (const transaction of transactions.takeAgain()) {
      await net.pacer.take(1, signal);
      await line.resend(transaction);
    }
  };

  /** Sendings in vain while the far end was alive; all of them as long as it has never answered anything. */
  const inVain = (): number => {
    const lost = transactions.lostAtMs();
    return lost.length - timeline.unwitnessed(peer.address, lost, check.transport, check.port);
  };

  const sendAndWait = async (pauseMs: number): Promise<void> => {
    if (!options.evenIfAway) await whileAway(peer.address, check.transport, tools, signal);
    await net.pacer.take(1, signal);
    if (check.transport !== 'udp') timeline.askedOverConnection(peer.address);
    const answered = transactions.answered();
    if (mayProve && answered > 0) timeline.expected(peer.address, check.transport, check.port);
    const errors = transactions.errors();
    const until = net.now() + pauseMs;
    await line.send();
    while (transactions.answered() === answered && transactions.errors() === errors && net.now() < until) {
      await hear(until - net.now());
    }
    if (transactions.answered() > answered) return;
    // An error that came at once must not shorten the spacing of the attempts.
    if (!enough(transactions, before, path, options, mayProve)) await net.sleep(Math.max(0, until - net.now()), signal);
  };

  const lateMs = (): number =>
    Math.max(
      path.lateMs(check.transport),
      PATIENCE * ROUND_TRIPS[check.transport] * path.longestRttMs(check.transport),
      // One port alone may be slow. Of a request that was sent again it is not known how long its answer took, but at most that.
      Math.min(LATE_MOST_MS, PATIENCE * transactions.slowestMs()),
    );

  /**
   * What this check says of the path's loss. A stranger's server absorbs retransmissions (RFC 3261 §17.2) and takes its
   * time, so of it only transactions count.
   */
  const tell = (): void => {
    if (mayProve) account(before + transactions.packets(), transactions.answers(), transactions.lostAtMs());
    else account(transactions.transactions(), transactions.answered());
  };

  const converse = async (): Promise<void> => {
    let silent = before;
    let unanswered = 0;
    while (transactions.answered() < options.samples && !transactions.isClosed()) {
      const answered = transactions.answered();
      // After what may be the last packet only its answer is waited for, not the time of another packet.
      const isLast = enough(transactions, silent + 1, path, options, mayProve);
      const usual = RETRY_AFTER_MS[Math.min(silent, RETRY_AFTER_MS.length - 1)] ?? RETRY_AFTER_MS[0];
      const jittered = usual * (1 + (RETRY_JITTER * (net.random(1)[0] ?? 0)) / 256);
      // On a long way a question that is repeated before its answer can be back has no round trip of its own.
      const pause = Math.max(jittered, PATIENCE * ROUND_TRIPS[check.transport] * path.longestRttMs(check.transport));
      await sendAndWait(isLast ? Math.min(pause, lateMs()) : pause);
      tell();
      if (transactions.answered() > answered) {
        if (transactions.answered() < options.samples && !transactions.isClosed())
          await net.sleep(SAMPLE_GAP_MS, signal);
        continue;
      }
      // What went out while nobody vouches for the line is asked again, and is no evidence.
      silent = before + inVain();
      unanswered += 1;
      if (timeline.isDeaf(peer.address, check.transport) || unanswered >= MAX_UNWITNESSED) break;
      if (enough(transactions, mayProve ? silent : before + unanswered, path, options, mayProve)) break;
    }
    const beganMs = net.now();
    // A connection that stands at last (the system had to send its SYN again) has not shown yet that it is silent.
    const leftMs = (): number => Math.max(beganMs, transactions.stoodAtMs()) + lateMs() - net.now();
    while (transactions.outstanding() && transactions.errors() < MAX_ERRORS && leftMs() > 0) {
      await hear(leftMs());
    }
    tell();
  };

  const observed = (): Observation => ({
    check,
    attempts: transactions.attempts(),
    sequences: tools.session.keys ? transactions.sequences() : [],
    refused: transactions.refused(),
    ...(Object.keys(transactions.unreadable()).length > 0 && { unreadable: transactions.unreadable() }),
    ...(transactions.elsewhere() !== null && { elsewhere: transactions.elsewhere() }),
    seen: null,
    notRun: null,
  });
  try {
    await converse();
    return { observation: observed(), values: transactions.values(), requests: transactions.requests() };
  } catch (error) {
    if (signal.aborted) {
      // What nobody waits for any more may have been on its way.
      if (mayProve) account(transactions.answers(), transactions.answers());
      return {
        observation: transactions.answered() > 0 ? observed() : notAsked(check, 'interrupted'),
        values: transactions.values(),
        requests: transactions.requests(),
      };
    }
    if (error instanceof Error) throw error;
    const { code, syscall } = error as SocketError;
    const failure = failureOf({ code, syscall }, check.transport === 'udp' ? 'udp' : 'stream');
    const unsent = { packets: 0, sourcePort: null, lostAtMs: [], opened: null };
    return {
      observation: {
        ...observed(),
        attempts: [...transactions.attempts(), { outcome: 'error', ...unsent, failure, code }],
      },
      values: transactions.values(),
      requests: transactions.requests(),
    };
  } finally {
    line.close();
  }
};

/** The same where the observation is all that is wanted. */
export const askCheck = async <V>(
  check: Check,
  probe: Probe<V>,
  options: AskOptions,
  tools: Tools,
): Promise<Observation> => (await askFor(check, probe, options, tools)).observation;
