/** What the agent says of itself, its host and its memory: one sentence for each event, whatever it carries. */
import { printable } from '../wire/printable.js';

const MAX_WORD = 120;
/** More of them do not fit into a line. */
const MAX_NAMED = 3;

type Sentence = (details: Readonly<Record<string, unknown>>) => string;

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string => printable(typeof value === 'string' ? value : '', MAX_WORD);
const numberOf = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** `a, b, c and 2 more`. */
const named = (items: readonly string[], and = ', '): string => {
  const more = items.length - MAX_NAMED;
  return `${items.slice(0, MAX_NAMED).join(and)}${more > 0 ? ` and ${more} more` : ''}`;
};

const textsOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(textOf).filter(Boolean) : []);
const sumOf = (value: unknown): number =>
  isMap(value) ? Object.values(value).reduce<number>((sum, one) => sum + numberOf(one), 0) : 0;

/** `sip-options/udp/5060 was pass, is blocked`, of what a fresh baseline finds otherwise than before. */
const differenceInWords = (value: unknown): string => {
  if (!isMap(value)) return '';
  const verdictOf = (state: unknown): string => (isMap(state) ? textOf(state.verdict) : '');
  return `${textOf(value.id)} was ${verdictOf(value.before)}, is ${verdictOf(value.after)}`;
};

const troubleInWords = (value: unknown): string =>
  isMap(value) ? `${textOf(value.id)} ${textOf(value.verdict)}`.trim() : '';

const listOf = (value: unknown, tell: (one: unknown) => string): readonly string[] =>
  Array.isArray(value) ? value.map(tell).filter((text) => text !== '') : [];

const ofBaseline: Sentence = ({ subjects, differences, troubles }) => {
  const differs = listOf(differences, differenceInWords);
  const wrong = listOf(troubles, troubleInWords);
  return [
    `Baseline established: ${counted(numberOf(subjects), 'result')} to compare later runs with`,
    ...(differs.length > 0 ? [`different from before: ${named(differs)}`] : []),
    ...(wrong.length > 0 ? [`already failing: ${named(wrong)}`] : []),
  ].join('; ');
};

const ofMissed: Sentence = ({ job, counts }) => {
  const reasons = isMap(counts)
    ? Object.entries(counts).map(([why, count]) => `${textOf(why)} ${numberOf(count)}`)
    : [];
  return `${counted(sumOf(counts), 'run')} of ${textOf(job)} missed${reasons.length > 0 ? ` (${named(reasons)})` : ''}`;
};

const SENTENCES: Readonly<Record<string, Sentence>> = {
  'agent-started': ({ targets }) => `The agent started; it tests ${named(textsOf(targets)) || 'no target'}`,
  'agent-stopped': () => 'The agent stopped',
  'network-changed': ({ changes }) => {
    const all = textsOf(changes);
    return `The network of this host changed${all.length > 0 ? `: ${named(all, '; ')}` : ''}`;
  },
  baseline: ofBaseline,
  'runs-missed': ofMissed,
  'run-failed': ({ kind, why }) => `A ${textOf(kind)} run failed: ${textOf(why)}`,
  'clock-set': ({ bySeconds }) =>
    `The clock of this host was set ${numberOf(bySeconds) < 0 ? 'back' : 'forward'} by ${Math.abs(numberOf(bySeconds))} s`,
  suspended: ({ forSeconds }) => `This host was suspended for ${numberOf(forSeconds)} s`,
  'results-dropped': ({ sinceStart }) =>
    `${counted(sumOf(sinceStart), 'result')} dropped before delivery since the agent started`,
  'drops-ended': () => 'No result has been dropped for an hour',
  'disk-failing': ({ error, held }) =>
    typeof error === 'string'
      ? `The disk does not take results (${textOf(error)}); ${numberOf(held)} are held in memory`
      : 'The disk takes results again',
  'memory-ceiling': ({ why }) => `The agent stops because it uses too much memory: ${textOf(why)}`,
};

export const isKnownEvent = (type: string): boolean => Object.hasOwn(SENTENCES, type);

/** One sentence without its full stop; of an event of another version, its type. */
export const eventInWords = (type: string, details: Readonly<Record<string, unknown>>): string =>
  Object.hasOwn(SENTENCES, type) ? (SENTENCES[type]?.(details) ?? type) : printable(type, MAX_WORD);
