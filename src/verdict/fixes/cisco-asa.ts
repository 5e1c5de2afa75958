/**
 * Cisco ASA. Stateful: what is permitted out comes back by itself. `inside_access_in` stands for the access list of the
 * inside interface ("show running-config access-group"); `any4` is every phone behind it, the far side is narrow.
 */
import { type Ask, UDP_TIMEOUT_SECONDS, type Writer } from './ask.js';

const LIST = 'inside_access_in';

/** A group of the same name would be added to, so each request has its own. */
const nameOf = ({ address, protocol, ports }: Ask): string =>
  `CALLPATH-${protocol.toUpperCase()}-${ports[0]?.[0] ?? 0}-${address.replaceAll(':', '-')}`;

const objects = (ask: Ask): readonly string[] => [
  `object-group service ${nameOf(ask)} ${ask.protocol}`,
  ...ask.ports.map(([from, to]) => (from === to ? ` port-object eq ${from}` : ` port-object range ${from} ${to}`)),
];

const toThere = (ask: Ask): string =>
  `extended permit ${ask.protocol} ${ask.family === 4 ? 'any4' : 'any6'} host ${ask.address} object-group ${nameOf(ask)}`;

export const ciscoAsa: Writer = (ask) => {
  switch (ask.kind) {
    case 'allow':
      return [...objects(ask), `access-list ${LIST} line 1 ${toThere(ask)}`].join('\n');
    case 'alg-off':
      return [
        'policy-map global_policy',
        ' class inspection_default',
        '  no inspect sip',
        '! connections that exist keep it: forget them',
        `clear conn address ${ask.address}`,
      ].join('\n');
    case 'udp-timeout':
      return [
        ...objects(ask),
        `access-list CALLPATH-IDLE ${toThere(ask)}`,
        'class-map CALLPATH-IDLE',
        ' match access-list CALLPATH-IDLE',
        'policy-map global_policy',
        ' class CALLPATH-IDLE',
        `  set connection timeout idle 0:${String(UDP_TIMEOUT_SECONDS / 60).padStart(2, '0')}:00`,
      ].join('\n');
    case 'no-redirect':
    case 'static-port':
    case 'far-side':
    case 'advise':
      return null;
  }
};
