/** What to ask a firewall's keeper for: one request, restricted to networks and ports. Texts of vendors are made from it. */
import { type NetworkText, parseNetwork } from '../../model/network-text.js';
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
  /**
   * Of one family, none within another; literals, as whoever names a host in a rule gets the address of another day. None:
   * nobody knows them, and the text has PLACEHOLDER in their place.
   */
  readonly networks: readonly NetworkText[];
  readonly family: 4 | 6;
  /** It is for the far end of a test, and goes when the test is done. */
  readonly forTest?: boolean;
}

/** Stands where the service's networks belong. No firewall takes it: it is neither an address nor a name. */
export const PLACEHOLDER = 'SERVICE-NETWORKS/HERE';

/** The longest prefix of each family: that of a single address. */
const WHOLE = { 4: 32, 6: 128 } as const;

/** `198.51.100.10`, `52.112.0.0/14`. */
export const textOf = ({ family, address, length }: NetworkText): string =>
  length === WHOLE[family] ? address : `${address}/${length}`;

/** The networks as firewalls read them, or the placeholder. */
export const placesOf = ({ networks }: Ask): readonly string[] =>
  networks.length > 0 ? networks.map(textOf) : [PLACEHOLDER];

/** What marks a rule in the firewall, so that its owner finds it again: those of a test are to be removed. */
export const markOf = ({ forTest = false }: Pick<Ask, 'forTest'>): string =>
  forTest ? 'callpath-for-this-test-only' : 'callpath';

/** What tells the objects of a request from those of another one. */
export const tellingApart = ({ networks: [first] }: Ask): string =>
  first ? textOf(first).replace('/', '-') : 'SERVICE';

/** `255.252.0.0` for 14, as ASA and FortiOS want it. */
export const maskOf = (length: number): string => {
  const bits = length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
};

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

/**
 * A request as data, once for each protocol and family; empty where there is nothing that a rule could name.
 * @param networks null where nobody knows them
 */
export const asksOf = (
  kind: FixKind,
  items: readonly Pick<Item, 'from' | 'to' | 'transport' | 'address'>[],
  networks: readonly string[] | null,
): readonly Ask[] => {
  // What is no literal goes into no rule: it would be somebody else's text in a firewall's configuration.
  const known = networks?.flatMap((text) => parseNetwork(text) ?? []) ?? null;
  return (['udp', 'tcp'] as const).flatMap((protocol): readonly Ask[] => {
    const own = items.filter(({ transport }) => (transport === 'udp') === (protocol === 'udp'));
    const families = ([4, 6] as const).filter((family) =>
      known === null
        ? own.some(({ address }) => (address?.includes(':') ? 6 : 4) === family)
        : own.length > 0 && known.some((one) => one.family === family),
    );
    return families.map((family) => ({
      ...{ kind, protocol, family },
      ports: portRuns(own),
      networks: known?.filter((one) => one.family === family) ?? [],
    }));
  });
};
