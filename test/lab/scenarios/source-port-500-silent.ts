import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'A tunnel of another device holds port 500: what leaves from source port 500 gets no answer, other ports do.',
  rules: forward('udp sport 500 udp dport 500 drop'),
  profiles: ['wifi-calling-3gpp'],
  report: { nat: { sourcePorts: [{ port: 500, seenPort: null, answered: false }] } },
} satisfies Scenario;
