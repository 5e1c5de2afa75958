/** Address translation in words: under which addresses we are seen, what becomes of ports, how long silent flows are remembered. */
import type { Report } from '../model/report.js';
import { printable } from '../wire/printable.js';

type Lifetime = Report['nat']['bindingLifetime'][number];

const patience = ({ atLeastSeconds, belowSeconds, keepaliveSeconds }: Lifetime): string => {
  if (belowSeconds === null) return `${atLeastSeconds} s or more`;
  const advice = typeof keepaliveSeconds === 'number' ? ` (send keepalives every ${keepaliveSeconds} s or less)` : '';
  return `${atLeastSeconds} to ${belowSeconds} s${advice}`;
};

/** Of a port the shorter of its lifetimes: whether packets went both ways before is a detail. */
const isShortest = (one: Lifetime, all: readonly Lifetime[]): boolean => {
  const same = all.filter(({ port, transport }) => port === one.port && transport === one.transport);
  return same.toSorted((a, b) => a.atLeastSeconds - b.atLeastSeconds)[0] === one;
};

/** `session timeout of UDP 3478, 5060: 9 to 15 s (send keepalives every 7 s or less)`. */
const lifetimesInWords = (all: readonly Lifetime[]): readonly string[] => {
  const groups = new Map<string, { readonly what: string; readonly how: string; readonly ports: number[] }>();
  for (const one of all.filter((other) => isShortest(other, all))) {
    const what = one.transport.toUpperCase();
    const how = patience(one);
    const group = groups.get(`${what} ${how}`) ?? { what, how, ports: [] };
    group.ports.push(one.port);
    groups.set(`${what} ${how}`, group);
  }
  return [...groups.values()].map(
    ({ what, how, ports }) => `session timeout of ${what} ${ports.sort((a, b) => a - b).join(', ')}: ${how}`,
  );
};

const MAPPING_WORDS: Readonly<Record<Report['nat']['mapping'], string | null>> = {
  none: null,
  'endpoint-independent': 'one public port for all destinations',
  'address-dependent': 'a different public port for each destination address',
  'address-and-port-dependent': 'a different public port for each destination (symmetric)',
  unknown: 'mapping unknown',
};

/** Two or three addresses tell the story; a report may carry more. */
const MAX_ADDRESSES = 3;
const MAX_ADDRESS_LENGTH = 64;

/** The first few addresses of a list, fit to print. */
export const addressesInWords = (addresses: readonly string[]): string => {
  const shown = addresses.slice(0, MAX_ADDRESSES).map((address) => printable(address, MAX_ADDRESS_LENGTH));
  const more = addresses.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
};

/** Ports that are treated otherwise than all others; nothing where every port is changed. */
const peculiarPortsInWords = ({ portPreservation, portsThatDiffer, sourcePorts }: Report['nat']): readonly string[] => [
  ...(portsThatDiffer ?? []).map((port) => `a different port towards ${port}`),
  ...(sourcePorts ?? []).flatMap(({ port, seenPort, answered }) =>
    answered === false
      ? [`no return traffic to source port ${port}`]
      : seenPort !== null && seenPort !== port && portPreservation === true
        ? [`only source port ${port} is changed, to ${seenPort}`]
        : [],
  ),
];

/** Whether there is address translation, and what it does to ports. */
export const natInWords = ({ network, nat }: Report): string => {
  if (network.natted === null) return 'unknown';
  if (!network.natted) return "none; the far end sees this host's own address";
  const seenAs = addressesInWords(network.mappedAddresses);
  const parts = [
    seenAs === '' ? 'yes' : `yes, seen from outside as ${seenAs}`,
    nat.layers === 2 ? 'two NATs in a row' : null,
    MAPPING_WORDS[nat.mapping],
    nat.portPreservation === null ? null : nat.portPreservation ? 'source ports preserved' : 'source ports changed',
    ...peculiarPortsInWords(nat),
    ...lifetimesInWords(nat.bindingLifetime),
  ];
  return parts.filter((part) => part !== null).join('; ');
};
