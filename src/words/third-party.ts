/** What somebody else's server said and did, as an engineer would say it on the phone. */
import type { CertificateProblem } from '../model/certificate.js';
import type { ReportCheck } from '../model/report.js';
import { printable } from '../wire/printable.js';

const MAX_TEXT = 160;
const shown = (text: unknown, max = MAX_TEXT): string => printable(typeof text === 'string' ? text : String(text), max);

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;

/** `2026-11-25`. */
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** What ended a handshake, by the end of OpenSSL's code. */
const ALERTS: readonly (readonly [RegExp, string])[] = [
  [/CERTIFICATE_REQUIRED$/, 'it wants a client certificate'],
  [
    /ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNKNOWN_CA|NO_CERTIFICATE)$/,
    'it wants a client certificate that it knows',
  ],
  [/(?:PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL)$/, 'it offers no TLS 1.2 or later'],
  [/UNRECOGNIZED_NAME$/, 'it does not know the name that was asked for (SNI)'],
  [/(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/, 'what answers there does not speak TLS'],
  [/(?:INSUFFICIENT_SECURITY|NO_SHARED_CIPHER|NO_CIPHERS_AVAILABLE)$/, 'it has no cipher in common with this host'],
  [/INAPPROPRIATE_FALLBACK$/, 'it refuses the version of TLS'],
];

/** How the far end hung up, as the end of a sentence; null where it did not. */
export const hangUpInWords = ({ transport, evidence }: Pick<ReportCheck, 'transport' | 'evidence'>): string | null => {
  const failures = fieldsOf(evidence.failures) ?? {};
  const certificate = fieldsOf(fieldsOf(evidence.opened)?.tls);
  const code = failures['tls-failed'];
  if (typeof code === 'string') {
    if (/HANDSHAKE_FAILURE$/.test(code)) {
      // With its certificate it has chosen version and cipher: what it still wants is ours.
      return certificate
        ? 'it refuses the handshake after it has shown its certificate: it wants a client certificate'
        : 'it refuses the handshake: no version or cipher in common';
    }
    if (code === 'ECONNRESET') return 'it resets the connection during the handshake';
    return ALERTS.find(([pattern]) => pattern.test(code))?.[1] ?? `it ends the handshake (${shown(code, 80)})`;
  }
  if (failures['closed-early'] !== undefined) {
    if (transport !== 'tls') return 'it accepts the connection and closes it without an answer';
    return certificate
      ? 'it completes the TLS handshake and closes after the request'
      : 'it accepts the connection and closes it during the handshake';
  }
  if (failures.reset !== undefined && evidence.opened !== undefined) return 'it accepts the connection and resets it';
  return null;
};

/** What was wrong with answers that could not be read, the commonest first; null where there were none. */
export const unreadableInWords = ({ evidence }: Pick<ReportCheck, 'evidence'>): string | null => {
  const phrases = Object.entries(fieldsOf(evidence.unreadable) ?? {}).sort(([, a], [, b]) => Number(b) - Number(a));
  return phrases.length === 0
    ? null
    : phrases
        .slice(0, 2)
        .map(([phrase]) => shown(phrase))
        .join('; ');
};

/** `sip.carrier.example, issued by Field Test CA`. */
const certificateInWords = (tls: Fields): string => {
  const subject = tls.certificateSubject === null ? 'nobody named' : shown(tls.certificateSubject, 80);
  return tls.certificateIssuer === null || tls.certificateIssuer === undefined
    ? subject
    : `${subject}, issued by ${shown(tls.certificateIssuer, 80)}`;
};

const sipInWords = (answer: Fields, transport: ReportCheck['transport']): string => {
  const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
  const details = [
    ...(answer.retryAfter === undefined ? [] : [`Retry-After ${shown(answer.retryAfter, 60)}`]),
    ...list(answer.warning).map((warning) => `Warning ${shown(warning)}`),
  ];
  const status = `${shown(answer.status)} ${shown(answer.reason ?? '', 80)}`.trim();
  const wanted = list(answer.authentication).map((one) => shown(one, 80));
  return [
    `answers ${status}${details.length > 0 ? ` (${details.join('; ')})` : ''}`,
    ...(wanted.length > 0 ? [`wants authentication: ${wanted.join(', ')}`] : []),
    ...(answer.status === 403
      ? ['it rejects our From address, or unknown clients; --from user@domain sends an address that it knows']
      : []),
    ...(typeof answer.server === 'string' ? [`Server: ${shown(answer.server, 80)}`] : []),
    ...(typeof answer.allow === 'string' ? [`Allow: ${shown(answer.allow, 120)}`] : []),
    ...(transport === 'udp' && answer.received !== undefined && answer.rport === null
      ? ['leaves out rport (RFC 3581 §4): phones do not learn their public port from it']
      : []),
  ].join('; ');
};

const ikeInWords = (answer: Fields): string => {
  const result: Readonly<Record<string, string>> = {
    accepted: 'accepts the proposal',
    cookie: 'demands a cookie',
    'invalid-ke': `asks for the key exchange in ${shown(answer.wantedGroup ?? 'another group', 60)}`,
    notify: `answers ${shown(answer.notify, 60)}`,
  };
  const word = result[String(answer.result)] ?? 'answers';
  return answer.isNeverSatisfied === true ? `${word} every time, so the exchange never completes` : word;
};

