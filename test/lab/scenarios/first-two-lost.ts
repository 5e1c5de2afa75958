import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { firstLost } from '../trouble.js';

export default {
  about: 'The first two packets of each UDP flow are lost on their way out, and no others.',
  rules: firstLost({ packets: 2 }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/*': 'first-lost' },
  services: { 'business-sip': ['works', 'unknown'] },
  saysNot: [/[Oo]verloaded|Wi-Fi|[Ii]nspection|firewall or router blocks/],
  notFixed: 'nothing is to be permitted',
  measureFlows: [{ port: 16_384, transport: 'udp', flows: 50, flowsPerSecond: 50, deadRatio: [0, 0] }],
} satisfies Scenario;
