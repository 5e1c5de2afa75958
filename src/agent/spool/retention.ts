/** What leaves the spool when it is full or old: a pure decision. */

/** From what is dropped first to what is dropped last. */
export const LANES = ['light', 'full', 'event', 'change'] as const;
export type Lane = (typeof LANES)[number];

/** What retention needs to know of a segment. */
interface SegmentFacts {
  readonly lane: Lane;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly bytes: number;
  /** When its newest record was made, in wall-clock milliseconds. */
  readonly newestAt: number;
}

export interface RetentionPolicy {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

interface RetentionInput<S extends SegmentFacts> {
  readonly segments: readonly S[];
  readonly policy: RetentionPolicy;
  /** Wall-clock milliseconds; null while the clock is not to be believed, and then nothing is too old. */
  readonly now: number | null;
  /** What every exporter has taken: the lowest of their positions, or infinity without exporters. */
  readonly deliveredTo: number;
  /** Bytes to be freed in any case, because the disk is full before the ceiling is reached. */
  readonly freeAtLeast: number;
  /**
   * Nothing that is worth more than this is dropped for the sake of `freeAtLeast`; null spares all that somebody has yet to take.
   */
  readonly rankOfNew: Lane | null;
}

const rank = (lane: Lane): number => LANES.indexOf(lane);

/**
 * Which segments to drop. What everybody has taken goes first, then the lightest, then the oldest. A segment is the
 * unit, so dropping is one unlink and cannot be half done.
 */
export const segmentsToDrop = <S extends SegmentFacts>(input: RetentionInput<S>): readonly S[] => {
  const { segments, policy, now, deliveredTo, freeAtLeast, rankOfNew } = input;
  const tooOld = segments.filter(({ newestAt }) => now !== null && now - newestAt > policy.maxAgeMs);
  const left = segments.filter((segment) => !tooOld.includes(segment));
  const isTaken = ({ lastSeq }: S): boolean => lastSeq <= deliveredTo;
  const order = [...left].sort(
    (a, b) => Number(isTaken(b)) - Number(isTaken(a)) || rank(a.lane) - rank(b.lane) || a.firstSeq - b.firstSeq,
  );
  const dropped: S[] = [...tooOld];
  let excess = left.reduce((sum, { bytes }) => sum + bytes, 0) - policy.maxBytes;
  let toFree = freeAtLeast - tooOld.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const segment of order) {
    const forDisk = toFree > 0 && (isTaken(segment) || (rankOfNew !== null && rank(segment.lane) <= rank(rankOfNew)));
    if (excess <= 0 && !forDisk) continue;
    dropped.push(segment);
    excess -= segment.bytes;
    toFree -= segment.bytes;
  }
  return dropped;
};
