/**
 * Which sizes of SIP pass over UDP. Each size that was tried is judged by itself: what is dropped may be everything above a
 * size, or a gap between what passes. Other bytes of the same size on the same port tell a limit of size from something
 * that reads SIP. Pure.
 */
import type { Family } from '../../model/check.js';
import type { SameSize, SipExchange } from '../../model/study-facts.js';
import type { Finding } from '../../model/verdict.js';
import { lossUpperBound as boundOf, doubtOfSilence, lossLowerBound, RANGE_PORT_DOUBT } from '../silence.js';
import type { StudyCheck } from './study-check.js';

/** IPv4's header and UDP's; what an Ethernet frame and its fragments hold is the same for IPv6, give or take one. */
const UDP_HEADERS = 28;
const IP_HEADER = 20;
const FRAME = 1500;
const FRAGMENT = 1480;

const fragmentsOf = (bytes: number): number =>
  bytes + UDP_HEADERS <= FRAME ? 1 : Math.ceil((bytes + UDP_HEADERS - IP_HEADER) / FRAGMENT);

/** A datagram is lost with any of its fragments. */
const lossOf = (lossUpperBound: number, fragments: number): number => 1 - (1 - lossUpperBound) ** fragments;

/**
 * Packets whose silence is the path's: of what arrived only the answers can have been lost on it. None where something else explains
 * the silence of all of them.
 */
const silentPackets = ({ packets, seen, answered }: SipExchange): number =>
  packets === 0 || seen === null || seen === 0 ? packets : (answered ?? seen);

/** How likely chance explains the silence of an exchange; 1 where it was answered or something said no. */
export const doubtOf = (one: SipExchange, lossUpperBound: number | null, fragments = 1): number => {
  if (one.answers > 0 || one.errors.length > 0 || lossUpperBound === null) return 1;
  const packets = silentPackets(one);
  return packets === 0 ? 1 : doubtOfSilence(packets, lossOf(lossUpperBound, fragments));
};

/** Nothing but silence, and more of it than the path's loss explains. */
export const vanished = (one: SipExchange, lossUpperBound: number | null, fragments = 1): boolean =>
  doubtOf(one, lossUpperBound, fragments) <= RANGE_PORT_DOUBT;

export const isAnswered = ({ answers, unproven }: SipExchange): boolean => answers > 0 && !unproven;

/** The far end saw it and did not answer, by its own doing. */
export const isLeftUnanswered = ({ answers, seen, answered = null }: SipExchange): boolean =>
  answers === 0 && seen !== null && answered !== null && answered < seen;

/**
 * Whether a message is silent because of how long it is: one of the sizes that were tried next to its own vanishes as well. What
 * travels inside TLS is as long as over plain TCP, and a little longer.
 */
export const isTooLong = (
  one: SipExchange,
  all: readonly SipExchange[],
  sameSize: readonly SameSize[],
  lossUpperBound: number | null,
): boolean => {
  const { bytes } = one;
  if (bytes === undefined) return false;
  const isStream = one.transport !== 'udp';
  const ofSip = all
    .filter(({ isControl, transport, padded }) => padded !== null && !isControl && (transport !== 'udp') === isStream)
    .map((other) => triedOf(other, lossUpperBound, isStream ? 1 : undefined));
  const ofOthers = isStream ? [] : sameSize.map((other) => otherTriedOf(other, lossUpperBound));
  const tried = [...ofSip, ...ofOthers].sort((x, y) => x.bytes - y.bytes);
  const below = tried.findLast((other) => other.bytes <= bytes);
  const above = tried.find((other) => other.bytes >= bytes);
  return below?.fails === true || above?.fails === true;
};

/** Filled up to a size it cannot be shorter than it is. */
const sizeOf = ({ padded, bytes = 0 }: SipExchange): number => Math.max(padded ?? 0, bytes);

const bySize = (sizes: readonly SipExchange[]): readonly SipExchange[] =>
  [...sizes].sort((a, b) => sizeOf(a) - sizeOf(b));

/** Which line of the report sizes to this place are. */
const lineOf = ({ transport, port, address }: SipExchange, family: Family) =>
  ({ probe: 'size-sweep', transport, port, address, family }) as const;

/** What became of one size, whatever stood for it. */
interface Tried {
  readonly bytes: number;
  readonly passes: boolean;
  readonly fails: boolean;
  readonly doubt: number;
  readonly seen: number | null;
}

/** Runs of neighbours among the sizes that were tried, as from and to. */
const runsOf = (ordered: readonly Tried[]): readonly (readonly [from: number, to: number])[] => {
  const runs: [number, number][] = [];
  let isOpen = false;
  for (const { fails, bytes } of ordered) {
    const last = runs.at(-1);
    if (!fails) isOpen = false;
    else if (isOpen && last) last[1] = bytes;
    else {
      runs.push([bytes, bytes]);
      isOpen = true;
    }
  }
  return runs;
};

/** Two filters on one way are rare, more are none: what fails here and there among what passes fails for another reason. */
const MOST_GAPS = 2;

