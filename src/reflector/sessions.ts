/**
 * What is remembered of each session: which sequence numbers arrived and how often, which is the far end's half of the
 * proof in which direction packets are lost; what tells a replay from a retransmission; and what was held back.
 */
import { createFreshness } from './freshness.js';
import { createLedger } from './quotas.js';

/** What a request is, by what its session knows already. */
export const ARRIVALS = [
  'welcome', // new, or a retransmission from where the first came
  'replay', // captured and sent again: too old, from another address, or too often
  'held-back', // the session asks more than its share
] as const;
export type ArrivalKind = (typeof ARRIVALS)[number];

/** One request under a valid tag. */
export interface SessionArrival {
  /** Token and session id: a name of fixed length. */
  readonly name: string;
  readonly sequence: number;
  /** 16 bytes. */
  readonly source: Uint8Array;
  readonly sentAtMicros: bigint;
  readonly receivedAtMicros: bigint;
  /** Its proof is bound to a TLS session. */
  readonly isBound?: boolean;
  /** It asks for what came before it: a session that begins so had an earlier life that is not known here. */
  readonly asksBack?: boolean;
}

/** What another process of the same reflector is told of an arrival. */
export interface SessionRecord {
  readonly name: string;
  readonly sequence: number;
  /** Hash of the source. */
  readonly source: number;
  readonly sentAtMicros: bigint;
  readonly receivedAtMicros: bigint;
}

export interface Sessions {
  /** Counts an arrival and says what it is. Replays are not counted. */
  arrive(arrival: SessionArrival): ArrivalKind;
  /** How often a number arrived, at most 255; null for what is forgotten. */
  count(name: string, sequence: number): number | null;
  /** Answers of this session that were not given. */
  heldBack(name: string): number;
  /** Counts what another process saw. */
  merge(record: SessionRecord): void;
  size(): number;
}

/** Sessions that are remembered; of the token that has most, the one that was silent longest is forgotten first. */
const MAX_SESSIONS = 2048;
/** Numbers behind the newest that are remembered; what is older is a replay. All ports of a sweep, asked twice. */
const WINDOW = 131_072;
const INITIAL = 512;
const MAX_COUNT = 255;
/** A count and the hash of a source. */
const BYTES_PER_NUMBER = 5;
/** All sessions together, so that a few that claim high numbers cannot fill the memory; who has most makes room. */
const MAX_BYTES = 64 * 1024 * 1024;
/**
 * A request arrives more than once where its protocol retransmits it, SIP's eleven times (RFC 3261 §17.1.2.2), and where
 * the path doubles packets. What arrives more often than both explain was captured.
 */
const MAX_ARRIVALS = 32;
/**
 * How much later than its session's quickest a request may come, by both clocks: twice the 32 s for which SIP's slowest
 * transaction retransmits (64 × T1, RFC 3261 §17.1.1.2). The clocks' difference is the same for all of a session.
 */
const MAX_AGE_MICROS = 64_000_000n;
/** Answers a second and session: twenty times what a sweep on a branch's line sends. */
const RATE_PER_SECOND = 10_000;
/** All UDP ports there are, asked at once. */
const BURST = 65_536;

interface Session {
  /** By number modulo their length, which is a power of two. */
  counts: Uint8Array;
  sources: Uint32Array;
  newest: number;
  /** Smallest difference of the two clocks seen so far, in microseconds. */
  offset: bigint;
  level: number;
  levelAtMicros: bigint;
  held: number;
  /** Numbers below this may have arrived in an earlier life of the session, which is forgotten. */
  knownFrom: number;
}

/** FNV-1a with a start that nobody outside knows, so that no other address with the same hash can be looked for. */
const hashOf = (bytes: Uint8Array, seed: number): number => {
  let hash = seed;
  for (const octet of bytes) hash = Math.imul(hash ^ octet, 0x0100_0193);
  return hash >>> 0;
};

const fresh = (sentAt: bigint, receivedAt: bigint): Session => ({
  counts: new Uint8Array(INITIAL),
  sources: new Uint32Array(INITIAL),
  newest: -1,
  offset: receivedAt - sentAt,
  level: BURST,
  levelAtMicros: receivedAt,
  held: 0,
  knownFrom: 0,
});

const memoryOf = ({ counts }: Session): number => counts.length * BYTES_PER_NUMBER;

