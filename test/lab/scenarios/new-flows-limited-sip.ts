import { forward, type Scenario } from '../scenario.js';
import messagesLimited from './sip-flood-limit.js';

/** As where messages are counted: what is right to say does not differ. */
const { measure: _ofMessages, ...limited } = messagesLimited;

export default {
  ...limited,
  about:
    'Five new flows to UDP 5060 pass at once and one each three seconds after that; flows that stand are not touched.',
  rules: forward('iifname "lan0" udp dport 5060 ct state new limit rate over 20/minute burst 5 packets drop'),
  measureFlows: [{ port: 5060, transport: 'udp', flows: 60, flowsPerSecond: 60, deadRatio: [0.6, 0.95] }],
} satisfies Scenario;