/** A transaction that is answered absorbs its retransmissions (RFC 3261 §17.2.2); three in a row in vain are another matter. */
const SILENT_AFTER = 3;

/** What came after the first answer, where that was something else: other statuses, or nothing any more. */
const afterwardsInWords = ({ sent, received, evidence }: ReportCheck): string => {
  const [, ...others] = Array.isArray(evidence.statuses) ? evidence.statuses : [];
  const other = others.length > 0 ? `; at other times ${others.map((status) => shown(status, 10)).join(', ')}` : '';
  const fellSilent = received < SILENT_AFTER && sent - received >= SILENT_AFTER;
  return fellSilent ? `${other}; then it stops answering: it rate-limits or ignores repeated requests` : other;
};

const answerInWords = (check: ReportCheck): string | null => {
  const { probe, transport, evidence } = check;
  const answer = fieldsOf(evidence.answer);
  if (answer === null) return null;
  switch (probe) {
    case 'sip-options':
      return `${sipInWords(answer, transport)}${afterwardsInWords(check)}`;
    case 'ike-sa-init':
      return ikeInWords(answer);
    case 'stun-binding':
      return typeof answer.error === 'number' ? `answers with error ${answer.error}` : null;
    default:
      return null;
  }
};

const QUESTION: Readonly<Partial<Record<ReportCheck['probe'], string>>> = { 'sip-options': 'OPTIONS' };

/** What became of a question over a connection that opened and brought no answer. */
const openedInWords = ({ probe, transport, evidence }: ReportCheck): string | null => {
  const opened = fieldsOf(evidence.opened);
  if (opened === null) return null;
  const question = `${QUESTION[probe] ?? 'the question'} is not answered`;
  if (transport !== 'tls') return `TCP opens, ${question}`;
  const tls = fieldsOf(opened.tls);
  return tls === null
    ? 'TCP opens, TLS is not answered'
    : `TLS opens (certificate of ${certificateInWords(tls)}), ${question}`;
};

/** All that is to be told of what a check met, in one line; null where there is nothing. */
export const saidInWords = (check: ReportCheck): string | null => {
  const elsewhere = fieldsOf(check.evidence.elsewhere);
  switch (check.reason) {
    case 'unreadable': {
      const what = unreadableInWords(check);
      return `the path is open, but the answer cannot be parsed${what === null ? '' : `: ${what}`}`;
    }
    case 'tls-refused':
      return `the far end listens there: ${hangUpInWords(check) ?? 'it closes the connection'}`;
    case 'no-answer':
      if (elsewhere !== null) {
        return `the answer comes from ${shown(elsewhere.address, 60)} port ${shown(elsewhere.port, 10)}, not from the address and port asked: NATs and firewalls drop such answers`;
      }
      return openedInWords(check);
    default:
      return answerInWords(check);
  }
};

/** Answers that mean that the server takes no calls now: 5xx and 6xx, but for what it merely does not do (501, 505, 513). */
export const isServerTrouble = ({ probe, evidence }: ReportCheck): boolean => {
  const status = fieldsOf(evidence.answer)?.status;
  if (probe !== 'sip-options' || typeof status !== 'number' || status < 500) return false;
  return status !== 501 && status !== 505 && status !== 513;
};

/** `503 Service Unavailable (Retry-After 120)`. */
export const statusInWords = ({ evidence }: ReportCheck): string | null => {
  const answer = fieldsOf(evidence.answer);
  if (typeof answer?.status !== 'number') return null;
  const later = answer.retryAfter === undefined ? '' : ` (Retry-After ${shown(answer.retryAfter, 60)})`;
  return `${answer.status} ${shown(answer.reason ?? '', 80)}`.trim() + later;
};

/** Each problem as the end of "its certificate …". */
export const certificateProblemInWords = (
  problem: CertificateProblem,
  {
    domain,
    names,
    issuer,
    validFrom,
    validTo,
  }: {
    readonly domain: string | null;
    readonly names: readonly string[];
    readonly issuer: string | null;
    readonly validFrom: number | null;
    readonly validTo: number | null;
  },
): string => {
  const named =
    names.length === 0
      ? 'nobody'
      : names
          .slice(0, 3)
          .map((name) => shown(name, 80))
          .join(', ');
  switch (problem) {
    case 'expired':
      return `expired on ${dayOf(validTo ?? 0)}`;
    case 'expires-soon':
      return `expires on ${dayOf(validTo ?? 0)}`;
    case 'not-yet-valid':
      return `is valid from ${dayOf(validFrom ?? 0)} only`;
    case 'wrong-name':
      return `names ${named}, and not ${shown(domain ?? 'the domain', 80)}`;
    case 'wildcard':
      return `names ${shown(domain ?? 'the domain', 80)} by a wildcard (${named}), which SIP does not allow (RFC 5922)`;
    case 'self-signed':
      return 'is self-signed';
    case 'issuer-unknown':
      return `was issued by ${shown(issuer ?? 'somebody', 80)}, which is not trusted here: an intermediate certificate is missing, or the CA is private`;
    case 'untrusted':
      return 'does not hold';
  }
};
