import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Inspection lets nothing but SIP requests out on UDP 5060.',
  // OPTI, REGI, INVI, ACK, BYE, CANC, SUBS, NOTI at the beginning of the UDP payload.
  rules: forward(
    // From inside only: answers to a phone that sends from 5060 itself have that port, too, and are no requests.
    'iifname "lan0" udp dport 5060 @th,64,32 { 0x4f505449, 0x52454749, 0x494e5649, 0x41434b20, 0x42594520, 0x43414e43, 0x53554253, 0x4e4f5449 } accept',
    'iifname "lan0" udp dport 5060 drop',
  ),
  notVerified: 'the hand-made large message to 5060 is no SIP, the one of the probe is',
  really: { 'stun-binding/udp/5060': 'filtered', 'udp-echo/udp/5060': 'filtered' },
  symptoms: { 'business-sip': ['lost-inbound-calls'] },
  cause: { 'business-sip': 'non-sip-filter' },
} satisfies Scenario;