/** Whether size may explain which ones fail: all from one size on, or those of a gap or two, or both where fragments are dropped as well. */
const isOfSize = (ordered: readonly Tried[]): boolean => {
  const failing: number[] = [];
  let isBelow = true;
  for (const { passes, fails, bytes } of ordered) {
    if (passes) isBelow = true;
    if (fails && isBelow) failing.push(bytes);
    if (fails) isBelow = false;
  }
  const passesLargest = ordered.at(-1)?.passes ?? false;
  const gaps = failing.filter((bytes) => passesLargest || fragmentsOf(bytes) === 1 || bytes !== failing.at(-1));
  return gaps.length <= MOST_GAPS;
};

/** How likely chance explains the silence of other bytes; 1 where they pass. */
const doubtOfOther = ({ bytes, passes, silent }: SameSize, lossUpperBound: number | null): number =>
  passes || silent === 0 || lossUpperBound === null
    ? 1
    : doubtOfSilence(silent, lossOf(lossUpperBound, fragmentsOf(bytes)));

const triedOf = (one: SipExchange, lossUpperBound: number | null, fragments = fragmentsOf(sizeOf(one))): Tried => {
  const doubt = doubtOf(one, lossUpperBound, fragments);
  return { bytes: sizeOf(one), passes: isAnswered(one), fails: doubt <= RANGE_PORT_DOUBT, doubt, seen: one.seen };
};

const otherTriedOf = (one: SameSize, lossUpperBound: number | null): Tried => {
  const doubt = doubtOfOther(one, lossUpperBound);
  const { bytes, passes, seen = null } = one;
  return { bytes, passes, fails: doubt <= RANGE_PORT_DOUBT, doubt, seen };
};

/**
 * Sizes below the shortest SIP, for which other bytes have to stand: none where no other bytes pass there at all, as their
 * silence is no matter of size then.
 */
const smallerThan = (least: number, sameSize: readonly SameSize[], lossUpperBound: number | null): readonly Tried[] => {
  const own = [...new Map(sameSize.map((one) => [one.bytes, one])).values()].filter(({ bytes }) => bytes < least);
  if (!own.some(({ passes }) => passes)) return [];
  return own.map((one) => otherTriedOf(one, lossUpperBound));
};

/**
 * Whether other bytes of the failing sizes pass: null where they were not asked, where they fare in both ways, and where
 * not even a small packet of them passes, so that their silence is no matter of size.
 */
const otherBytesPass = (
  failing: readonly SipExchange[],
  sameSize: readonly SameSize[],
  lossUpperBound: number | null,
): boolean | null => {
  const sizes = new Set(failing.map(sizeOf));
  const asked = sameSize.filter(({ bytes }) => sizes.has(bytes));
  if (asked.length === 0) return null;
  if (asked.every(({ passes }) => passes)) return true;
  const smallPasses = sameSize.some(({ bytes, passes }) => passes && !sizes.has(bytes));
  const isSilent = (one: SameSize): boolean => doubtOfOther(one, lossUpperBound) <= RANGE_PORT_DOUBT;
  return smallPasses && asked.every(isSilent) ? false : null;
};

const directionOf = (failing: readonly Pick<Tried, 'seen'>[]): 'inbound' | 'outbound' | null => {
  const known = failing.filter(({ seen }) => seen !== null);
  if (known.length === 0) return null;
  if (known.every(({ seen }) => seen === 0)) return 'outbound';
  return known.every(({ seen }) => (seen ?? 0) > 0) ? 'inbound' : null;
};

/** A phone's OPTIONS and REGISTER have 500 to 900 octets, credentials included. */
const LONGEST_REGISTER = 900;

/** Null where nothing passed. */
const largestOf = (passing: readonly number[]): number | null => (passing.length === 0 ? null : Math.max(...passing));

interface SizeFacts {
  readonly sizes: readonly SipExchange[];
  readonly sameSize: readonly SameSize[];
  /** Those over TCP. */
  readonly streams: readonly SipExchange[];
  readonly family: Family;
  /** What the proofs say of the requests that were answered, or null. */
  readonly tampered: Finding | null;
}

/**
 * What a port loses of the sizes that pass there, where that is certainly more than the path loses: by what arrived, because a long way
 * has questions repeated that are not lost.
 */
const boundOfPort = (sizes: readonly SipExchange[], pathUpperBound: number | null): number | null => {
  const passing = sizes.filter((one) => isAnswered(one) && one.seen !== null);
  const trials = sum(passing.map(({ packets }) => packets));
  const sample = { trials, answers: Math.min(trials, sum(passing.map(({ seen }) => seen ?? 0))) };
  if (pathUpperBound === null || lossLowerBound(sample) <= pathUpperBound) return pathUpperBound;
  return boundOf(sample) ?? pathUpperBound;
};

