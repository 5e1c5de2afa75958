/** The registrar of one line: it takes the registration of whoever knows the password, and of nobody else. */
import { randomBytes } from 'node:crypto';
import type { Respond } from '../dialog/line.js';
import { headers, type SipRequest } from '../wire/sip.js';
import { challengeText, isAuthorized, readCredentials } from '../wire/sip-digest.js';
import { header } from '../wire/sip-message.js';
import { readAddresses, readSeconds } from '../wire/sip-parameters.js';

interface Registration {
  readonly contact: string;
  readonly expires: number;
  readonly algorithm: string;
}

interface Registrar {
  answer(request: SipRequest, respond: Respond): void;
  /** The latest; null before any. */
  registration(): Registration | null;
  /** How often a password was asked for, and how often it was wrong. */
  counts(): { readonly challenged: number; readonly wrong: number };
}

const REALM = 'callpath';
const NONCE_BYTES = 16;
/** Of more the oldest is valid no longer. */
const MAX_NONCES = 32;
/** RFC 3261 §10.3 lets a registrar choose: phones of carriers get as much. */
const MAX_EXPIRES_S = 3600;

export const createRegistrar = (user: string, password: string): Registrar => {
  const nonces = new Set<string>();
  let registration: Registration | null = null;
  let [challenged, wrong] = [0, 0];

  const challenge = (respond: Respond): void => {
    challenged += 1;
    const nonce = randomBytes(NONCE_BYTES).toString('base64url');
    nonces.add(nonce);
    const [oldest] = nonces;
    if (nonces.size > MAX_NONCES && oldest !== undefined) nonces.delete(oldest);
    // Both, the stronger first: who speaks both takes that one (RFC 8760 §2.3).
    const asked = { realm: REALM, nonce, opaque: null, isWithQop: true, isStale: false };
    respond(401, 'Unauthorized', {
      headers: (['SHA-256', 'MD5'] as const).map((algorithm) => ({
        name: 'WWW-Authenticate',
        value: challengeText({ ...asked, algorithm }),
      })),
    });
  };

  return {
    answer: (request, respond) => {
      const credentials = headers(request, 'authorization').flatMap((value) => readCredentials(value) ?? [])[0];
      const isRight =
        credentials !== undefined &&
        nonces.has(credentials.nonce) &&
        credentials.realm === REALM &&
        credentials.username === user &&
        isAuthorized(credentials, password, 'REGISTER');
      if (!isRight) {
        if (credentials) wrong += 1;
        return challenge(respond);
      }
      const [contact] = readAddresses(headers(request, 'contact')) ?? [];
      if (!contact) return void respond(400, 'Bad Request');
      const wanted =
        readSeconds(contact.params.get('expires')) ?? readSeconds(header(request, 'expires')) ?? MAX_EXPIRES_S;
      const expires = Math.min(wanted, MAX_EXPIRES_S);
      registration = { contact: contact.uri, expires, algorithm: credentials.algorithm };
      respond(200, 'OK', { headers: [{ name: 'Contact', value: `<${contact.uri}>;expires=${expires}` }] });
    },
    registration: () => registration,
    counts: () => ({ challenged, wrong }),
  };
};
