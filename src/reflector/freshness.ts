/**
 * Which request may be a session's first. A captured one still has its proof after a year; what gives it away is its age, and
 * that its session was known once. Who shows a tag that is bound to a TLS session cannot have captured it, whatever its clock says.
 */

/** How far an agent's clock may be from ours: hosts without any time service drift by less in a month. */
export const MAX_SKEW_MICROS = 300_000_000n;
/** Agents read their clocks in whole milliseconds, and two processes of one host need not read the same. */
const CLOCK_STEP_MS = 20;
/** Sessions that were forgotten, and are known again if they come back. With names of twenty octets, some megabytes. */
const MAX_PAST = 16_384;

/** Whether a request is too old, or too far ahead, to begin anything with. */
export const isFarOff = (sentAtMicros: bigint, receivedAtMicros: bigint): boolean => {
  const off = receivedAtMicros - sentAtMicros;
  return off > MAX_SKEW_MICROS || off < -MAX_SKEW_MICROS;
};

export interface Beginning {
  readonly name: string;
  readonly sentAtMicros: bigint;
  readonly receivedAtMicros: bigint;
  /** It came through TLS, and its proof covers the exporter's output. */
  readonly isBound: boolean;
}

export interface Freshness {
  mayBegin(beginning: Beginning): boolean;
  /** Remembers that a session is forgotten, and that nothing of it was sent after this by the agent's clock. */
  forget(name: string, sentUpToMicros: bigint): void;
  /** Whether a session of this name was forgotten before. */
  wasKnown(name: string): boolean;
}

/** @param upMs for how long this process has run: what was sent before then is of an earlier life, whose sessions are gone */
export const createFreshness = (upMs: () => number): Freshness => {
  const past = new Map<string, bigint>();
  return {
    mayBegin: ({ name, sentAtMicros, receivedAtMicros, isBound }) => {
      if (isBound) return true;
      if (isFarOff(sentAtMicros, receivedAtMicros)) return false;
      if (Number(receivedAtMicros - sentAtMicros) / 1000 > upMs() + CLOCK_STEP_MS) return false;
      const sentUpTo = past.get(name);
      return sentUpTo === undefined || sentAtMicros > sentUpTo;
    },
    forget: (name, sentUpToMicros) => {
      past.delete(name);
      past.set(name, sentUpToMicros);
      const oldest = past.size > MAX_PAST ? past.keys().next().value : undefined;
      if (oldest !== undefined) past.delete(oldest);
    },
    wasKnown: (name) => past.has(name),
  };
};
