/** Addresses and links of the lab's networks, as text for `ip -batch`. Pure: network.ts carries it out. */

/** Documentation and private ranges only: RFC 5737, RFC 1918, RFC 6598, RFC 3849. */
export const ADDRESS = {
  branch: '10.77.0.2',
  branch6: '2001:db8:77::2',
  firewallLan: '10.77.0.1',
  firewallLan6: '2001:db8:77::1',
  firewall: '198.51.100.1',
  /** The second line of a firewall with two. */
  firewallSecond: '198.51.100.2',
  firewall6: '2001:db8:100::1',
  /** Between two NATs: a carrier's shared space. */
  carrierInside: '100.64.0.1',
  carrierOutside: '100.64.0.2',
  target: '198.51.100.10',
  second: '198.51.100.11',
  target6: '2001:db8:100::10',
  /** Routed to the wan, and nobody's. */
  nobody: '198.51.100.99',
} as const;

/** `fw` is where a scenario's rules are; `cgn` the carrier's second NAT of `double-nat`; `wire` has no address. */
export type Host = 'branch' | 'fw' | 'cgn' | 'wire' | 'wan';

/**
 * `masquerade`: NAT that keeps ports where it can · `routed`: none · `own-nat`: none but the scenario's rules ·
 * `double-nat`: masquerade twice, 100.64.0.0/24 between · `wired`: masquerade, and a wire between firewall and far end
 * that needs a part to carry the frames.
 */
const TOPOLOGIES = ['masquerade', 'routed', 'own-nat', 'double-nat', 'wired'] as const;
export type TopologyName = (typeof TOPOLOGIES)[number];

interface Topology {
  readonly hosts: readonly Host[];
  /** From this host and interface to that one. */
  readonly links: readonly (readonly [Host, string, Host, string])[];
  /** `ip -batch` lines by host, for when both ends of every link are up. */
  readonly addresses: Readonly<Partial<Record<Host, readonly string[]>>>;
  /** nft text by host. */
  readonly rules: Readonly<Partial<Record<Host, string>>>;
}

/** nft's braces end their lines: its parser wants it so. */
const MASQUERADE = `
table ip lab-nat {
  chain post {
    type nat hook postrouting priority 100;
    oifname "wan0" masquerade
  }
}
`;

/** Duplicate address detection would keep an IPv6 address unusable for a second. */
const on = (device: string, ...addresses: readonly string[]): readonly string[] =>
  addresses.map((address) => `addr add ${address} dev ${device}${address.includes(':') ? ' nodad' : ''}`);

const BRANCH = [
  ...on('lan0', `${ADDRESS.branch}/24`, `${ADDRESS.branch6}/64`),
  `route add default via ${ADDRESS.firewallLan}`,
  `route add ::/0 via ${ADDRESS.firewallLan6}`,
];
const LAN_SIDE = [...on('lan0', `${ADDRESS.firewallLan}/24`, `${ADDRESS.firewallLan6}/64`)];
const WAN_SIDE = on('wan0', `${ADDRESS.firewall}/24`, `${ADDRESS.firewallSecond}/24`, `${ADDRESS.firewall6}/64`);
const WAN = [
  ...on('wan0', `${ADDRESS.target}/24`, `${ADDRESS.second}/24`, `${ADDRESS.target6}/64`),
  `route add 2001:db8:77::/64 via ${ADDRESS.firewall6}`,
];

/** The network of a name. */
export const topology = (name: TopologyName): Topology => {
  if (name === 'double-nat') {
    return {
      hosts: ['branch', 'fw', 'cgn', 'wan'],
      links: [
        ['branch', 'lan0', 'fw', 'lan0'],
        ['fw', 'wan0', 'cgn', 'lan0'],
        ['cgn', 'wan0', 'wan', 'wan0'],
      ],
      addresses: {
        branch: BRANCH,
        fw: [
          ...LAN_SIDE,
          ...on('wan0', `${ADDRESS.carrierOutside}/24`),
          `route add default via ${ADDRESS.carrierInside}`,
        ],
        cgn: [...on('lan0', `${ADDRESS.carrierInside}/24`), ...WAN_SIDE],
        wan: WAN,
      },
      rules: { fw: MASQUERADE, cgn: MASQUERADE },
    };
  }
  if (name === 'wired') {
    // A frame is a packet as it would be on a cable: nothing is left for a card to cut.
    const asOnACable = 'link set wan0 gso_max_segs 1';
    return {
      hosts: ['branch', 'fw', 'wire', 'wan'],
      links: [
        ['branch', 'lan0', 'fw', 'lan0'],
        ['fw', 'wan0', 'wire', 'in0'],
        ['wire', 'out0', 'wan', 'wan0'],
      ],
      addresses: { branch: BRANCH, fw: [...LAN_SIDE, ...WAN_SIDE, asOnACable], wan: [...WAN, asOnACable] },
      rules: { fw: MASQUERADE },
    };
  }
  const routeBack = name === 'routed' ? [`route add 10.77.0.0/24 via ${ADDRESS.firewall}`] : [];
  return {
    hosts: ['branch', 'fw', 'wan'],
    links: [
      ['branch', 'lan0', 'fw', 'lan0'],
      ['fw', 'wan0', 'wan', 'wan0'],
    ],
    addresses: { branch: BRANCH, fw: [...LAN_SIDE, ...WAN_SIDE], wan: [...WAN, ...routeBack] },
    rules: name === 'masquerade' ? { fw: MASQUERADE } : {},
  };
};
