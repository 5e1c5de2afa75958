import type { Scenario } from '../scenario.js';

export default {
  about: 'An ordinary NAT router: calls stand, are held, moved and ended from each side.',
  args: ['--call'],
  cause: { 'business-sip': 'none' },
} satisfies Scenario;
