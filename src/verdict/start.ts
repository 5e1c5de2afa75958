/** When a reflector started, by this host's clock: what it was asked before that says nothing about the path. */
import type { ReflectorInfo } from '../model/far-end.js';
import type { Observation } from '../model/observation.js';

/** A moment that lies no more than this after the run's begin may be the clocks' error, and no question was lost by it. */
export const CERTAIN_START_MS = 500;

/** By how much the clock at one of these addresses is ahead of this host's, in milliseconds: as the quickest answer says it. */
const skewOf = (observations: readonly Observation[], addresses: readonly string[]): number | null =>
  observations
    .filter(({ check: { address } }) => address !== null && addresses.includes(address))
    .flatMap(({ attempts }) => attempts)
    .flatMap((attempt) => (attempt.outcome === 'answer' && attempt.attestation ? [attempt] : []))
    .sort((a, b) => (a.rttMs ?? Infinity) - (b.rttMs ?? Infinity))
    .flatMap(({ attestation }) => attestation?.clockSkewMs ?? [])[0] ?? null;

/** Milliseconds since 1970 by this host's clock; null where it did not say, or where the clocks could not be compared. */
export const startedAtMsOf = (
  info: ReflectorInfo | undefined,
  observations: readonly Observation[],
  addresses: readonly string[],
): number | null => {
  const skew = skewOf(observations, addresses);
  return info?.startedAtMs === undefined || skew === null ? null : info.startedAtMs - skew;
};
