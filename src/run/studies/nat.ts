/**
 * NAT behaviour (RFC 5780 §4): filtering first and from sockets of its own, before anything opens a way for the answers
 * it waits for; then what the far ends' addresses and ports see of one socket.
 */
import type { Check, Family } from '../../model/check.js';
import type { FilterTest, Mapping, NatFacts, Place, StunPlace } from '../../model/study-facts.js';
import { localAddressFor } from '../../net/local.js';
import { askReceipts } from '../ask/receipts.js';
import type { Tools } from '../tools.js';
import { HEADER_BYTES, type StudiedFarEnd, type Study } from './study.js';
import { MAX_PACKETS, MIN_PACKETS, openTalk } from './stun-talk.js';

/** More sockets show whether a NAT keeps to its ways; a single collision of ports must not look like a habit. */
const SOCKETS = 3;
/**
 * A socket may by chance have a port over which an earlier flow, of this host or of another run, still holds a way open;
 * of two that happens to both once in many years.
 */
const FILTER_SOCKETS = 2;
const FILTER_TESTS = ['other-both', 'other-port'] as const;
const CHANGES = {
  'other-both': { changeIp: true, changePort: true },
  'other-port': { changeIp: false, changePort: true },
} as const;

interface Tested {
  readonly test: Omit<FilterTest, 'seen'>;
  readonly sequence: number;
  /** Over which the far end that was asked can be asked what arrived. */
  readonly ways: readonly Check[];
}

/** A far end with two addresses answers from another of its sockets (RFC 5780 §4.4). */
const filterTest = async (from: FilterTest['from'], far: NatFarEnd, tools: Tools): Promise<Tested> => {
  const talk = await openTalk(far.family, tools);
  try {
    const { answer, sequence } = await talk.ask({ to: far.first, from: 'anywhere else', ...CHANGES[from] });
    return { test: { from, answered: answer !== null }, sequence, ways: far.ways };
  } finally {
    talk.close();
  }
};

/**
 * Where nobody has two addresses: one socket writes to the first place; for its port outside another socket asks
 * elsewhere to be answered (RFC 5780 §7.5), and the answer meets a way that was opened for the first place alone.
 */
const filterTestByPort = async (
  from: FilterTest['from'],
  elsewhere: Place,
  far: NatFarEnd,
  ways: readonly Check[],
  tools: Tools,
): Promise<Tested | null> => {
  const [inner, asker] = await Promise.all([openTalk(far.family, tools), openTalk(far.family, tools)]);
  try {
    const opened = await inner.ask({ to: far.first, from: far.first });
    if (!opened.answer) return null;
    const answerTo = { port: opened.answer.mapped.port, talk: inner };
    const { answer, sequence } = await asker.ask({ to: elsewhere, from: elsewhere, answerTo });
    return { test: { from, answered: answer !== null }, sequence, ways };
  } finally {
    inner.close();
    asker.close();
  }
};

const mappingsOf = async (
  places: readonly (readonly [StunPlace, Place])[],
  family: Family,
  tools: Tools,
  atMost = MAX_PACKETS,
): Promise<readonly Mapping[]> => {
  const talk = await openTalk(family, tools);
  const mappings: Mapping[] = [];
  try {
    for (const [place, to] of places) {
      const { answer } = await talk.ask({ to, from: to, atMost });
      mappings.push({ localPort: talk.socket.localPort, place, to, mapped: answer?.mapped ?? null });
    }
  } finally {
    talk.close();
  }
  return mappings;
};

/** One proven reflector's address, and what passes there over UDP. */
interface NatFarEnd {
  readonly family: Family;
  readonly first: Place;
  /** UDP ports there that pass. */
  readonly ports: readonly number[];
  /** UDP ports on which it says that it listens, whether or not anybody asked there. */
  readonly listens: readonly (readonly [from: number, to: number])[];
  readonly ways: readonly Check[];
}

/** Ports where NATs have ways of their own: SIP's, for their ALG, and IPsec's, for its passthrough. */
const PECULIAR_PORTS = [5060, 4500] as const;
const SIDE_QUESTION_PACKETS = 6;

interface Plan {
  readonly places: readonly (readonly [StunPlace, Place])[];
  readonly filterTests: () => readonly Promise<Tested | null>[];
}

const twice = <T>(make: () => T): readonly T[] => Array.from({ length: FILTER_SOCKETS }, make);

/** With the far end's own second address. */
const planWithOther = (far: NatFarEnd, other: Place, tools: Tools): Plan => ({
  places: [
    ['first', far.first],
    ['other-address', { address: other.address, port: far.first.port }],
    ['other-both', other],
    ['other-port', { address: far.first.address, port: other.port }],
  ],
  filterTests: () => FILTER_TESTS.flatMap((from) => twice(() => filterTest(from, far, tools))),
});

/** Where its answers can be expected; should the way there be blocked, what depends on it stays unknown. */
const answersAt = ({ ports, listens }: NatFarEnd, port: number): boolean =>
  ports.includes(port) || listens.some(([from, to]) => from <= port && port <= to);

