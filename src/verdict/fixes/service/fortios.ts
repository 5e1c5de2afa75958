/**
 * A whole service for FortiOS. Policies are tried in order, so the new ones have to be moved to the top; `internal` and
 * `wan1` stand for the interfaces of the phones and of the line. They carry no security profile, so nothing inspects
 * what they pass.
 */
import { maskOf, writePorts } from '../ask.js';
import { ALG_OFF } from '../fortios.js';
import { PBX, type ServiceRule, type ServiceWriter } from './rules.js';

/** FortiOS takes policy names of up to 35 characters. */
const MAX_POLICY_NAME = 35;

const nameOf = (profile: string, rule: ServiceRule): string =>
  `callpath-${profile}-${rule.row}-${rule.protocol}${rule.direction === 'inbound' ? '-in' : ''}`;

const edit = (name: string, ...lines: readonly string[]): readonly string[] => [
  `    edit "${name}"`,
  ...lines.map((line) => `        ${line}`),
  '    next',
];

const table = (name: string, entries: readonly string[]): readonly string[] =>
  entries.length === 0 ? [] : [`config firewall ${name}`, ...entries, 'end'];

interface Places {
  readonly four: readonly string[];
  readonly six: readonly string[];
  readonly lines: readonly string[];
}

/** Address objects, and the names under which a policy refers to them; none: anywhere. */
const placesOf = (name: string, rule: ServiceRule): Places => {
  if (rule.networks.length === 0 && rule.hosts.length === 0) return { four: ['all'], six: ['all'], lines: [] };
  const four = rule.networks.filter(({ family }) => family === 4);
  const six = rule.networks.filter(({ family }) => family === 6);
  const own = (index: number, what: string): string => `${name}-${what}${index + 1}`;
  return {
    four: [...four.map((_, index) => own(index, 'net')), ...rule.hosts.map((_, index) => own(index, 'name'))],
    six: six.map((_, index) => own(index, 'net6-')),
    lines: [
      ...table('address', [
        ...four.flatMap(({ address, length }, index) =>
          edit(own(index, 'net'), `set subnet ${address} ${maskOf(length)}`),
        ),
        ...rule.hosts.flatMap((host, index) => edit(own(index, 'name'), 'set type fqdn', `set fqdn "${host}"`)),
      ]),
      ...table(
        'address6',
        six.flatMap(({ address, length }, index) => edit(own(index, 'net6-'), `set ip6 ${address}/${length}`)),
      ),
    ],
  };
};

/** Six bits, as diffservcode-forward wants them. */
const bits = (dscp: number): string => dscp.toString(2).padStart(6, '0');

const policyOf = (name: string, rule: ServiceRule, { four, six }: Places): readonly string[] => {
  const outbound = rule.direction === 'outbound';
  const quote = (names: readonly string[]): string => names.map((one) => `"${one}"`).join(' ');
  const there = [
    ...(four.length > 0 ? [`set ${outbound ? 'dstaddr' : 'srcaddr'} ${quote(four)}`] : []),
    ...(six.length > 0 ? [`set ${outbound ? 'dstaddr6' : 'srcaddr6'} ${quote(six)}`] : []),
  ];
  const here = outbound
    ? [...(four.length > 0 ? ['set srcaddr "all"'] : []), ...(six.length > 0 ? ['set srcaddr6 "all"'] : [])]
    : [
        ...(four.length > 0 ? ['set dstaddr "callpath-pbx"'] : []),
        ...(six.length > 0 ? ['set dstaddr6 "callpath-pbx6"'] : []),
      ];
  return table('policy', [
    '    edit 0',
    ...[
      `set name "${name.slice(0, MAX_POLICY_NAME)}"`,
      `set srcintf "${outbound ? 'internal' : 'wan1'}"`,
      `set dstintf "${outbound ? 'wan1' : 'internal'}"`,
      ...here,
      ...there,
      'set action accept',
      'set schedule "always"',
      `set service "${name}"`,
      'set utm-status disable',
      ...(rule.dscp === null ? [] : ['set diffserv-forward enable', `set diffservcode-forward ${bits(rule.dscp)}`]),
      ...(outbound ? ['set nat enable'] : []),
    ].map((line) => `        ${line}`),
    '    next',
  ]);
};

export const fortiosService: ServiceWriter = ({ profile, head, rules, udpTimeoutSeconds, hasPlainSip }) =>
  [
    ...head.map((line) => `# ${line}`),
    '# then move the policies above the one that denies: config firewall policy / move <new> before <old>',
    ...(rules.some(({ direction }) => direction === 'inbound')
      ? [
          ...table('address', edit('callpath-pbx', `set subnet ${PBX[4]} 255.255.255.255`)),
          ...table('address6', edit('callpath-pbx6', `set ip6 ${PBX[6]}/128`)),
        ]
      : []),
    ...rules.flatMap((rule) => {
      const name = nameOf(profile, rule);
      const places = placesOf(name, rule);
      return [
        ...rule.comments.map((comment) => `# ${comment}`),
        ...table(
          'service custom',
          edit(
            name,
            `set ${rule.protocol}-portrange ${writePorts(rule.ports, '-', ' ')}`,
            ...(rule.protocol === 'udp' && udpTimeoutSeconds !== null
              ? [`set udp-idle-timer ${udpTimeoutSeconds}`]
              : []),
          ),
        ),
        ...places.lines,
        ...policyOf(name, rule, places),
      ];
    }),
    ...(hasPlainSip ? ALG_OFF : []),
    '',
  ].join('\n');
