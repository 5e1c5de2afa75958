/**
 * A whole service for nftables (nft(8)): chains of its own, to which the forward chain jumps first. Loading it again
 * replaces the chains; the jump then stands twice and does no harm.
 */
import { writePorts } from '../ask.js';
import { NFT_CHAINS } from '../nftables.js';
import { ofFamily, PBX, type ServiceRule, type ServiceWriter } from './rules.js';

const FAMILIES = [4, 6] as const;
const word = (family: 4 | 6): 'ip' | 'ip6' => (family === 4 ? 'ip' : 'ip6');

interface Match {
  readonly family: 4 | 6 | null;
  readonly there: string;
  readonly back: string;
}

/** What a rule matches, once for each family that it names, once for both where it names none. */
const matchesOf = (rule: ServiceRule): readonly Match[] => {
  const ports = `{ ${writePorts(rule.ports)} }`;
  const match = (family: 4 | 6 | null, to: string, from: string): Match => ({
    family,
    there: `${to}${rule.protocol} dport ${ports}`,
    back: `${from}${rule.protocol} sport ${ports}`,
  });
  if (rule.direction === 'inbound') {
    return FAMILIES.flatMap((family) => {
      const networks = ofFamily(rule, family);
      if (networks === null) return [];
      const ip = word(family);
      const from = networks.length > 0 ? `${ip} saddr { ${networks.join(', ')} } ` : '';
      const to = networks.length > 0 ? `${ip} daddr { ${networks.join(', ')} } ` : '';
      return [match(family, `${from}${ip} daddr ${PBX[family]} `, `${to}${ip} saddr ${PBX[family]} `)];
    });
  }
  if (rule.networks.length === 0) return [match(null, '', '')];
  return FAMILIES.flatMap((family) => {
    const networks = ofFamily(rule, family);
    if (networks === null) return [];
    const set = `{ ${networks.join(', ')} } `;
    return [match(family, `${word(family)} daddr ${set}`, `${word(family)} saddr ${set}`)];
  });
};

const acceptLines = (rule: ServiceRule): readonly string[] => [
  ...rule.comments.map((comment) => `    # ${comment}`),
  ...matchesOf(rule).flatMap(({ there, back }) => [
    `    ${there} counter accept comment "callpath ${rule.row}"`,
    `    ${back} ct state established,related counter accept comment "callpath ${rule.row}"`,
  ]),
];

const markLines = (rule: ServiceRule): readonly string[] =>
  rule.dscp === null
    ? []
    : matchesOf(rule).flatMap(({ family, there }) =>
        FAMILIES.filter((one) => family === null || family === one).map(
          (one) => `    meta nfproto ${one === 4 ? 'ipv4' : 'ipv6'} ${there} ${word(one)} dscp set ${rule.dscp}`,
        ),
      );

const timeoutLines = (rules: readonly ServiceRule[], seconds: number): readonly string[] => [
  ...FAMILIES.flatMap((family) => [
    `  ct timeout voice-${word(family)} {`,
    '    protocol udp',
    `    l3proto ${word(family)}`,
    `    policy = { unreplied : ${seconds}, replied : ${seconds} }`,
    '  }',
  ]),
  '  chain prerouting {',
  '    type filter hook prerouting priority filter',
  ...rules
    .filter(({ protocol, direction }) => protocol === 'udp' && direction === 'outbound')
    .flatMap((rule) =>
      matchesOf(rule).flatMap(({ family, there }) =>
        FAMILIES.filter((one) => family === null || family === one).map(
          (one) => `    meta nfproto ${one === 4 ? 'ipv4' : 'ipv6'} ${there} ct timeout set "voice-${word(one)}"`,
        ),
      ),
    ),
  '  }',
];

export const nftablesService: ServiceWriter = ({ profile, head, rules, udpTimeoutSeconds, hasPlainSip }) => {
  const [family, table] = NFT_CHAINS.forward.split(' ');
  const chain = `callpath-${profile}`;
  const own = `callpath-${profile}`;
  const marks = rules.flatMap(markLines);
  const hasOwn = marks.length > 0 || udpTimeoutSeconds !== null;
  return [
    ...head.map((line) => `# ${line}`),
    `# family, table and chain as "nft list ruleset" shows them; here: ${NFT_CHAINS.forward}`,
    ...(hasPlainSip ? ['# SIP helper: take "ct helper set" of SIP out of your rules'] : []),
    "nft -f - <<'EOF'",
    `table ${family} ${table} {`,
    `  chain ${chain} {`,
    '  }',
    '}',
    `flush chain ${family} ${table} ${chain}`,
    `table ${family} ${table} {`,
    `  chain ${chain} {`,
    ...rules.flatMap(acceptLines),
    '  }',
    '}',
    `insert rule ${NFT_CHAINS.forward} jump ${chain}`,
    ...(hasOwn
      ? [
          `table inet ${own} {`,
          '}',
          `delete table inet ${own}`,
          `table inet ${own} {`,
          ...(marks.length > 0
            ? ['  chain marking {', '    type filter hook forward priority mangle', ...marks, '  }']
            : []),
          ...(udpTimeoutSeconds === null ? [] : timeoutLines(rules, udpTimeoutSeconds)),
          '}',
        ]
      : []),
    'EOF',
    '',
  ].join('\n');
};
