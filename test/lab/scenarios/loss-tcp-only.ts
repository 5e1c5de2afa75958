import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'One segment of TCP in five is lost in each direction; UDP loses nothing.',
  rules: forward('meta l4proto tcp numgen random mod 100 < 20 drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'tcp/*': 'lossy', 'tls/*': 'lossy' },
  // A connection whose first segments are lost may not come to an end in time; no port is to blame for it.
  expect: {
    'tcp/*': ['pass/answered', 'degraded/loss', 'degraded/latency', 'degraded/flow-loss', 'unknown/*'],
    'tls/*': ['pass/answered', 'degraded/loss', 'degraded/latency', 'degraded/flow-loss', 'unknown/*'],
  },
  services: { 'business-sip': ['works', 'degraded', 'unknown'] },
  perhapsSymptoms: { 'business-sip': ['some-calls-silent', 'choppy-audio', 'delayed-audio', 'lost-inbound-calls'] },
  saysNot: [/[Ii]nspection|firewall or router blocks/],
  notFixed: 'nothing is to be permitted',
  repeat: 5,
  outages: 'perhaps',
  measureFlows: [{ port: 5060, transport: 'tcp', flows: 60, flowsPerSecond: 60, deadRatio: [0, 0.5] }],
} satisfies Scenario;
