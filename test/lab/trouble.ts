/**
 * Networks that are silent for another reason than a port: nft text for lines that go away, bundles of which one
 * member is dead, first packets that are lost, and guards that shut a host out. Pure; the firewall carries it out.
 */

/** By the branch's address: as a packet leaves, and as its answer comes back behind the NAT. */
const OUT = 'iifname "lan0"';
const BACK = 'iifname "wan0"';

const table = (name: string, sets: readonly string[], priority: number, rules: readonly string[]): string => `
table ip ${name} {
  ${sets.join('\n  ')}
  chain forward {
    type filter hook forward priority ${priority};
    ${rules.join('\n    ')}
  }
}
`;

/** Before `forward(…)` of the scenario, so that what is away counts nowhere else. */
const BEFORE_FILTERS = -20;

const hosts = (name: string, { timeout = false } = {}): string =>
  `set ${name} { type ipv4_addr; flags dynamic${timeout ? ',timeout' : ''}; size 64; }`;

/** nft knows whole units only. */
const duration = (seconds: number): string => `${Math.round(seconds * 1000)}ms`;

/** Matches from the packet after the `count`-th on: a bucket that refills once a day. */
const afterPackets = (count: number): string => `limit rate over 1/day burst ${count} packets`;

export interface Outage {
  /** So many packets of the branch after its first one, or so long after it. */
  readonly after: { readonly packets: number } | { readonly seconds: number };
  /** Null: it does not come back. */
  readonly seconds: number | null;
  /** Default everything. */
  readonly what?: 'everything' | 'udp' | 'tcp';
  /** Default both. */
  readonly direction?: 'both' | 'outbound' | 'inbound';
  /** An nft match for what the branch sends, for some ports alone: what comes back passes. */
  readonly only?: string;
  /** What becomes of it. Default `drop`. */
  readonly verdict?: string;
}

const WHAT = { everything: '', udp: 'meta l4proto udp ', tcp: 'meta l4proto tcp ' } as const;

/** A line that is away for a time, once. */
export const outage = ({
  after,
  seconds,
  what = 'everything',
  only = '',
  direction = only ? 'outbound' : 'both',
  verdict = 'drop',
}: Outage): string => {
  const until = (from: number): string =>
    seconds === null ? '' : ` add @until { ip saddr timeout ${duration(from + seconds)} }`;
  const begin =
    'packets' in after
      ? `${OUT} ip saddr != @begun ${WHAT[what]}${afterPackets(after.packets)} add @begun { ip saddr }${until(0)}`
      : `${OUT} ip saddr != @begun add @begun { ip saddr }${
          // A timeout of nothing would be for ever.
          after.seconds > 0 ? ` add @before { ip saddr timeout ${duration(after.seconds)} }` : ''
        }${until(after.seconds)}`;
  const away = (address: string): string =>
    `${address} @begun ${address} != @before ${seconds === null ? '' : `${address} @until `}${WHAT[what]}${only} ${verdict}`;
  return table(
    'outage',
    [hosts('begun'), hosts('before', { timeout: true }), hosts('until', { timeout: true })],
    BEFORE_FILTERS,
    [
      begin,
      ...(direction === 'inbound' ? [] : [`${OUT} ${away('ip saddr')}`]),
      ...(direction === 'outbound' ? [] : [`${BACK} ${away('ip daddr')}`]),
    ],
  );
};

/** Everything is refused for a time, as a host does on which nothing listens; counted from the branch's first packet. */
export const refusedWhile = ({
  fromSeconds,
  seconds,
}: {
  readonly fromSeconds: number;
  readonly seconds: number;
}): string => {
  const before = fromSeconds > 0 ? ` add @before { ip saddr timeout ${duration(fromSeconds)} }` : '';
  const refused = `${OUT} ip saddr @until ip saddr != @before`;
  return table(
    'refusal',
    [hosts('begun'), hosts('before', { timeout: true }), hosts('until', { timeout: true })],
    BEFORE_FILTERS,
    [
      `${OUT} ip saddr != @begun add @begun { ip saddr }${before} add @until { ip saddr timeout ${duration(fromSeconds + seconds)} }`,
      `${refused} meta l4proto tcp reject with tcp reset`,
      `${refused} meta l4proto udp reject with icmp type port-unreachable`,
    ],
  );
};

interface DeadMember {
  readonly transport?: 'udp' | 'tcp';
  /** Default outbound. */
  readonly direction?: 'outbound' | 'inbound';
  /** One of so many. */
  readonly of: number;
  /** Which flows it hits. */
  readonly seed: number;
}

/** A bundle that shares flows out by their addresses and ports, one member of which loses everything. */
export const deadMember = ({ transport = 'udp', direction = 'outbound', of, seed }: DeadMember): string =>
  table('bundle', [], 0, [
    `${direction === 'outbound' ? OUT : BACK} meta l4proto ${transport} jhash ip saddr . ${transport} sport . ip daddr . ${transport} dport mod ${of} seed ${seed} == 0 drop`,
  ]);

/** The first packet of each UDP flow is lost in one direction (an address that must be resolved, a flow's set-up in hardware). */
export const firstLost = ({
  direction = 'outbound',
  only = '',
  packets = 1,
}: {
  readonly direction?: 'outbound' | 'inbound';
  /** So many of each flow; default one. */
  readonly packets?: number;
  /** An nft match, for some ports alone. */
  readonly only?: string;
} = {}): string => {
  const side = direction === 'outbound' ? OUT : BACK;
  const flow = 'ip saddr . udp sport . ip daddr . udp dport';
  return table(
    'first',
    [
      'set seen { typeof ip saddr . udp sport . ip daddr . udp dport; flags dynamic,timeout; timeout 60s; size 65535; }',
    ],
    0,
    [
      ...(packets === 1
        ? [
            `${side} meta l4proto udp ${only} ${flow} @seen accept`,
            `${side} meta l4proto udp ${only} add @seen { ${flow} } drop`,
          ]
        : [
            `${side} meta l4proto udp ${only} update @seen { ${flow} ${afterPackets(packets)} } accept`,
            `${side} meta l4proto udp ${only} drop`,
          ]),
    ],
  );
};

interface CutOff {
  /** What is counted: an nft match, e.g. `meta l4proto udp`. */
  readonly counts: string;
  /** `packets`: so many and no more. `flows`: packets of flows that nobody has answered yet; `perSecond` refills. */
  readonly after: { readonly packets: number } | { readonly flows: number; readonly perSecond: number };
  /** What is dropped from then on: an nft match; default everything of this host. */
  readonly drops?: string;
  /** Null: for good. */
  readonly seconds: number | null;
}

/** A guard that shuts a host out once it has sent too much. */
export const cutOff = ({ counts, after, drops = '', seconds }: CutOff): string => {
  const over =
    'packets' in after
      ? afterPackets(after.packets)
      : `ct state new limit rate over ${after.perSecond}/second burst ${after.flows} packets`;
  const element = `ip saddr${seconds === null ? '' : ` timeout ${duration(seconds)}`}`;
  return table('guard', [hosts('shut', { timeout: seconds !== null })], 0, [
    `${OUT} ip saddr @shut ${drops} drop`,
    `${OUT} ip saddr != @shut ${counts} ${over} add @shut { ${element} } drop`,
  ]);
};

/** What a report must not say of a far end that had proven itself and was then cut off from us. */
export const STOPPED =
  /stopped answering|does not answer unknown clients|a test against a reflector|may not be running/;

/** What a report must not say of a path that is late and loses nothing. */
export const NO_LOSS = [/[Cc]hoppy|Wi-Fi|[Oo]verloaded|loses packets/] as const;
