/** How often a port of a sweep is asked before its silence is believed. Pure. */
import { packetsNeeded, RANGE_PORT_DOUBT } from '../../verdict/silence.js';

/** `certain`: until silence is proof. `scout`: until it is likely; what stays silent is a hint and no observation. */
export type Depth = 'certain' | 'scout';

/** A silent port is asked this often at least, in rounds that lie apart: most bursts of loss are shorter. */
export const MIN_ROUNDS = 4;
/** And this often where its silence proves nothing anyway; of many ports once, because nobody seems to be there. */
const UNINFORMED_ROUNDS = 6;
const MANY_PORTS = 64;
/** A path that would need more rounds loses more than any call bears; what is silent then stays unknown. */
export const MAX_ROUNDS = 40;
/**
 * Of a port whose answers are dropped only the packets that got there prove it, so as many as are needed have to arrive,
 * and with luck a few less.
 */
const SPARE_ROUNDS = 3;
/** What a scout's silence may owe to loss: it is no verdict, and only says where to look. */
const SCOUT_DOUBT = 1e-3;
const SCOUT_ROUNDS = { least: 3, most: 8 } as const;
/** Scouting takes no more than this part of all packets that a run has time for. */
const SCOUTING_SHARE = 1 / 4;

interface Batch {
  /** Ports asked together. */
  readonly ports: number;
  /** Ports that the whole sweep has asked so far. */
  readonly swept: number;
  /** The most that the path loses, as far as is known. */
  readonly lossUpperBound: number | null;
  /** Packets that the whole run has time for. */
  readonly maxPackets: number;
}

/** Packets for each port of a batch that stays silent. */
export const packetsPerPort = (depth: Depth, { ports, swept, lossUpperBound, maxPackets }: Batch): number => {
  if (depth === 'scout') {
    const affordable = Math.floor((maxPackets * SCOUTING_SHARE) / Math.max(1, ports));
    const most = Math.min(SCOUT_ROUNDS.most, Math.max(SCOUT_ROUNDS.least, affordable));
    return Math.min(most, Math.max(1, packetsNeeded(lossUpperBound, SCOUT_DOUBT)));
  }
  // The doubt is the whole sweep's: with thousands of ports one in ten thousand would be wrong somewhere.
  const needed = packetsNeeded(lossUpperBound, RANGE_PORT_DOUBT / Math.max(1, ports, swept));
  const arriving =
    Math.ceil(packetsNeeded(lossUpperBound, RANGE_PORT_DOUBT) / (1 - (lossUpperBound ?? 0))) + SPARE_ROUNDS;
  const target = needed > MIN_ROUNDS ? Math.max(needed, arriving) : MIN_ROUNDS;
  if (target <= MAX_ROUNDS) return target;
  return lossUpperBound === null && ports > MANY_PORTS ? 1 : UNINFORMED_ROUNDS;
};
