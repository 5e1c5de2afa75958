/** From sampled ports to what is said of a whole range: runs of equal verdict that together cover it exactly once. */
import type { PortRange } from '../model/check.js';
import type { Thresholds } from '../model/profile.js';
import type { Classified, Finding } from '../model/verdict.js';
import { lossLowerBound } from './silence.js';

export type RangeRun = Finding & {
  readonly from: number;
  readonly to: number;
  readonly step: number;
  /** Ports that were asked; the others are inferred from the equal verdicts on both sides of them. */
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

const sameFinding = (a: Finding, b: Finding): boolean => a.verdict === b.verdict && a.reason === b.reason;
const findingOf = ({ verdict, reason }: Classified): Finding => ({ verdict, reason }) as Finding;

/** The worst of several findings: blocked, altered, degraded, unknown, pass. */
export const worstOf = (findings: readonly Finding[]): Finding | null =>
  findings.reduce<Finding | null>(
    (worst, finding) => (worst === null || SEVERITY[finding.verdict] > SEVERITY[worst.verdict] ? finding : worst),
    null,
  );

export type RangeThresholds = Pick<Thresholds, 'lossRatio' | 'rttMs'>;

/**
 * One answer each cannot show the quality of a port, but all ports together can: the passing ports of a range are
 * degraded when their pooled loss is certainly past the threshold, or their shortest round trip is. The shortest,
 * because each port is asked once and many at a time: those sent while ARP or neighbour discovery was still under way
 * (RFC 4861 §7.2.2: a second for each try) waited for that and not for the path.
 */
const qualityOf = (passing: readonly Classified[], { lossRatio, rttMs }: RangeThresholds): Finding => {
  const trials = passing.reduce((sum, { sent }) => sum + sent, 0);
  const answers = passing.reduce((sum, { received }) => sum + received, 0);
  if (lossLowerBound({ trials, answers }) > lossRatio) return { verdict: 'degraded', reason: 'loss' };
  const rtts = passing.flatMap((port) => port.rttMs?.min ?? []);
  if (rtts.length > 0 && Math.min(...rtts) > rttMs) return { verdict: 'degraded', reason: 'latency' };
  return { verdict: 'pass', reason: 'answered' };
};

const pooled = (ports: readonly Classified[], thresholds: RangeThresholds): readonly Classified[] => {
  const quality = qualityOf(
    ports.filter(({ verdict }) => verdict === 'pass'),
    thresholds,
  );
  return ports.map((port) => (port.verdict === 'pass' ? { ...port, ...quality } : port));
};

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
  const runs: RangeRun[] = [];
  const untested = (first: number, last: number): void => {
    if (first > last) return;
    runs.push({ verdict: 'unknown', reason: 'not-run', from: first, to: last, step, tested: 0, confidence: 0 });
  };
  let next = from;
  for (const port of ports) {
    const finding = findingOf(port);
    const last = runs.at(-1);
    if (last && last.tested > 0 && sameFinding(last, finding)) {
      const confidence = Math.min(last.confidence, port.confidence);
      runs[runs.length - 1] = { ...last, to: port.check.port, tested: last.tested + 1, confidence };
    } else {
      untested(next, port.check.port - step);
      runs.push({
        ...finding,
        from: port.check.port,
        to: port.check.port,
        step,
        tested: 1,
        confidence: port.confidence,
      });
    }
    next = port.check.port + step;
  }
  untested(next, to);
  const worst = worstOf(ports.map(findingOf)) ?? { verdict: 'unknown', reason: 'not-run' };
  return { range, runs, ports, worst };
};
