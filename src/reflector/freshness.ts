/**
 * Which request may be a session's first. A captured one still has its proof after a year; what gives it away is its age, and
 * that its session was known once. Who shows a tag that is bound to a TLS session cannot have captured it, whatever its clock says.
 */

/** How far an agent's clock may be from ours: hosts without any time service drift by less in a month. */
const MAX_SKEW_MICROS = 300_000_000n;
/** Agents read their clocks in whole milliseconds, and two processes of one host need not read the same. */
const CLOCK_STEP_MS = 20;
/**
 * Sessions that were forgotten, and are known again if they come back; and as many that were turned away. With names of twenty
 * octets, some megabytes each.
 */
const MAX_PAST = 16_384;

/** Whether a request is too old, or too far ahead, to begin anything with. */
export const isFarOff = (sentAtMicros: bigint, receivedAtMicros: bigint): boolean => {
  const off = receivedAtMicros - sentAtMicros;
  return off > MAX_SKEW_MICROS || off < -MAX_SKEW_MICROS;
};

interface Beginning {
  readonly name: string;
  readonly sentAtMicros: bigint;
  readonly receivedAtMicros: bigint;
  /** It came through TLS, and its proof covers the exporter's output. */
  readonly isBound: boolean;
}

interface Freshness {
  mayBegin(beginning: Beginning): boolean;
  /** Remembers that a session is forgotten, and that nothing of it was sent after this by the agent's clock. */
  forget(name: string, sentUpToMicros: bigint): void;
  /** Whether a session of this name was forgotten before. */
  wasKnown(name: string): boolean;
  /** Remembers that a request came that could not begin its session. */
  turnAway(name: string, sequence: number): void;
  /** One more than the highest number that was turned away; 0 where none was. */
  turnedAwayBelow(name: string): number;
}

/** Puts one at the end; of too many the stalest goes. */
const remember = <T>(book: Map<string, T>, name: string, value: T): void => {
  book.delete(name);
  book.set(name, value);
  const oldest = book.size > MAX_PAST ? book.keys().next().value : undefined;
  if (oldest !== undefined) book.delete(oldest);
};

/** @param upMs for how long this process has run: what was sent before then is of an earlier life, whose sessions are gone */
export const createFreshness = (upMs: () => number): Freshness => {
  const past = new Map<string, bigint>();
  const away = new Map<string, number>();
  return {
    mayBegin: ({ name, sentAtMicros, receivedAtMicros, isBound }) => {
      if (isBound) return true;
      if (isFarOff(sentAtMicros, receivedAtMicros)) return false;
      if (Number(receivedAtMicros - sentAtMicros) / 1000 > upMs() + CLOCK_STEP_MS) return false;
      const sentUpTo = past.get(name);
      return sentUpTo === undefined || sentAtMicros > sentUpTo;
    },
    forget: (name, sentUpToMicros) => {
      remember(past, name, sentUpToMicros);
    },
    wasKnown: (name) => past.has(name),
    turnAway: (name, sequence) => {
      remember(away, name, Math.max(away.get(name) ?? 0, sequence + 1));
    },
    turnedAwayBelow: (name) => away.get(name) ?? 0,
  };
};
