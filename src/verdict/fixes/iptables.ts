/** iptables(8) and ip6tables(8). `-I … 1` stands ahead of whatever drops. */
import { type Ask, markOf, type PortRun, placesOf, UDP_TIMEOUT_SECONDS, type Writer, writePorts } from './ask.js';
import { forgetFlows } from './conntrack.js';

/** iptables-extensions(8), multiport: up to 15 ports can be specified, and a range counts as two. */
const MULTIPORT_MAX = 15;

/** Ports in as many groups as multiport takes at a time. */
export const groupsOf = (ports: readonly PortRun[]): readonly (readonly PortRun[])[] => {
  const groups: PortRun[][] = [];
  let weight = MULTIPORT_MAX + 1;
  for (const run of ports) {
    const own = run[0] === run[1] ? 1 : 2;
    weight += own;
    if (weight > MULTIPORT_MAX) {
      groups.push([]);
      weight = own;
    }
    groups.at(-1)?.push(run);
  }
  return groups;
};

const command = ({ family }: Ask): string => (family === 4 ? 'iptables' : 'ip6tables');

const there = (ask: Ask, chain: string): readonly string[] =>
  groupsOf(ask.ports).map(
    (group) =>
      `${command(ask)} ${chain} 1 -d ${placesOf(ask).join(',')} -p ${ask.protocol} -m multiport --dports ${writePorts(group, ':', ',')} -m comment --comment ${markOf(ask)} -j ACCEPT`,
  );

const back = (ask: Ask, chain: string): readonly string[] =>
  groupsOf(ask.ports).map(
    (group) =>
      `${command(ask)} ${chain} 1 -s ${placesOf(ask).join(',')} -p ${ask.protocol} -m multiport --sports ${writePorts(group, ':', ',')} -m conntrack --ctstate ESTABLISHED,RELATED -m comment --comment ${markOf(ask)} -j ACCEPT`,
  );

export const iptables: Writer = (ask) => {
  switch (ask.kind) {
    case 'allow':
      return [...there(ask, '-I FORWARD'), ...back(ask, '-I FORWARD')].join('\n');
    case 'alg-off':
      return [
        '# ahead of the rule in "iptables -t raw -S PREROUTING" that says CT --helper sip',
        ...there(ask, '-t raw -I PREROUTING'),
        ...forgetFlows(ask),
      ].join('\n');
    case 'no-redirect':
      return [...there(ask, '-t nat -I PREROUTING'), ...forgetFlows(ask)].join('\n');
    case 'udp-timeout':
      return [
        '# counts for all UDP: iptables alone cannot set it for one address',
        `sysctl -w net.netfilter.nf_conntrack_udp_timeout=${UDP_TIMEOUT_SECONDS}`,
        `sysctl -w net.netfilter.nf_conntrack_udp_timeout_stream=${UDP_TIMEOUT_SECONDS}`,
      ].join('\n');
    case 'static-port':
    case 'far-side':
    case 'advise':
      return null;
  }
};
