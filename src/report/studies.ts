/** Where the findings of the stages go in a report: lines among its checks, and what services make of them. */

import { type Check, checkName } from '../model/check.js';
import type { Report, ReportCheck } from '../model/report.js';
import type { Plan } from '../plan/plan.js';
import type { Item } from '../verdict/services.js';
import type { BindingLifetime } from '../verdict/studies/lifetimes.js';
import type { NatVerdict } from '../verdict/studies/nat.js';
import type { SourcePort } from '../verdict/studies/source-ports.js';
import type { StudyCheck } from '../verdict/studies/study-check.js';

/** With its address where the same question went to several. */
const idOf = ({ probe, transport, port, address }: StudyCheck, plan: Plan): string => {
  const isNamed = ({ id, address: at }: Check): boolean => at === address && id.includes('#');
  const several = plan.checks.some(isNamed) || plan.ranges.some(({ sample }) => sample.some(isNamed));
  return checkName(probe, transport, port) + (several ? `#${address}` : '');
};

/**
 * The question of a profile to which the answer of a stage belongs: a port's NAT matters to the keepalives over it. None
 * for what is only observed.
 */
const companionOf = ({ probe }: StudyCheck): string | null => COMPANIONS.get(probe) ?? null;

const COMPANIONS: ReadonlyMap<string, string> = new Map([
  ['nat-behavior', 'nat-t-keepalive'],
  ['sip-alg', 'sip-options'],
  ['size-sweep', 'sip-options'],
]);

/** The profiles that use the very port that a stage is about. */
const requiredBy = (stage: StudyCheck, plan: Plan): string[] => {
  const { transport, port, address } = stage;
  return plan.checks
    .filter((one) => one.probe === companionOf(stage))
    .filter((one) => one.transport === transport && one.port === port && one.address === address)
    .flatMap((one) => one.requiredBy);
};

/** One line of the report's `checks`. */
export const reportedStudy = (one: StudyCheck, plan: Plan): ReportCheck => ({
  id: idOf(one, plan),
  probe: one.probe,
  transport: one.transport,
  port: one.port,
  address: one.address,
  family: one.family,
  requiredBy: requiredBy(one, plan),
  ...one.finding,
  confidence: one.confidence,
  sent: one.sent,
  seen: one.seen,
  answered: one.answered ?? null,
  received: one.received,
  rttMs: null,
  evidence: { ...one.evidence },
});

/**
 * What stages add to an alternative of a requirement: where OPTIONS pass and INVITE or large messages do not, phones
 * cannot signal that way; where keepalives pass and come too late, they keep nothing alive. What passes, or is not
 * known, adds nothing.
 */
export const harmedBy = (own: readonly Item[], stages: readonly StudyCheck[], plan: Plan): readonly Item[] =>
  stages
    .filter(({ finding }) => finding.verdict === 'blocked' || finding.verdict === 'altered')
    .filter((one) =>
      own.some(
        (item) =>
          item.probe === companionOf(one) &&
          item.transport === one.transport &&
          item.from === one.port &&
          item.address === one.address,
      ),
    )
    .map((one) => ({
      id: idOf(one, plan),
      probe: one.probe,
      transport: one.transport,
      address: one.address,
      from: one.port,
      to: one.port,
      finding: one.harm ?? one.finding,
      partly: false,
      provable: true,
    }));

/** What the stage measured, or where it could not what the checks tell by themselves. */
export const reportedNat = (
  fromChecks: Report['nat'],
  measured: NatVerdict,
  lifetimes: readonly BindingLifetime[],
  sourcePorts: readonly SourcePort[],
  staleState: boolean | null,
): Report['nat'] => ({
  ...fromChecks,
  mapping: measured.mapping === 'unknown' ? fromChecks.mapping : measured.mapping,
  filtering: measured.filtering,
  portPreservation: measured.portPreservation,
  portParity: measured.portParity,
  layers: measured.layers ?? fromChecks.layers,
  mappedAddresses: [...measured.mappedAddresses],
  portsThatDiffer: [...measured.portsThatDiffer],
  sourcePorts: sourcePorts.map((one) => ({ ...one })),
  staleState,
  bindingLifetime: lifetimes.map((one) => ({ ...one })),
});
