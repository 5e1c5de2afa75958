/** From what a run observed to the verdicts of its checks, ranges and services: all opinions of a report, in one place. */
import { isWithinRange, type Key, type Plan, type PlannedRange, type PortRange } from '../model/check.js';
import type { FarEndFacts } from '../model/far-end.js';
import type { LossSample, Observation } from '../model/observation.js';
import type { Profile, Thresholds } from '../model/profile.js';
import type { RunOutput } from '../model/run.js';
import type { Classified } from '../model/verdict.js';
import { recurrenceFor } from '../verdict/away.js';
import type { Circumstances, FarEndState } from '../verdict/circumstances.js';
import { classify } from '../verdict/classify.js';
import { classifyOverlookingForm } from '../verdict/cosmetic.js';
import { endOf, farEndStates, UNKNOWN_FAR_END } from '../verdict/far-end.js';
import { withFlowLimit } from '../verdict/flow-limit.js';
import { withHeldBackErrors } from '../verdict/held-back-errors.js';
import { type ClassifiedRange, classifyRange } from '../verdict/ranges.js';
import { isFelt } from '../verdict/rules/weighs.js';
import { type ServiceState, weigh, weighService, withWayIn } from '../verdict/services.js';
import { withoutShut } from '../verdict/shut.js';
import { lossUpperBound, RANGE_PORT_DOUBT, SINGLE_CHECK_DOUBT } from '../verdict/silence.js';
import { isSpared } from '../verdict/spared-call.js';
import { judgeStudies, type StudyFacts } from '../verdict/studies/registry.js';
import { placeOf } from '../verdict/studies/sip.js';
import { losingOwnPort } from '../verdict/studies/source-ports.js';
import type { Judged } from '../verdict/studies/study-check.js';
import { isShutAtLast } from '../verdict/unanswered.js';
import { itemOfCheck, itemOfRange } from './items.js';
import { harmedBy, isAskedByItself, waysInOf } from './studies.js';

export interface Judgement {
  readonly farEnds: ReadonlyMap<string, FarEndState>;
  readonly facts: ReadonlyMap<string, FarEndFacts>;
  readonly lossUpperBound: number | null;
  readonly loss: LossSample;
  /** Of the plan's checks, in its order. */
  readonly checks: readonly Classified[];
  readonly ranges: readonly ClassifiedRange[];
  readonly studies: Required<Judged>;
  readonly services: readonly ServiceState[];
  /** Every check and every port of a range. */
  readonly all: readonly Classified[];
}

/** The strictest of all chosen profiles: a path is as good as its most demanding user needs. */
const strictest = (profiles: readonly Profile[]): Thresholds => {
  const least = (of: keyof Thresholds): number => Math.min(...profiles.map(({ thresholds }) => thresholds[of]));
  return {
    lossRatio: least('lossRatio'),
    rttMs: least('rttMs'),
    jitterMs: least('jitterMs'),
    reorderRatio: least('reorderRatio'),
  };
};

/**
 * Where a token was given, an answer counts for nothing as long as nobody at its address has proven to know it: something
 * may be answering in the far end's place.
 */
const withoutProof = (one: Classified, isOwed: boolean, farEnds: ReadonlyMap<string, FarEndState>): Classified =>
  isOwed && one.received > 0 && farEnds.get(one.check.address ?? '')?.role !== 'reflector'
    ? { ...one, verdict: 'unknown', reason: 'unproven', confidence: 0 }
    : one;

/** What each range's ports were observed to do, found once for all ranges. */
const observationsOfRanges = (
  ranges: readonly PortRange[],
  observations: readonly Observation[],
): ReadonlyMap<PortRange, readonly Observation[]> => {
  const groups = new Map<string, Observation[]>();
  const groupOf = ({ probe, transport, address }: Pick<PortRange, 'probe' | 'transport' | 'address'>): string =>
    `${probe} ${transport} ${address}`;
  for (const observation of observations) {
    const name = groupOf(observation.check);
    const group = groups.get(name);
    if (group) group.push(observation);
    else groups.set(name, [observation]);
  }
  return new Map(
    ranges.map((range) => [
      range,
      (groups.get(groupOf(range)) ?? []).filter(({ check }) => isWithinRange(range, check)),
    ]),
  );
};

/** Where a call breaks that rests on a service's own port, the service is no better than that. */
const withCalls = (service: ServiceState, checks: Required<Judged>['checks']): ServiceState => {
  const broken = checks.filter(
    (one) =>
      one.probe === 'call' &&
      (one.finding.verdict === 'blocked' || one.finding.verdict === 'altered') &&
      !isSpared(one, checks) &&
      isFelt(one, service),
  );
  if (broken.length === 0) return service;
  const isSevere = broken.some(({ evidence }) => evidence.severe === true);
  if (service.verdict === 'works') return { ...service, verdict: isSevere ? 'impaired' : 'degraded' };
  return service.verdict === 'degraded' && isSevere ? { ...service, verdict: 'impaired' } : service;
};

