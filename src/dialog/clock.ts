/** The time that calls live by, passed in: tests have a clock of their own, and nothing here waits for the real one. */

export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Runs once, so much later, unless what is returned was called before. */
  after(ms: number, run: () => void): () => void;
}

/** The time of this host. Its timers do not keep a process alive. */
export const realClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/**
 * When TCP has sent again, at the least, what went out at a time and is not acknowledged: its first pause is a second at most on
 * a path that it knows, and doubles (RFC 6298 §2, §5.5). The first sending included.
 */
export const tcpSendings = (atMs: number, untilMs: number): readonly number[] => {
  const all: number[] = [];
  for (let pauseMs = 0; atMs + pauseMs <= untilMs && pauseMs <= GIVE_UP_MS; pauseMs = 2 * pauseMs + TCP_PAUSE_MS)
    all.push(atMs + pauseMs);
  return all;
};
const TCP_PAUSE_MS = 1000;

/** RFC 3261 §17.1.1.1: an estimate of the round trip, from which the other times follow. */
export const T1_MS = 500;
/** The longest pause between two sendings of what is no INVITE, and of a final answer to one. */
export const T2_MS = 4000;
/** How long a message may stay in the network. */
export const T4_MS = 5000;
/** Timers B, F, H, J and M: after so long nobody waits any more, and nobody remembers. */
export const GIVE_UP_MS = 64 * T1_MS;
