/** A report's codes and numbers in words, the same in every format that people read. */
import type { Report, ReportRange, ReportService } from '../model/report.js';
import type { Reason, ServiceVerdict } from '../model/verdict.js';
import { printable } from '../wire/printable.js';
import { causesOf } from './causes.js';
import { statusInWords } from './third-party.js';

/** What each reason means for the reader; shown beside the code, never instead of it. */
export const REASON_WORDS: Readonly<Record<Reason, string>> = {
  answered: 'answered',
  loss: 'passes, but loses packets',
  latency: 'passes, but latency is high',
  jitter: 'passes, but jitter is high',
  reordered: 'passes, but out of order',
  'rate-limited': 'passes, but is rate-limited',
  'flow-loss': 'some flows pass, others are lost, depending on the source port',
  'sip-alg': 'a SIP ALG on the path rewrote the message',
  'payload-rewritten': 'something on the path changed the content',
  'tls-intercepted': 'something on the path intercepted the TLS connection',
  'http-intercepted': 'something on the path answered HTTP instead of the target',
  'dns-intercepted': 'something on the path answered DNS instead of the target',
  'answered-by-other': 'something on the path answered instead of the target',
  'dropped-outbound': 'never arrived at the far end',
  'dropped-inbound': 'arrived at the far end, but its return traffic was lost',
  dropped: 'no answer, although the far end is up; the direction is unknown',
  rejected: 'rejected on the path, by ICMP or a TCP reset',
  'payload-filtered': 'other data passes on this port, this protocol does not: inspection',
  'size-filtered': 'small packets pass, large ones do not',
  'no-answer': 'no answer, and silence alone does not show why',
  closed: 'refused, by the target or by a firewall in front of it',
  'tls-refused': 'the port is open, but the far end refuses the handshake or closes the connection',
  unreadable: 'the path is open, but the answer cannot be parsed',
  unproven: 'the target did not prove that it knows the token',
  outage: 'nothing passed to this address during this check',
  'cut-off': 'it passed until something began to block this host',
  'target-unreachable': 'nothing at this address answers: it is down, or everything to it is blocked',
  limited: 'it arrived, but the reflector held back its answer',
  'dns-failure': 'the name, or a record that it needs, could not be resolved',
  'no-network': 'this host has no route there',
  'local-error': 'this host could not send it',
  'not-run': 'not asked',
  'not-let-in': "inbound traffic from the far end never arrived: a firewall drops it, perhaps this host's own",
  'not-forwarded': 'nothing arrived through the NAT: it does not forward the port to this host, or a filter drops it',
  'no-way-in': 'no inbound traffic arrived on any port: a firewall here blocks it, or one at the far end',
};

/** What the service's verdict means, in one sentence. */
const SERVICE_WORDS: Readonly<Record<ServiceVerdict, { readonly answer: string; readonly sentence: string }>> = {
  works: { answer: 'YES', sentence: 'Everything that it needs passes.' },
  degraded: {
    answer: 'WORKS WITH PROBLEMS',
    sentence: 'It works, but something that it needs is degraded, altered or only partly available.',
  },
  impaired: {
    answer: 'PARTLY BLOCKED',
    sentence: 'Signalling passes, but something else that it needs is blocked.',
  },
  blocked: { answer: 'NO', sentence: 'Signalling does not pass, so the service cannot be reached.' },
  unknown: { answer: 'CANNOT TELL', sentence: 'Something that it needs could not be measured.' },
};

/** The answers in capitals, for readers who look them up. */
export const ANSWER_TERMS: Readonly<Record<string, { readonly title: string; readonly meaning: string }>> = {
  YES: {
    title: 'The service works',
    meaning: 'Everything that the profile requires passes (service verdict "works").',
  },
  'YES, AS FAR AS TESTED': {
    title: 'What could be tested passes',
    meaning: 'Some required checks cannot be tested against this target; a reflector answers them.',
  },
  'WORKS WITH PROBLEMS': {
    title: 'The service works, and users notice problems',
    meaning:
      'Something required is degraded, altered or only partly available (service verdict "degraded"), or everything passes and a NAT, a certificate or the server still causes trouble.',
  },
  'PARTLY BLOCKED': {
    title: 'Signalling passes, something else is blocked',
    meaning: 'Calls are set up, but audio or another required part does not pass (service verdict "impaired").',
  },
  NO: { title: 'The service does not work', meaning: 'Its signalling does not pass (service verdict "blocked").' },
  'CANNOT TELL': {
    title: 'There is no result',
    meaning: 'Something required could not be measured (service verdict "unknown"); the report says why.',
  },
  'NOT ALL OF THEM': {
    title: 'Some services work, others do not',
    meaning: 'The report has an answer for each of them.',
  },
  'NOTHING TESTED': { title: 'No service was tested', meaning: 'No profile was chosen.' },
  'NO RESULT YET': { title: 'The agent has no result yet', meaning: 'The first run of this target is not done.' },
  'NO CURRENT RESULT': {
    title: 'The last result is too old',
    meaning: 'No run of this target succeeded lately, so nothing is said of now.',
  },
};

