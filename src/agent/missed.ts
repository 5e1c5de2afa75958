/** Missed runs, counted and told together: one event an hour and job, not one a minute. */
interface MissedRuns {
  add(job: string, count: number, reason: string): void;
  /** What has gathered since it was last told, if it is time to tell. */
  take(monotonicMs: number): readonly { readonly job: string; readonly counts: Readonly<Record<string, number>> }[];
}

/** The first is told at once; a probe that takes longer than its interval would otherwise fill the log. */
const TELL_EVERY_MS = 3_600_000;

/** Nothing missed yet. */
export const createMissedRuns = (): MissedRuns => {
  const gathered = new Map<string, Map<string, number>>();
  const toldAt = new Map<string, number>();
  return {
    add: (job, count, reason) => {
      const counts = gathered.get(job) ?? new Map<string, number>();
      counts.set(reason, (counts.get(reason) ?? 0) + count);
      gathered.set(job, counts);
    },
    take: (now) =>
      [...gathered].flatMap(([job, counts]) => {
        if (now - (toldAt.get(job) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return [];
        toldAt.set(job, now);
        gathered.delete(job);
        return [{ job, counts: Object.fromEntries(counts) }];
      }),
  };
};
