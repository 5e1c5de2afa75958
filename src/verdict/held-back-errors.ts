/**
 * Whoever rejects may hold its ICMP errors to a rate (RFC 1812 §4.3.2.8), so of a rejected stretch only some ports say so,
 * and to whom depends on nothing but the moment. What never got through and lies among them was rejected like them.
 */
import type { Classified } from '../model/verdict.js';

/** What never got through and lies between two rejected ports so near to each other was rejected, too; and a whole hole so narrow. */
const NEARBY_PORTS = 128;
/** A single error of a wide stretch may be anybody's; from two on there is a density, however roughly known. */
const MIN_ERRORS = 2;
/**
 * Ports are asked in shuffled order, so the gaps between errors of one stretch have an exponential distribution: one of
 * its n gaps is longer than ln n + 3 times the mean with a probability of e⁻³, 5 %.
 */
const USUAL_GAPS = 3;
/** What a rejected port is called whose ICMP error was held back. */
const SILENT_REJECTION: ReadonlySet<string> = new Set(['dropped', 'dropped-outbound']);

const isRejected = ({ reason }: Classified): boolean => reason === 'rejected';
const portOf = ({ check }: Classified): number => check.port;

const fits = (port: Classified): boolean => isRejected(port) || SILENT_REJECTION.has(port.reason);

/** The same ports in pieces: those one after the other that never got through, and those between. */
const stretchesOf = (ports: readonly Classified[]): readonly (readonly Classified[])[] => {
  const stretches: Classified[][] = [];
  let last: Classified | undefined;
  for (const port of ports) {
    if (last && fits(last) === fits(port)) stretches.at(-1)?.push(port);
    else stretches.push([port]);
    last = port;
  }
  return stretches;
};

/** How far apart two errors of a stretch may be and still have nothing but held back ones between them. */
const usualGap = (errors: readonly number[]): number => {
  const gaps = errors.length - 1;
  const mean = ((errors.at(-1) ?? 0) - (errors[0] ?? 0)) / gaps;
  return Math.max(NEARBY_PORTS, mean * (Math.log(gaps) + USUAL_GAPS));
};

const filled = (stretch: readonly Classified[]): readonly Classified[] => {
  const errors = stretch.filter(isRejected).map(portOf);
  const [first = 0, last = first] = [...stretch.slice(0, 1), ...stretch.slice(-1)].map(portOf);
  const isDense = errors.length >= MIN_ERRORS;
  const isNarrow = errors.length > 0 && last - first <= NEARBY_PORTS;
  const reach = isDense ? usualGap(errors) : NEARBY_PORTS;
  // Beyond the outermost errors nothing vouches for a port but their density, or that one rule made so narrow a hole.
  const marks = isDense || isNarrow ? [first, ...errors, last] : errors;
  const gaps = marks
    .slice(1)
    .map((to, index) => ({ from: marks[index] ?? to, to }))
    .filter(({ from, to }) => to - from <= reach);
  let next = 0;
  return stretch.map((port) => {
    while ((gaps[next]?.to ?? Number.POSITIVE_INFINITY) < portOf(port)) next += 1;
    const gap = gaps[next];
    return gap && gap.from <= portOf(port) ? { ...port, verdict: 'blocked', reason: 'rejected' } : port;
  });
};

/** The same ports, by number, with `rejected` for those whose error was held back. */
export const withHeldBackErrors = (sample: readonly Classified[]): readonly Classified[] =>
  sample.some(isRejected) ? stretchesOf([...sample].sort((a, b) => portOf(a) - portOf(b))).flatMap(filled) : sample;
