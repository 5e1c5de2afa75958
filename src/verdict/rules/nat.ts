/** Address translation: how long it lasts, what it maps where, and by which line. */
import { symptomOf } from '../../model/profile.js';
import { NAT_T_KEEPALIVE_SECONDS } from '../../model/study-facts.js';
import { CAUSES } from '../../words/diagnosis/causes.js';
import { SYMPTOMS } from '../../words/diagnosis/symptoms.js';
import type { CauseText, Ground, Rule, RuleInput } from './rule.js';
import { fix, isHarmed, itemsOf, noFix, requiredOf, signallingStands, udpSignallingAt } from './rule.js';
import { isTunnelled } from './weighs.js';

/** RFC 5626 §4.4.1: over UDP a keepalive is due between 24 and 29 s; a shorter binding loses every one of them. */
const SIP_KEEPALIVE_SECONDS = 24;
const NAT_T_PORT = 4500;
/** RFC 5626 §4.4.1: over connections a keepalive is due between 95 and 120 s. */
const STREAM_KEEPALIVE_SECONDS = 95;

/** Ports whose binding is shown to end within so many seconds, after packets went both ways. */
const shortBindings = ({ facts }: RuleInput, seconds: number): readonly number[] =>
  facts.nat.bindingLifetime
    .filter(
      ({ transport, belowSeconds, bidirectional }) =>
        transport === 'udp' && bidirectional !== false && belowSeconds !== null && belowSeconds <= seconds,
    )
    .map(({ port }) => port);

const forgetful = (grounds: readonly Ground[], { facts }: RuleInput): readonly CauseText[] => [
  {
    id: 'idle-timeout',
    device: 'branch-firewall',
    likelihood: facts.nat.layers === 2 ? 'possible' : 'likely',
    text: CAUSES['idle-timeout'],
    grounds,
  },
  {
    id: 'idle-timeout-upstream',
    device: 'provider',
    likelihood: 'possible',
    text: CAUSES['idle-timeout-upstream'],
    grounds,
  },
];

/**
 * Our IPv4 addresses as one far end saw them in what the checks of a role carry. Of one far end only: lines that are
 * chosen by destination, or an address for each family, are no fault.
 */
const seenBy = ({ service, facts }: RuleInput, role: string, farEnd: string): ReadonlySet<string> => {
  const ids = new Set(itemsOf(requiredOf(service, role), (item) => item.address === farEnd).map(({ id }) => id));
  return new Set(
    facts.seen.filter(({ id, address }) => ids.has(id) && !address.includes(':')).map((one) => one.address),
  );
};

/** The far ends that saw anything of us. */
const farEnds = ({ service, facts }: RuleInput): readonly string[] => {
  const ids = new Set(facts.seen.map(({ id }) => id));
  return [...new Set(itemsOf(requiredOf(service), ({ id }) => ids.has(id)).flatMap(({ address }) => address ?? []))];
};

const seenGrounds = ({ service, facts }: RuleInput, role: string, farEnd: string): readonly Ground[] =>
  itemsOf(
    requiredOf(service, role),
    ({ id, address }) => address === farEnd && facts.seen.some((one) => one.id === id),
  );

/** Signalling and media towards those far ends that saw something odd, which no change of the address in the meantime explains. */
const bothRolesAt = (evidence: RuleInput, isOdd: (farEnd: string) => boolean): readonly Ground[] =>
  signallingStands(evidence.service)
    ? farEnds(evidence)
        .filter((farEnd) => isOdd(farEnd) && !evidence.facts.addressChangedAt?.includes(farEnd))
        .flatMap((farEnd) => [
          ...seenGrounds(evidence, 'signalling', farEnd),
          ...seenGrounds(evidence, 'media', farEnd),
        ])
    : [];

const twoLines = (grounds: readonly Ground[]): readonly CauseText[] => [
  {
    id: 'lines-take-turns',
    device: 'branch-firewall',
    likelihood: 'likely',
    text: CAUSES['lines-take-turns'],
    grounds,
  },
  {
    id: 'address-pool',
    device: 'provider',
    likelihood: 'possible',
    text: CAUSES['address-pool'],
    grounds,
  },
];

