/** What is remembered of a target, and what a further report changes in it: a pure function. */
import type { Report } from '../../model/report.js';
import type { RunKind } from '../config/schema.js';
import { type Look, look, type Outcome, type Policy, type State, type Subject, UNSEEN } from './confirm.js';
import { digest, type Sighting, type SubjectKind } from './digest.js';
import { type Watched, watchAfter } from './watched.js';

/** What is remembered of one target, as JSON. */
export interface TargetMemory {
  /** By kind of subject, id and kind of run. */
  readonly subjects: Readonly<Record<string, Subject>>;
  /** What was last told of each subject, by kind and id: the worst that any kind of run believes. */
  readonly told: Readonly<Record<string, State>>;
  /** When each subject was last looked at, in wall-clock milliseconds. */
  readonly seenAt: Readonly<Record<string, number>>;
  /** The state of things in the network before this one; what settles in this one is compared with it. Null: there was none. */
  readonly elsewhere: Readonly<Record<string, State>> | null;
  /** The baseline of this network was told; what settles later and differs from before is a change of its own. */
  readonly isBaselineTold?: boolean;
  /** By range: ports of holes that were found, which every run asks; an older memory has none. */
  readonly watched?: Readonly<Record<string, Watched>>;
}

export const NO_MEMORY: TargetMemory = { subjects: {}, told: {}, seenAt: {}, elsewhere: null };

