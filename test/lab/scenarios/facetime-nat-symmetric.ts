import { reflector } from '../parts.js';
import { type Scenario, translate } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: 'Everything that FaceTime needs passes, through a NAT that chooses a fresh port for every destination.',
  topology: 'own-nat',
  rules: translate('oifname "wan0" masquerade fully-random'),
  parts: [
    reflector({
      listen: [ADDRESS.target, ADDRESS.second],
      args: ['--udp', '53,3478-3497,5060,16384-16472', '--tcp', '53,80,443,4080,5060,5223'],
    }),
  ],
  profiles: ['facetime'],
  report: { nat: { mapping: 'address-and-port-dependent' } },
  symptoms: { facetime: ['peer-to-peer-fails'] },
  cause: { facetime: 'symmetric-nat' },
} satisfies Scenario;
