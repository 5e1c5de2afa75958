import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: "Two NATs in a row, a carrier's shared address space (RFC 6598) between them.",
  topology: 'double-nat',
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  // Nothing private shows outside, so that there are two of them cannot be known from here.
  report: { nat: { mapping: 'endpoint-independent', layers: null } },
} satisfies Scenario;
