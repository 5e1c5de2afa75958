/** What is remembered of a target, and what a further report changes in it: a pure function. */
import type { Report } from '../../model/report.js';
import type { RunKind } from '../config/schema.js';
import type { Change } from './change.js';
import { type Look, look, type Outcome, type Policy, type Subject, UNSEEN } from './confirm.js';
import { digest, type Sighting, type SubjectKind } from './digest.js';
import { follow, type Rests, restsOf } from './follow.js';
import { directionOf, isTrouble, isTroublingFact, type State, severity } from './state.js';
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
  /** By service and kind of run: the checks and ranges that its symptoms rest on; an older memory has none. */
  readonly rests?: Rests;
}

export const NO_MEMORY: TargetMemory = { subjects: {}, told: {}, seenAt: {}, elsewhere: null };

/** Something of a fresh baseline that somebody should look at: told with it, so that its mending is news. */
interface Trouble {
  readonly kind: string;
  readonly id: string;
  readonly verdict: string;
  readonly reason: string | null;
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
  readonly baseline: {
    readonly subjects: number;
    readonly differences: readonly Difference[];
    readonly troubles: readonly Trouble[];
  } | null;
}

/** A subject that no report names any more (another address, another profile) is forgotten after this. */
const FORGET_AFTER_MS = 8 * 86_400_000;
/** A host's silence has many innocent reasons, a restart above all: one look more than anything else needs. */
const EXTRA_LOOKS_FOR_HOSTS = 1;
/** No run takes longer; a look that lies further ahead was taken before the clock was set back. */
const LONGEST_RUN_MS = 3_600_000;
/** A report has some hundred; this bounds what a strange one could make of the memory. */
const MAX_SUBJECTS = 5000;

/** Of a baseline, so many troubles are listed. */
const MAX_TROUBLES = 50;

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

/** Nothing of the host answers, or nothing that counts. */
const isMute = ({ key }: State): boolean => key === 'silent' || key === 'refuses' || key === 'unproven';

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

/**
 * Hosts that came, went or changed their token since the last look: what a run asked before that moment says nothing of the
 * path, and a report does not say which part of it that was.
 */
const hostsInTransit = (sightings: readonly Sighting[], memory: TargetMemory): ReadonlySet<string> =>
  new Set(
    sightings
      .filter(({ kind }) => kind === 'host')
      .filter((one) => {
        const { stable = null, looks = [] } = memory.subjects[keyOf(one)] ?? {};
        return stable !== null && stable.key !== one.state.key && looks.at(-1)?.key !== one.state.key;
      })
      .flatMap(({ host }) => host ?? []),
  );

const isHeld = (
  { kind, state, host }: Sighting,
  doubtful: ReadonlySet<string>,
  inTransit: ReadonlySet<string>,
): boolean => {
  if (kind === 'host' || kind === 'fact') return false;
  const isOf = (hosts: ReadonlySet<string>): boolean => hosts.size > 0 && (host === null || hosts.has(host));
  if (isOf(inTransit)) return kind === 'path' || state.verdict === 'unknown' || isTrouble(state);
  return state.verdict === 'unknown' && isOf(doubtful);
};

const changeFrom = (
  sighting: Sighting,
  outcome: Outcome,
  told: State | null,
  worst: State,
  runKind: RunKind,
): Change | null => {
  const subject = { kind: sighting.kind, id: sighting.id };
  const common = { subject, host: sighting.host, runKind, evidence: sighting.evidence };
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
  if (outcome.kind !== 'changed' && outcome.kind !== 'flap-begins' && outcome.kind !== 'through') return null;
  // Another kind of run has told it already, or still believes worse.
  if (outcome.kind !== 'flap-begins' && told?.key === worst.key) return null;
  const before = told ?? outcome.before;
  return {
    ...common,
    what: outcome.kind === 'flap-begins' ? 'flapping' : 'changed',
    direction: directionOf(before, worst),
    before,
    beforeSince: outcome.beforeSince,
    after: worst,
    firstSeen: outcome.firstSeen,
    reports: outcome.reports,
  };
};

/** What was told, of this network or the one before it. */
interface Before {
  readonly told: State | null;
  readonly elsewhere: State | null;
}

/**
 * What settles after the baseline was told. It is compared with what was believed before, of another network as well: what
 * began together with a change of networks, or just after it, is no less a change. Trouble that nobody was told of is told as
 * found. What was the same in the network before is no news, although another kind of run did not find it in this one.
 */
