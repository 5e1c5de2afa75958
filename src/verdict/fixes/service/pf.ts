/**
 * A whole service for pf (pf.conf(5) of FreeBSD, OPNsense and pfSense). `quick` ends the search, so it belongs above what
 * blocks; `$lan_if` is the interface of the phones, `$wan_if` that of the line. pf marks nothing here: phones do.
 */
import { writePorts } from '../ask.js';
import { ofFamily, PBX, type ServiceRule, type ServiceWriter } from './rules.js';

const FAMILIES = [4, 6] as const;

const linesOf = (rule: ServiceRule, family: 4 | 6, timeout: string): readonly string[] => {
  const networks = ofFamily(rule, family);
  if (networks === null) return [];
  const inet = family === 4 ? 'inet' : 'inet6';
  const there = networks.length > 0 ? `{ ${networks.join(' ')} }` : 'any';
  const port = `port { ${writePorts(rule.ports, ':', ' ')} }`;
  return rule.direction === 'outbound'
    ? [`pass in quick on $lan_if ${inet} proto ${rule.protocol} from any to ${there} ${port} keep state${timeout}`]
    : [
        `pass in quick on $wan_if ${inet} proto ${rule.protocol} from ${there} to ${PBX[family]} ${port} keep state${timeout}`,
      ];
};

export const pfService: ServiceWriter = ({ head, rules, udpTimeoutSeconds, hasPlainSip }) =>
  [
    ...head.map((line) => `# ${line}`),
    ...(hasPlainSip ? ['# pf itself has no SIP ALG: remove a SIP proxy that was added (siproxd)'] : []),
    ...rules.flatMap((rule) => {
      const timeout =
        rule.protocol === 'udp' && udpTimeoutSeconds !== null
          ? ` (udp.single ${udpTimeoutSeconds}, udp.multiple ${udpTimeoutSeconds})`
          : '';
      return [
        ...rule.comments.map((comment) => `# ${comment}`),
        ...(rule.dscp === null ? [] : [`# marked by phones with DSCP ${rule.dscp}; pf leaves the mark as it is`]),
        ...FAMILIES.flatMap((family) => linesOf(rule, family, timeout)),
      ];
    }),
    '',
  ].join('\n');
