/**
 * Digest authentication as SIP uses it: RFC 7616 with SHA-256 and MD5, one challenge for each of them (RFC 8760), quality of
 * protection `auth` or none (RFC 2069, which old registrars still send). Bytes and texts in, texts out; who waits for what
 * is the caller's matter.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { maskQuoted } from './sip-grammar.js';
import { cutOutside, type Parameters, readParameters } from './sip-parameters.js';

/** The strongest first: of several challenges the first that is understood is answered (RFC 8760 §2.4). */
const DIGEST_ALGORITHMS = ['SHA-256', 'MD5'] as const;
type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

const HASHES: Readonly<Record<DigestAlgorithm, string>> = { 'SHA-256': 'sha256', MD5: 'md5' };

export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: DigestAlgorithm;
  readonly opaque: string | null;
  /** The server offers `auth`; without any qop the answer is that of RFC 2069. */
  readonly isWithQop: boolean;
  /** Only the nonce was too old: the password was right. */
  readonly isStale: boolean;
}

export interface Credentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: DigestAlgorithm;
  /** Null where the client answered without a quality of protection. */
  readonly qop: { readonly cnonce: string; readonly count: string } | null;
  readonly opaque: string | null;
}

/** Longer ones of ours or theirs serve nobody. */
const MAX_VALUE = 512;
const HEX = /^[0-9a-fA-F]+$/;
const COUNT = /^[0-9a-fA-F]{8}$/;

/** The parameters of a `Digest …` value; null for another scheme and for what cannot be read. */
const readDigest = (value: string): Parameters | null => {
  const [, rest] = /^\s*[Dd][Ii][Gg][Ee][Ss][Tt]\s+(.*)$/.exec(value) ?? [];
  if (rest === undefined || maskQuoted(rest) === null) return null;
  const parts = cutOutside(rest, ',');
  const params = parts && readParameters(parts.map((part) => part.trim()).filter((part) => part !== ''));
  if (!params) return null;
  for (const text of params.values()) if (text !== null && text.length > MAX_VALUE) return null;
  return params;
};

/** RFC 7616 §3.3: left out means MD5. Null for what is not spoken here. */
const algorithmOf = (params: Parameters): DigestAlgorithm | null => {
  const name = params.get('algorithm') ?? 'MD5';
  return DIGEST_ALGORITHMS.find((known) => known.toLowerCase() === name.toLowerCase()) ?? null;
};

const readChallenge = (value: string): Challenge | null => {
  const params = readDigest(value);
  const algorithm = params && algorithmOf(params);
  const [realm, nonce] = [params?.get('realm'), params?.get('nonce')];
  if (!params || !algorithm || typeof realm !== 'string' || typeof nonce !== 'string' || nonce === '') return null;
  const offered = params
    .get('qop')
    ?.split(',')
    .map((one) => one.trim().toLowerCase());
  // A server that wants `auth-int` and nothing else is not answered.
  if (offered !== undefined && !offered.includes('auth')) return null;
  return {
    ...{ realm, nonce, algorithm },
    opaque: params.get('opaque') ?? null,
    isWithQop: offered !== undefined,
    isStale: params.get('stale')?.toLowerCase() === 'true',
  };
};

/** The challenges of a 401's or 407's header fields that can be answered here, the strongest first. */
export const readChallenges = (values: readonly string[]): readonly Challenge[] => {
  const rank = ({ algorithm }: Challenge): number => DIGEST_ALGORITHMS.indexOf(algorithm);
  return values.flatMap((value) => readChallenge(value) ?? []).sort((one, other) => rank(one) - rank(other));
};

/** Inside quotes a backslash and a quote are escaped (RFC 3261 §25.1). */
const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

/** A challenge as a server writes it. */
export const challengeText = ({ realm, nonce, algorithm, opaque, isWithQop, isStale }: Challenge): string =>
  [
    `Digest realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `algorithm=${algorithm}`,
    ...(isWithQop ? ['qop="auth"'] : []),
    ...(opaque === null ? [] : [`opaque=${quoted(opaque)}`]),
    ...(isStale ? ['stale=true'] : []),
  ].join(', ');

interface Secret {
  readonly username: string;
  readonly password: string;
}

interface Answered {
  readonly method: string;
  /** The digest's own uri, which is the Request-URI. */
  readonly uri: string;
}

/** The response of RFC 7616 §3.4.1, in lower-case hexadecimal. */
const responseOf = (
  { realm, nonce, algorithm, qop }: Pick<Credentials, 'realm' | 'nonce' | 'algorithm' | 'qop'>,
  { username, password }: Secret,
  { method, uri }: Answered,
): string => {
  const hash = (text: string): string => createHash(HASHES[algorithm]).update(text, 'utf8').digest('hex');
  const secret = hash(`${username}:${realm}:${password}`);
  const asked = hash(`${method}:${uri}`);
  return qop === null
    ? hash(`${secret}:${nonce}:${asked}`)
    : hash(`${secret}:${nonce}:${qop.count}:${qop.cnonce}:auth:${asked}`);
};

/**
 * The value of Authorization or Proxy-Authorization that answers a challenge.
 * @param count how often this nonce was used, this time included: 1 to 2^32 − 1
 */
export const authorize = (
  challenge: Challenge,
  secret: Secret,
  asked: Answered & { readonly cnonce: string; readonly count: number },
): string => {
  const { realm, nonce, algorithm, opaque } = challenge;
  const count = asked.count.toString(16).padStart(8, '0');
  const qop = challenge.isWithQop ? { cnonce: asked.cnonce, count } : null;
  const response = responseOf({ realm, nonce, algorithm, qop }, secret, asked);
  return [
    `Digest username=${quoted(secret.username)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(asked.uri)}`,
    `response="${response}"`,
    `algorithm=${algorithm}`,
    ...(qop === null ? [] : [`cnonce=${quoted(qop.cnonce)}`, 'qop=auth', `nc=${count}`]),
    ...(opaque === null ? [] : [`opaque=${quoted(opaque)}`]),
  ].join(', ');
};

/** Reads what a client answered; null for another scheme, and for what lacks something. */
export const readCredentials = (value: string): Credentials | null => {
  const params = readDigest(value);
  const algorithm = params && algorithmOf(params);
  if (!params || !algorithm) return null;
  const text = (name: string): string | null => params.get(name) ?? null;
  const [username, realm, nonce, uri, response] = ['username', 'realm', 'nonce', 'uri', 'response'].map(text);
  if (!username || realm === null || realm === undefined || !nonce || !uri || !response) return null;
  if (!HEX.test(response)) return null;
  const [qop, cnonce, count] = [text('qop'), text('cnonce'), text('nc')];
  if (qop !== null && (qop.toLowerCase() !== 'auth' || cnonce === null || count === null || !COUNT.test(count)))
    return null;
  return {
    ...{ username, realm, nonce, uri, response, algorithm },
    qop: qop === null || cnonce === null || count === null ? null : { cnonce, count },
    opaque: text('opaque'),
  };
};

/** Whether the credentials were made with this password for a request of this method. Constant-time in the response. */
export const isAuthorized = (credentials: Credentials, password: string, method: string): boolean => {
  const { username, uri, response } = credentials;
  const expected = Buffer.from(responseOf(credentials, { username, password }, { method, uri }));
  const given = Buffer.from(response.toLowerCase());
  return expected.length === given.length && timingSafeEqual(expected, given);
};
