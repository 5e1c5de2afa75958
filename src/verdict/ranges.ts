/** From sampled ports to what is said of a whole range: runs of equal verdict that together cover it exactly once. */
import type { PortRange } from '../model/check.js';
import type { FlowFacts, Recurrence } from '../model/far-end.js';
import type { PathLimit } from '../model/observation.js';
import type { Thresholds } from '../model/profile.js';
import type { Classified, Finding } from '../model/verdict.js';
import { ofRecurrence } from './away.js';
import { limitsCalls } from './circumstances.js';
import { flowsDie, holdsFirst, lostAtFirst } from './flows.js';
import { lossLowerBound } from './silence.js';

export type RangeRun = Finding & {
  readonly from: number;
  readonly to: number;
  readonly step: number;
  /** Ports that were really asked; the others are inferred from the equal verdicts on both sides of them. */
  readonly tested: number;
  /** The least of the tested ports'; 0 where nothing was tested. */
  readonly confidence: number;
};

export interface ClassifiedRange {
  readonly range: PortRange;
  readonly runs: readonly RangeRun[];
  readonly ports: readonly Classified[];
  /** What the range as a whole is worth to a service: its worst tested run. */
  readonly worst: Finding;
}

const SEVERITY = { blocked: 4, altered: 3, degraded: 2, unknown: 1, pass: 0 } as const;

const NOT_ASKED: Finding = { verdict: 'unknown', reason: 'not-run' };

const sameFinding = (a: Finding, b: Finding): boolean => a.verdict === b.verdict && a.reason === b.reason;
const findingOf = ({ verdict, reason }: Finding): Finding => ({ verdict, reason }) as Finding;

/** The worst of several findings: blocked, altered, degraded, unknown, pass. */
export const worstOf = (findings: readonly Finding[]): Finding | null =>
  findings.reduce<Finding | null>(
    (worst, finding) => (worst === null || SEVERITY[finding.verdict] > SEVERITY[worst.verdict] ? finding : worst),
    null,
  );

interface RangeThresholds extends Pick<Thresholds, 'lossRatio' | 'rttMs'> {
  /** What was found to limit the path; its losses are not the ports' own. */
  readonly limit?: PathLimit | null;
  /** What became of flows; where some die, no port is to blame. */
  readonly flows?: FlowFacts | null;
  /** Again and again nothing came from its far end at all. */
  readonly recurrence?: Recurrence | null;
  /** The most that this host and the far end were late themselves, in milliseconds; 0 if left out. */
  readonly ownLateMs?: number;
}

/** Of fewer packets the usual round trip is not known. */
const LEAST_LATER = 12;
const USUAL_CONFIDENCE = 0.95;

/** Whether more than half of all packets certainly take longer. */
const mostTakeLonger = (rtts: readonly number[], ms: number): boolean => {
  const quick = rtts.filter((one) => one <= ms).length;
  return (
    rtts.length >= LEAST_LATER && lossLowerBound({ trials: rtts.length, answers: quick }, USUAL_CONFIDENCE) > 1 / 2
  );
};

/**
 * One answer each cannot show the quality of a port, but all ports together can: the passing ports of a range are
 * degraded when their pooled loss is certainly past the threshold, or their shortest round trip is. The shortest,
 * because each port is asked once and many at a time: those sent while ARP or neighbour discovery was still under way
 * (RFC 4861 §7.2.2: a second for each try) waited for that and not for the path. Where a path holds the first packet of each flow,
 * only the later ones count.
 */
const qualityOf = (
  passing: readonly Classified[],
  { lossRatio, rttMs, limit, flows, recurrence, ownLateMs = 0 }: RangeThresholds,
): Finding => {
  if (limitsCalls(limit)) return { verdict: 'degraded', reason: 'rate-limited' };
  if (flowsDie(flows)) return { verdict: 'degraded', reason: 'flow-loss' };
  const trials = passing.reduce((sum, { sent, duringOutage }) => sum + sent - duringOutage, 0);
  const answers = passing.reduce((sum, { received }) => sum + received, 0);
  const first = lostAtFirst(flows) * passing.reduce((sum, { firstPackets }) => sum + firstPackets, 0);
  if (!limit && lossLowerBound({ trials: trials - first, answers }) > lossRatio)
    return { verdict: 'degraded', reason: 'loss' };
  if (recurrence) return ofRecurrence(recurrence);
  const later = passing.flatMap(({ laterRttsMs = [] }) => laterRttsMs);
  const ofPorts = holdsFirst(flows) ? later : passing.flatMap((port) => port.rttMs?.min ?? []);
  const rtts = [...ofPorts, ...later];
  if (rtts.length > 0 && Math.min(...rtts) > rttMs) return { verdict: 'degraded', reason: 'latency' };
  // Some are quick and most are not: of the ports and of the later packets of one flow alike, beyond what the two ends were late.
  const isUsual = [ofPorts, later].every((some) => mostTakeLonger(some, rttMs + ownLateMs));
  return isUsual ? { verdict: 'degraded', reason: 'latency' } : { verdict: 'pass', reason: 'answered' };
};

const pooled = (ports: readonly Classified[], thresholds: RangeThresholds): readonly Classified[] => {
  const quality = qualityOf(
    ports.filter(({ verdict }) => verdict === 'pass'),
    thresholds,
  );
  if (quality.verdict === 'pass') return ports;
  return ports.map((port) => (port.verdict === 'pass' ? { ...port, ...quality } : port));
};

/** A run that still grows: ranges have thousands of ports. */
interface Draft {
  readonly finding: Finding;
  readonly from: number;
  to: number;
  tested: number;
  /** Null as long as nothing of it was tested. */
  confidence: number | null;
}

/** Assembles the runs; what lies between two neighbours of different verdict was not asked, and is said so. */
export const classifyRange = (
  range: PortRange,
  sample: readonly Classified[],
  thresholds: RangeThresholds,
): ClassifiedRange => {
  const { from, to, step } = range;
  const ports = pooled(
    [...sample].sort((a, b) => a.check.port - b.check.port),
    thresholds,
  );
  const runs: Draft[] = [];
  const append = (finding: Finding, first: number, last: number, tested: number, confidence: number): void => {
    if (first > last) return;
    const before = runs.at(-1);
    if (!before || !sameFinding(before.finding, finding)) {
      runs.push({ finding, from: first, to: last, tested, confidence: tested > 0 ? confidence : null });
      return;
    }
    before.to = last;
    before.tested += tested;
    if (tested > 0) before.confidence = Math.min(before.confidence ?? confidence, confidence);
  };
  let next = from;
  let before: Classified | null = null;
  for (const port of ports) {
    const inferred = before !== null && sameFinding(before, port);
    if (!inferred) append(NOT_ASKED, next, port.check.port - step, 0, 0);
    append(port, inferred ? next : port.check.port, port.check.port, port.sent > 0 ? 1 : 0, port.confidence);
    next = port.check.port + step;
    before = port;
  }
  append(NOT_ASKED, next, to, 0, 0);
  const told = runs.map(
    ({ finding, from: first, to: last, tested, confidence }): RangeRun => ({
      ...findingOf(finding),
      from: first,
      to: last,
      step,
      tested,
      confidence: confidence ?? 0,
    }),
  );
  const worst = worstOf(ports);
  return { range, runs: told, ports, worst: worst ? findingOf(worst) : NOT_ASKED };
};
