/**
 * Where the default mode looks for holes: one port from each short stretch of a range, so that no hole of ordinary width
 * lies between two of them.
 */
import type { PortRange } from '../../model/check.js';

/** No two scouts lie further apart, so that every hole as wide as this, in even or odd ports alone, meets one. */
export const SURE_WIDTH = 64;
/** All ranges of one address together: with the rest of a run fewer flows than a small router's table can spare. */
export const MAX_SCOUTS = 640;
/**
 * In a run of each minute: a table of flows keeps what came in a few minutes, and those of one such run must not fill it.
 * Of two ranges of 8192 ports, every hole as wide as 560 meets one; others are met in time, and at the next sweep.
 */
export const LIGHT_SCOUTS = 64;
/** A stretch is shortened by up to this share at random, so that no regular pattern of holes keeps step with it. */
const JITTER = 1 / 8;

type Range = Pick<PortRange, 'from' | 'to' | 'step'>;

const countOf = ({ from, to, step }: Range): number => Math.floor((to - from) / step) + 1;

/** How many ports of a range lie from one scout to the next at most, so that all ranges stay within `most`. */
export const scoutSpacing = (ranges: readonly Range[], most = MAX_SCOUTS): number => {
  const wanted = (width: number): number =>
    ranges.reduce((sum, range) => {
      const stretch = Math.max(1, Math.floor(width / range.step));
      return sum + countOf(range) / Math.max(1, stretch * (1 - JITTER / 2));
    }, 0);
  let width = SURE_WIDTH;
  while (wanted(width) > most) width += SURE_WIDTH / 4;
  return width;
};

/** How many scouts all ranges of one address get, at most. */
export const scoutCount = (ranges: readonly Range[]): number => {
  const width = scoutSpacing(ranges);
  return ranges.reduce((sum, range) => {
    const stretch = Math.max(1, Math.floor(width / range.step));
    return sum + Math.ceil(countOf(range) / Math.max(1, stretch - Math.floor(stretch * JITTER)));
  }, 0);
};

/** Scouts of one range, `width` port numbers apart at most. */
export const scoutPorts = (range: Range, width: number, random: () => number): readonly number[] => {
  const stretch = Math.max(1, Math.floor(width / range.step));
  const count = countOf(range);
  const ports: number[] = [];
  let index = Math.floor(random() * Math.min(stretch, count));
  while (index < count) {
    ports.push(range.from + index * range.step);
    index += Math.max(1, stretch - Math.floor(random() * (1 + stretch * JITTER)));
  }
  return ports;
};
