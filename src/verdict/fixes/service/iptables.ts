/**
 * A whole service for iptables and ip6tables, as iptables-restore(8) reads it. Without --noflush it would empty the
 * tables; with it only the chains that the text names are emptied.
 */
import { writePorts } from '../ask.js';
import { groupsOf } from '../iptables.js';
import { ofFamily, PBX, type ServiceRule, type ServiceWriter } from './rules.js';

/** Chains have names of up to 28 characters (XT_EXTENSION_MAXNAMELEN, less its end). */
const MAX_CHAIN = 28;

const FAMILIES = [4, 6] as const;

/** A rule's own part, there and back, for each group of ports. */
const matchesOf = (rule: ServiceRule, family: 4 | 6): readonly (readonly [there: string, back: string])[] => {
  const networks = ofFamily(rule, family);
  if (networks === null) return [];
  const list = networks.join(',');
  const [to, from] =
    rule.direction === 'outbound'
      ? [list && `-d ${list} `, list && `-s ${list} `]
      : [`${list && `-s ${list} `}-d ${PBX[family]} `, `${list && `-d ${list} `}-s ${PBX[family]} `];
  return groupsOf(rule.ports).map((group) => {
    const ports = writePorts(group, ':', ',');
    return [
      `${to}-p ${rule.protocol} -m multiport --dports ${ports}`,
      `${from}-p ${rule.protocol} -m multiport --sports ${ports}`,
    ];
  });
};

const acceptLines = (chain: string, rule: ServiceRule, family: 4 | 6): readonly string[] => {
  const matches = matchesOf(rule, family);
  if (matches.length === 0) return [];
  return [
    ...rule.comments.map((comment) => `# ${comment}`),
    ...matches.flatMap(([there, back]) => [
      `-A ${chain} ${there} -m comment --comment callpath-${rule.row} -j ACCEPT`,
      `-A ${chain} ${back} -m conntrack --ctstate ESTABLISHED,RELATED -m comment --comment callpath-${rule.row} -j ACCEPT`,
    ]),
  ];
};

const markLines = (chain: string, rule: ServiceRule, family: 4 | 6): readonly string[] =>
  rule.dscp === null
    ? []
    : matchesOf(rule, family).map(([there]) => `-A ${chain} ${there} -j DSCP --set-dscp ${rule.dscp}`);

export const iptablesService: ServiceWriter = ({ profile, head, rules, udpTimeoutSeconds, hasPlainSip }) => {
  const chain = `CP-${profile}`.slice(0, MAX_CHAIN);
  const restore = (family: 4 | 6): readonly string[] => {
    const marks = rules.flatMap((rule) => markLines(chain, rule, family));
    const accepts = rules.flatMap((rule) => acceptLines(chain, rule, family));
    if (accepts.length === 0) return [];
    return [
      `${family === 4 ? 'iptables' : 'ip6tables'}-restore --noflush <<'EOF'`,
      '*filter',
      `:${chain} - [0:0]`,
      ...accepts,
      `-I FORWARD 1 -j ${chain}`,
      'COMMIT',
      ...(marks.length > 0 ? ['*mangle', `:${chain} - [0:0]`, ...marks, `-I FORWARD 1 -j ${chain}`, 'COMMIT'] : []),
      'EOF',
    ];
  };
  return [
    ...head.map((line) => `# ${line}`),
    ...(hasPlainSip
      ? ['# SIP helper: remove the rule in "iptables -t raw -S PREROUTING" that says CT --helper sip']
      : []),
    ...FAMILIES.flatMap(restore),
    ...(udpTimeoutSeconds === null
      ? []
      : [
          '# counts for all UDP: iptables alone cannot set it for one service',
          `sysctl -w net.netfilter.nf_conntrack_udp_timeout=${udpTimeoutSeconds}`,
          `sysctl -w net.netfilter.nf_conntrack_udp_timeout_stream=${udpTimeoutSeconds}`,
        ]),
    '',
  ].join('\n');
};
