import { reflector, squid } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about: "A transparent proxy (squid) takes HTTP and asks in the client's place.",
  rules: intercept('tcp dport 80 redirect to :3128'),
  parts: [reflector(), squid(3128)],
  profiles: ['facetime'],
  really: { 'http/tcp/80': 'intercepted' },
  // It passes our proof on and changes the request around it: either name is true.
  expect: { 'http/tcp/80': ['altered/http-intercepted', 'altered/payload-rewritten'] },
  services: { facetime: 'degraded' },
  cause: { facetime: ['interception', 'rewriting'] },
} satisfies Scenario;
