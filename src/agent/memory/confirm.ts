/**
 * Whether a look that differs is a change: a pure state machine for one subject. A single look proves nothing, so a
 * state is believed when `needed` of the last `of` looks agree on it; recovery is weighed exactly as trouble is.
 */

/** What a look found. Two looks agree if their keys are equal; the reason is for people and may vary within a key. */
export interface State {
  readonly key: string;
  readonly verdict: string;
  readonly reason: string | null;
}

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
}

export const UNSEEN: Subject = { stable: null, since: null, looks: [], changedAt: [], flapping: false };

export type Outcome =
  | { readonly kind: 'same' }
  /** Differs, and is not yet believed: worth a second look. */
  | { readonly kind: 'suspect' }
  /** The first state that is believed; no change, because nothing was believed before. */
  | { readonly kind: 'baseline'; readonly after: State }
  | Changed
  /** One change too many: told once, and further changes only when it ends. */
  | (Omit<Changed, 'kind'> & { readonly kind: 'flap-begins'; readonly changes: number })
  | { readonly kind: 'flap-ends'; readonly after: State; readonly since: number }
  /** Changed again while flapping. */
  | { readonly kind: 'flapping' };

interface Changed {
  readonly kind: 'changed';
  readonly before: State;
  readonly beforeSince: number | null;
  readonly after: State;
  readonly firstSeen: number;
  /** The reports of the looks that agree. */
  readonly reports: readonly string[];
}

const stateOf = ({ key, verdict, reason }: State): State => ({ key, verdict, reason });

/** Takes one more look into account. */
export const look = (subject: Subject, seen: Look, policy: Policy): readonly [Subject, Outcome] => {
  const looks = [...subject.looks, seen].slice(-policy.of);
  // Times that a clock set back left in the future count no longer, or a flap would never end.
  const recent = subject.changedAt.filter((at) => Math.abs(seen.at - at) <= policy.flapWithinMs);
  const settled = subject.flapping && recent.length === 0;
  const base: Subject = { ...subject, looks, changedAt: recent, flapping: subject.flapping && !settled };

  if (subject.stable?.key === seen.key) {
    const same: Subject = { ...base, stable: stateOf(seen) };
    return settled
      ? [same, { kind: 'flap-ends', after: stateOf(seen), since: subject.since ?? seen.at }]
      : [same, { kind: 'same' }];
  }
  const agreeing = looks.filter(({ key }) => key === seen.key);
  if (agreeing.length < policy.needed) return [base, { kind: subject.stable === null ? 'same' : 'suspect' }];

  const firstSeen = agreeing[0]?.at ?? seen.at;
  const believed: Subject = { ...base, stable: stateOf(seen), since: firstSeen };
  if (subject.stable === null) return [believed, { kind: 'baseline', after: stateOf(seen) }];

  const changedAt = [...recent, seen.at];
  const details = {
    before: subject.stable,
    beforeSince: subject.since,
    after: stateOf(seen),
    firstSeen,
    reports: [...new Set(agreeing.map(({ report }) => report))],
  };
  if (base.flapping) return [{ ...believed, changedAt }, { kind: 'flapping' }];
  if (changedAt.length >= policy.flapAfter) {
    return [
      { ...believed, changedAt, flapping: true },
      { kind: 'flap-begins', ...details, changes: changedAt.length },
    ];
  }
  return [
    { ...believed, changedAt },
    { kind: 'changed', ...details },
  ];
};
