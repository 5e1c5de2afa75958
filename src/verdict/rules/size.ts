/** Large messages, and the tunnel of Wi-Fi Calling. */
import { pathCauses, pathFixes } from './path.js';
import {
  fix,
  type Ground,
  hasReason,
  isBlocked,
  itemsOf,
  type Rule,
  requiredOf,
  signallingStands,
  stageChecks,
} from './rule.js';

const isEsp = ({ probe }: Ground): boolean => probe === 'esp-in-udp';

export const SIZE_RULES: readonly Rule[] = [
  {
    id: 'long-messages-dropped',
    when: (evidence) =>
      signallingStands(evidence.service)
        ? stageChecks(evidence, 'size-sweep').filter(
            (one) => one.transport === 'udp' && hasReason('size-filtered')(one) && one.evidence.direction !== 'inbound',
          )
        : [],
    symptom: {
      id: 'long-invites-fail',
      text: 'Some calls cannot be set up over UDP: long messages (video, many codecs, encryption keys) are lost, short ones pass.',
    },
    causes: (grounds, evidence) => {
      const sweeps = stageChecks(evidence, 'size-sweep').filter(({ id }) => grounds.some((one) => one.id === id));
      const whole = sweeps.filter(({ evidence: { fragmentsOnly } }) => fragmentsOnly === false);
      const fragments = sweeps.filter((one) => !whole.includes(one));
      return [
        ...(fragments.length > 0
          ? [
              {
                id: 'fragments-dropped',
                device: 'branch-firewall',
                likelihood: 'likely',
                text: (ports: string) => `The firewall drops fragments of ${ports}: what fits one packet passes.`,
                grounds: fragments,
              } as const,
              {
                id: 'fragments-dropped-upstream',
                device: 'provider',
                likelihood: 'possible',
                text: (ports: string) => `The provider drops fragments of ${ports}.`,
                grounds: fragments,
              } as const,
            ]
          : []),
        ...(whole.length > 0
          ? [
              {
                id: 'path-mtu',
                device: 'unknown',
                likelihood: 'likely',
                text: (ports: string) =>
                  `Packets of ${ports} that fit Ethernet vanish without word: a tunnel or PPPoE with a smaller MTU and ICMP filtered, or a limit of size.`,
                grounds: whole,
              } as const,
            ]
          : []),
      ];
    },
    fixes: fix('allow'),
  },
  {
    id: 'long-notifies-dropped',
    when: (evidence) =>
      signallingStands(evidence.service)
        ? stageChecks(evidence, 'size-sweep').filter(
            (one) => one.transport === 'udp' && hasReason('size-filtered')(one) && one.evidence.direction === 'inbound',
          )
        : [],
    symptom: {
      id: 'transfers-fail',
      text: 'Busy lamps, transfers and long incoming messages fail over UDP: large packets are lost on their way to us.',
    },
    causes: pathCauses,
    fixes: fix('allow'),
  },
  {
    id: 'tunnel-carries-nothing',
    when: ({ service }) =>
      signallingStands(service)
        ? itemsOf(requiredOf(service), (item) => isEsp(item) && isBlocked(item) && !hasReason('size-filtered')(item))
        : [],
    symptom: {
      id: 'wifi-calling-unavailable',
      text: 'Wi-Fi Calling never comes up: its tunnel is negotiated (IKE), and nothing passes through it (ESP).',
    },
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'tunnel-loses-large',
    when: ({ service }) =>
      signallingStands(service)
        ? itemsOf(requiredOf(service), (item) => isEsp(item) && hasReason('size-filtered')(item))
        : [],
    symptom: {
      id: 'long-invites-fail',
      text: 'The tunnel loses its large packets: registration or calls with long SIP messages fail, short ones pass.',
    },
    causes: pathCauses,
    fixes: pathFixes,
  },
];
