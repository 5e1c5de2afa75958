/**
 * Who is to blame for what does not pass, as far as evidence goes. From one end a firewall of the branch, one of the
 * provider and one in front of the far end look alike, so none is named alone unless something tells them apart: the
 * same port that passes to another address, or something that answers in the far end's place.
 */
import { CAUSES } from '../../words/diagnosis/causes.js';
import { hopCauses, isFollowed } from './hops.js';
import { isSigned, rejectionCauses } from './rejections.js';
import { type CauseText, type Ground, hasReason, itemsOf, type RuleInput, some } from './rule.js';

const familyOf = (address: string | null): string => (address?.includes(':') ? '6' : '4');

/** The same question passes to another address of the same family: no rule about the port alone explains that. */
export const passesElsewhere = (ground: Ground, { service }: RuleInput): boolean =>
  itemsOf(
    service.requirements,
    (item) =>
      item.probe === ground.probe &&
      item.transport === ground.transport &&
      item.from === ground.from &&
      item.to === ground.to &&
      item.address !== ground.address &&
      familyOf(item.address) === familyOf(ground.address) &&
      (item.finding.verdict === 'pass' || item.finding.verdict === 'degraded'),
  ).length > 0;

const isProvable = (ground: Ground, { service }: RuleInput): boolean =>
  itemsOf(service.requirements, ({ id }) => id === ground.id).some(({ provable }) => provable);

const farDevice = (grounds: readonly Ground[], evidence: RuleInput): 'reflector' | 'carrier' =>
  grounds.some((ground) => isProvable(ground, evidence)) ? 'reflector' : 'carrier';

/** On other ports of the same address and protocol something answers in its place: that may well swallow this one too. */
export const isIntercepted = (ground: Ground, { service }: RuleInput): boolean =>
  itemsOf(
    service.requirements,
    (item) =>
      hasReason('answered-by-other')(item) &&
      item.address === ground.address &&
      (item.transport === 'udp') === (ground.transport === 'udp'),
  ).length > 0;

export const isDropped = hasReason('dropped', 'dropped-outbound', 'dropped-inbound', 'rejected');

/** In which direction, where all grounds say the same. */
const stops = (grounds: readonly Ground[]): CauseText['text'] => {
  if (grounds.every(hasReason('dropped-outbound'))) return CAUSES['port-filter/outbound'];
  if (grounds.every(hasReason('dropped-inbound'))) return CAUSES['port-filter/return'];
  return CAUSES['port-filter'];
};

/** What the usual explanations are, where nothing names a device. */
const usualCauses = (all: readonly Ground[], evidence: RuleInput): readonly CauseText[] => {
  const theirs = all.filter((ground) => passesElsewhere(ground, evidence));
  const swallowed = all.filter((ground) => !theirs.includes(ground) && isIntercepted(ground, evidence));
  const ours = all.filter((ground) => !theirs.includes(ground) && !swallowed.includes(ground));
  const inbound = ours.filter(hasReason('dropped-inbound'));
  return [
    ...some(theirs, [
      {
        id: 'far-side-filter',
        device: farDevice(theirs, evidence),
        likelihood: 'likely',
        text: CAUSES['far-side-filter/passes-elsewhere'],
        grounds: theirs,
      },
      {
        id: 'address-filter',
        device: 'branch-firewall',
        likelihood: 'possible',
        text: CAUSES['address-filter'],
        grounds: theirs,
      },
      {
        id: 'provider-filter',
        device: 'provider',
        likelihood: 'possible',
        text: CAUSES['provider-filter/address'],
        grounds: theirs,
      },
    ]),
    ...some(swallowed, [
      {
        id: 'interception-takes-more',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['interception-takes-more'],
        grounds: swallowed,
      },
      {
        id: 'port-filter',
        device: 'branch-firewall',
        likelihood: 'possible',
        text: CAUSES['port-filter'],
        grounds: swallowed,
      },
    ]),
    ...some(ours, [
      {
        id: 'port-filter',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: stops(ours),
        grounds: ours,
      },
      {
        id: 'provider-filter',
        device: 'provider',
        likelihood: 'possible',
        text: CAUSES['provider-filter'],
        grounds: ours,
      },
      {
        id: 'far-side-filter',
        device: farDevice(ours, evidence),
        likelihood: 'possible',
        text: CAUSES['far-side-filter'],
        grounds: ours,
      },
    ]),
    ...some(inbound, [
      {
        id: 'host-inbound-filter',
        device: 'host',
        likelihood: 'possible',
        text: CAUSES['host-inbound-filter'],
        grounds: inbound,
      },
    ]),
  ];
};

export const dropCauses = (all: readonly Ground[], evidence: RuleInput): readonly CauseText[] => {
  const signed = all.filter(isSigned(evidence));
  const followed = all.filter(isFollowed(evidence));
  const others = all.filter((ground) => !signed.includes(ground) && !followed.includes(ground));
  const farOf = (grounds: readonly Ground[]): 'reflector' | 'carrier' => farDevice(grounds, evidence);
  return [
    ...rejectionCauses(signed, farOf, evidence),
    ...hopCauses(followed, farOf, evidence),
    ...usualCauses(others, evidence),
  ];
};