const settledLate = (
  sighting: Sighting,
  { since, looks }: Subject,
  { told, elsewhere }: Before,
  worst: State,
  runKind: RunKind,
): Change | null => {
  const before = told ?? elsewhere;
  if (elsewhere?.key === worst.key || before?.key === worst.key) return null;
  const isFound = elsewhere === null;
  if (isFound && !isTrouble(worst) && !(sighting.kind === 'fact' && isTroublingFact(sighting.id, worst))) return null;
  return {
    subject: { kind: sighting.kind, id: sighting.id },
    host: sighting.host,
    what: isFound ? 'found' : 'changed',
    direction: before === null ? 'worse' : directionOf(before, worst),
    before,
    beforeSince: null,
    after: worst,
    firstSeen: since ?? 0,
    runKind,
    reports: looks.filter(({ key }) => key === worst.key).map(({ report }) => report),
    evidence: sighting.evidence,
  };
};

const differencesFrom = (memory: TargetMemory, told: Readonly<Record<string, State>>): readonly Difference[] =>
  Object.entries(memory.elsewhere ?? {}).flatMap(([name, before]): Difference[] => {
    const after = told[name];
    if (after === undefined || after.key === before.key) return [];
    const [kind = '', ...id] = name.split(' ');
    return [{ kind, id: id.join(' '), before, after }];
  });

const troublesIn = (told: Readonly<Record<string, State>>): readonly Trouble[] =>
  Object.entries(told)
    .filter(([, state]) => isTrouble(state))
    .slice(0, MAX_TROUBLES)
    .map(([name, { verdict, reason }]) => {
      const [kind = '', ...id] = name.split(' ');
      return { kind, id: id.join(' '), verdict, reason };
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
    ...(memory.rests && { rests: pick(memory.rests, kept) }),
  };
};

/** The state of a sighting, in the words of what is known where the two are alike, in the network before as well. */
const stateIn = ({ state, alike }: Sighting, { stable, looks }: Subject, elsewhere: State | undefined): State =>
  alike ? alike([...(stable ? [stable] : []), ...[...looks].reverse(), ...(elsewhere ? [elsewhere] : [])]) : state;

/** What a report makes of the memory, while it is being taken into account. */
interface Work {
  readonly subjects: Record<string, Subject>;
  readonly seenAt: Record<string, number>;
  readonly told: Record<string, State>;
  readonly changes: Change[];
  readonly suspects: string[];
  standing: number;
}

interface Context {
  readonly memory: TargetMemory;
  readonly report: string;
  readonly runKind: RunKind;
  readonly at: number;
  readonly policy: Policy;
}

/**
 * A service comes and goes with what it rests on. Two faults within an hour are no flap of it, and while a check flaps it says
 * nothing of its own.
 */
const followsOthers = (kind: SubjectKind, { changes, subjects }: Work): 'told' | 'flapping' | null => {
  if (kind !== 'service') return null;
  if (changes.some(({ subject }) => subject.kind !== 'service')) return 'told';
  return Object.entries(subjects).some(([key, one]) => one.flapping && !key.startsWith('service ')) ? 'flapping' : null;
};

const takeIn = (sighting: Sighting, work: Work, { memory, report, runKind, at, policy }: Context): void => {
  const { subjects, seenAt, told, changes } = work;
  const key = keyOf(sighting);
  if (subjects[key] === undefined && Object.keys(subjects).length >= MAX_SUBJECTS) return;
  if (runKind !== 'light' && isOvertaken(subjects[key], at)) return;
  const known = subjects[key] ?? UNSEEN;
  const seen: Look = { ...stateIn(sighting, known, memory.elsewhere?.[nameOf(sighting)]), at, report };
  const others = followsOthers(sighting.kind, work);
  const own = policyFor(sighting.kind, policy);
  const [next, outcome] = look(known, seen, others === null ? own : { ...own, flapAfter: Number.POSITIVE_INFINITY });
  subjects[key] = others === null ? next : { ...next, changedAt: known.changedAt };
  seenAt[key] = at;
  const name = nameOf(sighting);
  if (outcome.kind === 'suspect') work.suspects.push(name);
  if (outcome.kind === 'baseline') work.standing += 1;
  const worst = worstBelieved(subjects, name);
  if (worst === null || others === 'flapping') return;
  const before = { told: told[name] ?? null, elsewhere: memory.elsewhere?.[name] ?? null };
  const isLate = memory.isBaselineTold === true && outcome.kind === 'baseline';
  // What was not told while something flapped is told with the next thing that is.
  const isOverdue = sighting.kind === 'service' && outcome.kind === 'same' && before.told !== null && !next.flapping;
  const news: Outcome = isOverdue
    ? {
        ...{ kind: 'changed', before: before.told ?? worst, beforeSince: null, after: worst },
        ...{ firstSeen: next.since ?? at, reports: [report] },
      }
    : outcome;
  const change = isLate
    ? settledLate(sighting, next, before, worst, runKind)
    : changeFrom(sighting, news, before.told, worst, runKind);
  if (change) changes.push(change);
  // While it flaps, what was told is what it is compared with; what is known by the same key was told as it was confirmed.
  const isToldNow = !next.flapping || outcome.kind === 'flap-begins' || outcome.kind === 'through';
  if (isToldNow && told[name]?.key !== worst.key) told[name] = worst;
};

