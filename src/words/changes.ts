/** What changed, as sentences: of one thing each, and of several that are one. */
import { milliseconds, percent } from './report.js';

/** What is remembered of something at one moment. */
interface Was {
  readonly verdict: string;
  readonly reason: string | null;
  readonly key: string;
  readonly figure?: number;
}

/** A change as far as its sentence needs it. */
interface ChangeToTell {
  readonly subject: { readonly kind: string; readonly id: string };
  readonly what: string;
  readonly direction: string;
  readonly before: Was | null;
  readonly after: Was;
  /** Since when it had been as before, in milliseconds since 1970; null where that is not known. */
  readonly beforeSince?: number | null;
  readonly evidence?: Readonly<Record<string, unknown>>;
}

const HOST_WORDS: Readonly<Record<string, string>> = {
  proves: 'answers and is authenticated',
  answers: 'answers, but is not authenticated',
  refuses: 'refuses all connections: the host is up, the program is not running',
  silent: 'does not answer at all',
  'dns-failure': 'has no address: its name does not resolve',
  unproven: 'does not prove that it knows the token: the token differs, or something answers in its place',
  'wrong-token': 'rejects this token: the token files of the two ends differ',
};

const minute = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** Why a host answers again, where its reflector says when it started: it came up, or it ran all the time. */
const whyAgain = ({ before, after, beforeSince, evidence }: ChangeToTell): string => {
  const wasAway = before?.verdict === 'silent' || before?.verdict === 'refuses';
  const start = typeof evidence?.startedAt === 'string' ? Date.parse(evidence.startedAt) : Number.NaN;
  if (after.verdict !== 'proves' || !wasAway || before.reason === 'dns-failure' || Number.isNaN(start)) return '';
  if (typeof beforeSince !== 'number') return '';
  return start >= beforeSince
    ? `: its reflector started at ${minute(start)}`
    : `: its reflector has run since ${minute(start)}, and the path to it was down`;
};

/** What a host does, in a word or two; verdicts are words already. */
export const HOST_STATES: ReadonlyMap<string, string> = new Map([
  ['proves', 'is authenticated'],
  ['answers', 'answers without authentication'],
  ['refuses', 'refuses all connections'],
  ['unproven', 'does not prove that it knows the token'],
]);

const DID: Readonly<Record<string, string>> = {
  pass: 'passed',
  works: 'worked',
  blocked: 'was blocked',
  altered: 'was altered',
  degraded: 'was degraded',
  impaired: 'was impaired',
  unknown: 'was unknown',
};
const DOES: Readonly<Record<string, string>> = {
  pass: 'passes',
  works: 'works',
  unknown: 'is unknown',
};

const partly = ({ key }: Was): string => (key.startsWith('partly ') ? ' in part' : '');
const why = ({ reason }: Was): string => (reason === null || reason === 'answered' ? '' : ` (${reason})`);
const does = (state: Was): string => `${DOES[state.verdict] ?? `is ${state.verdict}`}${partly(state)}${why(state)}`;
const did = (state: Was): string => `${DID[state.verdict] ?? `was ${state.verdict}`}${partly(state)}${why(state)}`;

const ofPath = ({ subject, before, after, direction }: ChangeToTell): string => {
  const was = (of: (figure: number) => string): string =>
    before?.figure === undefined ? '' : `, ${of(before.figure)} before`;
  if (subject.id === 'round-trip')
    return `latency is ${direction === 'better' ? 'lower' : 'higher'}: round trip ${milliseconds(after.figure ?? 0)}${was(milliseconds)}`;
  if (subject.id === 'loss')
    return `the path ${after.key === 'lossy' ? 'loses packets' : 'no longer loses packets'}: at most ${percent(after.figure ?? 0)}${was((figure) => `at most ${percent(figure)}`)}`;
  return after.verdict === 'pass' ? 'jitter is normal again' : 'jitter is high, or packets arrive out of order';
};

const FACT_WORDS: Readonly<Record<string, string>> = {
  'network.address': 'the public address',
  'nat.mapping': "the NAT's mapping",
  'nat.filtering': "the NAT's filtering",
  'nat.staleState': 'stale state in a firewall',
  'sipAlg.detected': 'a SIP ALG',
};

const ofFact = ({ subject: { id }, before, after }: ChangeToTell): string => {
  const was = before === null ? '' : `, before: ${before.verdict}`;
  if (id.startsWith('addresses '))
    return `the name ${id.slice('addresses '.length)} resolves to ${after.verdict}${was}`;
  if (after.verdict === 'true') return `${FACT_WORDS[id] ?? id} is present`;
  if (after.verdict === 'false') return `${FACT_WORDS[id] ?? id} is gone`;
  return `${FACT_WORDS[id] ?? id} is ${after.verdict}${was}`;
};

const ofState = (change: ChangeToTell): string => {
  const { subject, before, after } = change;
  if (subject.kind === 'host')
    return `${subject.id} ${HOST_WORDS[after.reason ?? ''] ?? HOST_WORDS[after.verdict] ?? after.verdict}${whyAgain(change)}`;
  if (subject.kind === 'path') return ofPath(change);
  if (subject.kind === 'fact') return ofFact(change);
  return `${subject.id} ${does(after)}${before === null ? '' : `; it ${did(before)}`}`;
};

/** One sentence without its full stop: what it is now, and what it was. */
export const changeInWords = (change: ChangeToTell): string => {
  const said = ofState(change);
  if (change.what === 'flapping') return `flapping, now: ${said}`;
  if (change.what === 'settled') return `stable again: ${said}`;
  return change.what === 'found' ? `${said} (first seen now, may be older)` : said;
};

/** More of them do not fit into a line. */
const MAX_MEMBERS = 3;

/** One line of a change with its members: what leads, what is part of it, since when. `firstSeen` in milliseconds since 1970. */
export const thingInWords = (lead: ChangeToTell, members: readonly ChangeToTell[], firstSeen: number): string => {
  const shown = members.slice(0, MAX_MEMBERS).map(changeInWords);
  const more = members.length - shown.length;
  const rest = [...shown, ...(more > 0 ? [`${more} more`] : [])];
  return `since ${minute(firstSeen)} ${changeInWords(lead)}${rest.length === 0 ? '' : `. Related: ${rest.join('; ')}`}`;
};
