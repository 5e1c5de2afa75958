/** Where streams go, and whether a run's pace has room for one. Pure. */
import type { Check } from '../../model/check.js';
import { SPACING_MS } from '../../model/media.js';
import type { MediaOptions } from '../../model/run.js';

/** A stream's share of the pace leaves room for what is asked beside it. */
const ROOM_BESIDE = 1.2;

/** Whether a stream with this distance between packets fits the run's pace. */
export const hasRoom = ({ maxPps }: MediaOptions, spacingMs: number = SPACING_MS): boolean =>
  maxPps >= (ROOM_BESIDE * 1000) / spacingMs;

/** Media ports among these, of whoever names most of them, the lowest first: the same one from run to run. */
export const portsOf = <C extends Check>(checks: readonly C[]): readonly C[] => {
  const groups = new Map<string, C[]>();
  for (const check of checks.filter(({ probe }) => probe === 'rtp-echo')) {
    const name = check.requiredBy.join(' ');
    groups.set(name, [...(groups.get(name) ?? []), check]);
  }
  const [most = []] = [...groups.values()].sort((a, b) => b.length - a.length);
  return most.sort((a, b) => a.port - b.port);
};
