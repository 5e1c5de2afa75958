/**
 * Outages drawn at random: of one to eight seconds, at any moment of a run, of everything or of one kind, under loss.
 * Pure: a seed gives the network, and a report gives what is wrong with it.
 */

import { seededRandom } from '../../../src/model/random.js';
import type { Report } from '../../../src/model/report.js';
import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type NamedScenario } from '../scenario.js';
import { type Outage, outage } from '../trouble.js';

/** A run over this network takes about so long when nothing is away; a later outage would meet nobody. */
const RUN_SECONDS = 5;
const SHORTEST_SECONDS = 1;
const LONGEST_SECONDS = 8;
const MAX_LOSS_PERCENT = 5;
/** Most lines go away whole. */
const WHATS = ['everything', 'everything', 'everything', 'udp', 'tcp'] as const;
const DIRECTIONS = ['both', 'both', 'both', 'outbound', 'inbound'] as const;

interface DrawnOutage {
  readonly seed: number;
  readonly lossPercent: number;
  readonly outage: Outage & { readonly seconds: number };
  readonly scenario: NamedScenario;
}

/** The network of a seed. */
export const drawOutage = (seed: number): DrawnOutage => {
  const random = seededRandom(seed);
  const pick = <T>(some: readonly [T, ...T[]]): T => some[Math.floor(random() * some.length)] ?? some[0];
  const drawn = {
    after: { seconds: Math.round(random() * RUN_SECONDS * 1000) / 1000 },
    seconds: Math.round((SHORTEST_SECONDS + random() * (LONGEST_SECONDS - SHORTEST_SECONDS)) * 1000) / 1000,
    what: pick(WHATS),
    direction: pick(DIRECTIONS),
  };
  const lossPercent = Math.floor(random() * (MAX_LOSS_PERCENT + 1));
  const loss = lossPercent > 0 ? forward(`numgen random mod 100 < ${lossPercent} drop`) : '';
  return {
    seed,
    lossPercent,
    outage: drawn,
    scenario: {
      name: `outage-${seed}`,
      about: 'A line that is away for a while, under loss.',
      rules: `${outage(drawn)}${loss}`,
      parts: [reflectorOnTwo()],
      args: SMALL_MEDIA_RANGE,
      really: { '*': 'away' },
    },
  };
};

/** One line, from which the run can be repeated. */
export const describe = ({ seed, lossPercent, outage: { after, seconds, what, direction } }: DrawnOutage): string => {
  const from = 'seconds' in after ? after.seconds : 0;
  return `seed ${seed}: ${what} ${direction} away ${from.toFixed(1)}-${(from + seconds).toFixed(1)} s, loss ${lossPercent} %`;
};

/** Nothing is blocked in any of these networks, so nothing may say so: no check, no range, no service. */
export const falselyBlocked = ({
  checks,
  ranges,
  services,
}: Pick<Report, 'checks' | 'ranges' | 'services'>): readonly string[] => [
  ...checks.filter(({ verdict }) => verdict === 'blocked').map(({ id, reason }) => `${id} blocked/${reason}`),
  ...ranges
    .filter(({ verdict }) => verdict === 'blocked')
    .map(({ id, from, to, reason }) => `${id} ${from}-${to} blocked/${reason}`),
  ...services
    .filter(({ verdict }) => verdict === 'blocked' || verdict === 'impaired')
    .map(({ profile, verdict }) => `service ${profile} ${verdict}`),
];
