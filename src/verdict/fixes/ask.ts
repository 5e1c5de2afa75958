/** What to ask a firewall's keeper for: one request, restricted to addresses and ports. Texts of vendors are made from it. */
import { IPV4_BYTES, parseIp } from '../../wire/ip.js';
import type { Item } from '../services.js';

/**
 * `allow` lets it pass ahead of whatever drops it · `alg-off` keeps SIP as it was sent · `no-redirect` lets it reach its
 * target instead of a proxy · `udp-timeout` keeps the mapping longer · `static-port` keeps source ports · `far-side` is
 * somebody else's firewall, and `advise` has no rule that could be pasted.
 */
export const FIX_KINDS = [
  'allow',
  'alg-off',
  'no-redirect',
  'udp-timeout',
  'static-port',
  'far-side',
  'advise',
] as const;
export type FixKind = (typeof FIX_KINDS)[number];

export type PortRun = readonly [from: number, to: number];

export interface Ask {
  readonly kind: FixKind;
  readonly protocol: 'udp' | 'tcp';
  /** Ascending, apart from each other, at least one. */
  readonly ports: readonly PortRun[];
  /** An address literal: whoever names a host in a rule gets the address of another day. */
  readonly address: string;
  readonly family: 4 | 6;
}

/** A vendor's text for a request, or null where that vendor has none that is narrow enough. */
export type Writer = (ask: Ask) => string | null;

/**
 * How long a mapping is to last: RFC 4787 REQ-5 recommends 300 s or more, which is also more than any keepalive's
 * interval.
 */
export const UDP_TIMEOUT_SECONDS = 300;

/** Runs that touch are one, so that RTP and RTCP of a range are not asked for apart. */
export const portRuns = (items: readonly Pick<Item, 'from' | 'to'>[]): readonly PortRun[] => {
  const runs: [from: number, to: number][] = [];
  for (const { from, to } of [...items].sort((a, b) => a.from - b.from)) {
    const last = runs.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else runs.push([from, to]);
  }
  return runs;
};

/** `5060, 16384-32767`, with the words of a dialect for "to" and "and". */
export const writePorts = (ports: readonly PortRun[], to = '-', and = ', '): string =>
  ports.map(([first, last]) => (first === last ? String(first) : `${first}${to}${last}`)).join(and);

/** A request as data; null where there is no address that a rule could name. */
export const askOf = (
  kind: FixKind,
  items: readonly Pick<Item, 'from' | 'to' | 'transport' | 'address'>[],
): Ask | null => {
  const [first] = items;
  const ip = first?.address ? parseIp(first.address) : null;
  // What is no literal goes into no rule: it would be somebody else's text in a firewall's configuration.
  if (!first?.address || !ip) return null;
  return {
    kind,
    protocol: first.transport === 'udp' ? 'udp' : 'tcp',
    ports: portRuns(items),
    address: first.address,
    family: ip.bytes.length === IPV4_BYTES ? 4 : 6,
  };
};
