/** Who may ask: pure checks of an HTTP request's Host and Authorization fields. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

/** 127.0.0.0/8, ::1, and their name (RFC 6761 §6.3). */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/** The host of a Host field (RFC 9110 §7.2), lower case, without port and brackets; null if it is malformed. */
const hostOf = (field: string | undefined): string | null => {
  const match = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,253}))(?::\d{1,5})?$/i.exec(field ?? '');
  return (match?.[1] ?? match?.[2])?.toLowerCase() ?? null;
};

/**
 * Whether a request was meant for this server. A page of a stranger can make a browser ask us under a name of its own
 * that it has rebound to our address; such a request carries the stranger's name.
 * @param named         names that the configuration allows, lower case
 * @param localAddress  where the connection arrived
 */
export const isOurHost = (field: string | undefined, named: readonly string[], localAddress: string): boolean => {
  const host = hostOf(field);
  if (host === null) return false;
  const address = localAddress.replace(/^::ffff:/, '');
  return named.includes(host) || host === address || (isLoopback(host) && isLoopback(address));
};

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares digests, so that neither content nor length shows in the time it takes. */
const isSecret = (given: string, secret: string): boolean => timingSafeEqual(digest(given), digest(secret));

/** Longer credentials are nobody's. */
const MAX_FIELD = 1024;

/** Whether an Authorization field holds the secret: `Bearer SECRET`, or `Basic` with it as password of any user. */
export const isAuthorized = (field: string | undefined, secret: string): boolean => {
  if (field === undefined || field.length > MAX_FIELD) return false;
  const match = /^(bearer|basic) +([\x21-\x7e]+)$/i.exec(field);
  const [, scheme = '', credentials = ''] = match ?? [];
  if (scheme.toLowerCase() === 'bearer') return isSecret(credentials, secret);
  if (scheme.toLowerCase() !== 'basic') return false;
  const pair = Buffer.from(credentials, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon >= 0 && isSecret(pair.slice(colon + 1), secret);
};