/** @param isNamed the user named the reflectors, so that each of them owes a proof */
export const judgeRun = (
  plan: Plan,
  profiles: readonly Profile[],
  output: RunOutput<StudyFacts>,
  isNamed: boolean,
): Judgement => {
  const facts = new Map(output.farEnds.map((one) => [one.address, one]));
  const upperBound = lossUpperBound(output.loss);
  const farEnds = farEndStates(output.observations, output.farEnds, upperBound);
  const strict = strictest(profiles);
  // What this host added to a round trip is no fault of the path.
  const thresholds = { ...strict, rttMs: strict.rttMs + output.usualDelayMs };
  const farEndOf = ({ check: { address } }: Observation): FarEndState => farEnds.get(address ?? '') ?? UNKNOWN_FAR_END;
  const circumstancesOf = ({ check: { isOfRange } }: Observation): Circumstances => ({
    ...{ lossUpperBound: upperBound, thresholds },
    doubt: isOfRange ? RANGE_PORT_DOUBT : SINGLE_CHECK_DOUBT,
  });
  const shut = output.observations
    .filter((one) => isShutAtLast(one, farEndOf(one), circumstancesOf(one)))
    .map(({ check }) => check);
  const ofStudies = judgeStudies(withoutShut(output.facts, shut), output.loss, thresholds);
  const plainly = (observation: Observation): Classified =>
    classify(observation, farEndOf(observation), circumstancesOf(observation));
  const isLimited = output.facts.sip.some(({ limit }) => limit !== undefined);
  /** What is lost to a limit of messages to this port is no loss of the path. */
  const underSipLimit = (one: Classified): Classified => {
    const { check, reason } = one;
    const isIts = output.facts.sip.some(
      ({ address, limit }) =>
        limit?.kind === 'rate' && check.transport === 'udp' && check.port === limit.port && check.address === address,
    );
    return isIts && reason === 'loss' ? { ...one, verdict: 'degraded', reason: 'rate-limited' } : one;
  };
  const judged = (observation: Observation): Classified =>
    underSipLimit(
      losingOwnPort(classifyOverlookingForm(observation, ofStudies.cosmetic.has(placeOf(observation.check)), plainly), {
        ...ofStudies.nat,
        isLimited,
      }),
    );
  const classified = (observation: Observation): Classified =>
    withoutProof(judged(observation), facts.has(observation.check.address ?? ''), farEnds);

  const observed = new Map<Key, Observation>(output.observations.map((one) => [one.check.key, one]));
  const checks = plan.checks.flatMap((check) => {
    const observation = observed.get(check.key);
    return observation ? [classified({ ...observation, check })] : [];
  });
  const ofRanges = observationsOfRanges(plan.ranges, output.observations);
  const classifiedRange = (range: PlannedRange): ClassifiedRange => {
    const { requiredBy } = range;
    const ports = (ofRanges.get(range) ?? []).map((one) =>
      classified({ ...one, check: { ...one.check, isOfRange: true, requiredBy } }),
    );
    const {
      limit = null,
      flows = null,
      recurrence = null,
      listens,
    } = farEnds.get(range.address ?? '') ?? UNKNOWN_FAR_END;
    const ownLateMs = output.eventLoopDelayMs + (listens?.lateMs ?? 0);
    const isUdp = range.transport === 'udp';
    return classifyRange(range, withHeldBackErrors(ports), {
      ...{ ...thresholds, ownLateMs },
      // What limits the path, and what became of flows, is known of UDP alone.
      limit: isUdp ? limit : null,
      flows: isUdp ? flows : null,
      recurrence: recurrenceFor(recurrence, isUdp),
    });
  };
  const ranges = plan.ranges.map(classifiedRange);

  const limits = new Map(output.farEnds.flatMap(({ address, limit }) => (limit ? [[address, limit] as const] : [])));
  const studies = {
    ...ofStudies,
    // What a profile asks itself is asked better there.
    checks: withFlowLimit(ofStudies.checks, limits).filter((one) => !isAskedByItself(one, plan)),
  };

  // Who was named as a reflector, or speaks its protocol, owes a proof: without one the question is unknown, not untested.
  const owesProof = (address: string | null): boolean => {
    const { tokenRefused = false, clockRefused = false } = facts.get(address ?? '') ?? {};
    return farEnds.get(address ?? '')?.role === 'reflector' || isNamed || tokenRefused || clockRefused;
  };
  const checkItems = new Map(checks.map((one) => [one.check.key, itemOfCheck(one, owesProof(one.check.address))]));
  const rangeItems = new Map(ranges.map((one) => [one.range, itemOfRange(one, owesProof(one.range.address))]));
  const services = profiles.map((profile) =>
    weighService(
      profile,
      plan.requirements
        .filter((requirement) => requirement.profile === profile.profile)
        .map(({ requirement, alternatives, inbound }) =>
          withWayIn(
            weigh(
              requirement,
              alternatives.map((grounds) => {
                const own = [
                  ...grounds.checks.flatMap((key) => checkItems.get(key) ?? []),
                  ...grounds.ranges.flatMap((range) => rangeItems.get(range) ?? []),
                ];
                return [...own, ...harmedBy(own, studies.checks, plan)];
              }),
            ),
            waysInOf(inbound ?? [], studies.checks, plan),
          ),
        ),
    ),
  );
  // A run that ended in silence saw how it was before, and not how it is.
  const hasEnded = output.farEnds.some((one) => endOf(one) !== null);
  const told = services.map((one) =>
    hasEnded && (one.verdict === 'works' || one.verdict === 'degraded') ? { ...one, verdict: 'unknown' as const } : one,
  );
  const felt = told.map((one) => withCalls(one, studies.checks));
  return {
    ...{ farEnds, facts, checks, ranges, studies, services: felt },
    loss: output.loss,
    lossUpperBound: upperBound,
    all: [...checks, ...ranges.flatMap(({ ports }) => ports)],
  };
};
