/** Targets of SIP as people write them: a host, `host:port`, `[address]:port`, or a SIP URI (RFC 3261 §19.1). */
import { isIPv6 } from 'node:net';
import type { Transport } from '../model/kinds.js';
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { parseTarget, type Target, type TargetRefusal } from './target.js';

export interface SipTarget {
  readonly target: Target;
  /** The signalling port that was named: then no SRV record is asked for (RFC 3263 §4.2). Null: as the records say. */
  readonly port: number | null;
  /** What the URI names (`sips:`, `;transport=`), or null. */
  readonly transport: Transport | null;
}

export type SipTargetRefusal =
  | TargetRefusal
  | 'bad-port' // none from 1 to 65535
  | 'transport'; // one that is not asked, such as WebSocket

const MAX_PORT = 65_535;
/** A URI with its parameters; a host name has at most 253. */
const MAX_URI = 600;

const readPort = (digits: string): number | null => {
  const port = Number(digits);
  return /^\d{1,5}$/.test(digits) && port >= 1 && port <= MAX_PORT ? port : null;
};

/** Host and port apart. An IPv6 address without brackets has no port. */
const splitPort = (text: string): readonly [host: string, port: string | null] => {
  const bracketed = /^(\[[^\]]*\])(?::(.*))?$/.exec(text);
  if (bracketed) return [bracketed[1] ?? '', bracketed[2] ?? null];
  if (isIPv6(text)) return [text, null];
  const plain = /^([^:]*):([^:]*)$/.exec(text);
  return plain ? [plain[1] ?? '', plain[2] ?? ''] : [text, null];
};

const isTransport = (text: string): text is Transport => text === 'udp' || text === 'tcp' || text === 'tls';

/** Reads one. A user before the host is left out: nobody is called. Never throws. */
export const parseSipTarget = (text: string): Parsed<SipTarget, SipTargetRefusal> => {
  if (text.length > MAX_URI) return refuse('too-long');
  if (/[\s\p{Cc}]/u.test(text)) return refuse('whitespace');
  const [, scheme = '', rest = text] = /^(sips?):(.*)$/i.exec(text) ?? [];
  const secure = scheme.toLowerCase() === 'sips';
  // Headers of a URI are for requests that somebody sends by hand.
  if (rest.includes('?') || (scheme === '' && rest.includes('@'))) {
    return refuse(rest.includes('?') ? 'uri' : 'userinfo');
  }
  const [hostport = '', ...parameters] = rest.slice(rest.lastIndexOf('@') + 1).split(';');
  const [host, digits] = splitPort(hostport);
  // `https://…`, `tel:…`: what stands behind the colon is no port, and was never meant as one.
  if (digits !== null && !/^\d+$/.test(digits)) return refuse('uri');
  const target = parseTarget(host);
  if (!target.ok) return target;
  const port = digits === null ? null : readPort(digits);
  if (digits !== null && port === null) return refuse('bad-port');
  const [, named] = parameters.map((one) => /^transport=(.*)$/i.exec(one)).find((one) => one !== null) ?? [];
  if (named === undefined) return accept({ target: target.value, port, transport: secure ? 'tls' : null });
  const transport = named.toLowerCase();
  if (!isTransport(transport) || (secure && transport === 'udp')) return refuse('transport');
  // `sips:` over TCP is TLS (RFC 3261 §26.2.2).
  return accept({ target: target.value, port, transport: secure ? 'tls' : transport });
};
