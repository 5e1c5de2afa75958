/** Puts the report together: a pure function of the plan, of what was observed, and of who was asked. */
import type { Plan } from '../model/check.js';
import type { Profile } from '../model/profile.js';
import { REPORT_SCHEMA_ID, type Report } from '../model/report.js';
import type { Resolution } from '../model/resolution.js';
import type { RunOutput } from '../model/run.js';
import type { Classified } from '../model/verdict.js';
import { lossEachWay } from '../verdict/loss-each-way.js';
import type { StudyFacts } from '../verdict/studies/registry.js';
import { outageNotes } from '../words/outages.js';
import { catalogueNotes } from './catalogue.js';
import { checkRows } from './checks.js';
import { coverageNotes, coverageRows, limitNotes } from './coverage.js';
import { diagnosedService, factsOf } from './diagnosed.js';
import { type Judgement, judgeRun } from './judge-run.js';
import { natOf, networkOf } from './network.js';
import { deadAddresses, notesOf, ownPortNotes, shutNotes, unprovenNotes } from './notes.js';
import { type Outages, outagesOf } from './outages.js';
import { rangeRows } from './ranges.js';
import { inboundNotes, studyRows } from './studies.js';
import { withThirdParties } from './third-party.js';
import { type Named, reflectorRows, startNotes, targetOf } from './who.js';

interface ReportInput {
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
  readonly output: RunOutput<StudyFacts>;
  readonly notes: readonly string[];
  /** What the DNS said of the target; null or left out where it was not asked. */
  readonly resolution?: Resolution | null;
}

/** What a reader must know besides verdicts: first what was known before the run, then what it met. */
const notes = (
  input: ReportInput,
  { ranges, studies, farEnds, all, services }: Judgement,
  outages: Outages,
  reflectors: Report['reflectors'],
): string[] => [
  ...unprovenNotes(input, all),
  ...input.notes,
  ...notesOf(input.output, input.durationMs),
  ...startNotes(reflectors, input),
  ...outageNotes(outages),
  ...shutNotes(all),
  ...ownPortNotes(input.output.observations, all),
  ...studies.notes,
  ...inboundNotes(input.plan, studies.checks),
  ...coverageNotes(ranges),
  ...limitNotes(input.output.farEnds),
  ...deadAddresses(input.target, farEnds),
  ...catalogueNotes(services, input.startedAt),
];

/**
 * No ALG is said only where SIP over UDP was compared, if it was asked at all: that is where ALGs act, and what is dropped there
 * shows nothing of them.
 */
const sipAlgOf = (
  { sipAlg: { detected }, checks }: Judgement['studies'],
  all: readonly Classified[],
): boolean | null => {
  if (detected === true || all.some(({ reason }) => reason === 'sip-alg')) return true;
  const isAsked = all.some(({ check }) => check.probe === 'sip-options' && check.transport === 'udp');
  const isCompared = checks.some(
    ({ probe, transport, finding }) => probe === 'sip-alg' && transport === 'udp' && finding.verdict !== 'unknown',
  );
  return isAsked && !isCompared ? null : detected;
};

/** Builds the report of a finished run. */
export const buildReport = (input: ReportInput): Report => {
  const { plan, output } = input;
  const judgement = judgeRun(plan, input.profiles, output, input.reflectors.length > 0);
  const { checks, ranges, studies, all } = judgement;
  const outages = outagesOf(output, judgement.lossUpperBound);
  const reflectors = reflectorRows(input, judgement);
  const ofStudies = studyRows(studies.checks, plan);
  const report: Report = {
    schema: REPORT_SCHEMA_ID,
    id: input.id,
    startedAt: input.startedAt.toISOString(),
    durationMs: Math.round(input.durationMs),
    agent: { ...input.agent, eventLoopDelayMs: output.eventLoopDelayMs, usualDelayMs: output.usualDelayMs },
    target: targetOf(input.target, judgement),
    reflectors,
    network: {
      ...networkOf(
        input.localAddresses,
        all,
        judgement.lossUpperBound,
        lossEachWay(checks, studies.checks, judgement.farEnds),
      ),
      roundTrips: { sent: output.loss.trials, lost: output.loss.trials - output.loss.answers },
    },
    checks: [...checkRows(checks), ...ofStudies],
    ranges: rangeRows(ranges),
    outages,
    coverage: coverageRows(ranges),
    nat: { ...natOf(input.localAddresses, all), ...studies.nat },
    sipAlg: {
      detected: sipAlgOf(studies, all),
      findings: studies.sipAlg.findings.map((one) => ({ ...one })),
    },
    quality: studies.quality,
    capacity: studies.capacity,
    ...(studies.hops.length > 0 && { hops: [...studies.hops] }),
    ...(studies.calls.length > 0 && { calls: studies.calls }),
    services: [],
    notes: notes(input, judgement, outages, reflectors),
    totals: {
      checks: all.length + ofStudies.length,
      packetsSent: output.totals.packetsSent,
      bytesSent: output.totals.bytesSent,
      packetsReceived: output.totals.packetsReceived,
      sweptFlows: output.sweptFlows,
    },
  };
  const isProven = (address: string | null): boolean => judgement.farEnds.get(address ?? '')?.role === 'reflector';
  const told = withThirdParties(report, all, isProven, input);
  const comesAndGoes = [...judgement.farEnds.values()].some(({ recurrence }) => Boolean(recurrence));
  const facts = { ...factsOf(told, checks, ranges, output.farEnds), comesAndGoes };
  return { ...told, services: judgement.services.map((state) => diagnosedService(state, facts)) };
};
