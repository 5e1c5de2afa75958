/**
 * Cisco ASA. Stateful: what is permitted out comes back by itself. `inside_access_in` stands for the access list of the
 * inside interface ("show running-config access-group"); `any4` is every phone behind it, the far side is narrow.
 */
import { type Ask, maskOf, PLACEHOLDER, tellingApart, textOf, UDP_TIMEOUT_SECONDS, type Writer } from './ask.js';

const LIST = 'inside_access_in';

/** A group of the same name would be added to, so each request has its own. */
const nameOf = (ask: Ask): string =>
  `CALLPATH-${ask.forTest ? 'TEST-' : ''}${ask.protocol.toUpperCase()}-${ask.ports[0]?.[0] ?? 0}-${tellingApart(ask).replaceAll(':', '-')}`;

const isGroup = ({ networks }: Ask): boolean =>
  networks.length > 1 || networks.some((one) => textOf(one).includes('/'));

const objects = (ask: Ask): readonly string[] => [
  `object-group service ${nameOf(ask)} ${ask.protocol}`,
  ...ask.ports.map(([from, to]) => (from === to ? ` port-object eq ${from}` : ` port-object range ${from} ${to}`)),
  ...(isGroup(ask)
    ? [
        `object-group network ${nameOf(ask)}-NET`,
        ...ask.networks.map(({ family, address, length }) =>
          family === 4 ? ` network-object ${address} ${maskOf(length)}` : ` network-object ${address}/${length}`,
        ),
      ]
    : []),
];

const there = (ask: Ask): string => {
  const [first] = ask.networks;
  // Not in a group: the ASA would refuse its member, and take the empty group.
  if (!first) return PLACEHOLDER;
  return isGroup(ask) ? `object-group ${nameOf(ask)}-NET` : `host ${first.address}`;
};

const toThere = (ask: Ask): string =>
  `extended permit ${ask.protocol} ${ask.family === 4 ? 'any4' : 'any6'} ${there(ask)} object-group ${nameOf(ask)}`;

/** Connections of these networks; of all, where nobody knows them. */
const clearing = ({ networks, protocol, ports }: Ask): readonly string[] =>
  networks.length === 0
    ? ports.map(
        ([from, to]) => `clear conn all protocol ${protocol} port ${from === to ? String(from) : `${from}-${to}`}`,
      )
    : networks.map((one) =>
        textOf(one) === one.address
          ? `clear conn address ${one.address}`
          : `clear conn address ${one.address} netmask ${one.family === 4 ? maskOf(one.length) : one.length}`,
      );

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
        ...clearing(ask),
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
