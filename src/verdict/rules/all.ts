/** All rules, in the order in which a reader should meet their symptoms. */
import { ALG_RULES } from './alg.js';
import { CALL_RULES } from './calls.js';
import { HOST_RULES } from './host.js';
import { INBOUND_RULES } from './inbound.js';
import { MEDIA_RULES } from './media.js';
import { NAT_RULES } from './nat.js';
import { OTHER_RULES } from './rest.js';
import type { Rule } from './rule.js';
import { SIGNALLING_RULES } from './signalling.js';
import { SIZE_RULES } from './size.js';

export const RULES: readonly Rule[] = [
  ...SIGNALLING_RULES,
  ...MEDIA_RULES,
  ...INBOUND_RULES,
  ...ALG_RULES,
  ...CALL_RULES,
  ...SIZE_RULES,
  ...NAT_RULES,
  ...HOST_RULES,
  ...OTHER_RULES,
];
