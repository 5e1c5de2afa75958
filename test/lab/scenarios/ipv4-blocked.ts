import { names, reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: 'The target has an address of each family; IPv4 is dropped and IPv6 passes.',
  rules: forward('ip protocol { tcp, udp } drop'),
  parts: [
    // Two addresses on every media port would be more sockets than one process may open here.
    reflector({
      listen: [ADDRESS.target, ADDRESS.target6],
      args: ['--udp', '3478,5060,16384-16483', '--tcp', '5060', '--tls', '5061'],
    }),
    names({ 'voip.test': [ADDRESS.target, ADDRESS.target6] }),
  ],
  target: 'voip.test',
  args: ['--rtp-range', '16384-16483'],
  really: { '*#198.51.100.10': 'dead' },
  services: { 'business-sip': ['works', 'degraded', 'unknown'] },
} satisfies Scenario;
