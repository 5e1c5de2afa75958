/** Puts the report together: a pure function of the plan, of what was observed, and of who was asked. */

import type { Check } from '../model/check.js';
import type { Observation } from '../model/observation.js';
import type { Profile, Thresholds } from '../model/profile.js';
import { REPORT_SCHEMA_ID, type Report } from '../model/report.js';
import type { Resolution } from '../model/resolution.js';
import type { Classified } from '../model/verdict.js';
import { type Plan, questionsOf } from '../plan/plan.js';
import type { RunOutput } from '../run/run-data.js';
import { classify } from '../verdict/classify.js';
import { farEndStates, UNKNOWN_FAR_END } from '../verdict/far-end.js';
import { withFlowLimit } from '../verdict/flow-limit.js';
import { withHeldBackErrors } from '../verdict/held-back-errors.js';
import { classifyRange } from '../verdict/ranges.js';
import { type Item, weigh, weighService } from '../verdict/services.js';
import { lossUpperBound, RANGE_PORT_DOUBT, SINGLE_CHECK_DOUBT } from '../verdict/silence.js';
import { judgeKeepalives, judgeLifetimes } from '../verdict/studies/lifetimes.js';
import { judgeNat } from '../verdict/studies/nat.js';
import { judgeSip } from '../verdict/studies/sip.js';
import { judgeSourcePorts, judgeStale, sourcePortNotes } from '../verdict/studies/source-ports.js';
import { coverageNotes, coverageRows, limitNotes } from './coverage.js';
import { diagnosedService, factsOf } from './diagnosed.js';
import { itemOfCheck, itemOfRange } from './items.js';
import { natOf, networkOf } from './network.js';
import { deadAddresses, notesOf } from './notes.js';
import { harmedBy, reportedNat, reportedStudy } from './studies.js';
import { withThirdParties } from './third-party.js';

export interface Named {
  readonly host: string;
  readonly addresses: readonly string[];
}

export interface ReportInput {
  readonly id: string;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly agent: {
    readonly id: string;
    readonly version: string;
    readonly hostname: string;
    readonly platform: string;
  };
  readonly target: Named;
  /** Reflectors that the user named; empty if the target itself may be one. */
  readonly reflectors: readonly Named[];
  /** The source addresses towards the target, one for each family that it has. */
  readonly localAddresses: readonly string[];
  readonly profiles: readonly Profile[];
  readonly plan: Plan;
  readonly output: RunOutput;
  readonly notes: readonly string[];
  /** What the DNS said of the target; null or left out where it was not asked. */
  readonly resolution?: Resolution | null;
}

/** The strictest of all chosen profiles: a path is as good as its most demanding user needs. */
const strictest = (profiles: readonly Profile[]): Pick<Thresholds, 'lossRatio' | 'rttMs'> => ({
  lossRatio: Math.min(...profiles.map(({ thresholds }) => thresholds.lossRatio)),
  rttMs: Math.min(...profiles.map(({ thresholds }) => thresholds.rttMs)),
});

