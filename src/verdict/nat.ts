/** From what far ends saw of our sockets to the behaviour of what stands before us, in RFC 4787's terms. Pure. */
import type { Mapping, NatFacts, Place, StunPlace } from '../model/stages.js';
import { doubtOfSilence, RANGE_PORT_DOUBT } from './silence.js';

export type Behaviour = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';

export interface NatVerdict {
  readonly mapping: 'none' | Behaviour | 'unknown';
  readonly filtering: Behaviour | 'unknown';
  /** Whether the far end sees our own port numbers; null where they were not compared. */
  readonly portPreservation: boolean | null;
  /** Whether an even port stays even and an odd one odd (RFC 4787 §4.2.2), as RTP and RTCP side by side need it. */
  readonly portParity: boolean | null;
  readonly layers: 0 | 1 | 2 | null;
  /** Every address by which we are known outside; several where lines take turns. */
  readonly mappedAddresses: readonly string[];
}

export const NOT_MEASURED: NatVerdict = {
  mapping: 'unknown',
  filtering: 'unknown',
  portPreservation: null,
  portParity: null,
  layers: null,
  mappedAddresses: [],
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

/** RFC 1918 and RFC 6598's shared space, link-local and unique local addresses: nobody outside sees these of a last NAT. */
const isInside = (address: string): boolean => {
  if (address.includes(':')) return /^f[cd]|^fe[89ab]/i.test(address);
  const [a = 0, b = 0] = address.split('.').map(Number);
  return (
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b < 128)
  );
};

/** A far end that answers from everywhere when asked directly: only then its silence from elsewhere is a filter's. */
const reaches = (facts: NatFacts, place: StunPlace): boolean =>
  facts.mappings.some((one) => one.place === place && one.mapped !== null);

const filteringOf = (facts: NatFacts, lossUpperBound: number | null): NatVerdict['filtering'] => {
  const test = (from: 'other-port' | 'other-both') => facts.filtering.find((one) => one.from === from);
  const isFiltered = (from: 'other-port' | 'other-both'): boolean => {
    const one = test(from);
    return (
      one !== undefined &&
      !one.answered &&
      one.seen !== null &&
      doubtOfSilence(one.seen, lossUpperBound) <= RANGE_PORT_DOUBT &&
      reaches(facts, from)
    );
  };
  if (test('other-both')?.answered) return 'endpoint-independent';
  if (!isFiltered('other-both')) return 'unknown';
  if (test('other-port')?.answered) return 'address-dependent';
  return isFiltered('other-port') ? 'address-and-port-dependent' : 'unknown';
};

const judgeOne = (facts: NatFacts, lossUpperBound: number | null): NatVerdict => {
  const known = facts.mappings.flatMap(({ localPort, mapped }) => (mapped ? [{ localPort, mapped }] : []));
  if (known.length === 0) return NOT_MEASURED;
  const isOurs = ({ localPort, mapped }: (typeof known)[number]): boolean =>
    same(mapped, { address: facts.localAddress, port: localPort });
  const none = known.every(isOurs);
  const bySocket = [...new Set(facts.mappings.map(({ localPort }) => localPort))].map((port) =>
    facts.mappings.filter(({ localPort }) => localPort === port),
  );
  const behaviours = bySocket.map(mappingOf);
  const worst = strictest(behaviours.flatMap((one) => one ?? []));
  // The strictest is proven by one socket; anything milder only by all.
  const complete = behaviours.every((one) => one !== null) || worst === 'address-and-port-dependent';
  const natted = known.some(({ mapped }) => mapped.address !== facts.localAddress);
  return {
    mapping: none ? 'none' : complete ? (worst ?? 'unknown') : 'unknown',
    filtering: filteringOf(facts, lossUpperBound),
    portPreservation: known.every(({ localPort, mapped }) => mapped.port === localPort),
    portParity: known.every(({ localPort, mapped }) => mapped.port % 2 === localPort % 2),
    layers: none ? 0 : natted && known.some(({ mapped }) => isInside(mapped.address)) ? 2 : null,
    mappedAddresses: [...new Set(known.map(({ mapped }) => mapped.address))],
  };
};

/** IPv4's word counts before IPv6's, which is seldom translated; of several far ends the one that tells most. */
export const judgeNat = (all: readonly NatFacts[], lossUpperBound: number | null): NatVerdict => {
  const ranked = [...all].sort(
    (a, b) =>
      Number(a.address.includes(':')) - Number(b.address.includes(':')) || Number(b.hasOther) - Number(a.hasOther),
  );
  const [best] = ranked;
  return best ? judgeOne(best, lossUpperBound) : NOT_MEASURED;
};
