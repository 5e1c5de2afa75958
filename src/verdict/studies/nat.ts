/** From what far ends saw of our sockets to the behaviour of what stands before us, in RFC 4787's terms. Pure. */
import type { FilterTest, Mapping, NatFacts, Place, StunPlace } from '../../model/study-facts.js';
import { isCarrierAddress, isPrivateAddress } from '../../wire/ip.js';
import { doubtOfSilence, lossUpperBound, RANGE_PORT_DOUBT } from '../silence.js';
import type { Judge } from './study-check.js';

type Behaviour = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';

interface NatVerdict {
  readonly mapping: 'none' | Behaviour | 'unknown';
  readonly filtering: Behaviour | 'unknown';
  /** Whether the far end sees our own port numbers; null where they were not compared. */
  readonly portPreservation: boolean | null;
  /** Whether an even port stays even and an odd one odd (RFC 4787 §4.2.2), as RTP and RTCP side by side need it. */
  readonly portParity: boolean | null;
  readonly layers: 0 | 1 | 2 | null;
  /** Every address by which we are known outside; several where lines take turns. */
  readonly mappedAddresses: readonly string[];
  /** Ports that an otherwise regular NAT maps in a way of their own: SIP's, for its ALG, or IPsec's. */
  readonly portsThatDiffer: readonly number[];
}

const NOT_MEASURED: NatVerdict = {
  mapping: 'unknown',
  filtering: 'unknown',
  portPreservation: null,
  portParity: null,
  layers: null,
  mappedAddresses: [],
  portsThatDiffer: [],
};

const same = (a: Place, b: Place): boolean => a.address === b.address && a.port === b.port;

/** From the mildest to the strictest. */
const STRICTNESS = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const;

/** What one socket's mappings show; null where too few places answered to tell. */
const mappingOf = (mappings: readonly Mapping[]): Behaviour | null => {
  const at = (place: StunPlace): Place | null => mappings.find((one) => one.place === place)?.mapped ?? null;
  const [first, port, address, both] = [at('first'), at('other-port'), at('other-address'), at('other-both')];
  // Another port of the same address alone changes it: whatever other addresses see, it is the strictest.
  if (first && port && !same(first, port)) return 'address-and-port-dependent';
  if (address && both && !same(address, both)) return 'address-and-port-dependent';
  if (!first || !address) return null;
  if (!same(first, address)) return both || port ? 'address-dependent' : null;
  return both ? 'endpoint-independent' : null;
};

const strictest = (all: readonly Behaviour[]): Behaviour | null =>
  STRICTNESS.toReversed().find((behaviour) => all.includes(behaviour)) ?? null;

/** Whether another port of the same address alone changes what a socket is mapped to; null where that was not seen. */
const changesByPort = (mappings: readonly Mapping[]): boolean | null => {
  const at = (place: StunPlace): Place | null => mappings.find((one) => one.place === place)?.mapped ?? null;
  const pairs = [
    [at('first'), at('other-port')],
    [at('other-address'), at('other-both')],
  ] as const;
  const told = pairs.flatMap(([a, b]) => (a && b ? [!same(a, b)] : []));
  return told.length === 0 ? null : told.includes(true);
};

/**
 * The sockets by which a NAT is judged. One whose port met another flow's by chance gets a port of its own there, from
 * the most regular NAT as well: what a minority shows is chance. Null where it is as many as the others.
 */
const regular = (sockets: readonly (readonly Mapping[])[]): readonly (readonly Mapping[])[] | null => {
  const changing = sockets.filter((one) => changesByPort(one) === true);
  const steady = sockets.filter((one) => changesByPort(one) === false);
  if (changing.length > 0 && changing.length === steady.length) return null;
  return changing.length < steady.length ? sockets.filter((one) => !changing.includes(one)) : sockets;
};

/** RFC 1918 and RFC 6598's shared space, link-local and unique local addresses: nobody outside sees these of a last NAT. */
const isInside = (address: string): boolean => isPrivateAddress(address) || isCarrierAddress(address);

/** A far end that answers from everywhere when asked directly: only then its silence from elsewhere is a filter's. */
const reaches = (facts: NatFacts, place: StunPlace): boolean =>
  facts.mappings.some((one) => one.place === place && one.mapped !== null);

/** By which addresses we are known outside; of one far end alone, if it is given. */
const outerAddresses = ({ mappings, beside }: NatFacts, by?: string): readonly string[] => [
  ...new Set(
    [...mappings, ...beside]
      .filter(({ to }) => by === undefined || to.address === by)
      .flatMap(({ mapped }) => mapped?.address ?? []),
  ),
];