/** Null where no size was tried. */
export const judgeSizes = (
  { sizes, sameSize, streams, family, tampered }: SizeFacts,
  pathUpperBound: number | null,
): StudyCheck | null => {
  const ordered = bySize(sizes);
  const lossUpperBound = boundOfPort(sizes, pathUpperBound);
  const [first] = ordered;
  if (!first) return null;
  const ofSip = ordered.map((one) => triedOf(one, lossUpperBound));
  const tried = [...smallerThan(sizeOf(first), sameSize, lossUpperBound), ...ofSip].sort((a, b) => a.bytes - b.bytes);
  const failing = tried.filter(({ fails }) => fails);
  const [smallest] = failing;
  const isFiltered = ofSip.some(({ passes }) => passes) && smallest !== undefined && isOfSize(tried);
  const failingSip = ordered.filter((one) => failing.some(({ bytes }) => bytes === sizeOf(one)));
  const others = !isFiltered
    ? null
    : failingSip.length > 0
      ? otherBytesPass(failingSip, sameSize, lossUpperBound)
      : false;
  const finding = ((): Finding => {
    if (isFiltered) return { verdict: 'blocked', reason: others === true ? 'payload-filtered' : 'size-filtered' };
    if (tampered) return tampered;
    if (smallest === undefined && ofSip.every(({ passes }) => passes)) return { verdict: 'pass', reason: 'answered' };
    return { verdict: 'unknown', reason: ordered.some(isLeftUnanswered) ? 'limited' : 'no-answer' };
  })();
  // Up to the first that did not pass: what was not shown to pass is not jumped over.
  const missing =
    tried.find((one) => !one.passes && (one.fails || ofSip.includes(one)))?.bytes ?? Number.POSITIVE_INFINITY;
  const largestFailing = failing.at(-1);
  const passing = tried.filter(({ passes }) => passes).map(({ bytes }) => bytes);
  const above = passing.filter((bytes) => largestFailing && bytes > largestFailing.bytes);
  return {
    ...lineOf(first, family),
    finding,
    ...(isFiltered && smallest.bytes > LONGEST_REGISTER && { leavesShort: true as const }),
    confidence: isFiltered ? 1 - Math.max(...failing.map(({ doubt }) => doubt)) : finding.verdict === 'unknown' ? 0 : 1,
    ...fourNumbers(ordered),
    evidence: {
      triedBytes: tried.map(({ bytes }) => bytes),
      largestPassingBytes: largestOf(passing.filter((bytes) => bytes < missing)),
      smallestFailingBytes: isFiltered ? smallest.bytes : null,
      largestFailingBytes: isFiltered && largestFailing ? largestFailing.bytes : null,
      failingBytes: isFiltered ? runsOf(tried).map(([from, to]) => [from, to]) : [],
      // Where larger ones pass again, it is no limit but a gap.
      passesAgainFromBytes: isFiltered && above.length > 0 ? Math.min(...above) : null,
      otherBytesPass: others,
      // What fits a frame and is dropped is no matter of fragments.
      fragmentsOnly: isFiltered ? fragmentsOf(smallest.bytes) > 1 : null,
      direction: isFiltered ? directionOf(failing) : null,
      overTcp: streams.length > 0 ? streams.every(isAnswered) : null,
    },
  };
};

/**
 * Long messages over a connection over which short ones pass: told where they vanish. The system finds no
 * smaller size by itself where nothing says that one is needed (a black hole of path MTU, RFC 2923 §2.1).
 */
export const judgeStreams = (
  streams: readonly SipExchange[],
  short: SipExchange | undefined,
  family: Family,
  lossUpperBound: number | null,
): StudyCheck | null => {
  const ordered = bySize(streams);
  const failing = ordered.filter((one) => vanished(one, lossUpperBound));
  const [first] = failing;
  if (!first || !short || !isAnswered(short)) return null;
  const passing = [short, ...ordered].filter((one) => isAnswered(one) && sizeOf(one) < sizeOf(first));
  return {
    ...lineOf(first, family),
    finding: { verdict: 'blocked', reason: 'size-filtered' },
    ...(sizeOf(first) > LONGEST_REGISTER && { leavesShort: true as const }),
    confidence: 1 - Math.max(...failing.map((one) => doubtOf(one, lossUpperBound))),
    ...fourNumbers(ordered),
    evidence: {
      triedBytes: ordered.map(sizeOf),
      largestPassingBytes: largestOf(passing.map(sizeOf).filter((bytes) => bytes > 0)),
      smallestFailingBytes: sizeOf(first),
      largestFailingBytes: sizeOf(failing.at(-1) ?? first),
      direction: directionOf(failing),
      overTcp: false,
    },
  };
};

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
/** Null where one of them is not known. */
const sumKnown = (numbers: readonly (number | null | undefined)[]): number | null =>
  numbers.every((one) => typeof one === 'number') ? sum(numbers.map((one) => one ?? 0)) : null;

/** The four numbers of several exchanges. */
export const fourNumbers = (all: readonly SipExchange[]) => ({
  sent: sum(all.map(({ packets }) => packets)),
  seen: sumKnown(all.map(({ seen }) => seen)),
  answered: sumKnown(all.map(({ answered }) => answered)),
  received: sum(all.map(({ answers }) => answers)),
});
