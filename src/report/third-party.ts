/** What a report tells of servers that are not ours: what they said, and which certificates they showed. */
import type { Report, ReportCheck } from '../model/report.js';
import type { Resolution } from '../model/resolution.js';
import type { Classified } from '../model/verdict.js';
import { certificateProblems, shownIn } from '../verdict/certificates.js';
import { parseIp } from '../wire/ip.js';
import { certificateTrouble, takesNoCalls } from '../words/study-notes.js';
import { certificateProblemInWords, isServerTrouble, saidInWords, statusInWords } from '../words/third-party.js';

type Said = NonNullable<Report['said']>[number];
type Certificate = NonNullable<Report['certificates']>[number];

/** Lines of a report; a carrier's cluster has some addresses, each with three transports. */
const MAX_SAID = 40;

/** One thing for each answer or refusal, and one line for all checks of an address that met the same. */
const saidOf = (checks: readonly ReportCheck[], isThirdParty: (address: string | null) => boolean): Said[] => {
  const byText = new Map<string, { checks: string[]; address: string | null; text: string; isTrouble: boolean }>();
  for (const check of checks) {
    const text = isThirdParty(check.address) ? saidInWords(check) : null;
    if (text === null) continue;
    const key = `${check.address} ${check.probe} ${text}`;
    const known = byText.get(key);
    if (known) known.checks.push(check.id);
    else byText.set(key, { checks: [check.id], address: check.address, text, isTrouble: isServerTrouble(check) });
  }
  return [...byText.values()].slice(0, MAX_SAID);
};

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

/** The certificates that were shown, whatever became of the question after it. */
const certificatesOf = (
  classified: readonly Classified[],
  isThirdParty: (address: string | null) => boolean,
  startedAt: Date,
): Certificate[] =>
  classified.flatMap(({ check, evidence }) => {
    const shown = shownIn(fieldsOf(evidence.answer).tls) ?? shownIn(fieldsOf(evidence.opened).tls);
    if (shown === null || !isThirdParty(check.address)) return [];
    const domain = parseIp(check.host) === null && check.host !== '' ? check.host : null;
    const now = startedAt.getTime();
    const problems = certificateProblems(shown, { domain, isSip: check.probe === 'sip-options', now });
    return [
      {
        check: check.id,
        address: check.address,
        port: check.port,
        domain,
        subject: shown.subject,
        issuer: shown.issuer,
        names: [...shown.names],
        validFrom: shown.validFrom === null ? null : new Date(shown.validFrom).toISOString(),
        validTo: shown.validTo === null ? null : new Date(shown.validTo).toISOString(),
        trusted: shown.trusted,
        problems: problems.map((id) => ({
          id,
          text: certificateProblemInWords(id, { ...shown, domain }),
        })),
      },
    ];
  });

const placeOf = (id: string): string => {
  const [, transport = '', port = ''] = id.replace(/#.*$/, '').split('/');
  return `${transport.toUpperCase()} ${port}`;
};

const reported = ({ host, failures, resolvers, offers, leftOut }: Resolution): NonNullable<Report['resolution']> => ({
  host,
  failures: failures.map((one) => ({ ...one })),
  resolvers: resolvers.map((one) => ({ ...one })),
  offers: [...offers],
  leftOut: [...leftOut],
});

/** Notes for what somebody has to mend, one sentence each. */
const thirdPartyNotes = (
  checks: readonly ReportCheck[],
  said: readonly Said[],
  certificates: readonly Certificate[],
): string[] => [
  ...said
    .filter(({ isTrouble }) => isTrouble)
    .map(({ checks: ids }) => {
      const status = checks.filter(({ id }) => ids.includes(id)).map(statusInWords)[0];
      return takesNoCalls(status ?? 'with an error', ids.map(placeOf).join(', '));
    }),
  ...certificates
    .filter(({ problems }) => problems.length > 0)
    .map(({ check, address, problems }) =>
      certificateTrouble(placeOf(check), address ?? 'the target', problems.map(({ text }) => text).join('; it ')),
    ),
];

/** The report with all of it, and with what the DNS said. */
export const withThirdParties = (
  report: Report,
  classified: readonly Classified[],
  isReflector: (address: string | null) => boolean,
  { resolution, startedAt }: { readonly resolution?: Resolution | null; readonly startedAt: Date },
): Report => {
  const isThirdParty = (address: string | null): boolean => !isReflector(address);
  const said = saidOf(report.checks, isThirdParty);
  const certificates = certificatesOf(classified, isThirdParty, startedAt);
  return {
    ...report,
    ...(resolution && { resolution: reported(resolution) }),
    ...(said.length > 0 && { said }),
    ...(certificates.length > 0 && { certificates }),
    notes: [...report.notes, ...thirdPartyNotes(report.checks, said, certificates)],
  };
};
