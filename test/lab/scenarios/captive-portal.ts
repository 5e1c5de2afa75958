import { captivePortal, reflector } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about: 'A captive portal answers HTTP with a redirection to its login page.',
  rules: intercept('tcp dport 80 redirect to :8080'),
  parts: [reflector(), captivePortal(8080)],
  profiles: ['facetime'],
  really: { 'http/tcp/80': 'intercepted' },
  services: { facetime: 'degraded' },
  cause: { facetime: 'interception' },
} satisfies Scenario;