/** Everything passes, and users notice something all the same: a NAT that forgets, an address that changes. */
export const isNoticed = ({ verdict, symptoms }: ReportService): boolean => verdict === 'works' && symptoms.length > 0;
const NOTICED = 'Everything that it needs passes, but users still notice a problem.';

const commonest = (lines: readonly { readonly verdict: string; readonly reason: Reason }[]): Reason | null => {
  const counts = new Map<Reason, number>();
  for (const { verdict, reason } of lines) {
    if (verdict === 'unknown') counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const [first] = [...counts].sort(([, a], [, b]) => b - a);
  return first === undefined ? null : first[0];
};

/** Why a run that ended in silence knows less than it saw. */
const ENDS: readonly Reason[] = ['cut-off', 'outage'];

/**
 * The reason that most of a service's unmeasured checks share: what to look at first. Those that its causes rest on come
 * before all others, so that the headline and the causes tell the same story; STUN comes last, because calls wait for SIP.
 */
export const commonestUnknown = (service: ReportService, { checks, ranges }: Report): Reason | null => {
  const { profile, untested } = service;
  // Ranges do not say whose they are; the causes of a service name those that are its own.
  const named = new Set(causesOf(service).flatMap(({ because }) => because));
  const [end] = ENDS.filter((one) => service.causes?.[0]?.id === one);
  if (end !== undefined) return end;
  const own = checks.filter(({ id, requiredBy }) => requiredBy.includes(profile) && !untested.includes(id));
  const all = [...own, ...ranges.filter(({ id }) => named.has(id) && !untested.includes(id))];
  return (
    commonest(all.filter(({ id }) => named.has(id))) ??
    commonest(all.filter(({ probe }) => probe !== 'stun-binding')) ??
    commonest(all)
  );
};

/** Causes that say more than the reason of their checks. */
const CAUSE_WORDS: ReadonlyMap<string, string> = new Map([
  ['cut-off', 'from one moment on nothing answered this host'],
  ['outage', 'from one moment on nothing answered'],
  ['comes-and-goes', 'again and again nothing answered for a while'],
  ['wrong-token', 'a callpath reflector answers there and rejects this token'],
  ['answer-from-elsewhere', 'the answer comes from a different address or port'],
  ['silent-server', 'connections open, but requests over them are not answered'],
  ['not-listening', 'the reflector does not listen there'],
  ['transport-not-offered', 'the DNS records of the target do not offer this transport'],
]);

/** Why nothing can be said of a service: what its first cause says, or the reason that most of its checks share. */
export const whyUnknown = (service: ReportService, reason: Reason): string =>
  CAUSE_WORDS.get(String(service.causes?.[0]?.id)) ?? REASON_WORDS[reason];

const TRANSPORTS_OF_SIP = ['udp', 'tcp', 'tls'] as const;

/** Which phones work and which do not, where SIP passes over some transports only; null where that is not the story. */
const waysInWords = ({ profile }: ReportService, { checks }: Report): string | null => {
  const verdictsOver = (transport: string): readonly string[] =>
    checks
      .filter(
        (check) => check.probe === 'sip-options' && check.transport === transport && check.requiredBy.includes(profile),
      )
      .map(({ verdict }) => verdict);
  const having = (verdict: string): readonly string[] =>
    TRANSPORTS_OF_SIP.filter((transport) => {
      const verdicts = verdictsOver(transport);
      return verdicts.length > 0 && verdicts.every((one) => one === verdict);
    }).map((transport) => transport.toUpperCase());
  const [open, shut, altered] = [having('pass'), having('blocked'), having('altered')];
  if (open.length === 0 || shut.length + altered.length === 0) return null;
  return [
    `Phones set to ${open.join(' or ')} get through.`,
    shut.length > 0 ? `Phones set to ${shut.join(' or ')} do not.` : '',
    altered.length > 0 ? `Messages of phones set to ${altered.join(' or ')} are changed on the path.` : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
};

/** What keeps phones away although the path is open: of a certificate, what each that verifies it stumbles over. */
const KEEPS_AWAY: ReadonlySet<string> = new Set(['expired', 'not-yet-valid', 'wrong-name']);

/** The path passes, and the server does not take calls, or phones do not trust it; null where neither is known. */
const troubleInWords = ({ profile }: ReportService, { checks, said, certificates }: Report): string | null => {
  const passing = checks.filter(({ requiredBy, verdict }) => requiredBy.includes(profile) && verdict === 'pass');
  const signalling = passing.filter(({ probe }) => probe === 'sip-options');
  const troubled = new Set((said ?? []).filter(({ isTrouble }) => isTrouble).flatMap((one) => one.checks));
  const [first] = signalling;
  if (first !== undefined && signalling.every(({ id }) => troubled.has(id))) {
    const statuses = [...new Set(signalling.map((check) => statusInWords(check)))].join(' and ');
    return `The path is open; the server answers ${statuses}: it takes no calls now.`;
  }
  const bad = (certificates ?? []).flatMap((one) => {
    const problem = one.problems.find(({ id }) => KEEPS_AWAY.has(id));
    return problem && passing.some(({ id }) => id === one.check) ? [problem.text] : [];
  });
  const [problem] = bad;
  return problem === undefined || bad.length < signalling.length
    ? null
    : `The path is open; the server's certificate ${problem}: phones that verify it do not connect.`;
};

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** Whether the service will work, in capitals, and a sentence that says what the verdict means. */
export const serviceInWords = (
  service: ReportService,
  report: Report,
): { readonly answer: string; readonly sentence: string } => {
  const { answer, sentence } = SERVICE_WORDS[service.verdict];
  if (isNoticed(service)) return { answer: 'WORKS WITH PROBLEMS', sentence: NOTICED };
  const trouble = service.verdict === 'works' ? troubleInWords(service, report) : null;
  if (trouble !== null) return { answer: 'WORKS WITH PROBLEMS', sentence: trouble };
  const missing = service.untested.length;
  if (service.verdict === 'works' && missing > 0) {
    const what = `${missing} required check${missing === 1 ? '' : 's'} cannot be tested against this target`;
    const has = (pattern: RegExp): boolean => service.untested.some((id) => pattern.test(id));
    const open = [
      ...(has(/^(rtp-echo|media-stream)\//) ? ['whether audio passes'] : []),
      ...(has(/^sip-alg\//) ? ['whether a SIP ALG rewrites calls'] : []),
    ];
    const isAll = commonestUnknown(service, report) === null;
    const said = isAll ? 'Everything that can be tested passes.' : 'At least one alternative passes, see below.';
    const isOnlyAlg = service.untested.every((id) => id.startsWith('sip-alg/'));
    // A reflector that proved itself would have told, had it been asked: --quick, or none of its ports is SIP's.
    const notCompared = report.reflectors.some(({ reachable }) => reachable)
      ? 'SIP was not compared at both ends'
      : 'no reflector reports what arrives';
    const unknown = capital(`${open.join(', and ')}${open.length > 1 ? ',' : ''} is unknown:`);
    return {
      answer: 'YES, AS FAR AS TESTED',
      sentence: `${said} ${open.length === 0 ? 'But' : unknown} ${isOnlyAlg ? notCompared : what}.`,
    };
  }
  const ways = service.verdict === 'degraded' ? waysInWords(service, report) : null;
  if (ways !== null) return { answer, sentence: ways };
  const reason = service.verdict === 'unknown' ? commonestUnknown(service, report) : null;
  if (reason === null) return { answer, sentence };
  const words = whyUnknown(service, reason);
  // Two colons in a sentence are one too many.
  return {
    answer,
    sentence: words.includes(':')
      ? `It could not be measured. ${capital(words)}.`
      : `It could not be measured: ${words}.`,
  };
};

/** Above this, a bound that comes from few questions looks like a measured loss that would hurt. */
const WORRYING_LOSS = 0.03;

/** A bound as wide as this says that hardly anything was asked. */
const NO_BOUND = 0.5;

/** `lost 21 of 784 round trips (2.7 %)`; null in reports that do not count. */
const countsInWords = ({ roundTrips }: Report['network']): string | null => {
  if (roundTrips === undefined || roundTrips.sent === 0) return null;
  const { sent, lost } = roundTrips;
  return `lost ${lost} of ${sent} round trips${lost === 0 ? '' : ` (${percent(lost / sent)})`}`;
};

/** ` (20 of 784 packets outbound, 1 of 764 inbound)`; nothing where nothing was lost, or no far end tells. */
const eachWayInWords = ({ loss }: Report['network']): string =>
  loss && loss.outbound.lost + loss.inbound.lost > 0
    ? ` (${loss.outbound.lost} of ${loss.outbound.sent} packets outbound, ${loss.inbound.lost} of ${loss.inbound.sent} inbound)`
    : '';

/** The path's loss: what was counted, and its upper bound. */
export const lossInWords = ({ network, totals }: Report): string => {
  const { lossUpperBound } = network;
  if (lossUpperBound === null) return totals.packetsReceived === 0 ? 'unknown, nothing answered' : 'unknown';
  if (lossUpperBound > NO_BOUND) return 'unknown, too few packets to bound it';
  const counts = countsInWords(network);
  const bound = `at most ${percent(lossUpperBound)}`;
  if (counts !== null) return `${counts}, ${bound}${eachWayInWords(network)}`;
  return `${bound}${lossUpperBound > WORRYING_LOSS ? ' (an upper bound, not an estimate)' : ''}`;
};

const placeOf = ({ transport, port }: Report['checks'][number]): string => `${transport.toUpperCase()} ${port}`;

/** Where SIP was asked in the open and nothing of it arrived that could be compared: `UDP 5060`. TLS hides SIP from any ALG. */
const notCompared = ({ checks, sipAlg }: Report): readonly string[] => {
  const isKnown = (place: string): boolean => {
    const here = checks.filter((one) => placeOf(one) === place);
    const compared = here.filter(({ probe }) => probe === 'sip-alg');
    if (compared.length > 0) return compared.some(({ verdict }) => verdict !== 'unknown');
    // To say that there is none anywhere takes more than to say that nothing is known.
    return here.some(({ probe, verdict }) =>
      probe !== 'sip-options' ? false : sipAlg.detected === false ? verdict === 'pass' : verdict !== 'blocked',
    );
  };
  const asked = checks.filter(({ probe, transport }) => probe === 'sip-options' && transport !== 'tls');
  return [...new Set(asked.map(placeOf))].filter((place) => !isKnown(place));
};

/** Whether a SIP ALG was found. */
export const sipAlgInWords = (report: Report): string => {
  const { sipAlg, checks } = report;
  const missing = notCompared(report);
  const isBlocked = (place: string): boolean =>
    checks.some((one) => placeOf(one) === place && one.probe === 'sip-options' && one.verdict === 'blocked');
  const because = missing.every(isBlocked) ? ', as SIP does not pass there' : '';
  const why = `${missing.join(' and ')} could not be compared${because}`;
  if (sipAlg.detected === null) return missing.length > 0 ? `unknown: ${why}` : 'unknown';
  if (!sipAlg.detected) return missing.length > 0 ? `none found elsewhere; ${why}` : 'none found';
  const kinds = sipAlg.findings.filter((one) => one.class !== 'cosmetic').map(({ kind }) => kind);
  const does = kinds.every((kind) => kind === 'pinhole')
    ? 'reads SIP and opens ports'
    : kinds.includes('rewritten')
      ? 'rewrites SIP'
      : 'drops SIP messages';
  return `FOUND: something on the path ${kinds.length > 0 ? does : 'rewrites SIP'}`;
};

/** What the target is, and so how far its answers can be believed. */
export const roleInWords = ({ checks, target, totals }: Report): string => {
  if (target.role === 'reflector') return 'a reflector';
  if (checks.some(({ reason }) => reason === 'unproven')) return 'which did not prove that it knows the token';
  // What never answered proves nothing, not even that it is somebody else's.
  const opened = checks.some(
    ({ evidence, reason }) =>
      evidence.opened !== undefined || evidence.elsewhere !== undefined || reason === 'tls-refused',
  );
  return totals.packetsReceived === 0 && !opened ? 'no answer' : 'a third party';
};

/** Where the far end's word came from, or that it never came. */
export const reflectorInWords = ({ reachable, control, version }: Report['reflectors'][number]): string => {
  if (!reachable) return 'not reachable';
  const over = control === null ? 'answers, without a control channel' : `answers over ${printable(control, 32)}`;
  return version === null ? over : `${over}, version ${printable(version, 32)}`;
};

/** How many ports a run of ports holds. */
export const portCount = ({ from, to, step }: Pick<ReportRange, 'from' | 'to' | 'step'>): number =>
  to < from ? 0 : Math.floor((to - from) / step) + 1;

/** `20000` or `20000-20998`. */
export const portsInWords = ({ from, to }: Pick<ReportRange, 'from' | 'to'>): string =>
  from === to ? String(from) : `${from}-${to}`;

/** Which ports of a run with a step are meant; empty when all are. */
export const stepInWords = ({ from, step }: Pick<ReportRange, 'from' | 'step'>): string => {
  if (step === 1) return '';
  if (step === 2) return from % 2 === 0 ? 'even ports' : 'odd ports';
  return `every ${step} ports`;
};

/** Whether some ports of the report's ranges were inferred from their neighbours and not asked. */
export const hasInferredPorts = (ranges: readonly ReportRange[]): boolean =>
  ranges.some((range) => range.tested > 0 && range.tested < portCount(range));

/** Ids of all that was required and could not be asked of this target, each once. */
export const untestedOf = (report: Report): readonly string[] => [
  ...new Set(report.services.flatMap((service) => service.untested)),
];

/** What could not be asked, in the groups that differ by what would answer them, each with a sentence. */
export const untestedGroups = (
  report: Report,
): readonly { readonly says: string; readonly ids: readonly string[] }[] => {
  const ids = untestedOf(report);
  const isWayIn = (id: string): boolean => id.startsWith('inbound/');
  const groups = [
    { says: 'Only a reflector of your own at the far end can test these', ids: ids.filter((id) => !isWayIn(id)) },
    {
      says: 'The far side starts these: name the port with --inbound, and test against a reflector started with --inbound',
      ids: ids.filter(isWayIn),
    },
  ];
  return groups.filter((group) => group.ids.length > 0);
};

/** A ratio as people say it. */
export const percent = (ratio: number): string => {
  if (ratio === 0 || ratio === 1) return `${ratio * 100} %`;
  return ratio < 0.001 ? 'less than 0.1 %' : `${(ratio * 100).toFixed(1)} %`;
};

/** Milliseconds with as many decimals as a reader can use. */
export const milliseconds = (ms: number): string => `${ms.toFixed(ms < 1 ? 2 : ms < 100 ? 1 : 0)} ms`;

/** A run's duration. */
export const duration = (ms: number): string => {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
};

/** Bytes in decimal units, as networks count them. */
export const bytes = (count: number): string => {
  if (count < 1000) return `${count} bytes`;
  return count < 1e6 ? `${(count / 1e3).toFixed(1)} kB` : `${(count / 1e6).toFixed(1)} MB`;
};

/** Cut and not rounded: no finding is certain, so none shows as 1.0000 that is not. */
export const confidence = (ratio: number): string => (Math.floor(ratio * 1e4) / 1e4).toFixed(4);

/** An RFC 3339 time in UTC without its fraction; anything else as it is. */
export const timeInWords = (time: string): string => {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d{1,9})?Z$/.exec(time);
  return match === null ? printable(time, 40) : `${match[1]} ${match[2]} UTC`;
};

/** `1 check`, `2 checks`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Fields of one check's evidence that a line can hold; all are in the JSON. */
const MAX_EVIDENCE_FIELDS = 24;
const MAX_EVIDENCE_KEY = 40;

/** `answer.status` rather than `answer: {"status": …}`: one level reads well, deeper ones stay JSON. */
export const flattened = (evidence: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] =>
  Object.entries(evidence).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).map(([inner, content]): readonly [string, unknown] => [`${key}.${inner}`, content])
      : [[key, value] as const],
  );

/** Evidence on one line, bounded: `key: value; key.inner: value`. What is null says nothing that a reader looks for. */
export const evidenceInWords = (evidence: Readonly<Record<string, unknown>>, maxLength: number): string => {
  const parts: string[] = [];
  let room = maxLength;
  const told = flattened(evidence).filter(([, value]) => value !== null && value !== undefined);
  for (const [key, value] of told.slice(0, MAX_EVIDENCE_FIELDS)) {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null');
    const part = `${printable(key, MAX_EVIDENCE_KEY)}: ${printable(text, Math.max(1, room))}`;
    parts.push(part);
    room -= part.length;
    if (room <= 0) break;
  }
  return parts.join('; ');
};
