/**
 * pf, as pf.conf(5) of FreeBSD, OPNsense and pfSense. `quick` ends the search, so the rule belongs above what blocks;
 * `$lan_if` is the interface of the phones, `$wan_if` that of the line. pf rewrites no SIP; where a helper was added it is a package of its own.
 */
import { type Ask, placesOf, UDP_TIMEOUT_SECONDS, type Writer, writePorts } from './ask.js';

const places = (ask: Ask): string => {
  const all = placesOf(ask);
  // Where nobody knows the networks, there may be several.
  return ask.networks.length === 1 ? all.join() : `{ ${all.join(' ')} }`;
};

const matching = (ask: Ask): string =>
  `${ask.family === 4 ? 'inet' : 'inet6'} proto ${ask.protocol} from any to ${places(ask)} port { ${writePorts(ask.ports, ':', ' ')} }`;

export const pf: Writer = (ask) => {
  switch (ask.kind) {
    case 'allow':
      return `pass in quick on $lan_if ${matching(ask)} keep state`;
    case 'no-redirect':
      return `no rdr on $lan_if ${matching(ask)}`;
    case 'udp-timeout':
      return `pass in quick on $lan_if ${matching(ask)} keep state (udp.single ${UDP_TIMEOUT_SECONDS}, udp.multiple ${UDP_TIMEOUT_SECONDS})`;
    case 'static-port':
      return `nat on $wan_if ${matching(ask)} -> ($wan_if) static-port`;
    case 'alg-off':
      return '# pf itself has no SIP ALG: remove a SIP proxy that was added (siproxd)';
    case 'far-side':
    case 'advise':
      return null;
  }
};
