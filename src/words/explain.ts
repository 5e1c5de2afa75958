/** `probe explain CODE`: any code of a report in words, and the codes that a mistyped one may have meant. */
import { checkName, rangeName } from '../model/check.js';
import { ASKED_KINDS, PROBE_KINDS, type ProbeKind, TRANSPORTS, type Transport } from '../model/kinds.js';
import { nearestOf } from '../model/nearest.js';
import { NOT_RUN } from '../model/observation.js';
import { REASONS, SERVICE_VERDICTS, SYMPTOMS, VERDICTS } from '../model/verdict.js';
import { EXPLANATIONS, type ExplainedCode, type ExplanationText } from './explanations.js';

const EXPLANATION_KINDS = [
  'verdict',
  'service verdict',
  'reason',
  'symptom',
  'probe',
  'why a check was not asked',
  'check',
  'range',
] as const;
type ExplanationKind = (typeof EXPLANATION_KINDS)[number];

export interface Explanation extends ExplanationText {
  readonly code: string;
  /** Most codes are of one kind; `blocked` is a verdict and a service verdict, `sip-alg` a reason and a probe. */
  readonly kinds: readonly ExplanationKind[];
  /** The verdict that a reason belongs to, else null. */
  readonly verdict: string | null;
}

/** The codes of each kind; checks and ranges have a grammar instead of a list. */
const CODES_OF: readonly (readonly [ExplanationKind, readonly ExplainedCode[]])[] = [
  ['verdict', VERDICTS],
  ['service verdict', SERVICE_VERDICTS],
  ['reason', VERDICTS.flatMap((verdict) => REASONS[verdict])],
  ['symptom', SYMPTOMS],
  ['probe', PROBE_KINDS],
  ['why a check was not asked', NOT_RUN],
];

/** Every code that has a text, in the order in which a reader of a report meets them. */
export const EXPLAINED_CODES: readonly ExplainedCode[] = [...new Set(CODES_OF.flatMap(([, codes]) => codes))];

const isExplained = (code: string): code is ExplainedCode => EXPLAINED_CODES.some((known) => known === code);

const kindsOf = (code: ExplainedCode): readonly ExplanationKind[] =>
  CODES_OF.filter(([, codes]) => codes.includes(code)).map(([kind]) => kind);

const verdictOf = (code: string): string | null =>
  VERDICTS.find((verdict) => REASONS[verdict].some((reason) => reason === code)) ?? null;

/** Kinds that no profile names. */
const OF_STUDY = 'A run looks into it by itself, or where an option asks for it; profiles do not name it.';
const isOfStudy = (code: string): boolean =>
  PROBE_KINDS.some((kind) => kind === code) && !ASKED_KINDS.some((kind) => kind === code);

/** What the well-known ports are to voice, by `transport/port`. */
const PORT_PURPOSES: Readonly<Record<string, string>> = {
  'udp/53': 'Port 53 is that of DNS.',
  'tcp/53': 'Port 53 is that of DNS; answers too long for UDP come over TCP.',
  'tcp/80': 'Port 80 is that of HTTP.',
  'tls/443': 'Port 443 is that of HTTPS: sign-in, activation and configuration of phones.',
  'udp/500': 'UDP 500 is the port on which IKE begins (RFC 7296 section 2): the tunnel of Wi-Fi Calling.',
  'udp/3478': 'UDP 3478 is the default port of STUN and TURN.',
  'udp/4500': 'UDP 4500 is the NAT-T port, to which IKE and ESP move behind a NAT (RFC 7296 section 2.23).',
  'udp/5060': 'Port 5060 is the default of SIP over UDP, and the one on which SIP ALGs act.',
  'tcp/5060': 'Port 5060 is the default of SIP over TCP, and the one on which SIP ALGs act.',
  'tls/5061': 'Port 5061 is the default of SIP over TLS.',
  'tls/5223': 'Port 5223 is that of Apple push notifications.',
};

