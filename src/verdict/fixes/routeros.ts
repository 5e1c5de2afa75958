/** MikroTik RouterOS. `place-before=0` stands ahead of whatever drops. */
import { type Ask, UDP_TIMEOUT_SECONDS, type Writer, writePorts } from './ask.js';

const menu = ({ family }: Ask): string => (family === 4 ? '/ip' : '/ipv6');
const ports = (ask: Ask): string => writePorts(ask.ports, '-', ',');

export const routeros: Writer = (ask) => {
  const there = `protocol=${ask.protocol} dst-address=${ask.address} dst-port=${ports(ask)}`;
  const back = `protocol=${ask.protocol} src-address=${ask.address} src-port=${ports(ask)}`;
  switch (ask.kind) {
    case 'allow':
      return [
        `${menu(ask)} firewall filter add chain=forward action=accept ${there} comment=callpath place-before=0`,
        `${menu(ask)} firewall filter add chain=forward action=accept connection-state=established,related ${back} comment=callpath place-before=0`,
      ].join('\n');
    case 'alg-off':
      return [
        '/ip firewall service-port set sip disabled=yes',
        '# connections that exist keep it: forget them',
        `${menu(ask)} firewall connection remove [find where dst-address~"${ask.address}"]`,
      ].join('\n');
    case 'no-redirect':
      return `${menu(ask)} firewall nat add chain=dstnat action=accept ${there} comment=callpath place-before=0`;
    case 'udp-timeout':
      return [
        '# counts for all UDP: RouterOS has one value for it',
        `/ip firewall connection tracking set udp-timeout=${UDP_TIMEOUT_SECONDS}s udp-stream-timeout=${UDP_TIMEOUT_SECONDS}s`,
      ].join('\n');
    case 'static-port':
    case 'far-side':
    case 'advise':
      return null;
  }
};