/** A confirmed change, as it is exported (`callpath.change/1`, before ids and names are added). */
export interface Change {
  readonly subject: { readonly kind: SubjectKind; readonly id: string };
  readonly what: 'changed' | 'flapping' | 'settled';
  readonly direction: 'better' | 'worse' | 'different';
  readonly before: State | null;
  readonly beforeSince: number | null;
  readonly after: State;
  readonly firstSeen: number;
  readonly runKind: RunKind;
  readonly reports: readonly string[];
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** How a fresh baseline differs from what was believed in the network before. */
interface Difference {
  readonly kind: string;
  readonly id: string;
  readonly before: State;
  readonly after: State;
}

interface Tracked {
  readonly memory: TargetMemory;
  readonly changes: readonly Change[];
  /** Something differs and is not believed yet: look again at once. */
  readonly suspects: readonly string[];
  /** The baseline now stands, for so many subjects; null if it stood before, or does not yet. */
  readonly baseline: { readonly subjects: number; readonly differences: readonly Difference[] } | null;
}

/** A subject that no report names any more (another address, another profile) is forgotten after this. */
const FORGET_AFTER_MS = 8 * 86_400_000;
/** A host's silence has many innocent reasons, a restart above all: one look more than anything else needs. */
const EXTRA_LOOKS_FOR_HOSTS = 1;
/** No run takes longer; a look that lies further ahead was taken before the clock was set back. */
const LONGEST_RUN_MS = 3_600_000;
/** A report has some hundred; this bounds what a strange one could make of the memory. */
const MAX_SUBJECTS = 5000;

/** From best to worst, for all kinds of subjects; what is not named here is neither. */
const ORDER = [
  'pass',
  'works',
  'proves',
  'answers',
  'unknown',
  'refuses',
  'silent',
  'degraded',
  'altered',
  'impaired',
  'blocked',
];

const severity = ({ verdict, key }: State): number => {
  const place = ORDER.indexOf(verdict);
  // A part is less than the whole.
  return place < 0 ? -1 : place - (key.startsWith('partly ') ? 0.5 : 0);
};

const directionOf = (before: State, after: State): Change['direction'] => {
  const [from, to] = [severity(before), severity(after)];
  if (from < 0 || to < 0 || from === to) return 'different';
  return to > from ? 'worse' : 'better';
};

const nameOf = ({ kind, id }: Pick<Sighting, 'kind' | 'id'>): string => `${kind} ${id}`;
const keyOf = (sighting: Sighting): string => `${nameOf(sighting)} ${sighting.asked}`;

const policyFor = (kind: SubjectKind, policy: Policy): Policy =>
  kind === 'host'
    ? { ...policy, needed: policy.needed + EXTRA_LOOKS_FOR_HOSTS, of: policy.of + EXTRA_LOOKS_FOR_HOSTS }
    : policy;

/** The worst that any kind of run believes of a subject. */
const worstBelieved = (subjects: Readonly<Record<string, Subject>>, name: string): State | null =>
  (['any', 'light', 'sweep', 'deep'] as const)
    .flatMap((asked) => subjects[`${name} ${asked}`]?.stable ?? [])
    .reduce<State | null>((worst, one) => (worst === null || severity(one) > severity(worst) ? one : worst), null);

/** Nothing of the host answers. */
const isMute = ({ key }: State): boolean => key === 'silent' || key === 'refuses';

/**
 * Hosts of which this report says something else than what is believed, or of which nothing answers. While one
 * is in question its checks' `unknown` is its own matter: a reflector that dies is one event, not forty.
 */
const doubtfulHosts = (sightings: readonly Sighting[], memory: TargetMemory): ReadonlySet<string> =>
  new Set(
    sightings
      .filter(({ kind }) => kind === 'host')
      .filter((one) => isMute(one.state) || memory.subjects[keyOf(one)]?.stable?.key !== one.state.key)
      .flatMap(({ host }) => host ?? []),
  );

/** Whether a light look has been taken since a longer run began, which therefore says nothing newer. */
const isOvertaken = (subject: Subject | undefined, at: number): boolean => {
  const ahead = (subject?.looks.at(-1)?.at ?? at) - at;
  return ahead > 0 && ahead < LONGEST_RUN_MS;
};

const isHeld = ({ kind, state, host }: Sighting, doubtful: ReadonlySet<string>): boolean =>
  kind !== 'host' && state.verdict === 'unknown' && doubtful.size > 0 && (host === null || doubtful.has(host));

const changeFrom = (
  sighting: Sighting,
  outcome: Outcome,
  told: State | null,
  worst: State,
  runKind: RunKind,
): Change | null => {
  const subject = { kind: sighting.kind, id: sighting.id };
  const common = { subject, runKind, evidence: sighting.evidence };
  if (outcome.kind === 'flap-ends') {
    const { after, since } = outcome;
    return {
      ...common,
      what: 'settled',
      direction: told ? directionOf(told, after) : 'different',
      before: told,
      beforeSince: null,
      after,
      firstSeen: since,
      reports: [],
    };
  }
  if (outcome.kind !== 'changed' && outcome.kind !== 'flap-begins') return null;
  // Another kind of run has told it already, or still believes worse.
  if (outcome.kind === 'changed' && told?.key === worst.key) return null;
  const before = told ?? outcome.before;
  return {
    ...common,
    what: outcome.kind === 'changed' ? 'changed' : 'flapping',
    direction: directionOf(before, worst),
    before,
    beforeSince: outcome.beforeSince,
    after: worst,
    firstSeen: outcome.firstSeen,
    reports: outcome.reports,
  };
};

/**
 * What settles after the baseline of another network was told is a change of what was believed before: what began together with
 * the change of networks, or just after it, is no less one. What was the same in the network before is none, although another
 * kind of run did not find it in this one.
 */
const settledLate = (
  { since, looks }: Subject,
  settled: Extract<Outcome, { kind: 'baseline' }>,
  { told, elsewhere }: { readonly told: State | undefined; readonly elsewhere: State | undefined },
  worst: State,
): Outcome => {
  const before = told ?? elsewhere;
  if (before === undefined || before.key === worst.key || elsewhere?.key === worst.key) return settled;
  return {
    kind: 'changed',
    before,
    beforeSince: null,
    after: settled.after,
    firstSeen: since ?? 0,
    reports: looks.filter(({ key }) => key === worst.key).map(({ report }) => report),
  };
};

const differencesFrom = (memory: TargetMemory, told: Readonly<Record<string, State>>): readonly Difference[] =>
  Object.entries(memory.elsewhere ?? {}).flatMap(([name, before]): Difference[] => {
    const after = told[name];
    if (after === undefined || after.key === before.key) return [];
    const [kind = '', ...id] = name.split(' ');
    return [{ kind, id: id.join(' '), before, after }];
  });

const forget = (memory: TargetMemory, now: number): TargetMemory => {
  const isOld = (key: string): boolean => Math.abs(now - (memory.seenAt[key] ?? now)) > FORGET_AFTER_MS;
  const kept = Object.keys(memory.subjects).filter((key) => !isOld(key));
  const names = new Set(kept.map((key) => key.slice(0, key.lastIndexOf(' '))));
  const pick = <T>(from: Readonly<Record<string, T>>, keys: Iterable<string>): Record<string, T> =>
    Object.fromEntries([...keys].flatMap((key): [string, T][] => (from[key] === undefined ? [] : [[key, from[key]]])));
  return {
    subjects: pick(memory.subjects, kept),
    seenAt: pick(memory.seenAt, kept),
    told: pick(memory.told, names),
    elsewhere: memory.elsewhere,
    ...(memory.isBaselineTold && { isBaselineTold: true }),
    ...(memory.watched && { watched: memory.watched }),
  };
};

/** Takes a report into account. `at` is the wall-clock time of its start, in milliseconds. */
export const track = (memory: TargetMemory, report: Report, runKind: RunKind, at: number, policy: Policy): Tracked => {
  const sightings = digest(report, runKind);
  const doubtful = doubtfulHosts(sightings, memory);
  const subjects: Record<string, Subject> = { ...memory.subjects };
  const seenAt: Record<string, number> = { ...memory.seenAt };
  const told: Record<string, State> = { ...memory.told };
  const changes: Change[] = [];
  const suspects: string[] = [];
  let standing = 0;

  for (const sighting of sightings) {
    const key = keyOf(sighting);
    if (isHeld(sighting, doubtful)) continue;
    if (subjects[key] === undefined && Object.keys(subjects).length >= MAX_SUBJECTS) continue;
    if (runKind !== 'light' && isOvertaken(subjects[key], at)) continue;
    const seen: Look = { ...sighting.state, at, report: report.id };
    const [next, outcome] = look(subjects[key] ?? UNSEEN, seen, policyFor(sighting.kind, policy));
    subjects[key] = next;
    seenAt[key] = at;
    const name = nameOf(sighting);
    if (outcome.kind === 'suspect') suspects.push(name);
    if (outcome.kind === 'baseline') standing += 1;
    const worst = worstBelieved(subjects, name);
    if (worst === null) continue;
    const isLate = memory.isBaselineTold === true && memory.elsewhere !== null;
    const news =
      isLate && outcome.kind === 'baseline'
        ? settledLate(next, outcome, { told: told[name], elsewhere: memory.elsewhere?.[name] }, worst)
        : outcome;
    const change = changeFrom(sighting, news, told[name] ?? null, worst, runKind);
    if (change) changes.push(change);
    // While it flaps, what was told is that it flaps; the state to compare with is the one it settles in.
    if (!next.flapping || outcome.kind === 'flap-begins') told[name] = worst;
  }
  const watched = watchAfter(memory.watched ?? {}, report, policy.of);
  const isFresh =
    memory.isBaselineTold !== true && (memory.elsewhere !== null || Object.keys(memory.told).length === 0);
  const stands = isFresh && standing > 0;
  const { elsewhere } = memory;
  return {
    memory: forget({ subjects, told, seenAt, elsewhere, isBaselineTold: stands || !isFresh, watched }, at),
    changes,
    suspects,
    baseline: stands ? { subjects: standing, differences: differencesFrom(memory, told) } : null,
  };
};

/** What is remembered in another network than before: nothing, but what to compare the fresh baseline with. */
export const freshBaseline = (memory: TargetMemory): TargetMemory => ({
  ...NO_MEMORY,
  // What had not settled again when the network changed once more is compared with what was believed before both.
  elsewhere: memory.elsewhere || Object.keys(memory.told).length > 0 ? { ...memory.elsewhere, ...memory.told } : null,
});
