/** MikroTik RouterOS. `place-before=0` stands ahead of whatever drops. */
import { type Ask, markOf, placesOf, tellingApart, UDP_TIMEOUT_SECONDS, type Writer, writePorts } from './ask.js';

const menu = ({ family }: Ask): string => (family === 4 ? '/ip' : '/ipv6');
const ports = (ask: Ask): string => writePorts(ask.ports, '-', ',');

/** A rule names one network, or a list of them; where nobody knows them, there may be several. */
const listOf = (ask: Ask): string | null => (ask.networks.length !== 1 ? `callpath-${tellingApart(ask)}` : null);

const lists = (ask: Ask): readonly string[] => {
  const list = listOf(ask);
  return list === null
    ? []
    : placesOf(ask).map((place) => `${menu(ask)} firewall address-list add list=${list} address=${place}`);
};

const side = (ask: Ask, which: 'dst' | 'src'): string => {
  const list = listOf(ask);
  return list === null ? `${which}-address=${placesOf(ask).join()}` : `${which}-address-list=${list}`;
};

/** Connections of one address, or of the ports, wherever they lead. */
const flowsOf = (ask: Ask): string => {
  const [first] = placesOf(ask);
  if (ask.networks.length === 1 && first && !first.includes('/')) return `dst-address~"${first}"`;
  const ends = ask.ports.flatMap(([from, to]) => [...new Set([from, to])]).map((port) => `dst-address~":${port}"`);
  return `protocol=${ask.protocol} and (${ends.join(' or ')})`;
};

export const routeros: Writer = (ask) => {
  const there = `protocol=${ask.protocol} ${side(ask, 'dst')} dst-port=${ports(ask)}`;
  const back = `protocol=${ask.protocol} ${side(ask, 'src')} src-port=${ports(ask)}`;
  switch (ask.kind) {
    case 'allow':
      return [
        ...lists(ask),
        `${menu(ask)} firewall filter add chain=forward action=accept ${there} comment=${markOf(ask)} place-before=0`,
        `${menu(ask)} firewall filter add chain=forward action=accept connection-state=established,related ${back} comment=${markOf(ask)} place-before=0`,
      ].join('\n');
    case 'alg-off':
      return [
        '/ip firewall service-port set sip disabled=yes',
        '# connections that exist keep it: forget them',
        `${menu(ask)} firewall connection remove [find where ${flowsOf(ask)}]`,
      ].join('\n');
    case 'no-redirect':
      return [
        ...lists(ask),
        `${menu(ask)} firewall nat add chain=dstnat action=accept ${there} comment=${markOf(ask)} place-before=0`,
      ].join('\n');
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
