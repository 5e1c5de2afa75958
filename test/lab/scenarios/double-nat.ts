import { reflector } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: "Two NATs in a row, a carrier's shared address space (RFC 6598) between them.",
  topology: 'double-nat',
  parts: [reflector({ listen: [ADDRESS.target, ADDRESS.second] })],
  // Nothing private shows outside, so that there are two of them cannot be known from here.
  report: { nat: { mapping: 'endpoint-independent', layers: null } },
} satisfies Scenario;
