/** What a report says of the network: our own addresses as they are and as the far ends saw them. */
import type { Check } from '../model/check.js';
import type { Report } from '../model/report.js';
import type { Classified } from '../model/verdict.js';
import type { lossEachWay, WayLoss } from '../verdict/loss-each-way.js';

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];
const round = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits;

interface Seen {
  readonly check: Check;
  readonly address: string;
  readonly port: number;
}

const pair = (check: Check, address: unknown, port: unknown): Seen[] =>
  typeof address === 'string' && typeof port === 'number' ? [{ check, address, port }] : [];

/**
 * Our own addresses as the far ends saw them: attested by a reflector, mapped by a STUN server, or written into the
 * top Via by a SIP server (RFC 3581 §4).
 */
const seenOf = (all: readonly Classified[]): readonly Seen[] =>
  all.flatMap(({ check, evidence }): Seen[] => {
    const attested = pair(check, evidence.seenAddress, evidence.seenPort);
    const answer = evidence.answer;
    if (attested.length > 0 || typeof answer !== 'object' || answer === null) return attested;
    const { mappedAddress, mappedPort, received, rport } = answer as Readonly<Record<string, unknown>>;
    return [...pair(check, mappedAddress, mappedPort), ...pair(check, received, rport)];
  });

const rounded = (one: WayLoss) => ({ ...one, lower: round(one.lower, 4), upper: round(one.upper, 4) });

/** The report's `network`. `upperBound` is the loss's, or null; `eachWay` what is known of it by direction. */
export const networkOf = (
  localAddresses: readonly string[],
  all: readonly Classified[],
  upperBound: number | null,
  eachWay: ReturnType<typeof lossEachWay>,
): Report['network'] => {
  const seen = seenOf(all);
  return {
    localAddress: localAddresses[0] ?? null,
    mappedAddresses: unique(seen.map(({ address }) => address)),
    natted: nattedBy(localAddresses, seen) ?? nattedByIke(all),
    lossUpperBound: upperBound === null ? null : round(upperBound, 4),
    loss: eachWay && { outbound: rounded(eachWay.outbound), inbound: rounded(eachWay.inbound) },
  };
};

/** Compared within a family only; an address of a family that has no local one proves nothing. */
const nattedBy = (localAddresses: readonly string[], seen: readonly Seen[]): boolean | null => {
  const isV6 = (address: string): boolean => address.includes(':');
  const comparable = seen.filter(({ address }) => localAddresses.some((local) => isV6(local) === isV6(address)));
  return comparable.length === 0 ? null : comparable.some(({ address }) => !localAddresses.includes(address));
};

/** A third party's IKE says whether it sees our address as we know it (RFC 7296 §2.23), and not as what it sees it. */
const nattedByIke = (all: readonly Classified[]): boolean | null => {
  const said = all.flatMap(({ evidence: { answer } }) => {
    const nat = typeof answer === 'object' && answer !== null && 'natBeforeUs' in answer ? answer.natBeforeUs : null;
    return typeof nat === 'boolean' ? [nat] : [];
  });
  return said.length === 0 ? null : said.includes(true);
};

/** The report's `nat`, as far as the checks alone tell. */
export const natOf = (localAddresses: readonly string[], all: readonly Classified[]): Report['nat'] => {
  const natted = nattedBy(localAddresses, seenOf(all)) ?? nattedByIke(all);
  return {
    mapping: natted === false ? 'none' : 'unknown',
    filtering: 'unknown',
    portPreservation: null,
    layers: natted === false ? 0 : null,
    bindingLifetime: [],
  };
};