export const NAT_RULES: readonly Rule[] = [
  {
    id: 'sip-binding-short',
    when: (evidence) =>
      signallingStands(evidence.service) && !isTunnelled(evidence.service.profile)
        ? shortBindings(evidence, SIP_KEEPALIVE_SECONDS)
            .filter((port) => port !== NAT_T_PORT)
            .flatMap((port) => udpSignallingAt(evidence, port))
        : [],
    symptom: { id: 'lost-inbound-calls', text: SYMPTOMS['sip-binding-short'] },
    causes: forgetful,
    fixes: fix('udp-timeout'),
  },
  {
    id: 'sip-connection-short',
    when: (evidence) =>
      signallingStands(evidence.service) && !isTunnelled(evidence.service.profile)
        ? evidence.facts.nat.bindingLifetime
            .filter(
              ({ transport, belowSeconds }) =>
                transport !== 'udp' && belowSeconds !== null && belowSeconds <= STREAM_KEEPALIVE_SECONDS,
            )
            .flatMap((one) =>
              itemsOf(
                requiredOf(evidence.service, 'signalling'),
                (item) => item.transport === one.transport && item.from === one.port && item.finding.verdict === 'pass',
              ),
            )
        : [],
    symptom: { id: 'lost-inbound-calls', text: SYMPTOMS['sip-connection-short'] },
    causes: forgetful,
    fixes: fix('advise'),
  },
  {
    id: 'nat-t-binding-short',
    when: (evidence) => {
      if (!signallingStands(evidence.service)) return [];
      const tooLate = itemsOf(
        requiredOf(evidence.service, 'keepalive'),
        (item) => item.probe === 'nat-behavior' && isHarmed(item),
      );
      if (tooLate.length > 0) return tooLate;
      return shortBindings(evidence, NAT_T_KEEPALIVE_SECONDS).includes(NAT_T_PORT)
        ? udpSignallingAt(evidence, NAT_T_PORT)
        : [];
    },
    symptom: { id: 'lost-inbound-calls', text: SYMPTOMS['nat-t-binding-short'] },
    causes: forgetful,
    fixes: fix('udp-timeout'),
  },
  {
    id: 'symmetric-mapping',
    when: (evidence) =>
      ['address-dependent', 'address-and-port-dependent'].includes(evidence.facts.nat.mapping) &&
      signallingStands(evidence.service)
        ? itemsOf(
            requiredOf(evidence.service, 'media'),
            (item) => item.probe === 'stun-binding' && item.finding.verdict === 'pass',
          )
        : [],
    symptom: { id: 'peer-to-peer-fails', text: SYMPTOMS['symmetric-mapping'] },
    causes: (grounds) => [
      {
        id: 'symmetric-nat',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['symmetric-nat'],
        grounds,
      },
      {
        id: 'symmetric-nat-upstream',
        device: 'provider',
        likelihood: 'possible',
        text: CAUSES['symmetric-nat-upstream'],
        grounds,
      },
    ],
    fixes: noFix,
  },
  {
    id: 'forwarded-port-changed',
    when: ({ service, facts }) =>
      facts.nat.portPreservation === false && signallingStands(service)
        ? itemsOf(
            // Whom the far side calls has to be found under the port that was announced.
            requiredOf(service).filter(({ requirement }) => (requirement.direction ?? 'outbound') !== 'outbound'),
            ({ transport, finding }) => transport === 'udp' && finding.verdict === 'pass',
          )
        : [],
    symptom: { id: 'lost-inbound-calls', text: SYMPTOMS['forwarded-port-changed'] },
    causes: (grounds) => [
      {
        id: 'no-port-preservation',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['no-port-preservation'],
        grounds,
      },
    ],
    fixes: fix('static-port'),
  },
  {
    id: 'media-by-another-line',
    when: (evidence) =>
      bothRolesAt(evidence, (farEnd) => {
        const signalling = seenBy(evidence, 'signalling', farEnd);
        const media = seenBy(evidence, 'media', farEnd);
        return signalling.size === 1 && media.size === 1 && [...media].every((address) => !signalling.has(address));
      }),
    symptom: { id: 'some-calls-silent', text: SYMPTOMS['media-by-another-line'] },
    causes: twoLines,
    fixes: noFix,
  },
  {
    id: 'lines-take-turns',
    when: (evidence) => bothRolesAt(evidence, (farEnd) => seenBy(evidence, 'media', farEnd).size > 1),
    symptom: { id: 'registration-flaps', text: SYMPTOMS['lines-take-turns'] },
    causes: twoLines,
    fixes: noFix,
  },
  {
    id: 'double-nat',
    when: ({ service, facts }) =>
      facts.nat.layers === 2 && symptomOf(service.profile, 'signalling') === 'wifi-calling-unavailable'
        ? itemsOf(
            requiredOf(service),
            (item) => ['ike-sa-init', 'nat-t-keepalive', 'esp-in-udp'].includes(item.probe) && isHarmed(item),
          )
        : [],
    symptom: null,
    causes: (grounds) => [
      {
        id: 'double-nat',
        device: 'provider',
        likelihood: 'possible',
        text: CAUSES['double-nat'],
        grounds,
      },
    ],
    fixes: noFix,
  },
];
