/**
 * What a sweep or a deep run believes stands until the next one, which may be hours away. A light run can take it back where
 * it asks all that it rests on: the holes of a range that are watched, and the checks and ranges behind a service. Pure.
 */
import type { Report } from '../../model/report.js';
import type { RunKind } from '../config/schema.js';
import type { Change } from './change.js';
import type { Subject } from './confirm.js';
import type { Sighting } from './digest.js';
import { isTrouble, severity } from './state.js';
import type { Watched } from './watched.js';

/** By service and kind of run: the ids of the checks and ranges that its symptoms and causes rest on. */
export type Rests = Readonly<Record<string, readonly string[]>>;

/** Kinds of run whose word a light run may take back. */
const LONG_RUNS = ['sweep', 'deep'] as const;
/** A service rests on more only where everything is broken. */
const MAX_RESTS = 200;

interface Known {
  readonly subjects: Readonly<Record<string, Subject>>;
  readonly rests: Rests;
  readonly watchedBefore: Readonly<Record<string, Watched>>;
  readonly watched: Readonly<Record<string, Watched>>;
}

/** What a subject becomes although no run of its kind looked again. */
interface Followed {
  readonly key: string;
  readonly name: string;
  readonly subject: Subject;
  readonly change: Change;
}

const keyOf = (kind: string, id: string, asked: RunKind): string => `${kind} ${id} ${asked}`;

/** What services rest on, by this report; only of those that this run's look is believed of. */
export const restsOf = (report: Report, runKind: RunKind, subjects: Readonly<Record<string, Subject>>): Rests =>
  Object.fromEntries(
    report.services.flatMap(({ profile, verdict, symptoms, causes = [] }): [string, readonly string[]][] => {
      const key = keyOf('service', profile, runKind);
      if (runKind === 'light' || subjects[key]?.stable?.key !== verdict) return [];
      const ids = new Set([...symptoms, ...causes].flatMap(({ because }) => because));
      return [[key, [...ids].slice(0, MAX_RESTS)]];
    }),
  );

const better = (
  key: string,
  { kind, id, host, evidence }: Sighting,
  from: Subject,
  to: Subject,
  report: string,
  at: number,
): Followed[] => {
  if (from.stable === null || to.stable === null || severity(to.stable) >= severity(from.stable)) return [];
  const firstSeen = to.since !== null && to.since > (from.since ?? 0) ? to.since : at;
  return [
    {
      key,
      name: `${kind} ${id}`,
      // Its earlier looks are of what is gone, and would outvote the next one.
      subject: { ...from, stable: to.stable, since: firstSeen, looks: [] },
      change: {
        ...{ subject: { kind, id }, host, what: 'changed', direction: 'better', runKind: 'light', evidence },
        ...{ before: from.stable, beforeSince: from.since, after: to.stable, firstSeen, reports: [report] },
      },
    },
  ];
};

/** What follows from a light look, ranges before the services that rest on them. */
export const follow = (
  { subjects, rests, watchedBefore, watched }: Known,
  sightings: readonly Sighting[],
  report: string,
  at: number,
): readonly Followed[] => {
  const followed: Followed[] = [];
  const now = { ...subjects };
  const take = (kind: 'range' | 'service', isOf: (key: string, id: string) => boolean): void => {
    for (const sighting of sightings.filter((one) => one.kind === kind)) {
      const light = now[keyOf(kind, sighting.id, 'light')];
      for (const asked of LONG_RUNS) {
        const key = keyOf(kind, sighting.id, asked);
        const long = now[key];
        if (!light || !long || !isOf(key, sighting.id)) continue;
        for (const one of better(key, sighting, long, light, report, at)) {
          now[key] = one.subject;
          followed.push(one);
        }
      }
    }
  };
  // All of its known holes were asked until they were taken for gone.
  take('range', (_key, id) => {
    const before = watchedBefore[id];
    return before !== undefined && before.isPart === undefined && watched[id] === undefined;
  });
  const isMended = (id: string): boolean => {
    const beliefs = (['any', 'light', ...LONG_RUNS] as const).flatMap((asked) =>
      (['check', 'range'] as const).flatMap((kind) => now[`${kind} ${id} ${asked}`]?.stable ?? []),
    );
    return beliefs.length > 0 && !beliefs.some(isTrouble);
  };
  const isBelievedTrouble = ([key, { stable }]: [string, Subject]): boolean =>
    (key.startsWith('check ') || key.startsWith('range ')) && stable !== null && isTrouble(stable);
  take('service', (key) => {
    const ids = rests[key] ?? [];
    // Without a symptom it rests on whatever was wrong.
    return ids.length > 0 ? ids.every(isMended) : !Object.entries(now).some(isBelievedTrouble);
  });
  return followed;
};
