/** What arrived, by session and sequence number: the far end's half of the proof in which direction packets are lost. */

export interface Receipts {
  saw(session: Uint8Array, sequence: number): void;
  /** How often a sequence number arrived, at most 255; 0 for what never did or is forgotten. */
  count(session: Uint8Array, sequence: number): number;
}

/** Sessions that are remembered; the one that was silent longest is forgotten first. */
const MAX_SESSIONS = 2048;
/** Sequence numbers of one session; an exhaustive run of all ports with its repetitions stays below. */
const MAX_SEQUENCES = 131_072;
const INITIAL_SEQUENCES = 512;
const MAX_COUNT = 255;
/** All sessions together, so that a few that claim high numbers cannot fill the memory. */
const MAX_BYTES = 64 * 1024 * 1024;

/** An empty book; a byte for each sequence number, grown as the numbers grow. */
export const createReceipts = (): Receipts => {
  const sessions = new Map<string, Uint8Array>();
  let bytes = 0;
  const nameOf = (session: Uint8Array): string => Buffer.from(session).toString('latin1');

  const store = (name: string, counts: Uint8Array): void => {
    bytes -= sessions.get(name)?.length ?? 0;
    sessions.delete(name);
    sessions.set(name, counts);
    bytes += counts.length;
    for (const [oldest, held] of sessions) {
      if ((sessions.size <= MAX_SESSIONS && bytes <= MAX_BYTES) || oldest === name) break;
      sessions.delete(oldest);
      bytes -= held.length;
    }
  };

  return {
    saw: (session, sequence) => {
      if (sequence >= MAX_SEQUENCES) return;
      const name = nameOf(session);
      const known = sessions.get(name);
      let counts = known ?? new Uint8Array(INITIAL_SEQUENCES);
      if (sequence >= counts.length) {
        const larger = new Uint8Array(Math.min(MAX_SEQUENCES, 2 ** Math.ceil(Math.log2(sequence + 1))));
        larger.set(counts);
        counts = larger;
      }
      counts[sequence] = Math.min(MAX_COUNT, (counts[sequence] ?? 0) + 1);
      store(name, counts);
    },
    count: (session, sequence) => sessions.get(nameOf(session))?.[sequence] ?? 0,
  };
};
