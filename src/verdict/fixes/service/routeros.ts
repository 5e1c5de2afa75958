/** A whole service for MikroTik RouterOS. Address lists take names as well, which the router resolves and follows. */
import { writePorts } from '../ask.js';
import { ofFamily, PBX, type ServiceRule, type ServiceWriter } from './rules.js';

const FAMILIES = [4, 6] as const;
const menu = (family: 4 | 6): string => (family === 4 ? '/ip' : '/ipv6');

/** A firewall rule's comment is quoted: nothing in it may end the quote or begin a variable. */
const quoted = (text: string): string => text.replace(/["\\$]/g, "'");

const linesOf = (profile: string, rule: ServiceRule, family: 4 | 6): readonly string[] => {
  const networks = ofFamily(rule, family);
  if (networks === null) return [];
  const list = `callpath-${profile}-${rule.row}`;
  const places = [...networks, ...rule.hosts];
  const outbound = rule.direction === 'outbound';
  const there = places.length > 0 ? ` ${outbound ? 'dst' : 'src'}-address-list=${list}` : '';
  const back = places.length > 0 ? ` ${outbound ? 'src' : 'dst'}-address-list=${list}` : '';
  const pbx = (side: 'dst' | 'src'): string => (outbound ? '' : ` ${side}-address=${PBX[family]}`);
  const ports = writePorts(rule.ports, '-', ',');
  const comment = `comment="callpath ${quoted(rule.row)}"`;
  return [
    ...places.map((place) => `${menu(family)} firewall address-list add list=${list} address=${place}`),
    `${menu(family)} firewall filter add chain=forward action=accept protocol=${rule.protocol}${there}${pbx('dst')} dst-port=${ports} ${comment} place-before=0`,
    `${menu(family)} firewall filter add chain=forward action=accept connection-state=established,related protocol=${rule.protocol}${back}${pbx('src')} src-port=${ports} ${comment} place-before=0`,
    ...(rule.dscp === null
      ? []
      : [
          `${menu(family)} firewall mangle add chain=forward action=change-dscp new-dscp=${rule.dscp} protocol=${rule.protocol}${there}${pbx('dst')} dst-port=${ports} ${comment}`,
        ]),
  ];
};

export const routerosService: ServiceWriter = ({ profile, head, rules, udpTimeoutSeconds, hasPlainSip }) =>
  [
    ...head.map((line) => `# ${line}`),
    ...rules.flatMap((rule) => [
      ...rule.comments.map((comment) => `# ${comment}`),
      ...FAMILIES.flatMap((family) => linesOf(profile, rule, family)),
    ]),
    ...(hasPlainSip ? ['/ip firewall service-port set sip disabled=yes'] : []),
    ...(udpTimeoutSeconds === null
      ? []
      : [
          '# counts for all UDP: RouterOS has one value for it',
          `/ip firewall connection tracking set udp-timeout=${udpTimeoutSeconds}s udp-stream-timeout=${udpTimeoutSeconds}s`,
        ]),
    '',
  ].join('\n');
