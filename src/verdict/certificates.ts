/** What is wrong with a certificate: whether it names the domain (RFC 5922 §7), holds today, and comes from somebody known. */
import type { CertificateProblem } from '../model/certificate.js';
import type { Evidence } from '../model/observation.js';

/** Long enough to renew one by hand; Let's Encrypt mails 14 and 7 days ahead. */
const SOON_MS = 14 * 24 * 3600 * 1000;

interface Shown {
  readonly subject: string | null;
  readonly issuer: string | null;
  readonly names: readonly string[];
  /** Milliseconds since 1970, or null where it says nothing that can be read. */
  readonly validFrom: number | null;
  readonly validTo: number | null;
  readonly trusted: boolean | null;
  /** OpenSSL's word for what is wrong with the chain, or null. */
  readonly fault: string | null;
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const time = (value: unknown): number | null => {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
};

/** The certificate in the evidence of a connection; null where none was shown. */
export const shownIn = (tls: unknown): Shown | null => {
  if (typeof tls !== 'object' || tls === null) return null;
  const evidence = tls as Evidence;
  if (typeof evidence.certificateSha256 !== 'string') return null;
  const names = Array.isArray(evidence.certificateNames) ? evidence.certificateNames : [];
  return {
    subject: text(evidence.certificateSubject),
    issuer: text(evidence.certificateIssuer),
    names: names.filter((name) => typeof name === 'string'),
    validFrom: time(evidence.certificateValidFrom),
    validTo: time(evidence.certificateValidTo),
    trusted: typeof evidence.certificateTrusted === 'boolean' ? evidence.certificateTrusted : null,
    fault: text(evidence.certificateProblem),
  };
};

/** `sip:` URIs without a user, and DNS names (RFC 5922 §7.1); the common name only where there is neither. */
const identitiesOf = ({ names, subject }: Shown): readonly string[] => {
  const found = names.flatMap((name) => {
    if (name.startsWith('DNS:')) return [name.slice(4)];
    return /^URI:sips?:([^@:;?]+)$/i.exec(name)?.slice(1, 2) ?? [];
  });
  return (found.length > 0 || subject === null ? found : [subject]).map((name) => name.toLowerCase());
};

const covers = (wildcard: string, domain: string): boolean =>
  wildcard.startsWith('*.') && domain.slice(domain.indexOf('.')) === wildcard.slice(1) && domain.includes('.');

/** What the name is worth to a SIP phone: RFC 5922 §7.2 lets no wildcard match, other TLS does (RFC 9525 §6.3). */
const nameProblem = (shown: Shown, domain: string, isSip: boolean): CertificateProblem | null => {
  const identities = identitiesOf(shown);
  const wanted = domain.toLowerCase();
  if (identities.includes(wanted)) return null;
  if (!identities.some((name) => covers(name, wanted))) return 'wrong-name';
  return isSip ? 'wildcard' : null;
};

const SELF_SIGNED = new Set(['DEPTH_ZERO_SELF_SIGNED_CERT']);
const ISSUER_UNKNOWN = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
]);
/** Told by the dates themselves. */
const OF_DATES = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

const chainProblem = ({ trusted, fault }: Shown): CertificateProblem | null => {
  if (trusted !== false || fault === null || OF_DATES.has(fault)) return null;
  if (SELF_SIGNED.has(fault)) return 'self-signed';
  return ISSUER_UNKNOWN.has(fault) ? 'issuer-unknown' : 'untrusted';
};

const dateProblem = ({ validFrom, validTo }: Shown, now: number): CertificateProblem | null => {
  if (validTo !== null && validTo <= now) return 'expired';
  if (validFrom !== null && validFrom > now) return 'not-yet-valid';
  return validTo !== null && validTo - now < SOON_MS ? 'expires-soon' : null;
};

/** All that is wrong, what keeps phones away first. `domain` is null where the target is an address: nothing to compare. */
export const certificateProblems = (
  shown: Shown,
  { domain, isSip, now }: { readonly domain: string | null; readonly isSip: boolean; readonly now: number },
): readonly CertificateProblem[] =>
  [dateProblem(shown, now), domain === null ? null : nameProblem(shown, domain, isSip), chainProblem(shown)].filter(
    (problem) => problem !== null,
  );
