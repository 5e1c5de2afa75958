/** Changes that one look confirms, as the things that they are: a rule in a firewall is one, with all that it breaks. Pure. */
import type { Change } from './change.js';
import type { SubjectKind } from './digest.js';
import { severity } from './state.js';

/** One thing that happened: the change that says most of it, and what else is part of it. */
export interface Thing {
  readonly lead: Change;
  readonly members: readonly Change[];
  /** Of all of it. */
  readonly direction: Change['direction'];
}

/** What explains more comes first: a host that is gone, another line, another way, then ports, and services last. */
const LEADS: readonly SubjectKind[] = ['host', 'path', 'check', 'range', 'fact', 'service'];

/** Another address or name leads before what is measured over it. */
const isPlace = ({ subject: { kind, id } }: Change): boolean =>
  kind === 'fact' && (id === 'network.address' || id.startsWith('addresses '));

const rank = (change: Change): number => (isPlace(change) ? 0.5 : LEADS.indexOf(change.subject.kind));

const inOrder = (changes: readonly Change[]): readonly Change[] =>
  [...changes].sort((a, b) => rank(a) - rank(b) || severity(b.after) - severity(a.after));

const DIRECTIONS = ['worse', 'better', 'different'] as const;

const thingOf = (changes: readonly Change[]): readonly Thing[] => {
  const [lead, ...members] = inOrder(changes);
  if (!lead) return [];
  const direction = DIRECTIONS.find((one) => changes.some((change) => change.direction === one)) ?? 'different';
  return [{ lead, members, direction }];
};

/**
 * What got worse together is one thing, and so is what got better; what is neither belongs to either. What is of one host is
 * no part of what is of another.
 */
export const thingsOf = (changes: readonly Change[]): readonly Thing[] => {
  const hosts = [...new Set(changes.flatMap(({ host }) => host ?? []))];
  const ofNone = changes.filter(({ host }) => host === null);
  const groups = hosts.length === 0 ? [ofNone] : hosts.map((host) => changes.filter((one) => one.host === host));
  // What is of no one host goes where the same direction is, and with the first of them otherwise.
  if (hosts.length > 0) {
    for (const one of ofNone) {
      const same = groups.find((group) => group.some(({ direction }) => direction === one.direction));
      (same ?? groups[0] ?? []).push(one);
    }
  }
  return groups.flatMap((group) => {
    const [worse, better, different] = DIRECTIONS.map((one) => group.filter(({ direction }) => direction === one));
    const [w = [], b = [], d = []] = [worse, better, different];
    if (w.length > 0) return [...thingOf([...w, ...d]), ...thingOf(b)];
    return thingOf([...b, ...d]);
  });
};
