/** The lines about somebody else's server, for every format that people read. */
import type { Report } from '../model/report.js';
import { printable } from '../wire/printable.js';

const MAX_NAME = 120;

/** What carries which part of a call; a kind that is not here goes by its own name. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['sip-options', 'SIP'],
  ['stun-binding', 'STUN'],
  ['ike-sa-init', 'IKE'],
  ['tls-handshake', 'TLS'],
  ['http', 'HTTP'],
  ['dns', 'DNS'],
]);

/** `SIP on UDP 5060, TCP 5060` of ids of checks of one kind. */
export const placesInWords = (ids: readonly string[], isNamed = true): string => {
  const parts = ids.map((id) => id.replace(/#.*$/, '').split('/'));
  const kind = parts[0]?.[0] ?? '';
  const places = parts.map(([, transport = '', port = '']) => `${transport.toUpperCase()} ${port}`);
  const list = printable([...new Set(places)].join(', '), MAX_NAME);
  return isNamed ? `${NAMES.get(kind) ?? printable(kind, MAX_NAME)} on ${list}` : list;
};

const day = (time: string | null): string | null => time?.slice(0, 10) ?? null;

/** `sip.carrier.example, issued by Field Test CA, valid until 2036-01-01`; what is wrong stands first. */
export const certificateLine = (one: NonNullable<Report['certificates']>[number]): string => {
  const name = one.subject ?? one.names[0] ?? 'nobody named';
  const until = day(one.validTo);
  const facts = [
    `${name}${one.issuer === null ? '' : `, issued by ${one.issuer}`}`,
    ...(until === null || one.problems.some(({ id }) => id === 'expired' || id === 'expires-soon')
      ? []
      : [`valid until ${until}`]),
  ].join(', ');
  return one.problems.length === 0 ? facts : `${facts}; it ${one.problems.map(({ text }) => text).join('; it ')}`;
};
