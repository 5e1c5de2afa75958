/**
 * Whose device rejects, where an ICMP error says who sent it: an address on this host's own network is the site's; others are
 * told by what they are, and no more than that. A device that forwards without an address of its own rejects in the far end's name.
 */
import { type Device, type Likelihood, leastSure } from '../../model/diagnosis.js';
import { type IcmpFact, isRefusal } from '../../model/icmp.js';
import { isCarrierAddress, isPrivateAddress } from '../../wire/ip.js';
import { rejectedBy, SENDERS } from '../../words/diagnosis/who-rejects.js';
import { icmpMeaning } from '../../words/icmp.js';
import type { CauseText, Ground, RuleInput } from './rule.js';

/** An error with who sent it. */
type Signed = IcmpFact & { readonly from: string };

/** The error that a ground met; null where none came, or its sender is not known. */
const senderOf = ({ id, address }: Ground, { facts }: RuleInput): Signed | null => {
  const found = (facts.rejections ?? []).find(
    (one) => one.id === id && one.address === address && isRefusal(one.icmp) && one.icmp.from !== null,
  );
  return found && found.icmp.from !== null ? { ...found.icmp, from: found.icmp.from } : null;
};

/** A ground of which it is known who rejects. */
export const isSigned =
  (evidence: RuleInput) =>
  (ground: Ground): boolean =>
    ground.finding.reason === 'rejected' && senderOf(ground, evidence) !== null;

interface Owner {
  readonly device: Device;
  readonly likelihood: Likelihood;
  /** What the address is; a clause that follows it. */
  readonly what: string;
}

/** Whose it is, the likeliest first. */
const ownersOf = ({ place, from }: Signed, far: 'reflector' | 'carrier', { facts }: RuleInput): readonly Owner[] => {
  const site = (likelihood: Likelihood, what: string): Owner => {
    return { device: 'branch-firewall', likelihood, what };
  };
  const provider = (likelihood: Likelihood, what: string): Owner => {
    return { device: 'provider', likelihood, what };
  };
  const farSide = (likelihood: Likelihood, what: string): Owner => {
    return { device: far, likelihood, what };
  };
  const isMapped = facts.seen.some(({ address }) => address === from);
  if (place === 'this-host') return [{ device: 'host', likelihood: 'proven', what: SENDERS['this-host'] }];
  if (place === 'on-link') return [site('proven', SENDERS['on-link'])];
  if (place === 'target') {
    return [farSide('likely', SENDERS['far-end']), site('possible', SENDERS.bridge)];
  }
  // Where there are two NATs the outer one's address is the provider's.
  if (isMapped && facts.nat.layers === 1) return [site('likely', SENDERS['site-public'])];
  if (isMapped) {
    return [site('likely', SENDERS['site-or-nat']), provider('possible', SENDERS['provider-nat'])];
  }
  if (isCarrierAddress(from)) return [provider('likely', SENDERS.shared)];
  if (isPrivateAddress(from)) {
    return [site('likely', SENDERS['private-site']), provider('possible', SENDERS['private-provider'])];
  }
  return [
    provider('likely', SENDERS.between),
    farSide('possible', SENDERS['before-far-end']),
    ...(facts.nat.mapping === 'none' ? [site('possible', SENDERS['site-router'])] : []),
  ];
};

interface Named {
  readonly from: string;
  readonly owner: Owner;
  readonly meanings: readonly string[];
  readonly grounds: readonly Ground[];
}

/** Who rejects these, the addresses in the order in which they come up. */
const namedIn = (
  grounds: readonly Ground[],
  farOf: (grounds: readonly Ground[]) => 'reflector' | 'carrier',
  evidence: RuleInput,
): readonly Named[] => {
  const bySender = new Map<string, { readonly ground: Ground; readonly fact: Signed }[]>();
  for (const ground of grounds) {
    const fact = senderOf(ground, evidence);
    if (fact) bySender.set(fact.from, [...(bySender.get(fact.from) ?? []), { ground, fact }]);
  }
  return [...bySender].flatMap(([from, all]): Named[] => {
    const own = all.map(({ ground }) => ground);
    const [first] = all;
    const meanings = [...new Set(all.map(({ fact }) => icmpMeaning(fact)))];
    return (first ? ownersOf(first.fact, farOf(own), evidence) : []).map((owner) => ({
      ...{ from, owner, meanings },
      grounds: own,
    }));
  });
};

/** Causes that name the address that rejects, one for each kind of device; `farOf` is whose the far end is. */
export const rejectionCauses = (
  grounds: readonly Ground[],
  farOf: (grounds: readonly Ground[]) => 'reflector' | 'carrier',
  evidence: RuleInput,
): readonly CauseText[] => {
  const of = (device: Device, some: readonly Ground[]): readonly Named[] =>
    namedIn(some, farOf, evidence).filter(({ owner }) => owner.device === device);
  const devices = [...new Set(namedIn(grounds, farOf, evidence).map(({ owner }) => owner.device))];
  return devices.map((device): CauseText => {
    const named = of(device, grounds);
    return {
      ...{ id: 'rejected-by', device, likelihood: leastSure(named.map(({ owner }) => owner.likelihood)) },
      text: (ports, all) => {
        const told = of(device, all);
        return rejectedBy(
          told.map(({ from, owner }) => ({ from, what: owner.what })),
          ports,
          told.flatMap(({ meanings }) => meanings),
        );
      },
      grounds: named.flatMap((one) => one.grounds),
    };
  });
};
