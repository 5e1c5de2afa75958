import { join } from 'node:path';
import { packageRoot } from '../../../src/plan/package-root.js';
import { reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

const profile = (name: string): string => join(packageRoot(), 'fixtures', 'profiles', `${name}.yaml`);

export default {
  about:
    'Two deployments use UDP 21000-21799 and 21400-22199 for media; 21556-21699, which both have, is dropped on its way out.',
  rules: forward('oifname "wan0" udp dport 21556-21699 drop'),
  parts: [reflector({ args: ['--udp', '3478,5060,21000-22199'] })],
  args: ['--exhaustive'],
  profiles: [profile('overlapping-a'), profile('overlapping-b')],
  really: { 'udp/21556-21699': 'dropped-outbound' },
  exactRanges: true,
  services: { 'overlapping-a': 'impaired', 'overlapping-b': 'impaired' },
  perhapsSymptoms: {
    'overlapping-a': ['some-calls-silent', 'one-way-audio-outbound', 'no-audio', 'cannot-register'],
    'overlapping-b': ['some-calls-silent', 'one-way-audio-outbound', 'no-audio', 'cannot-register'],
  },
} satisfies Scenario;
