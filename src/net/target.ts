/** Targets as users name them: a host name or an address literal, and nothing that a URI would add. */
import { BlockList, isIP, isIPv4, isIPv6, SocketAddress } from 'node:net';
import { domainToASCII } from 'node:url';
import type { Family } from '../model/check.js';
import { accept, type Parsed, refuse } from '../model/refusal.js';

export type Target =
  | { readonly kind: 'address'; readonly address: string; readonly family: Family }
  /** In lower case, as ASCII (RFC 5890 A-labels), without the root's dot. */
  | { readonly kind: 'name'; readonly name: string };

export const TARGET_REFUSALS = [
  'empty',
  'too-long', // over 253 characters (RFC 1035 §3.1)
  'whitespace', // spaces or control characters
  'uri', // a scheme, path, query or URI parameters
  'userinfo', // user@host
  'port', // ports come from the profile
  'scoped-address', // fe80::1%eth0 has no meaning beyond this host's link
  'bad-address', // looks like an address and is none, or none that a single host has
  'bad-name', // no host name, before or after IDNA
] as const;
export type TargetRefusal = (typeof TARGET_REFUSALS)[number];

/** Characters of a name without the root's dot (RFC 1035 §3.1: 255 octets on the wire). */
const MAX_NAME = 253;
/** Letters, digits and hyphens (RFC 1123 §2.1), and the underscore that real networks put up with. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** What inet_aton and URL parsers take for a number, so that such a name never becomes an address by surprise. */
const NUMBER = /^(?:\d+|0x[0-9a-f]*)$/i;

/** Nobody's address: "this" network, multicast, reserved and broadcast (RFC 6890 §2.2). Probes must never go there. */
const NOT_A_HOST = new BlockList();
NOT_A_HOST.addSubnet('0.0.0.0', 8, 'ipv4');
NOT_A_HOST.addSubnet('224.0.0.0', 3, 'ipv4');
NOT_A_HOST.addAddress('::', 'ipv6');
NOT_A_HOST.addSubnet('ff00::', 8, 'ipv6');

/** Is it an address literal that one host can have? */
export const isHostAddress = (address: string): boolean => {
  const version = isIP(address);
  return version !== 0 && !NOT_A_HOST.check(address, version === 6 ? 'ipv6' : 'ipv4');
};

const lastLabel = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/** Is it a host or service name that is safe to ask for and to put into a protocol's header? */
export const isName = (name: string): boolean =>
  name.length > 0 &&
  name.length <= MAX_NAME &&
  name.split('.').every((label) => LABEL.test(label)) &&
  !NUMBER.test(lastLabel(name));

const literal = (address: string): Parsed<Target, TargetRefusal> => {
  if (address.includes('%')) return refuse('scoped-address');
  if (!isHostAddress(address)) return refuse('bad-address');
  if (isIPv4(address)) return accept({ kind: 'address', address, family: 4 });
  // One spelling per address (RFC 5952), because check ids carry it.
  return accept({ kind: 'address', address: new SocketAddress({ address, family: 'ipv6' }).address, family: 6 });
};

/**
 * Reads what the user gave as target: `carrier.example`, `bücher.example.`, `192.0.2.1`, `2001:db8::1`,
 * `[2001:db8::1]`. Never throws.
 */
export const parseTarget = (text: string): Parsed<Target, TargetRefusal> => {
  if (text.length === 0) return refuse('empty');
  if (text.length > MAX_NAME + 1) return refuse('too-long');
  if (/[\s\p{Cc}]/u.test(text)) return refuse('whitespace');
  if (isIP(text) !== 0) return literal(text);
  const bracketed = /^\[([^\]]*)\](:\d*)?$/.exec(text);
  if (bracketed) {
    const [, inner = '', port] = bracketed;
    if (!isIPv6(inner)) return refuse('bad-address');
    return port === undefined ? literal(inner) : refuse('port');
  }
  if (/^[^:@/]+:\d*$/.test(text)) return refuse('port');
  if (/[/?#;\\]/.test(text) || /^[a-z][a-z0-9+.-]*:[^:]*$/i.test(text)) return refuse('uri');
  if (text.includes('@')) return refuse('userinfo');
  if (/[:[\]]/.test(text)) return refuse('bad-address');
  // domainToASCII would decode percent escapes, which no name has.
  if (text.includes('%')) return refuse('bad-name');
  const given = text.replace(/\.$/, '');
  const name = domainToASCII(given).toLowerCase();
  if (name.length > MAX_NAME) return refuse('too-long');
  if (NUMBER.test(lastLabel(given)) || isIP(name) !== 0) return refuse('bad-address');
  return isName(name) ? accept({ kind: 'name', name }) : refuse('bad-name');
};
