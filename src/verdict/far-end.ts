/** What all observations together say about each address: the controls that a single verdict needs. */
import { type FarEndFacts, type Recurrence, unknownFarEnd } from '../model/far-end.js';
import type { Observation } from '../model/observation.js';
import { endsAlike, isGuard, recurrenceOf } from './away.js';
import type { FarEndState } from './circumstances.js';
import { hasSpoken, isWayLong, lineLoses } from './third-party.js';

const answered = (observation: Observation, authentic: boolean): boolean =>
  observation.attempts.some((attempt) => attempt.outcome === 'answer' && (!authentic || attempt.authentic === true));

/** Someone there said no, or the connection stood: the address is alive although the question failed. */
const spoke = (observation: Observation): boolean =>
  hasSpoken(observation) ||
  Boolean(observation.elsewhere) ||
  observation.attempts.some(
    (attempt) =>
      (attempt.outcome !== 'answer' && attempt.opened !== null) ||
      (attempt.outcome === 'error' && ['refused', 'reset', 'tls-failed', 'closed-early'].includes(attempt.failure)),
  );

/** A burst of new flows just before the end: what guards against port scans and floods acts on those. */
const MANY_FLOWS = 15;

/** What a guard does to this run, calls do not meet. */
const harmfulOf = (recurrence: Recurrence | null): Recurrence | null =>
  recurrence?.by === 'guard' ? null : recurrence;

/** Why nothing came from a far end any more when the run ended; null where it still answered. */
export const endOf = ({ isGone, isRefusing, silences }: FarEndFacts): 'outage' | 'cut-off' | null => {
  const last = silences.at(-1);
  if (!isGone && (!last || last.toMs !== null)) return null;
  if (isRefusing) return 'outage';
  return (last?.recentFlows ?? 0) >= MANY_FLOWS || endsAlike(silences) || isGuard(silences) ? 'cut-off' : 'outage';
};

const stateOf = (facts: FarEndFacts, own: readonly Observation[], lossUpperBound: number | null): FarEndState => {
  const isProven = facts.identity !== null || own.some((observation) => answered(observation, true));
  const passing = own.filter((one) => one.check.transport === 'udp' && answered(one, true));
  return {
    role: isProven ? 'reflector' : 'third-party',
    lineLoses: (lossRatio) => lineLoses(own, lossRatio),
    isWayLong: (rttMs) => isWayLong(own, rttMs),
    alive: isProven || own.some((observation) => answered(observation, false) || spoke(observation)),
    asked: own.length,
    listens: facts.identity?.info ?? null,
    limit: facts.limit,
    heldBack: facts.heldBack,
    ended: endOf(facts),
    flows: facts.flows,
    connections: facts.connections,
    // Of a third party nothing proves that it was alive, and its silence is nobody's fault anyway.
    ...(isProven &&
      facts.alive.length > 0 && {
        aliveDuring: { atAll: facts.alive, overUdp: facts.aliveOverUdp },
        silences: facts.silences,
        recurrence: harmfulOf(recurrenceOf(facts, lossUpperBound)),
        shutFor: new Map(facts.shutFor.map((one) => [one.port, one])),
      }),
    onlyShortPasses: new Set(facts.onlyShortPasses),
    passesAgain: new Map(facts.passesAgain.map(({ key, bytes }) => [key, bytes])),
    smallEspPorts: new Set(facts.smallEspPorts),
    openUdpPorts: new Set([...passing.map(({ check }) => check.port), ...facts.otherBytesPorts]),
  };
};

/** The state of every address that was asked anything. @param lossUpperBound the path's, null where nothing bounds it */
export const farEndStates = (
  observations: readonly Observation[],
  farEnds: readonly FarEndFacts[],
  lossUpperBound: number | null = null,
): ReadonlyMap<string, FarEndState> => {
  const byAddress = new Map<string, Observation[]>();
  for (const observation of observations) {
    const { address } = observation.check;
    if (address === null || observation.notRun !== null) continue;
    const own = byAddress.get(address);
    if (own) own.push(observation);
    else byAddress.set(address, [observation]);
  }
  const facts = new Map(farEnds.map((one) => [one.address, one]));
  return new Map(
    [...byAddress].map(([address, own]) => [
      address,
      stateOf(facts.get(address) ?? unknownFarEnd(address), own, lossUpperBound),
    ]),
  );
};

/** Of an address that was asked nothing. */
export const UNKNOWN_FAR_END: FarEndState = {
  role: 'third-party',
  alive: false,
  asked: 0,
  listens: null,
  openUdpPorts: new Set(),
};