/** With one address alone, and another reflector's beside it where there is one. */
const planWithout = (far: NatFarEnd, partner: NatFarEnd | null, tools: Tools): Plan => {
  const { address, port } = far.first;
  const shared = partner && answersAt(partner, port) ? partner : null;
  const besides = far.ports.filter((one) => one !== port);
  const beside = besides.find((one) => shared && answersAt(shared, one)) ?? besides[0] ?? null;
  const otherPort = beside === null ? null : { address, port: beside };
  const otherBoth =
    shared && beside !== null && answersAt(shared, beside) ? { address: shared.first.address, port: beside } : null;
  return {
    places: [
      ['first', far.first],
      ...(otherPort ? [['other-port', otherPort] as const] : []),
      ...(shared ? [['other-address', { address: shared.first.address, port }] as const] : []),
      ...(otherBoth ? [['other-both', otherBoth] as const] : []),
    ],
    filterTests: () => [
      ...(otherPort ? twice(() => filterTestByPort('other-port', otherPort, far, far.ways, tools)) : []),
      ...(otherBoth && shared ? twice(() => filterTestByPort('other-both', otherBoth, far, shared.ways, tools)) : []),
    ],
  };
};

/**
 * Asks one proven reflector's address.
 * @param partner another reflector's address of the same family, for what takes two where this one has no second
 */
const askOne = async (far: NatFarEnd, partner: NatFarEnd | null, tools: Tools): Promise<NatFacts | null> => {
  const { family, first } = far;
  const localAddress = tools.net.source ?? (await localAddressFor(first.address, family));
  if (localAddress === null) return null;
  const scout = await openTalk(family, tools);
  const found = await scout.ask({ to: first, from: first }).finally(scout.close);
  if (!found.answer) return null;
  const { other } = found.answer;
  const sane = other && other.address !== first.address && other.port !== first.port ? other : null;
  const plan = sane ? planWithOther(far, sane, tools) : planWithout(far, partner, tools);
  const tests = (await Promise.all(plan.filterTests())).flatMap((one) => one ?? []);
  const peculiar = PECULIAR_PORTS.filter((port) => far.ports.includes(port)).map(
    (port) => ['peculiar', { address: first.address, port }] as const,
  );
  const [seen, mappings, beside] = await Promise.all([
    Promise.all(tests.map(async ({ sequence, ways }) => (await askReceipts([sequence], ways, tools)).seen)),
    Promise.all(Array.from({ length: SOCKETS }, () => mappingsOf(plan.places, family, tools))),
    peculiar.length > 0 ? mappingsOf([['first', first], ...peculiar], family, tools, SIDE_QUESTION_PACKETS) : [],
  ]);
  return {
    address: first.address,
    localAddress,
    hasOther: plan.places.some(([place]) => place === 'other-address'),
    byResponsePort: sane === null,
    mappings: mappings.flat(),
    beside,
    filtering: tests.map(({ test, sequence }, index) => ({ ...test, seen: seen[index]?.get(sequence) ?? null })),
  };
};

/** The NAT is asked at STUN's own port where that passes, and beside it at any other. */
const STUN_PORT = 3478;

const natFarEndOf = ({ passing, ways, identity }: StudiedFarEnd): NatFarEnd | null => {
  const udp = passing.filter(({ transport }) => transport === 'udp');
  const base = udp.find(({ port }) => port === STUN_PORT) ?? udp[0];
  if (!base || base.address === null || base.family === null) return null;
  const { address, family, port } = base;
  return {
    family,
    first: { address, port },
    ports: [...new Set(udp.map((check) => check.port))],
    listens: identity?.info.udp ?? [],
    ways,
  };
};

/** Places that each socket asks, with the far end's second address. */
const PLACES = 4;
/** A Binding request with its tag, padded for the addresses of RFC 5780. */
const REQUEST_BYTES = 202;

export const study = {
  kind: 'nat',
  // Any port may be given to its sockets.
  after: ['inbound'],
  wanted: ({ nat }) => nat,
  cost: () => {
    const filtering = FILTER_TESTS.length * FILTER_SOCKETS;
    const beside = 1 + PECULIAR_PORTS.length;
    // Of a filter that lets nothing in, each test is repeated until its silence means something.
    const packets = 1 + filtering * MIN_PACKETS + SOCKETS * PLACES + beside;
    return { packets, bytes: packets * (REQUEST_BYTES + HEADER_BYTES[4]) };
  },
  ask: async (all, tools) => {
    const farEnds = all.flatMap((one) => natFarEndOf(one) ?? []);
    const partnerOf = (far: NatFarEnd): NatFarEnd | null =>
      farEnds.find((one) => one.family === far.family && one.first.address !== far.first.address) ?? null;
    const facts = await Promise.all(farEnds.map((far) => askOne(far, partnerOf(far), tools)));
    return facts.flatMap((one) => one ?? []);
  },
} as const satisfies Study<'nat'>;
