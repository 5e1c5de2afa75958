import type { Scenario } from '../scenario.js';

const ALL = 'pass';
const step = (name: string) => ({ step: name, verdict: ALL });

export default {
  about:
    'An ordinary NAT router of patience: calls stand, are held, moved and ended from each side, and come in after silence.',
  args: ['--call', '--call-idle', '5', '--no-nat'],
  sysctl: { 'net.netfilter.nf_conntrack_udp_timeout': '120' },
  cause: { 'business-sip': 'none' },
  report: {
    calls: [
      {
        direction: 'outbound',
        steps: [
          ...['register', 'invite', 'ack', 'media-outbound', 'media-inbound', 'dtmf', 'hold', 'resume'].map(step),
          ...['remote-hold', 'transfer', 'refresh', 'bye'].map(step),
        ],
      },
      { steps: ['long', 'remote-bye'].map(step) },
      { steps: [step('cancel')] },
      { direction: 'inbound', idle: { seconds: 5, keepalives: false }, steps: [step('inbound-after-idle')] },
      { direction: 'inbound', idle: { seconds: 5, keepalives: true }, steps: [step('inbound-after-idle')] },
      { steps: [step('attended-transfer')] },
      ...['tcp', 'tls'].map((transport) => ({
        transport,
        steps: [
          ...['register', 'invite', 'ack', 'media-outbound', 'media-inbound', 'dtmf', 'hold', 'resume'].map(step),
          ...['remote-hold', 'transfer', 'refresh', 'bye'].map(step),
        ],
      })),
    ],
  },
} satisfies Scenario;