/** Builds the report of a finished run. */
export const buildReport = (input: ReportInput): Report => {
  const { plan, output } = input;
  const observed = new Map(output.observations.map((observation) => [observation.check.id, observation]));
  const identities = new Map(output.identities);
  const farEnd = farEndStates({
    observations: output.observations,
    listens: new Map(output.identities.map(([address, { identity }]) => [address, identity?.info ?? null])),
    otherBytesPassed: new Set(output.otherBytesPassed),
    limits: new Map(output.limits),
    heldBack: new Map(output.heldBack),
    gone: new Set(output.identities.flatMap(([address, { isGone }]) => (isGone ? [address] : []))),
    smallEspPassed: new Set(output.smallEspPassed),
  });
  const upperBound = lossUpperBound(output.loss);
  const strict = strictest(input.profiles);
  // What this host added to a round trip is no fault of the path.
  const thresholds = { ...strict, rttMs: strict.rttMs + output.usualDelayMs };

  const classified = (check: Check): Classified => {
    const observation: Observation = observed.get(check.id) ?? {
      check,
      attempts: [],
      sequences: [],
      refused: {},
      seen: null,
      notRun: 'interrupted',
    };
    return classify({ ...observation, check }, farEnd.get(check.address ?? '') ?? UNKNOWN_FAR_END, {
      lossUpperBound: upperBound,
      doubt: check.rangeId === null ? SINGLE_CHECK_DOUBT : RANGE_PORT_DOUBT,
      thresholds,
    });
  };
  const checks = plan.checks.map(classified);
  const planned = new Set(questionsOf(plan).map(({ id }) => id));
  const ranges = plan.ranges.map((range) => {
    const refined = output.observations.filter(({ check }) => check.rangeId === range.id && !planned.has(check.id));
    const asked = [...range.sample, ...refined.map(({ check }) => check)].map(classified);
    return classifyRange(range, withHeldBackErrors(asked), {
      ...thresholds,
      limit: farEnd.get(range.address ?? '')?.limit ?? null,
    });
  });
  const judged = judgeSip(output.stages.sip, upperBound);
  const sip = { ...judged, checks: withFlowLimit(judged.checks, new Map(output.limits)) };
  const { talk } = output.stages;
  // Idle flows conversed before: many more questions over the same path than all checks together.
  const idleBound = lossUpperBound({
    trials: output.loss.trials + talk.trials,
    answers: output.loss.answers + talk.answers,
  });
  const asked = new Set(plan.checks.map(({ id }) => id));
  const found = [...sip.checks, ...judgeKeepalives(output.stages.idle, idleBound)].filter(
    // What a profile asks itself is asked better there.
    (one) => !asked.has(reportedStudy(one, plan).id),
  );
  const sourcePorts = judgeSourcePorts(output.stages.sourcePorts, upperBound);
  const staleState = judgeStale(output.stages.sourcePorts, upperBound);
  const stageChecks = found.map((one) => reportedStudy(one, plan));
  const provable = (address: string | null): boolean => farEnd.get(address ?? '')?.role === 'reflector';
  const refusedToken = new Set(
    output.identities.flatMap(([address, { tokenRefused }]) => (tokenRefused ? address : [])),
  );
  // Who was named as a reflector, or speaks its protocol, owes a proof: without one the question is unknown, not untested.
  const owesProof = (address: string | null): boolean =>
    provable(address) || input.reflectors.length > 0 || refusedToken.has(address ?? '');

  const items = new Map<string, Item>([
    ...checks.map((one): [string, Item] => [one.check.id, itemOfCheck(one, owesProof(one.check.address))]),
    ...ranges.map((one): [string, Item] => [one.range.id, itemOfRange(one, owesProof(one.range.address))]),
  ]);
  const states = input.profiles.map((profile) =>
    weighService(
      profile,
      plan.requirements
        .filter((requirement) => requirement.profile === profile.profile)
        .map(({ requirement, alternatives }) =>
          weigh(
            requirement,
            alternatives.map((ids) => {
              const own = ids.flatMap((id) => items.get(id) ?? []);
              return [...own, ...harmedBy(own, found, plan)];
            }),
          ),
        ),
    ),
  );

  const all = [...checks, ...ranges.flatMap(({ ports }) => ports)];
  const isReflector = input.target.addresses.some(provable);
  const reflectorNames = input.reflectors.length > 0 ? input.reflectors : isReflector ? [input.target] : [];
  const report: Report = {
    schema: REPORT_SCHEMA_ID,
    id: input.id,
    startedAt: input.startedAt.toISOString(),
    durationMs: Math.round(input.durationMs),
    agent: { ...input.agent, eventLoopDelayMs: output.eventLoopDelayMs },
    target: {
      host: input.target.host,
      addresses: [...input.target.addresses],
      role: isReflector ? 'reflector' : 'third-party',
    },
    reflectors: reflectorNames.map(({ host, addresses }) => {
      const told = addresses.flatMap((address) => identities.get(address)?.identity ?? [])[0];
      return {
        host,
        addresses: [...addresses],
        version: told?.info.version ?? null,
        reachable: addresses.some(provable),
        control: told ? `${told.control.transport}/${told.control.port}` : null,
      };
    }),
    network: networkOf(input.localAddresses, all, upperBound),
    checks: [
      ...checks.map((one) => ({
        id: one.check.id,
        probe: one.check.probe,
        transport: one.check.transport,
        port: one.check.port,
        address: one.check.address,
        family: one.check.family,
        requiredBy: [...one.check.requiredBy],
        verdict: one.verdict,
        reason: one.reason,
        confidence: one.confidence,
        sent: one.sent,
        seen: one.seen,
        received: one.received,
        rttMs: one.rttMs && { ...one.rttMs },
        evidence: { ...one.evidence },
      })),
      ...stageChecks,
    ],
    ranges: ranges.flatMap(({ range, runs }) =>
      runs.map((run) => ({
        id: range.id,
        probe: range.probe,
        transport: range.transport,
        address: range.address,
        from: run.from,
        to: run.to,
        step: run.step,
        verdict: run.verdict,
        reason: run.reason,
        tested: run.tested,
        confidence: run.confidence,
      })),
    ),
    coverage: coverageRows(ranges),
    nat: reportedNat(
      natOf(input.localAddresses, all),
      judgeNat(output.stages.nat, upperBound),
      judgeLifetimes(output.stages.idle, idleBound),
      sourcePorts,
      staleState,
    ),
    sipAlg: {
      detected: sip.detected ?? (all.some(({ reason }) => reason === 'sip-alg') ? true : null),
      findings: sip.findings.map((one) => ({ ...one })),
    },
    quality: [],
    services: [],
    notes: [
      ...input.notes,
      ...notesOf(output, input.durationMs),
      ...sourcePortNotes(sourcePorts, staleState),
      ...coverageNotes(ranges),
      ...limitNotes(output.limits),
      ...deadAddresses(input.target, farEnd),
    ],
    totals: {
      checks: all.length + stageChecks.length,
      packetsSent: output.totals.packetsSent,
      bytesSent: output.totals.bytesSent,
      packetsReceived: output.totals.packetsReceived,
      sweptFlows: output.sweptFlows,
    },
  };
  const told = withThirdParties(report, all, provable, input);
  const facts = factsOf(told, checks, ranges, output.limits);
  return { ...told, services: states.map((state) => diagnosedService(state, facts)) };
};
