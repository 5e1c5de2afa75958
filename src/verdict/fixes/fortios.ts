/**
 * FortiOS. Policies are tried in order, so the new one has to be moved to the top; `internal` and `wan1` stand for the
 * interfaces of the phones and of the line. No security profile is set, so nothing inspects what this policy passes.
 */
import { type Ask, UDP_TIMEOUT_SECONDS, type Writer, writePorts } from './ask.js';

/** Editing an entry of the same name would take away what it held, so each request has names of its own. */
const nameOf = ({ kind, address, protocol, ports }: Ask): string =>
  `${kind === 'udp-timeout' ? 'callpath-idle' : 'callpath'}-${protocol}-${ports[0]?.[0] ?? 0}-${address}`;

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

const address = (ask: Ask): readonly string[] => [
  `config firewall ${v6(ask, 'address', 'address6')}`,
  `    edit "${nameOf(ask)}"`,
  v6(ask, `        set subnet ${ask.address} 255.255.255.255`, `        set ip6 ${ask.address}/128`),
  '    next',
  'end',
];

const policy = (ask: Ask): readonly string[] => [
  'config firewall policy',
  '    edit 0',
  `        set name "${nameOf(ask).slice(0, MAX_POLICY_NAME)}"`,
  '        set srcintf "internal"',
  '        set dstintf "wan1"',
  `        set ${v6(ask, 'srcaddr', 'srcaddr6')} "all"`,
  `        set ${v6(ask, 'dstaddr', 'dstaddr6')} "${nameOf(ask)}"`,
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

export const fortios: Writer = (ask) => {
  switch (ask.kind) {
    case 'allow':
      return [
        '# then move it above the policy that denies: config firewall policy / move <new> before <old>',
        ...address(ask),
        ...service(ask),
        ...policy(ask),
      ].join('\n');
    case 'alg-off':
      return [
        ...ALG_OFF,
        '# a policy that has a VoIP profile goes on using the ALG: unset voip-profile there',
        '# sessions that exist keep it: forget them',
        'diagnose sys session filter clear',
        `diagnose sys session filter dst ${ask.address}`,
        'diagnose sys session clear',
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
