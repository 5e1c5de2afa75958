/** What a run has learnt about its path so far; shared by all checks, so that a silent one knows how long to go on. */
import type { Transport } from '../model/kinds.js';
import type { LossSample } from '../model/observation.js';
import { lossUpperBound, MIN_TRIALS } from '../verdict/silence.js';

/**
 * One check's account, told anew whenever it has changed; only checks that answered at least once say anything of loss.
 * `lostAtMs`: when those went out that stayed unanswered; what was lost while the far end was not alive is no loss.
 */
type Account = (packets: number, answers: number, lostAtMs?: readonly number[]) => void;

export interface Path {
  /** A new account, of zero packets to this address over this transport, and to this port where it is about one. */
  open(address: string, over: Transport, port?: number): Account;
  /** A round trip that was measured, in milliseconds. */
  reportRtt(ms: number, over: Transport): void;
  /**
   * The longest round trip that was measured, in milliseconds; 0 as long as none was. Over UDP without those of connections,
   * unless nothing else is known: where packets are lost, the system sends them again after 200 ms and more (RFC 6298 §2),
   * and that is no longer way.
   */
  longestRttMs(over: Transport): number;
  /** How long after the last packet an answer still counts, in milliseconds. */
  lateMs(over: Transport): number;
  sample(): LossSample;
  /** What was learnt of loss was learnt under a load that the run has given up; round trips stay known. */
  forgetLoss(): void;
  upperBound(): number | null;
}

/** Longer than any round trip over which people can talk; what is waited for where nothing is known. */
const LATE_UNKNOWN_MS = 1000;
/** Two satellites in a row take three seconds; what comes later than this is no answer any more. */
export const LATE_MOST_MS = 6000;
/** However short the round trips are, a busy host or a filled queue may take this long. */
const LATE_MIN_MS = 300;
/** Late by more than four of the longest round trips seen is later than anything that this path does. */
const LATE_ROUND_TRIPS = 4;
/** A round trip of a second and more varies by less than itself. */
const LATE_LONG_WAY = 2;
/** Fewer round trips than this say nothing about the longest. */
const MIN_ROUND_TRIPS = 10;

/**
 * The bound is computed anew when trials or losses have grown by more than this part of themselves. A sweep of all media
 * ports reports thousands of times, and each computation grows with the losses; the verdicts use the final sample.
 */
const NOTABLE_GROWTH = 1 / 64;

const hasGrown = (before: number, now: number): boolean => Math.abs(now - before) > before * NOTABLE_GROWTH;

/** Both samples as one. */
export const addSamples = (a: LossSample, b: LossSample): LossSample => ({
  trials: a.trials + b.trials,
  answers: a.answers + b.answers,
});

const NOTHING_SENT: LossSample = { trials: 0, answers: 0 };

interface RoundTrips {
  count: number;
  longestMs: number;
}

/** How many of these sendings to an address were witnessed, as the timeline has it. */
type Witnessed = (address: string, sentAtMs: readonly number[], over: Transport, port?: number) => number;

/** A path about which nothing is known yet. */
export const createPath = (witnessed: Witnessed = (_, sentAtMs) => sentAtMs.length): Path => {
  const ofDatagrams: RoundTrips = { count: 0, longestMs: 0 };
  const ofConnections: RoundTrips = { count: 0, longestMs: 0 };
  const roundTripsOver = (over: Transport): RoundTrips => {
    if (over === 'udp') return ofDatagrams.count > 0 ? ofDatagrams : ofConnections;
    return {
      count: ofDatagrams.count + ofConnections.count,
      longestMs: Math.max(ofDatagrams.longestMs, ofConnections.longestMs),
    };
  };
  /** Accounts opened before loss was forgotten tell of what is forgotten. */
  let generation = 0;
  /** Over connections the system sends again what is lost, and one that dies may have met a dead link: only where UDP tells nothing. */
  let overUdp = NOTHING_SENT;
  let overConnections = NOTHING_SENT;
  const isOfUdp = (): boolean => overUdp.answers >= MIN_TRIALS;
  const total = (): LossSample => (isOfUdp() ? overUdp : addSamples(overUdp, overConnections));
  /** Of each account that lost something, when. */
  const losses = new Map<
    object,
    {
      readonly address: string;
      readonly over: Transport;
      readonly port: number | undefined;
      readonly lostAtMs: readonly number[];
    }
  >();
  let bound: { readonly of: LossSample; readonly value: number | null } = { of: NOTHING_SENT, value: null };
  /** Without what was lost at moments that nobody vouches for. */
  const witnessedSample = (): LossSample => {
    let unwitnessed = 0;
    for (const { address, over, port, lostAtMs } of losses.values()) {
      if (over !== 'udp' && isOfUdp()) continue;
      unwitnessed += lostAtMs.length - witnessed(address, lostAtMs, over, port);
    }
    const { trials, answers } = total();
    return { trials: trials - unwitnessed, answers };
  };
  return {
    open: (address, over, port) => {
      const opened = generation;
      let told = NOTHING_SENT;
      const account = {};
      return (packets, answers, lostAtMs = []) => {
        if (answers === 0 || opened !== generation) return;
        const news = { trials: packets - told.trials, answers: answers - told.answers };
        if (over === 'udp') overUdp = addSamples(overUdp, news);
        else overConnections = addSamples(overConnections, news);
        told = { trials: packets, answers };
        if (lostAtMs.length > 0) losses.set(account, { address, over, port, lostAtMs });
        else losses.delete(account);
      };
    },
    reportRtt: (ms, over) => {
      const known = over === 'udp' ? ofDatagrams : ofConnections;
      known.longestMs = Math.max(known.longestMs, ms);
      known.count += 1;
    },
    longestRttMs: (over) => roundTripsOver(over).longestMs,
    lateMs: (over) => {
      const { count, longestMs } = roundTripsOver(over);
      // Of a long way even the first round trip says that it is long; of a short one a few say nothing of the longest.
      const most = Math.max(LATE_UNKNOWN_MS, Math.min(LATE_MOST_MS, LATE_LONG_WAY * longestMs));
      return count < MIN_ROUND_TRIPS ? most : Math.min(most, Math.max(LATE_MIN_MS, LATE_ROUND_TRIPS * longestMs));
    },
    sample: witnessedSample,
    forgetLoss: () => {
      generation += 1;
      overUdp = NOTHING_SENT;
      overConnections = NOTHING_SENT;
      losses.clear();
      bound = { of: NOTHING_SENT, value: null };
    },
    upperBound: () => {
      const { trials, answers } = bound.of;
      const now = total();
      if (hasGrown(trials, now.trials) || hasGrown(trials - answers, now.trials - now.answers)) {
        bound = { of: now, value: lossUpperBound(witnessedSample()) };
      }
      return bound.value;
    },
  };
};
