/** IP addresses, text ⇄ octets: what every codec that carries addresses shares. Text goes out as RFC 5952 wants it. */

export const IPV4_BYTES = 4;
export const IPV6_BYTES = 16;
/** ::ffff:0:0/96 (RFC 4291 §2.5.5.2): an IPv4 address as a dual-stack socket sees it. */
const MAPPED_PREFIX = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);
/** Eight groups of four, seven colons: `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255` is the longest there is. */
const MAX_IPV6_TEXT = 45;
/**
 * What systems name interfaces, and with that zones: RFC 6874's characters, and the colon of Linux' aliases. IFNAMSIZ is
 * 16 on Linux; 64 leaves room for others.
 */
const ZONE = /^[\w.~:-]{1,64}$/;
const GROUPS = 8;

const GROUP = /^[0-9a-fA-F]{1,4}$/;

interface Ip {
  readonly family: 4 | 6;
  /** 4 or 16 octets. */
  readonly bytes: Uint8Array;
}

const DIGIT_ZERO = 48;
const DOT = 46;

/** Digit by digit, because every answer of the reflector carries an address. */
const parseIpv4 = (text: string): number[] | null => {
  const octets: number[] = [];
  let octet = -1;
  for (let at = 0; at <= text.length; at += 1) {
    const code = at < text.length ? text.charCodeAt(at) : DOT;
    const digit = code - DIGIT_ZERO;
    if (code === DOT) {
      if (octet < 0 || octets.length === IPV4_BYTES) return null;
      octets.push(octet);
      octet = -1;
    } else if (digit >= 0 && digit <= 9) {
      // No leading zero, which some systems read as octal (RFC 6943 §3.1.1).
      if (octet === 0) return null;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 0xff) return null;
    } else return null;
  }
  return octets.length === IPV4_BYTES ? octets : null;
};

/** The octets of colon-separated groups; only the last may be dotted, and only where the address ends with it. */
const parseGroups = (text: string, endsAddress: boolean): number[] | null => {
  if (text === '') return [];
  const octets: number[] = [];
  const parts = text.split(':', GROUPS + 1);
  for (const [index, part] of parts.entries()) {
    const dotted = endsAddress && index === parts.length - 1 ? parseIpv4(part) : null;
    if (dotted) octets.push(...dotted);
    else if (GROUP.test(part)) octets.push(Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 0xff);
    else return null;
  }
  return octets;
};

const parseIpv6 = (text: string): number[] | null => {
  if (text.length > MAX_IPV6_TEXT) return null;
  const [before = '', after, ...more] = text.split('::', 3);
  const head = parseGroups(before, after === undefined);
  const tail = after === undefined ? [] : parseGroups(after, true);
  if (!head || !tail || more.length > 0) return null;
  const zeros = IPV6_BYTES - head.length - tail.length;
  // "::" stands for at least one group; without it all of them are there (RFC 4291 §2.2).
  if (after === undefined ? zeros !== 0 : zeros < 2) return null;
  return [...head, ...new Array<number>(zeros).fill(0), ...tail];
};

/**
 * Reads an address in any notation of RFC 4291 §2.2, or dotted decimal with four parts; null for all else, names
 * included. An IPv6 zone (RFC 4007 §11, `fe80::1%eth0`) is dropped, because it means something on this host only.
 */
export const parseIp = (text: string): Ip | null => {
  const percent = text.indexOf('%');
  const address = percent < 0 ? text : text.slice(0, percent);
  if (!address.includes(':')) {
    const octets = percent < 0 ? parseIpv4(address) : null;
    return octets && { family: 4, bytes: Uint8Array.from(octets) };
  }
  if (percent >= 0 && !ZONE.test(text.slice(percent + 1))) return null;
  const octets = parseIpv6(address);
  return octets && { family: 6, bytes: Uint8Array.from(octets) };
};

/** Where the longest run of zero groups starts and ends, the first of equals; a lone zero group is not shortened. */
const longestZeroRun = (groups: readonly number[]): readonly [start: number, end: number] => {
  let best: readonly [number, number] = [0, 0];
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > Math.max(1, best[1] - best[0])) best = [start, index + 1];
  }
  return best;
};

/** True for 16 octets that stand for an IPv4 address. */
export const isIpv4Mapped = (bytes: Uint8Array): boolean =>
  bytes.length === IPV6_BYTES && MAPPED_PREFIX.every((octet, index) => bytes[index] === octet);

/** The 4 octets inside an IPv4-mapped address, a view; any other address as it is. */
export const unmapIp = (bytes: Uint8Array): Uint8Array =>
  isIpv4Mapped(bytes) ? bytes.subarray(MAPPED_PREFIX.length) : bytes;

/** 16 octets for any address, IPv4 mapped: the form for fields that hold both families. */
export const toMappedBytes = (bytes: Uint8Array): Uint8Array =>
  bytes.length === IPV4_BYTES ? Uint8Array.of(...MAPPED_PREFIX, ...bytes) : bytes;

/**
 * Dotted decimal for 4 octets, the canonical text of RFC 5952 for 16; IPv4-mapped ones end in dotted decimal (§5).
 * @throws RangeError for any other length.
 */
export const formatIp = (bytes: Uint8Array): string => {
  if (bytes.length === IPV4_BYTES) return bytes.join('.');
  if (bytes.length !== IPV6_BYTES) throw new RangeError(`an IP address has 4 or 16 octets, not ${bytes.length}`);
  if (isIpv4Mapped(bytes)) return `::ffff:${unmapIp(bytes).join('.')}`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, IPV6_BYTES);
  const groups = Array.from({ length: GROUPS }, (_, index) => view.getUint16(index * 2));
  const [start, end] = longestZeroRun(groups);
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return start === end ? text(0, GROUPS) : `${text(0, start)}::${text(end, GROUPS)}`;
};

/** Shared by providers between their NATs and their customers' (RFC 6598). */
export const isCarrierAddress = (address: string): boolean => {
  const ip = parseIp(address);
  const [a = 0, b = 0] = ip?.bytes ?? [];
  return ip?.family === 4 && a === 100 && b >= 64 && b < 128;
};

/** Of no use on the internet: RFC 1918, RFC 4193, and link-local ones (RFC 3927, RFC 4291 §2.5.6). */
export const isPrivateAddress = (address: string): boolean => {
  const ip = parseIp(address);
  const [a = 0, b = 0] = ip?.bytes ?? [];
  if (ip?.family === 6) return (a & 0xfe) === 0xfc || (a === 0xfe && (b & 0xc0) === 0x80);
  return a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254);
};
