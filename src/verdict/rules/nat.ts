/** Address translation: how long it lasts, what it maps where, and by which line. */
import { symptomOf } from '../../model/profile.js';
import { NAT_T_KEEPALIVE_SECONDS } from '../../model/study-facts.js';
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
    text: (ports) =>
      `This site's firewall or router has a session timeout for ${ports} that is shorter than the phones' keepalive interval.`,
    grounds,
  },
  {
    id: 'idle-timeout-upstream',
    device: 'provider',
    likelihood: 'possible',
    text: (ports) =>
      `The provider's NAT has a session timeout for ${ports} that is shorter than the phones' keepalive interval.`,
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

/** Signalling and media towards those far ends that saw something odd. */
const bothRolesAt = (evidence: RuleInput, isOdd: (farEnd: string) => boolean): readonly Ground[] =>
  signallingStands(evidence.service)
    ? farEnds(evidence)
        .filter(isOdd)
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
    text: () => 'This site has several uplinks and balances flows across them.',
    grounds,
  },
  {
    id: 'address-pool',
    device: 'provider',
    likelihood: 'possible',
    text: () => "The provider's NAT picks a new address from a pool for each flow (against RFC 4787 REQ-2).",
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
    symptom: {
      id: 'lost-inbound-calls',
      text: 'Incoming calls fail after seconds without traffic: the UDP session times out before the next keepalive. Outgoing calls work.',
    },
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
    symptom: {
      id: 'lost-inbound-calls',
      text: 'Phones set to TCP or TLS stop receiving calls after a while: the session timeout of the firewall is shorter than their keepalive interval.',
    },
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
    symptom: {
      id: 'lost-inbound-calls',
      text: 'Wi-Fi Calling loses incoming calls: the UDP 4500 session times out before the next keepalive.',
    },
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
    symptom: {
      id: 'peer-to-peer-fails',
      text: 'Direct connections between two callers fail: the NAT uses a different public port for each destination. Relays (TURN) work.',
    },
    causes: (grounds) => [
      {
        id: 'symmetric-nat',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: () =>
          'This site has a symmetric NAT, which maps by destination; direct connections need endpoint-independent mapping ("full cone").',
        grounds,
      },
      {
        id: 'symmetric-nat-upstream',
        device: 'provider',
        likelihood: 'possible',
        text: () => 'The provider has a symmetric NAT, which maps by destination.',
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
    symptom: {
      id: 'lost-inbound-calls',
      text: 'The NAT changes the source ports of the PBX: the ports that the provider calls do not match, and incoming calls may be lost.',
    },
    causes: (grounds) => [
      {
        id: 'no-port-preservation',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: (ports) => `The NAT changes the source port of the PBX (${ports}); it needs a static port.`,
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
    symptom: {
      id: 'some-calls-silent',
      text: 'Calls may be silent: signalling and audio use different uplinks, and far ends accept audio from one address only.',
    },
    causes: twoLines,
    fixes: noFix,
  },
  {
    id: 'lines-take-turns',
    when: (evidence) => bothRolesAt(evidence, (farEnd) => seenBy(evidence, 'media', farEnd).size > 1),
    symptom: {
      id: 'registration-flaps',
      text: 'Registrations may flap and calls may lose audio: the public address of this site changes from flow to flow.',
    },
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
        text: () => 'There are two NATs in a row, and the outer one may break IPsec.',
        grounds,
      },
    ],
    fixes: noFix,
  },
];
