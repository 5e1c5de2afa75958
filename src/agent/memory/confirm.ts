/**
 * Whether a look that differs is a change: a pure state machine for one subject. A single look proves nothing, so a
 * state is believed when `needed` of the last `of` looks agree on it; recovery is weighed exactly as trouble is.
 */
import { type State, severity } from './state.js';

export interface Look extends State {
  /** Wall-clock milliseconds. */
  readonly at: number;
  /** The report that holds the evidence. */
  readonly report: string;
}

export interface Policy {
  readonly needed: number;
  readonly of: number;
  /** So many confirmed changes within `flapWithinMs` are a flap. */
  readonly flapAfter: number;
  readonly flapWithinMs: number;
}

/** What is remembered of one subject, as JSON. */
export interface Subject {
  /** What is believed; null until the baseline stands. */
  readonly stable: State | null;
  /** When the look was taken that first showed what is believed. */
  readonly since: number | null;
  /** The last looks, oldest first. */
  readonly looks: readonly Look[];
  /** When changes were confirmed, as far as a flap needs it. */
  readonly changedAt: readonly number[];
  readonly flapping: boolean;
  /** What the flap was like when it was told; an older memory, and what does not flap, has none. */
  readonly flap?: Flap;
}

/** What is through it must be told although the subject flaps: what is worse, and what lasts longer. */
interface Flap {
  /** How bad it was at its worst, as `severity` counts. */
  readonly worst: number;
  /** The longest that it stayed in one state, in milliseconds. */
  readonly longestMs: number;
  /** The key of the state that was told last. */
  readonly told: string;
}

export const UNSEEN: Subject = { stable: null, since: null, looks: [], changedAt: [], flapping: false };

export type Outcome =
  | { readonly kind: 'same' }
  /** Differs, and is not yet believed: worth a second look. */
  | { readonly kind: 'suspect' }
  /** The first state that is believed; no change, because nothing was believed before. */
  | { readonly kind: 'baseline'; readonly after: State }
  | Changed
  /** One change too many: told once, and further changes only where they are worse or last longer, and when it ends. */
  | (Omit<Changed, 'kind'> & { readonly kind: 'flap-begins'; readonly changes: number })
  | { readonly kind: 'flap-ends'; readonly after: State; readonly since: number }
  /** Changed again while flapping. */
  | { readonly kind: 'flapping' }
  /** Changed while flapping, and is worse than the flap was, or has lasted longer than any of its states did. */
  | (Omit<Changed, 'kind'> & { readonly kind: 'through' });

interface Changed {
  readonly kind: 'changed';
  readonly before: State;
  readonly beforeSince: number | null;
  readonly after: State;
  readonly firstSeen: number;
  /** The reports of the looks that agree. */
  readonly reports: readonly string[];
}

const stateOf = ({ key, verdict, reason, figure }: State): State => ({
  ...{ key, verdict, reason },
  ...(figure !== undefined && { figure }),
});

/** The longest pause between confirmed changes: for so long it stayed in one state while it flapped. */
const longestOf = (changedAt: readonly number[]): number =>
  changedAt.slice(1).reduce((longest, at, index) => Math.max(longest, at - (changedAt[index] ?? at)), 0);

/** A state that stands, and was not told because it flaps: told once it is past all that the flap did. */
const lasting = (subject: Subject, seen: Look): readonly [Subject, Outcome] | null => {
  const { flap, stable, since } = subject;
  if (!subject.flapping || !flap || !stable || since === null || flap.told === stable.key) return null;
  if (seen.at - since <= flap.longestMs) return null;
  return [
    { ...subject, flap: { ...flap, told: stable.key, longestMs: seen.at - since } },
    {
      kind: 'through',
      before: stable,
      beforeSince: null,
      after: stable,
      firstSeen: since,
      reports: [...new Set(subject.looks.filter(({ key }) => key === stable.key).map(({ report }) => report))],
    },
  ];
};

const without = ({ flap: _flap, ...subject }: Subject): Subject => subject;

/** Another look of the same: it may be the end of a flap, or last for longer than the flap did. */
const lookAgain = (base: Subject, stable: State, seen: Look): readonly [Subject, Outcome] => {
  // What is told as it was confirmed stays as it was told: one look that names another reason is no news.
  const same: Subject = { ...base, stable };
  if (same.flapping && same.changedAt.length === 0) {
    return [without({ ...same, flapping: false }), { kind: 'flap-ends', after: stable, since: same.since ?? seen.at }];
  }
  return lasting(same, seen) ?? [same, { kind: 'same' }];
};

/** A change that is confirmed while the subject flaps. */
const changedInFlap = (believed: Subject, seen: Look, details: Omit<Changed, 'kind'>): readonly [Subject, Outcome] => {
  if (!believed.flap) return [believed, { kind: 'flapping' }];
  const longestMs = Math.max(believed.flap.longestMs, longestOf(believed.changedAt));
  const flap: Flap = { ...believed.flap, longestMs };
  const how = severity(seen);
  if (how <= flap.worst) return [{ ...believed, flap }, { kind: 'flapping' }];
  return [
    { ...believed, flap: { ...flap, worst: how, told: seen.key } },
    { kind: 'through', ...details },
  ];
};

/** Takes one more look into account. */
export const look = (subject: Subject, seen: Look, policy: Policy): readonly [Subject, Outcome] => {
  const looks = [...subject.looks, seen].slice(-policy.of);
  // Times that a clock set back left in the future count no longer, or a flap would never end.
  const recent = subject.changedAt.filter((at) => Math.abs(seen.at - at) <= policy.flapWithinMs);
  const base: Subject = { ...subject, looks, changedAt: recent };
  const { stable } = subject;

  if (stable?.key === seen.key) return lookAgain(base, stable, seen);
  const agreeing = looks.filter(({ key }) => key === seen.key);
  if (agreeing.length < policy.needed) return [base, { kind: stable === null ? 'same' : 'suspect' }];

  const firstSeen = agreeing[0]?.at ?? seen.at;
  const believed: Subject = { ...base, stable: stateOf(seen), since: firstSeen };
  if (stable === null) return [believed, { kind: 'baseline', after: stateOf(seen) }];

  const changedAt = [...recent, seen.at];
  const details = {
    before: stable,
    beforeSince: subject.since,
    after: stateOf(seen),
    firstSeen,
    reports: [...new Set(agreeing.map(({ report }) => report))],
  };
  if (base.flapping) return changedInFlap({ ...believed, changedAt }, seen, details);
  if (changedAt.length >= policy.flapAfter) {
    const worst = Math.max(severity(stable), severity(seen), ...looks.map(severity));
    const flap: Flap = { worst, longestMs: longestOf(changedAt), told: seen.key };
    return [
      { ...believed, changedAt, flapping: true, flap },
      { kind: 'flap-begins', ...details, changes: changedAt.length },
    ];
  }
  return [
    { ...believed, changedAt },
    { kind: 'changed', ...details },
  ];
};