/** The highest port number, and more digits than that are no port. */
const MAX_PORT = 65535;
const CHECK_ID = /^([a-z0-9-]{1,32})\/([a-z]{3})\/(\d{1,5})(?:-(\d{1,5}))?(?:#[^\s\p{Cc}]{1,64})?$/u;

interface CheckId {
  readonly probe: ProbeKind;
  readonly transport: Transport;
  readonly from: number;
  /** Null for a single check. */
  readonly to: number | null;
}

const parseCheckId = (text: string): CheckId | null => {
  const [, kind, over, first, last] = CHECK_ID.exec(text) ?? [];
  const probe = PROBE_KINDS.find((known) => known === kind);
  const transport = TRANSPORTS.find((known) => known === over);
  if (probe === undefined || transport === undefined) return null;
  const from = Number(first);
  const to = last === undefined ? null : Number(last);
  if (from < 1 || from > MAX_PORT || (to !== null && (to < from || to > MAX_PORT))) return null;
  return { probe, transport, from, to };
};

const explainCheck = ({ probe, transport, from, to }: CheckId): Explanation => {
  const text = EXPLANATIONS[probe];
  const over = transport.toUpperCase();
  const purpose =
    to === null ? PORT_PURPOSES[`${transport}/${from}`] : 'A run of ports: some are asked, the others inferred.';
  return {
    ...text,
    code: to === null ? checkName(probe, transport, from) : rangeName(probe, transport, from, to),
    kinds: [to === null ? 'check' : 'range'],
    verdict: null,
    title: to === null ? `${text.title} on ${over} port ${from}` : `${text.title} on ${over} ports ${from}-${to}`,
    meaning: [text.meaning, purpose, isOfStudy(probe) ? OF_STUDY : undefined].filter(Boolean).join(' '),
  };
};

/**
 * The text of a verdict, reason, service verdict, symptom, probe kind, or of the id of a check or range (with or
 * without its `#address`). Null if the code is none of these; `nearestCodes` has suggestions.
 */
export const explain = (code: string): Explanation | null => {
  const wanted = code.trim();
  if (isExplained(wanted)) {
    const text = EXPLANATIONS[wanted];
    const meaning = isOfStudy(wanted) ? `${text.meaning} ${OF_STUDY}` : text.meaning;
    return { ...text, meaning, code: wanted, kinds: kindsOf(wanted), verdict: verdictOf(wanted) };
  }
  const check = parseCheckId(wanted);
  return check === null ? null : explainCheck(check);
};

/** More suggestions than this are no help. */
const MAX_SUGGESTIONS = 3;

/** The codes that a mistyped one may have meant, the closest first; empty if none is close. */
export const nearestCodes = (text: string): readonly string[] => {
  // Of a check's id, only the probe can be mistyped in a way that a suggestion mends.
  const [probe = '', ...rest] = text.trim().split('/');
  if (rest.length === 0) return nearestOf(probe, EXPLAINED_CODES).slice(0, MAX_SUGGESTIONS);
  return nearestOf(probe, PROBE_KINDS)
    .map((kind) => [kind, ...rest].join('/'))
    .filter((id) => parseCheckId(id) !== null)
    .slice(0, MAX_SUGGESTIONS);
};

const INDENT = '  ';
/** Below this, lines of one word each would be harder to read than lines too long. */
const MIN_WIDTH = 30;

const wrap = (text: string, width: number): readonly string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
};

interface RenderOptions {
  readonly color: boolean;
  /** Columns of the terminal; texts are never set wider than 80, as longer lines are hard to read. */
  readonly width: number;
}

const MAX_WIDTH = 80;

/** A term of the glossary as plain text, ending in a newline. */
export const renderTerm = (
  code: string,
  { title, meaning, kind }: { readonly title: string; readonly meaning: string; readonly kind: string },
  { color, width }: RenderOptions,
): string => {
  const columns = Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, Math.floor(width) || MAX_WIDTH));
  const head = wrap(`${code}: ${title}`, columns).map((line) => (color ? `\u001b[1m${line}\u001b[0m` : line));
  const body = wrap(meaning, columns - INDENT.length).map((line) => `${INDENT}${line}`);
  return `${[...head, ...wrap(`(${kind})`, columns), '', ...body].join('\n')}\n`;
};

/** The explanation as plain text, ending in a newline. With `color`, headings are bold (ANSI SGR 1). */
export const renderExplanation = (explanation: Explanation, { color, width }: RenderOptions): string => {
  const columns = Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, Math.floor(width) || MAX_WIDTH));
  const bold = (text: string): string => (color ? `\u001b[1m${text}\u001b[0m` : text);
  const kinds = explanation.kinds.join(' and ');
  const under = explanation.verdict === null ? '' : `, under the verdict "${explanation.verdict}"`;
  const section = (heading: string, text: string): readonly string[] => [
    '',
    bold(heading),
    ...wrap(text, columns - INDENT.length).map((line) => `${INDENT}${line}`),
  ];
  const lines = [
    ...wrap(`${explanation.code}: ${explanation.title}`, columns).map(bold),
    ...wrap(`(${kinds}${under})`, columns),
    ...section('What it means', explanation.meaning),
    ...section('What it rests on', explanation.evidence),
    ...section('What it does not prove', explanation.doesNotProve),
    ...section('What to do', explanation.fix),
  ];
  return `${lines.join('\n')}\n`;
};
