import type { Scenario } from '../scenario.js';

export default {
  about: "Two NATs in a row, a carrier's shared address space (RFC 6598) between them.",
  topology: 'double-nat',
  expectLater: [{ issue: 'NAT behaviour', report: { nat: { layers: 2 } } }],
} satisfies Scenario;
