/**
 * A whole service for Cisco ASA. `inside_access_in` and `outside_access_in` stand for the access lists of the two
 * interfaces ("show running-config access-group"). An ASA sets no DSCP of its own; it leaves the mark as it is.
 */
import { maskOf } from '../ask.js';
import { PBX, type ServiceRule, type ServiceWriter } from './rules.js';

const nameOf = (profile: string, rule: ServiceRule): string =>
  `CALLPATH-${profile}-${rule.row}-${rule.protocol}${rule.direction === 'inbound' ? '-in' : ''}`;

const ports = (name: string, rule: ServiceRule): readonly string[] => [
  `object-group service ${name}-PORTS ${rule.protocol}`,
  ...rule.ports.map(([from, to]) => (from === to ? ` port-object eq ${from}` : ` port-object range ${from} ${to}`)),
];

const places = (name: string, rule: ServiceRule): readonly string[] =>
  rule.networks.length === 0
    ? []
    : [
        `object-group network ${name}-PLACES`,
        ...rule.networks.map(({ family, address, length }) =>
          family === 4 ? ` network-object ${address} ${maskOf(length)}` : ` network-object ${address}/${length}`,
        ),
      ];

const entries = (name: string, rule: ServiceRule): readonly string[] => {
  const there = rule.networks.length > 0 ? `object-group ${name}-PLACES` : 'any';
  const service = `object-group ${name}-PORTS`;
  return rule.direction === 'outbound'
    ? [`access-list inside_access_in line 1 extended permit ${rule.protocol} any ${there} ${service}`]
    : [`access-list outside_access_in line 1 extended permit ${rule.protocol} ${there} host ${PBX[4]} ${service}`];
};

/** `0:02:10` for 130 seconds. */
const clock = (seconds: number): string =>
  [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0')))
    .join(':');

export const ciscoAsaService: ServiceWriter = ({ profile, head, rules, udpTimeoutSeconds, hasPlainSip }) =>
  [
    ...head.map((line) => `! ${line}`),
    ...rules.flatMap((rule) => {
      const name = nameOf(profile, rule);
      return [
        ...rule.comments.map((comment) => `! ${comment}`),
        ...(rule.dscp === null ? [] : [`! marked by phones with DSCP ${rule.dscp}; the ASA leaves the mark as it is`]),
        ...ports(name, rule),
        ...places(name, rule),
        ...entries(name, rule),
      ];
    }),
    ...(hasPlainSip ? ['policy-map global_policy', ' class inspection_default', '  no inspect sip'] : []),
    ...(udpTimeoutSeconds === null ? [] : ['! counts for all UDP', `timeout udp ${clock(udpTimeoutSeconds)}`]),
    '',
  ].join('\n');
