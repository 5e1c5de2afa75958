/**
 * What is remembered of each session: which sequence numbers arrived, how often, and whether they were answered, which is
 * the far end's half of the proof in which direction packets are lost; what tells a replay from a retransmission; and what
 * was held back.
 */
import { UNANSWERED, type Unanswered } from '../model/observation.js';
import type { Receipt } from '../wire/receipts.js';
import { createFreshness } from './freshness.js';
import { createPages, type Page, type Pages, placeIn } from './pages.js';
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
const MAX_COUNT = 255;
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
  readonly pages: Pages;
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

const fresh = (sentAt: bigint, receivedAt: bigint): Session => ({
  pages: createPages(),
  newest: -1,
  offset: receivedAt - sentAt,
  level: BURST,
  levelAtMicros: receivedAt,
  held: 0,
  knownFrom: 0,
});

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
  const leave = ({ reasons }: Page, at: number, why: Unanswered): void => {
    reasons[at] = UNANSWERED.indexOf(why) + 1;
  };
  /** Of a number that is not forgotten. */
  const note = (session: Session, { name, sequence }: RequestName, kind: ArrivalKind, source: number): void => {
    const { pages } = session;
    if (sequence > session.newest) {
      session.newest = sequence;
      pages.forgetUpTo(sequence - WINDOW);
    }
    const page = pages.need(sequence);
    ledger.touch(name, pages.bytes());
    makeRoom(name);
    const at = placeIn(sequence);
    if (kind === 'replay') raise(page.replays, at);
    else {
      if (page.counts[at] === 0) page.sources[at] = source;
      raise(page.counts, at);
    }
    if (kind === 'welcome') raise(page.answered, at);
    else leave(page, at, kind);
  };
  const isForgotten = ({ newest }: Session, sequence: number): boolean => sequence <= newest - WINDOW;
  const takeBack = ({ name, sequence }: RequestName, why: Unanswered): void => {
    const session = sessions.get(name);
    if (!session || sequence > session.newest || isForgotten(session, sequence)) return;
    const page = session.pages.find(sequence);
    if (!page) return;
    const at = placeIn(sequence);
    // A count that is full counts no more, in neither direction.
    const answers = page.answered[at] ?? 0;
    if (answers > 0 && answers < MAX_COUNT) page.answered[at] = answers - 1;
    leave(page, at, why);
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
      const page = session.pages.find(sequence);
      const at = placeIn(sequence);
      const before = page?.counts[at] ?? 0;
      if (before > 0 && (page?.sources[at] !== hash || before >= MAX_ARRIVALS)) return become('replay');
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
      if (isForgotten(session, sequence)) return null;
      const page = session.pages.find(sequence);
      const at = placeIn(sequence);
      const arrived = Math.min(MAX_COUNT, (page?.counts[at] ?? 0) + (page?.replays[at] ?? 0));
      if (!page || arrived === 0) return sequence < session.knownFrom ? null : { arrived: 0, answered: 0, why: null };
      const answers = Math.min(arrived, page.answered[at] ?? 0);
      return {
        arrived,
        answered: answers,
        why: answers === arrived ? null : (UNANSWERED[(page.reasons[at] ?? 0) - 1] ?? null),
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
