/**
 * Whose device rejects, where an ICMP error says who sent it: an address on this host's own network is the site's; others are
 * told by what they are, and no more than that. A device that forwards without an address of its own rejects in the far end's name.
 */
import { type Device, LIKELIHOODS, type Likelihood } from '../../model/diagnosis.js';
import { type IcmpFact, isRefusal } from '../../model/icmp.js';
import { isCarrierAddress, isPrivateAddress } from '../../wire/ip.js';
import { rejectedBy, SENDERS } from '../../words/diagnosis/who-rejects.js';
import { icmpMeaning } from '../../words/icmp.js';
import type { CauseText, Ground, RuleInput } from './rule.js';

/** The error that a ground met; null where none came, or its sender is not known. */
const senderOf = ({ id, address }: Ground, { facts }: RuleInput): (IcmpFact & { readonly from: string }) | null => {
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
const ownersOf = (
  { place, from }: IcmpFact & { readonly from: string },
  far: 'reflector' | 'carrier',
  { facts }: RuleInput,
): readonly Owner[] => {
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

/** Addresses that one kind of device has, as one cause: two causes of one id and device would be taken for one. */
const causeOf = (device: Device, all: readonly Named[]): CauseText => {
  const senders = all.map(({ from, owner }) => ({ from, what: owner.what }));
  const meanings = all.flatMap((one) => one.meanings);
  // As sure as the least sure of them.
  const likelihood = LIKELIHOODS.findLast((one) => all.some(({ owner }) => owner.likelihood === one)) ?? 'possible';
  return {
    ...{ id: 'rejected-by', device, likelihood },
    text: (ports) => rejectedBy(senders, ports, meanings),
    grounds: all.flatMap(({ grounds }) => grounds),
  };
};

/** Causes that name the address that rejects; `farOf` is whose the far end is. */
export const rejectionCauses = (
  grounds: readonly Ground[],
  farOf: (grounds: readonly Ground[]) => 'reflector' | 'carrier',
  evidence: RuleInput,
): readonly CauseText[] => {
  const bySender = new Map<string, Ground[]>();
  for (const ground of grounds) {
    const from = senderOf(ground, evidence)?.from;
    if (from !== undefined) bySender.set(from, [...(bySender.get(from) ?? []), ground]);
  }
  const named = [...bySender].flatMap(([from, own]): Named[] => {
    const facts = own.flatMap((ground) => senderOf(ground, evidence) ?? []);
    const [first] = facts;
    const meanings = [...new Set(facts.map(icmpMeaning))];
    return (first ? ownersOf(first, farOf(own), evidence) : []).map((owner) => ({
      from,
      owner,
      meanings,
      grounds: own,
    }));
  });
  const devices = [...new Set(named.map(({ owner }) => owner.device))];
  return devices.map((device) =>
    causeOf(
      device,
      named.filter(({ owner }) => owner.device === device),
    ),
  );
};
