/**
 * What is remembered of each session: which sequence numbers arrived, how often, and whether they were answered, which is
 * the far end's half of the proof in which direction packets are lost; what tells a replay from a retransmission; and what
 * was held back.
 */
import { UNANSWERED, type Unanswered } from '../model/observation.js';
import type { Receipt } from '../wire/receipts.js';
import { createFreshness } from './freshness.js';
import { createLedger } from './quotas.js';

/** What a request is, by what its session knows already. */
const ARRIVALS = [
  'welcome', // new, or a retransmission from where the first came
  'replay', // captured and sent again: too old, from another address, or too often
  'held-back', // the session asks more than its share
] as const;
type ArrivalKind = (typeof ARRIVALS)[number];

/** One request under a valid tag. */
interface SessionArrival {
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

/** One request of a session, as its answer names it. */
export interface RequestName {
  readonly name: string;
  readonly sequence: number;
}

/**
 * What another process of the same reflector is told: an arrival, that one which was welcome stays unanswered, or that one was
 * too old to begin its session.
 */
export type SessionRecord =
  | (RequestName & {
      readonly say: 'arrived';
      readonly kind: ArrivalKind;
      /** Hash of the source. */
      readonly source: number;
      readonly sentAtMicros: bigint;
      readonly receivedAtMicros: bigint;
    })
  | (RequestName & { readonly say: 'unanswered'; readonly why: Unanswered })
  | (RequestName & { readonly say: 'turned-away' });

export interface Sessions {
  /** Counts an arrival and says what it is. What is welcome counts as answered until `unanswered` says otherwise. */
  arrive(arrival: SessionArrival): ArrivalKind;
  /** Takes back that the last arrival of a request was answered. */
  unanswered(request: RequestName, why: Unanswered): void;
  /** What became of a number; null for what is forgotten. */
  receipt(name: string, sequence: number): Receipt | null;
  /** Runs `work`; if it throws, nothing that arrived in it was answered. */
  during<T>(work: () => T): T;
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
/** Three counts and a reason of one byte each, and the hash of a source. */
const BYTES_PER_NUMBER = 8;
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

/** Columns by number modulo their length, which is a power of two. */
interface Columns {
  /** Arrivals without the replays. */
  readonly counts: Uint8Array;
  readonly replays: Uint8Array;
  readonly answered: Uint8Array;
  /** One more than the reason's place in `UNANSWERED`; 0 for none. */
  readonly reasons: Uint8Array;
  readonly sources: Uint32Array;
}

interface Session {
  columns: Columns;
  newest: number;
  /** Smallest difference of the two clocks seen so far, in microseconds. */
  offset: bigint;
  level: number;
  levelAtMicros: bigint;
  held: number;
  /** Numbers below this may have arrived before the session began: in an earlier life that is forgotten, or turned away. */
  knownFrom: number;
}

/** FNV-1a with a start that nobody outside knows, so that no other address with the same hash can be looked for. */
const hashOf = (bytes: Uint8Array, seed: number): number => {
  let hash = seed;
  for (const octet of bytes) hash = Math.imul(hash ^ octet, 0x0100_0193);
  return hash >>> 0;
};

const columnsOf = (length: number): Columns => ({
  counts: new Uint8Array(length),
  replays: new Uint8Array(length),
  answered: new Uint8Array(length),
  reasons: new Uint8Array(length),
  sources: new Uint32Array(length),
});

const fresh = (sentAt: bigint, receivedAt: bigint): Session => ({
  columns: columnsOf(INITIAL),
  newest: -1,
  offset: receivedAt - sentAt,
  level: BURST,
  levelAtMicros: receivedAt,
  held: 0,
  knownFrom: 0,
});

const memoryOf = ({ columns }: Session): number => columns.counts.length * BYTES_PER_NUMBER;

/** Forgets what stands at a place, for the number that takes it next. */
const clear = ({ counts, replays, answered, reasons }: Columns, at: number): void => {
  counts[at] = 0;
  replays[at] = 0;
  answered[at] = 0;
  reasons[at] = 0;
};

/** Makes room for `sequence`, so that the numbers between it and the oldest that is remembered have places of their own. */
const advance = (session: Session, sequence: number): void => {
  const wanted = Math.min(WINDOW, 2 ** Math.ceil(Math.log2(sequence + 1)));
  if (wanted > session.columns.counts.length) {
    // Below WINDOW nothing has wrapped yet: every number stands at its own index.
    const grown = columnsOf(wanted);
    grown.counts.set(session.columns.counts);
    grown.replays.set(session.columns.replays);
    grown.answered.set(session.columns.answered);
    grown.reasons.set(session.columns.reasons);
    grown.sources.set(session.columns.sources);
    session.columns = grown;
  }
  const { columns } = session;
  const { length } = columns.counts;
  const gone = Math.min(sequence - session.newest, length);
  for (let number = sequence - gone + 1; number <= sequence; number += 1) clear(columns, number % length);
  session.newest = sequence;
};

const raise = (column: Uint8Array, at: number): void => {
  column[at] = Math.min(MAX_COUNT, (column[at] ?? 0) + 1);
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
    const earlier = asksBack || freshness.wasKnown(name) ? sequence : 0;
    session.knownFrom = Math.max(earlier, freshness.turnedAwayBelow(name));
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
  /** The place of a number that is not forgotten. */
  const placeOf = (session: Session, name: string, sequence: number): number => {
    if (sequence > session.newest) advance(session, sequence);
    ledger.touch(name, memoryOf(session));
    makeRoom(name);
    return sequence % session.columns.counts.length;
  };
  const leave = ({ reasons }: Columns, at: number, why: Unanswered): void => {
    reasons[at] = UNANSWERED.indexOf(why) + 1;
  };
  const note = (session: Session, { name, sequence }: RequestName, kind: ArrivalKind, source: number): void => {
    const at = placeOf(session, name, sequence);
    const { columns } = session;
    if (kind === 'replay') raise(columns.replays, at);
    else {
      if (columns.counts[at] === 0) columns.sources[at] = source;
      raise(columns.counts, at);
    }
    if (kind === 'welcome') raise(columns.answered, at);
    else leave(columns, at, kind);
  };
  const isForgotten = ({ newest }: Session, sequence: number): boolean => sequence <= newest - WINDOW;
  const takeBack = ({ name, sequence }: RequestName, why: Unanswered): void => {
    const session = sessions.get(name);
    if (!session || sequence > session.newest || isForgotten(session, sequence)) return;
    const { columns } = session;
    const at = sequence % columns.counts.length;
    // A count that is full counts no more, in neither direction.
    const answers = columns.answered[at] ?? 0;
    if (answers > 0 && answers < MAX_COUNT) columns.answered[at] = answers - 1;
    leave(columns, at, why);
  };
  const unanswered = (request: RequestName, why: Unanswered): void => {
    takeBack(request, why);
    tell({ say: 'unanswered', name: request.name, sequence: request.sequence, why });
  };
  /** What was welcome in the work that goes on; null where none does. */
  let recent: RequestName[] | null = null;

  return {
    arrive: ({ name, sequence, source, sentAtMicros, receivedAtMicros, isBound = false, asksBack = false }) => {
      const known = sessions.get(name);
      if (!known && !freshness.mayBegin({ name, sentAtMicros, receivedAtMicros, isBound })) {
        freshness.turnAway(name, sequence);
        tell({ say: 'turned-away', name, sequence });
        return 'replay';
      }
      const session = known ?? begin(name, sequence, sentAtMicros, receivedAtMicros, asksBack);
      const hash = hashOf(source, seed);
      const become = (kind: ArrivalKind): ArrivalKind => {
        note(session, { name, sequence }, kind, hash);
        tell({ say: 'arrived', name, sequence, kind, source: hash, sentAtMicros, receivedAtMicros });
        return kind;
      };
      const offset = receivedAtMicros - sentAtMicros;
      const isLate = offset - session.offset > MAX_AGE_MICROS;
      if (isForgotten(session, sequence)) return 'replay';
      if (isLate && sequence <= session.newest) return become('replay');
      // The newest number that comes late is no replay of anything: the agent's host was suspended, and its clock stood.
      if (isLate || offset < session.offset) session.offset = offset;
      const { counts, sources } = session.columns;
      const at = sequence % counts.length;
      const before = sequence > session.newest ? 0 : (counts[at] ?? 0);
      if (before > 0 && (sources[at] !== hash || before >= MAX_ARRIVALS)) return become('replay');
      const elapsed = Number(receivedAtMicros - session.levelAtMicros) / 1e6;
      session.level = Math.min(BURST, session.level + Math.max(0, elapsed) * RATE_PER_SECOND);
      session.levelAtMicros = receivedAtMicros;
      if (session.level < 1) {
        session.held += 1;
        return become('held-back');
      }
      session.level -= 1;
      recent?.push({ name, sequence });
      return become('welcome');
    },
    unanswered,
    receipt: (name, sequence) => {
      const session = sessions.get(name);
      // Of a session that nobody knows, or knows no longer, nothing can be said.
      if (!session) return null;
      const isBeyond = sequence > session.newest;
      if (isForgotten(session, sequence)) return null;
      const { counts, replays, answered, reasons } = session.columns;
      const at = sequence % counts.length;
      const arrived = isBeyond ? 0 : Math.min(MAX_COUNT, (counts[at] ?? 0) + (replays[at] ?? 0));
      if (arrived === 0) return sequence < session.knownFrom ? null : { arrived, answered: 0, why: null };
      const answers = Math.min(arrived, answered[at] ?? 0);
      return {
        arrived,
        answered: answers,
        why: answers === arrived ? null : (UNANSWERED[(reasons[at] ?? 0) - 1] ?? null),
      };
    },
    during: (work) => {
      const welcome: RequestName[] = [];
      recent = welcome;
      try {
        return work();
      } catch (error) {
        for (const request of welcome) unanswered(request, 'busy');
        throw error;
      } finally {
        recent = null;
      }
    },
    heldBack: (name) => sessions.get(name)?.held ?? 0,
    merge: (record) => {
      const { name, sequence } = record;
      if (record.say === 'unanswered') return takeBack(record, record.why);
      const known = sessions.get(name);
      if (record.say === 'turned-away') {
        if (known) known.knownFrom = Math.max(known.knownFrom, sequence + 1);
        else freshness.turnAway(name, sequence);
        return;
      }
      const { kind, source, sentAtMicros, receivedAtMicros } = record;
      const session = known ?? begin(name, sequence, sentAtMicros, receivedAtMicros, false);
      if (!isForgotten(session, sequence)) note(session, record, kind, source);
    },
    size: () => sessions.size,
  };
};
