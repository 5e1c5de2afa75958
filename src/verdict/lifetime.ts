/** From idle sockets to binding lifetimes: between the longest silence that was survived and the shortest that was not. */
import type { Transport } from '../model/check.js';
import type { Idle } from '../model/stages.js';
import { packetsNeeded, SINGLE_CHECK_DOUBT } from './silence.js';

export interface BindingLifetime {
  readonly port: number;
  readonly transport: Transport;
  /** Packets had gone both ways before. */
  readonly bidirectional: boolean;
  readonly atLeastSeconds: number;
  /** Null where no end was found within the time that was asked. */
  readonly belowSeconds: number | null;
}

const keyOf = ({ transport, port, bidirectional }: Idle): string => `${transport}/${port}/${bidirectional}`;

/**
 * An answer that came is proof. One that did not may have been lost, so as many must be missing as the path's loss does
 * not explain, and the last of these is the bound. A request that never arrived says nothing.
 */
const judgeSeries = (series: readonly Idle[], lossUpperBound: number | null): BindingLifetime | null => {
  const [first] = series;
  const told = series.filter(({ answered, seen }) => answered || (seen ?? 0) > 0);
  if (!first || told.length === 0) return null;
  const longest = Math.max(0, ...told.filter(({ answered }) => answered).map(({ afterMs }) => afterMs));
  const silent = told
    .filter(({ answered, afterMs }) => !answered && afterMs > longest)
    .map(({ afterMs }) => afterMs)
    .sort((a, b) => a - b);
  const needed = packetsNeeded(lossUpperBound, SINGLE_CHECK_DOUBT);
  const bound = Number.isFinite(needed) ? silent[needed - 1] : undefined;
  return {
    port: first.port,
    transport: first.transport,
    bidirectional: first.bidirectional,
    atLeastSeconds: Math.floor(longest / 1000),
    belowSeconds: bound === undefined ? null : Math.ceil(bound / 1000),
  };
};

/** One entry for each port and kind of traffic that was asked. */
export const judgeLifetimes = (all: readonly Idle[], lossUpperBound: number | null): readonly BindingLifetime[] =>
  [...new Set(all.map(keyOf))].flatMap(
    (key) =>
      judgeSeries(
        all.filter((one) => keyOf(one) === key),
        lossUpperBound,
      ) ?? [],
  );
