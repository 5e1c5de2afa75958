/**
 * Which silences of connections are outages: what lets few new connections pass in a time takes them again right after it has let
 * one pass, and a line that is back does not. Pure.
 */
import type { Silence } from '../model/far-end.js';
import type { Observation } from '../model/observation.js';
import { passed } from './observations.js';

/** One that dies beside others that open may be lost. */
const MANY = 2;

/** When connections were asked for that never opened, where others did. */
export const diedBesideOpened = (all: readonly Observation[]): readonly number[] =>
  all
    .filter((one) => one.check.transport !== 'udp' && passed(one))
    .flatMap(({ attempts, atLast = [] }) => [...attempts, ...atLast])
    .flatMap((one) => (one.outcome === 'silence' && one.opened === null ? one.lostAtMs : []));

/**
 * Those after whose end connections opened as before. @param diedAtMs when some did not, while the line was alive
 */
export const withoutLimits = (silences: readonly Silence[], diedAtMs: readonly number[]): readonly Silence[] => {
  const isWithin = (atMs: number): boolean =>
    silences.some(({ fromMs, toMs }) => atMs >= fromMs && (toMs === null || atMs <= toMs));
  const elsewhere = diedAtMs.filter((atMs) => !isWithin(atMs));
  return silences.filter(({ toMs }) => toMs === null || elsewhere.filter((atMs) => atMs > toMs).length < MANY);
};