/** Ports at which a socket is seen otherwise than at all others. */
const portsThatDiffer = ({ beside }: NatFacts): readonly number[] => {
  const first = beside.find(({ place }) => place === 'first')?.mapped;
  return first
    ? beside.flatMap(({ place, to, mapped }) => (place === 'peculiar' && mapped && !same(mapped, first) ? to.port : []))
    : [];
};

/**
 * Each test has several sockets, because one whose port an earlier flow used finds a way open that is not open to
 * others: only what comes in to all of them is let in, and what is kept from one is filtered.
 */
const filteringOf = (facts: NatFacts, upperBound: number | null): NatVerdict['filtering'] => {
  const tests = (from: FilterTest['from']): readonly FilterTest[] => facts.filtering.filter((one) => one.from === from);
  const isOpen = (from: FilterTest['from']): boolean =>
    tests(from).length > 0 && tests(from).every(({ answered }) => answered);
  const isFiltered = (from: FilterTest['from']): boolean =>
    reaches(facts, from) &&
    tests(from).some(
      ({ answered, seen }) => !answered && seen !== null && doubtOfSilence(seen, upperBound) <= RANGE_PORT_DOUBT,
    );
  if (facts.byResponsePort) {
    // To which of several outer addresses such an answer went is not known.
    if (outerAddresses(facts, facts.address).length > 1) return 'unknown';
    // What is not let in from another port of a known address is let in from nowhere else: one address is enough.
    if (isFiltered('other-port')) return 'address-and-port-dependent';
    if (outerAddresses(facts).length > 1) return 'unknown';
  }
  if (isOpen('other-both')) return 'endpoint-independent';
  if (!isFiltered('other-both')) return 'unknown';
  if (isOpen('other-port')) return 'address-dependent';
  return isFiltered('other-port') ? 'address-and-port-dependent' : 'unknown';
};

const judgeOne = (facts: NatFacts, upperBound: number | null): NatVerdict => {
  const all = facts.mappings.flatMap(({ localPort, mapped }) => (mapped ? [{ localPort, mapped }] : []));
  if (all.length === 0) return NOT_MEASURED;
  const sockets = [...new Set(facts.mappings.map(({ localPort }) => localPort))].map((port) =>
    facts.mappings.filter(({ localPort }) => localPort === port),
  );
  const judged = regular(sockets);
  const known = (judged ?? sockets).flat().flatMap(({ localPort, mapped }) => (mapped ? [{ localPort, mapped }] : []));
  const isOurs = ({ localPort, mapped }: (typeof known)[number]): boolean =>
    same(mapped, { address: facts.localAddress, port: localPort });
  const none = known.every(isOurs);
  const behaviours = judged?.map(mappingOf) ?? [];
  const worst = strictest(behaviours.flatMap((one) => one ?? []));
  // The strictest is proven by what sockets show; anything milder only if all of them show it.
  const complete = behaviours.every((one) => one !== null) || worst === 'address-and-port-dependent';
  const natted = all.some(({ mapped }) => mapped.address !== facts.localAddress);
  return {
    mapping: none ? 'none' : complete ? (worst ?? 'unknown') : 'unknown',
    filtering: filteringOf(facts, upperBound),
    portPreservation: known.every(({ localPort, mapped }) => mapped.port === localPort),
    portParity: known.every(({ localPort, mapped }) => mapped.port % 2 === localPort % 2),
    layers: none ? 0 : natted && all.some(({ mapped }) => isInside(mapped.address)) ? 2 : null,
    mappedAddresses: outerAddresses(facts),
    // Where every port is another one anyway, there is nothing apart about these.
    portsThatDiffer: worst === 'endpoint-independent' ? portsThatDiffer(facts) : [],
  };
};

/** IPv4's word counts before IPv6's, which is seldom translated; of several far ends the one that tells most. */
export const judgeNat = (all: readonly NatFacts[], upperBound: number | null): NatVerdict => {
  const ranked = [...all].sort(
    (a, b) =>
      Number(a.address.includes(':')) - Number(b.address.includes(':')) || Number(b.hasOther) - Number(a.hasOther),
  );
  const [best] = ranked;
  return best ? judgeOne(best, upperBound) : NOT_MEASURED;
};

/** What could not be measured is left to what the checks alone tell. */
export const judge: Judge<NatFacts> = (facts, loss) => {
  const { mapping, layers, ...rest } = judgeNat(facts, lossUpperBound(loss));
  return {
    nat: {
      ...rest,
      mappedAddresses: [...rest.mappedAddresses],
      portsThatDiffer: [...rest.portsThatDiffer],
      ...(mapping !== 'unknown' && { mapping }),
      ...(layers !== null && { layers }),
    },
  };
};
