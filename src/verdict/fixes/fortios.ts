/**
 * FortiOS. Policies are tried in order, so the new one has to be moved to the top; `internal` and `wan1` stand for the
 * interfaces of the phones and of the line. No security profile is set, so nothing inspects what this policy passes.
 */
import {
  type Ask,
  maskOf,
  PLACEHOLDER,
  tellingApart,
  textOf,
  UDP_TIMEOUT_SECONDS,
  type Writer,
  writePorts,
} from './ask.js';

/** Editing an entry of the same name would take away what it held, so each request has names of its own. */
const nameOf = (ask: Ask): string =>
  `${ask.forTest ? 'callpath-test' : 'callpath'}${ask.kind === 'udp-timeout' ? '-idle' : ''}-${ask.protocol}-${ask.ports[0]?.[0] ?? 0}-${tellingApart(ask)}`;

/** FortiOS takes policy names of up to 35 characters, and refuses one that is there already. */
const MAX_POLICY_NAME = 35;

const v6 = (ask: Ask, four: string, six: string): string => (ask.family === 4 ? four : six);

const service = (ask: Ask, more: readonly string[] = []): readonly string[] => [
  'config firewall service custom',
  `    edit "${nameOf(ask)}"`,
  `        set ${ask.protocol}-portrange ${writePorts(ask.ports, '-', ' ')}`,
  ...more.map((line) => `        ${line}`),
  '    next',
  'end',
];

/** One object for each network; a single one has the name of its request. */
const objectOf = (ask: Ask, index: number): string => `${nameOf(ask)}${index === 0 ? '' : `-${index + 1}`}`;

const addresses = (ask: Ask): readonly string[] =>
  ask.networks.length === 0
    ? []
    : [
        `config firewall ${v6(ask, 'address', 'address6')}`,
        ...ask.networks.flatMap(({ address, length }, index) => [
          `    edit "${objectOf(ask, index)}"`,
          v6(ask, `        set subnet ${address} ${maskOf(length)}`, `        set ip6 ${address}/${length}`),
          '    next',
        ]),
        'end',
      ];

/** An object that does not exist is refused; one that is made of a wrong network would stand for everything. */
const there = (ask: Ask): string =>
  ask.networks.length === 0
    ? `"${PLACEHOLDER}"`
    : ask.networks.map((_, index) => `"${objectOf(ask, index)}"`).join(' ');

const policy = (ask: Ask): readonly string[] => [
  'config firewall policy',
  '    edit 0',
  `        set name "${nameOf(ask).slice(0, MAX_POLICY_NAME)}"`,
  '        set srcintf "internal"',
  '        set dstintf "wan1"',
  `        set ${v6(ask, 'srcaddr', 'srcaddr6')} "all"`,
  `        set ${v6(ask, 'dstaddr', 'dstaddr6')} ${there(ask)}`,
  '        set action accept',
  '        set schedule "always"',
  `        set service "${nameOf(ask)}"`,
  '        set utm-status disable',
  ...(ask.family === 4 ? ['        set nat enable'] : []),
  '    next',
  'end',
];

/** The proxy's ALG gives way to the kernel's helper, and the helper for SIP goes. */
export const ALG_OFF: readonly string[] = [
  'config system settings',
  '    set default-voip-alg-mode kernel-helper-based',
  'end',
  '# <id>: of the entry named sip in "show system session-helper"; on most devices it is 13',
  'config system session-helper',
  '    delete <id>',
  'end',
];

/** The last address of an IPv4 network: a session filter takes ranges and no masks. */
const lastOf = (address: string, length: number): string => {
  const host = length === 32 ? 0 : 0xffffffff >>> length;
  const first = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return [24, 16, 8, 0].map((shift) => ((first + host) >>> shift) & 0xff).join('.');
};

/** Sessions of these networks; of the ports, where nobody knows the networks, or a filter cannot name them. */
const clearing = ({ networks, family, ports }: Ask): readonly string[] => {
  const filters =
    networks.length > 0 && family === 4
      ? networks.map((one) =>
          textOf(one) === one.address ? `dst ${one.address}` : `dst ${one.address} ${lastOf(one.address, one.length)}`,
        )
      : ports.map(([from, to]) => `dport ${from === to ? String(from) : `${from} ${to}`}`);
  const menu = family === 4 ? 'session' : 'session6';
  return filters.flatMap((filter) => [
    `diagnose sys ${menu} filter clear`,
    `diagnose sys ${menu} filter ${filter}`,
    `diagnose sys ${menu} clear`,
  ]);
};

export const fortios: Writer = (ask) => {
  switch (ask.kind) {
    case 'allow':
      return [
        '# then move it above the policy that denies: config firewall policy / move <new> before <old>',
        ...addresses(ask),
        ...service(ask),
        ...policy(ask),
      ].join('\n');
    case 'alg-off':
      return [
        ...ALG_OFF,
        '# a policy that has a VoIP profile goes on using the ALG: unset voip-profile there',
        '# sessions that exist keep it: forget them',
        ...clearing(ask),
      ].join('\n');
    case 'udp-timeout':
      return [
        '# takes the place of the service in the policy that passes it',
        ...service(ask, [`set udp-idle-timer ${UDP_TIMEOUT_SECONDS}`]),
      ].join('\n');
    case 'static-port':
      return [
        '# <id>: of the policy that lets the PBX out',
        'config firewall policy',
        '    edit <id>',
        '        set fixedport enable',
        '    next',
        'end',
      ].join('\n');
    case 'no-redirect':
    case 'far-side':
    case 'advise':
      return null;
  }
};
