import { Between, type Scenario, translate } from '../scenario.js';

export default {
  about: 'A router with IPsec passthrough: it keeps ports, and gives source port 500 another one.',
  topology: 'own-nat',
  rules: translate('oifname "wan0" udp sport 500 masquerade to :1024-1100', 'oifname "wan0" masquerade'),
  profiles: ['wifi-calling-3gpp'],
  report: {
    nat: {
      portPreservation: true,
      sourcePorts: [
        { port: 500, seenPort: new Between(1024, 1100), answered: true },
        { port: 4500, seenPort: 4500, answered: true },
      ],
    },
  },
} satisfies Scenario;