/**
 * What a sweep finds in a range is watched from then on, and light looks say whether it is there: a sweep takes minutes, and
 * what it asked at first may be over when it ends. Only where there are more holes than are watched has it a word of its own.
 */
const isForLight = (
  { kind, id, state }: Sighting,
  runKind: RunKind,
  watched: Readonly<Record<string, Watched>>,
): boolean => {
  if (runKind !== 'sweep' || (kind !== 'range' && kind !== 'service') || !isTrouble(state)) return false;
  return kind === 'range' ? watched[id]?.isPart === undefined : Object.values(watched).every(({ isPart }) => !isPart);
};

/** Has light looks ask again what they believe otherwise, unless they have since. */
const suspectOf = (sighting: Sighting, { subjects, suspects }: Work, at: number): void => {
  if (sighting.kind !== 'range' && sighting.kind !== 'service') return;
  const name = nameOf(sighting);
  const light = subjects[`${name} light`];
  if (light?.stable?.key !== sighting.state.key && !isOvertaken(light, at)) suspects.push(name);
};

/** What a light look takes back of what longer runs believe. */
const takeBack = (
  work: Work,
  sightings: readonly Sighting[],
  known: Omit<Parameters<typeof follow>[0], 'subjects'>,
  { report, at }: Context,
): void => {
  const { subjects, told, changes } = work;
  for (const { key, name, subject, change } of follow({ ...known, subjects }, sightings, report, at)) {
    subjects[key] = subject;
    const worst = worstBelieved(subjects, name);
    if (worst === null || told[name]?.key === worst.key) continue;
    changes.push({ ...change, after: worst, before: told[name] ?? change.before });
    told[name] = worst;
  }
};

/** Takes a report into account. `at` is the wall-clock time of its start, in milliseconds. */
export const track = (memory: TargetMemory, report: Report, runKind: RunKind, at: number, policy: Policy): Tracked => {
  const sightings = digest(report, runKind);
  const doubtful = doubtfulHosts(sightings, memory);
  const inTransit = hostsInTransit(sightings, memory);
  const work: Work = {
    subjects: { ...memory.subjects },
    seenAt: { ...memory.seenAt },
    told: { ...memory.told },
    ...{ changes: [], suspects: [], standing: 0 },
  };
  const context: Context = { memory, report: report.id, runKind, at, policy };
  const watchedBefore = memory.watched ?? {};
  const watched = watchAfter(watchedBefore, report, policy.of);
  for (const sighting of sightings) {
    if (isHeld(sighting, doubtful, inTransit)) continue;
    if (!isForLight(sighting, runKind, watched)) takeIn(sighting, work, context);
    if (runKind === 'sweep') suspectOf(sighting, work, at);
  }

  const { subjects, seenAt, told, changes, suspects, standing } = work;
  const rests = { ...memory.rests, ...restsOf(report, runKind, subjects) };
  if (runKind === 'light') takeBack(work, sightings, { rests, watchedBefore, watched }, context);
  const isSettled = memory.isBaselineTold === true;
  const isFresh = !isSettled && (memory.elsewhere !== null || Object.keys(memory.told).length === 0);
  const stands = isFresh && standing > 0;
  const { elsewhere } = memory;
  return {
    memory: forget({ subjects, told, seenAt, elsewhere, isBaselineTold: stands || !isFresh, watched, rests }, at),
    changes,
    suspects,
    baseline: stands
      ? { subjects: standing, differences: differencesFrom(memory, told), troubles: troublesIn(told) }
      : null,
  };
};

/** What is remembered in another network than before: nothing, but what to compare the fresh baseline with. */
export const freshBaseline = (memory: TargetMemory): TargetMemory => ({
  ...NO_MEMORY,
  // What had not settled again when the network changed once more is compared with what was believed before both.
  elsewhere: memory.elsewhere || Object.keys(memory.told).length > 0 ? { ...memory.elsewhere, ...memory.told } : null,
});
