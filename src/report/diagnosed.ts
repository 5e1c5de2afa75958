/** The services of a report with their diagnosis: symptoms, causes and fixes, from all that the run found out. */
import type { FarEndFacts } from '../model/far-end.js';
import { icmpFactOf } from '../model/icmp.js';
import type { Failure } from '../model/observation.js';
import type { Report, ReportService } from '../model/report.js';
import type { Classified } from '../model/verdict.js';
import { diagnose } from '../verdict/diagnose.js';
import { endOf } from '../verdict/far-end.js';
import type { ClassifiedRange } from '../verdict/ranges.js';
import type { Facts } from '../verdict/rules/rule.js';
import { isTunnelled } from '../verdict/rules/weighs.js';
import type { ServiceState } from '../verdict/services.js';

/** A check that stands for itself, and a port that stands for its range. */
const named = (
  checks: readonly Classified[],
  ranges: readonly ClassifiedRange[],
): readonly { readonly id: string; readonly one: Classified }[] => [
  ...checks.map((one) => ({ id: one.check.id, one })),
  ...ranges.flatMap(({ range, ports }) => ports.map((one) => ({ id: range.id, one }))),
];

const failuresOf = ({ evidence }: Classified): readonly { readonly failure: Failure; readonly code: string }[] =>
  typeof evidence.failures === 'object' && evidence.failures !== null
    ? Object.entries(evidence.failures).map(([failure, code]) => ({ failure: failure as Failure, code: String(code) }))
    : [];

/** Of a range only where all that is blocked of it is rejected: what else is dropped there may be another device's doing. */
const rejectionsOf = (all: ReturnType<typeof named>): NonNullable<Facts['rejections']> => {
  const mixed = new Set(
    all.filter(({ one }) => one.verdict === 'blocked' && one.reason !== 'rejected').map(({ id }) => id),
  );
  return all.flatMap(({ id, one }) => {
    const icmp = mixed.has(id) ? null : icmpFactOf(one.evidence);
    return icmp === null ? [] : [{ id, address: one.check.address, icmp }];
  });
};

/** What the rules may rest on. */
export const factsOf = (
  report: Report,
  checks: readonly Classified[],
  ranges: readonly ClassifiedRange[],
  farEnds: readonly FarEndFacts[],
): Facts => {
  const all = named(checks, ranges);
  return {
    checks: report.checks,
    nat: report.nat,
    sipAlg: report.sipAlg,
    quality: report.quality,
    ...(report.calls && { calls: report.calls }),
    ...(report.hops && { hops: report.hops }),
    ...(report.resolution && { resolution: report.resolution }),
    seen: all.flatMap(({ id, one: { evidence } }) =>
      typeof evidence.seenAddress === 'string' ? [{ id, address: evidence.seenAddress }] : [],
    ),
    addressChangedAt: farEnds.filter((one) => one.addressChanges.length > 0).map(({ address }) => address),
    rejections: rejectionsOf(all),
    ended: farEnds.map(endOf).find((end) => end !== null) ?? null,
    tokenRefused: farEnds.some((one) => one.tokenRefused),
    limits: farEnds.flatMap(({ address, limit }) => (limit ? [{ address, limit }] : [])),
    failures: all
      .filter(({ one }) => one.reason === 'local-error')
      .flatMap(({ id, one }) => failuresOf(one).map((failure) => ({ id, ...failure }))),
  };
};

/**
 * Whoever rewrites SIP lets it pass all the same: where phones send it in the open, it passes and no reflector told what arrived,
 * the comparison is missing.
 */
const notCompared = (state: ServiceState, { checks, sipAlg }: Facts): readonly string[] => {
  const { verdict, profile, requirements } = state;
  if (verdict !== 'works' || sipAlg.detected !== null || isTunnelled(profile)) return [];
  const open = requirements
    .filter(({ requirement }) => requirement.need === 'required' && requirement.role === 'signalling')
    .flatMap(({ items }) => items)
    .filter(({ probe, transport, finding }) => {
      return (
        probe === 'sip-options' && transport !== 'tls' && (finding.verdict === 'pass' || finding.verdict === 'degraded')
      );
    })
    .map(({ id }) => id.replace('sip-options/', 'sip-alg/'));
  const known = new Set(checks.filter((one) => one.verdict !== 'unknown').map(({ id }) => id));
  return [...new Set(open)].filter((id) => !known.has(id));
};

/** One service as the report has it. */
export const diagnosedService = (state: ServiceState, facts: Facts): ReportService => {
  const { symptoms, causes, fixes } = diagnose(state, facts);
  return {
    profile: state.profile.profile,
    title: state.profile.title,
    verdict: state.verdict,
    untested: [...state.untested, ...notCompared(state, facts)],
    symptoms: symptoms.map((one) => ({ ...one, because: [...one.because] })),
    causes: causes.map((one) => ({ ...one, because: [...one.because] })),
    fixes: fixes.map((one) => ({
      ...one,
      because: [...one.because],
      rules: { ...one.rules },
      words: { ...one.words },
      test: one.test && { text: one.test.text, rules: { ...one.test.rules }, words: { ...one.test.words } },
    })),
  };
};
