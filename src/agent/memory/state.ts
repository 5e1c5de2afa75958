/** What is believed of a subject, and which of two such states is worse: one order for all kinds of subjects. */

/** What a look found. Two looks agree if their keys are equal; the reason is for people and may vary within a key. */
export interface State {
  readonly key: string;
  readonly verdict: string;
  readonly reason: string | null;
  /** What was measured, where the state is a measure: milliseconds of a round trip, a ratio of loss. */
  readonly figure?: number;
}

/** From best to worst; what is not named here is neither. */
const ORDER = [
  'pass',
  'works',
  'proves',
  'answers',
  'unknown',
  'unproven',
  'refuses',
  'silent',
  'degraded',
  'altered',
  'impaired',
  'blocked',
];

/** What nobody has to look at. */
const FINE = new Set(['pass', 'works', 'proves', 'answers']);

/** The worse, the higher; −1 of what is neither good nor bad. */
export const severity = ({ verdict, key }: Pick<State, 'verdict' | 'key'>): number => {
  const place = ORDER.indexOf(verdict);
  // A part is less than the whole.
  return place < 0 ? -1 : place - (key.startsWith('partly ') ? 0.5 : 0);
};

/** Whether a state is one that somebody should look at. */
export const isTrouble = ({ verdict }: Pick<State, 'verdict'>): boolean =>
  ORDER.includes(verdict) && !FINE.has(verdict) && verdict !== 'unknown';

/** Facts of a network that somebody should look at where they are so. */
const TROUBLING_FACTS = new Set(['nat.staleState', 'sipAlg.detected']);

/** Whether a fact, whose verdict is its value, is one that somebody should look at. */
export const isTroublingFact = (id: string, { verdict }: Pick<State, 'verdict'>): boolean =>
  TROUBLING_FACTS.has(id) && verdict === 'true';

export const directionOf = (before: State, after: State): 'better' | 'worse' | 'different' => {
  // Of two lengths of the same way the longer one is the worse.
  if (typeof before.figure === 'number' && typeof after.figure === 'number' && before.verdict === after.verdict)
    return after.figure > before.figure ? 'worse' : 'better';
  const [from, to] = [severity(before), severity(after)];
  if (from < 0 || to < 0 || from === to) return 'different';
  return to > from ? 'worse' : 'better';
};
