import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Datagrams of more than 1300 bytes are dropped in both directions.',
  rules: forward('meta l4proto udp meta length > 1300 drop'),
  really: { 'size-sweep/udp/5060': 'size-filtered', 'esp-in-udp/udp/*': 'size-filtered' },
  // UDP carries no long INVITE; TCP and TLS do.
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['long-invites-fail'] },
  cause: { 'business-sip': 'path-mtu' },
  notFixed: 'nothing is to be permitted by port',
} satisfies Scenario;
