/** What can be wrong with a certificate that a server shows: a closed list, because monitoring asks for it by name. */
export const CERTIFICATE_PROBLEMS = [
  'expired',
  'expires-soon', // within 14 days
  'not-yet-valid',
  'wrong-name',
  'wildcard', // RFC 5922 §7.2 lets none match
  'self-signed',
  'issuer-unknown', // an intermediate certificate is missing, or the authority is not known here
  'untrusted', // anything else that keeps the chain from being believed
] as const;
export type CertificateProblem = (typeof CERTIFICATE_PROBLEMS)[number];
