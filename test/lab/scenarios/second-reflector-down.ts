import { reflector } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: 'Of two reflectors the second is not running; its silence must not hide or spoil what the first one proves.',
  parts: [reflector({ listen: [ADDRESS.target] })],
  args: ['--reflector', ADDRESS.target, '--reflector', ADDRESS.second],
  really: { '*#198.51.100.11': 'closed' },
  services: { 'business-sip': ['works', 'unknown'] },
} satisfies Scenario;