/** Makes room for `sequence`, so that the numbers between it and the oldest that is remembered have places of their own. */
const advance = (session: Session, sequence: number): void => {
  const wanted = Math.min(WINDOW, 2 ** Math.ceil(Math.log2(sequence + 1)));
  if (wanted > session.counts.length) {
    // Below WINDOW nothing has wrapped yet: every number stands at its own index.
    const counts = new Uint8Array(wanted);
    const sources = new Uint32Array(wanted);
    counts.set(session.counts);
    sources.set(session.sources);
    session.counts = counts;
    session.sources = sources;
  }
  const { counts } = session;
  const gone = sequence - session.newest;
  if (gone >= counts.length) counts.fill(0);
  else for (let number = session.newest + 1; number <= sequence; number += 1) counts[number % counts.length] = 0;
  session.newest = sequence;
};

/**
 * An empty memory.
 * @param seed start of the hash of sources
 * @param tell called for each arrival that counts
 * @param upMs for how long this process has remembered, in milliseconds
 */
export const createSessions = (
  seed: number,
  tell: (record: SessionRecord) => void = () => undefined,
  upMs: () => number = () => Number.POSITIVE_INFINITY,
): Sessions => {
  const sessions = new Map<string, Session>();
  const ledger = createLedger({ entries: MAX_SESSIONS, bytes: MAX_BYTES });
  const freshness = createFreshness(upMs);

  const begin = (name: string, sequence: number, sentAt: bigint, receivedAt: bigint, asksBack: boolean): Session => {
    const session = fresh(sentAt, receivedAt);
    if (asksBack || freshness.wasKnown(name)) session.knownFrom = sequence;
    sessions.set(name, session);
    return session;
  };
  const makeRoom = (but: string): void => {
    for (let name = ledger.overflow(but); name !== null; name = ledger.overflow(but)) {
      const gone = sessions.get(name);
      sessions.delete(name);
      // By the quickest way, so no earlier than anything that it sent.
      if (gone) freshness.forget(name, gone.levelAtMicros - gone.offset);
    }
  };
  const note = (session: Session, name: string, sequence: number, source: number): void => {
    if (sequence > session.newest) advance(session, sequence);
    ledger.touch(name, memoryOf(session));
    makeRoom(name);
    const at = sequence % session.counts.length;
    if (session.counts[at] === 0) session.sources[at] = source;
    session.counts[at] = Math.min(MAX_COUNT, (session.counts[at] ?? 0) + 1);
  };
  const isForgotten = ({ newest }: Session, sequence: number): boolean => sequence <= newest - WINDOW;

  return {
    arrive: ({ name, sequence, source, sentAtMicros, receivedAtMicros, isBound = false, asksBack = false }) => {
      const known = sessions.get(name);
      if (!known && !freshness.mayBegin({ name, sentAtMicros, receivedAtMicros, isBound })) return 'replay';
      const session = known ?? begin(name, sequence, sentAtMicros, receivedAtMicros, asksBack);
      const offset = receivedAtMicros - sentAtMicros;
      const isLate = offset - session.offset > MAX_AGE_MICROS;
      if (isForgotten(session, sequence) || (isLate && sequence <= session.newest)) return 'replay';
      // The newest number that comes late is no replay of anything: the agent's host was suspended, and its clock stood.
      if (isLate || offset < session.offset) session.offset = offset;
      const hash = hashOf(source, seed);
      const at = sequence % session.counts.length;
      const before = sequence > session.newest ? 0 : (session.counts[at] ?? 0);
      if (before > 0 && (session.sources[at] !== hash || before >= MAX_ARRIVALS)) return 'replay';
      note(session, name, sequence, hash);
      tell({ name, sequence, source: hash, sentAtMicros, receivedAtMicros });
      const elapsed = Number(receivedAtMicros - session.levelAtMicros) / 1e6;
      session.level = Math.min(BURST, session.level + Math.max(0, elapsed) * RATE_PER_SECOND);
      session.levelAtMicros = receivedAtMicros;
      if (session.level < 1) {
        session.held += 1;
        return 'held-back';
      }
      session.level -= 1;
      return 'welcome';
    },
    count: (name, sequence) => {
      const session = sessions.get(name);
      if (!session) return null;
      if (sequence > session.newest) return 0;
      if (isForgotten(session, sequence)) return null;
      const count = session.counts[sequence % session.counts.length] ?? 0;
      return count === 0 && sequence < session.knownFrom ? null : count;
    },
    heldBack: (name) => sessions.get(name)?.held ?? 0,
    merge: ({ name, sequence, source, sentAtMicros, receivedAtMicros }) => {
      const session = sessions.get(name) ?? begin(name, sequence, sentAtMicros, receivedAtMicros, false);
      if (!isForgotten(session, sequence)) note(session, name, sequence, source);
    },
    size: () => sessions.size,
  };
};
