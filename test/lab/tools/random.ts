/**
 * Firewalls drawn at random: holes of any width, even or odd ports only, at the edges, dropped on the way out or back,
 * or rejected. Pure: a seed gives the rules, the truth about every port, and what a report gets wrong.
 */
import { seededRandom } from '../../../src/model/random.js';
import type { Report, ReportRange } from '../../../src/model/report.js';
import { forward } from '../scenario.js';

interface Hole {
  readonly from: number;
  readonly to: number;
  /** The remainder modulo 2, or null for all ports. */
  readonly parity: 0 | 1 | null;
  readonly kind: 'dropped-outbound' | 'dropped-inbound' | 'rejected';
}

export interface Draw {
  readonly seed: number;
  /** Per cent of packets lost, in each direction. */
  readonly lossPercent: number;
  readonly range: readonly [from: number, to: number];
  /** The first that covers a port decides. */
  readonly holes: readonly Hole[];
}

export const LOSSES = [0, 2, 10, 20] as const;
const MAX_WIDTH = 4096;
const MAX_HOLES = 6;
/** A hole so wide, and what passes so widely beside it, is found by the default mode with certainty. */
const SURE_WIDTH = 64;

/** The firewall of a seed. */
export const draw = (seed: number, lossPercent: number, range: readonly [number, number]): Draw => {
  const random = seededRandom(seed);
  const [first, last] = range;
  const below = (n: number): number => Math.floor(random() * n);
  const holes = Array.from({ length: 1 + below(MAX_HOLES) }, (): Hole => {
    // Widths are drawn by their order of magnitude, so that narrow holes are as common as wide ones.
    const width = Math.min(MAX_WIDTH, last - first + 1, Math.max(1, Math.round(2 ** (random() * 12.001))));
    const place = random();
    const from = place < 0.1 ? first : place < 0.2 ? last - width + 1 : first + below(last - first + 2 - width);
    const kinds = ['dropped-outbound', 'dropped-inbound', 'dropped-outbound', 'rejected'] as const;
    const parities = [null, null, 0, 1] as const;
    return {
      from,
      to: from + width - 1,
      parity: parities[below(parities.length)] ?? null,
      kind: kinds[below(kinds.length)] ?? 'rejected',
    };
  });
  return { seed, lossPercent, range, holes };
};

const ruleOf = ({ from, to, parity, kind }: Hole): string => {
  const side = kind === 'dropped-inbound' ? 'iifname "wan0" udp sport' : 'oifname "wan0" udp dport';
  const field = kind === 'dropped-inbound' ? '@th,0,16' : '@th,16,16';
  const only = parity === null ? '' : ` ${field} & 1 == ${parity}`;
  return `${side} ${from}-${to}${only} ${kind === 'rejected' ? 'reject with icmp type admin-prohibited' : 'drop'}`;
};

/** A packet meets the rules of its own direction only, so what is rejected or dropped outbound never comes back. */
export const rulesOf = ({ holes, lossPercent }: Draw): string =>
  forward(...holes.map(ruleOf), ...(lossPercent > 0 ? [`numgen random mod 100 < ${lossPercent} drop`] : []));

/** What happens to a port: outbound rules act before inbound ones can. */
export const truthOf = ({ holes }: Draw, port: number): Hole['kind'] | 'open' => {
  const covering = holes.filter(
    ({ from, to, parity }) => from <= port && port <= to && (parity === null || parity === port % 2),
  );
  const outbound = covering.find(({ kind }) => kind !== 'dropped-inbound');
  return outbound?.kind ?? covering[0]?.kind ?? 'open';
};

const passes = (verdict: string): boolean => verdict === 'pass' || verdict === 'degraded';

export interface Errors {
  /** Open ports that are called blocked, and blocked ones that are said to pass. */
  readonly wrong: readonly string[];
  /** Right about passing, and not about how or in which direction; or undecided. */
  readonly inexact: readonly string[];
}

const portsOf = ({ from, to, step }: ReportRange): readonly number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);

const media = (report: Report): readonly ReportRange[] =>
  report.ranges.filter(({ probe }) => probe === 'rtp-echo' || probe === 'rtcp-echo');

/** Exhaustive mode: every port of the range exactly once, and exactly right. */
export const exhaustiveErrors = (drawn: Draw, report: Report): Errors => {
  const said = new Map<number, ReportRange>();
  const wrong: string[] = [];
  const inexact: string[] = [];
  for (const run of media(report)) {
    for (const port of portsOf(run)) {
      if (said.has(port)) wrong.push(`${port} is told twice`);
      said.set(port, run);
    }
  }
  const [first, last] = drawn.range;
  for (let port = first; port <= last; port += 1) {
    const run = said.get(port);
    const truth = truthOf(drawn, port);
    const finding = run ? `${run.verdict}/${run.reason}` : 'nothing';
    const line = `${port} is ${truth}, said ${finding}`;
    if (!run || run.tested !== portsOf(run).length) wrong.push(`${port} was not tested`);
    else if (run.verdict === 'unknown') inexact.push(line);
    else if (passes(run.verdict) !== (truth === 'open')) wrong.push(line);
    else if (truth !== 'open' && run.reason !== truth) inexact.push(line);
  }
  return { wrong, inexact };
};

/** Default mode: every boundary between a wide hole and what passes widely beside it, to the exact port. */
export const sampledErrors = (drawn: Draw, report: Report): Errors => {
  const [first, last] = drawn.range;
  const wrong: string[] = [];
  const inexact: string[] = [];
  for (const parity of [0, 1]) {
    const start = first % 2 === parity ? first : first + 1;
    const segments: { from: number; to: number; open: boolean }[] = [];
    for (let port = start; port <= last; port += 2) {
      const open = truthOf(drawn, port) === 'open';
      const current = segments.at(-1);
      if (current && current.open === open) current.to = port;
      else segments.push({ from: port, to: port, open });
    }
    const runs = media(report).filter(({ from }) => from % 2 === parity);
    const saysOpen = (port: number): boolean | null => {
      const run = runs.find(({ from, to }) => from <= port && port <= to);
      return !run || run.verdict === 'unknown' ? null : passes(run.verdict);
    };
    const isWide = ({ from, to }: { from: number; to: number }): boolean => to - from + 2 >= SURE_WIDTH;
    segments.forEach((segment, index) => {
      const before = segments[index - 1];
      if (before && isWide(before) && isWide(segment)) {
        if (saysOpen(before.to) !== before.open) wrong.push(`${before.to}: boundary missed`);
        if (saysOpen(segment.from) !== segment.open) wrong.push(`${segment.from}: boundary missed`);
      }
    });
    for (const run of runs) {
      const count = portsOf(run).length;
      if (run.tested > count) wrong.push(`${run.from}-${run.to}: more tested than there are`);
      // Both ends of a run were asked, so they are right or nothing is.
      for (const port of run.tested > 0 ? [run.from, run.to] : []) {
        const truth = truthOf(drawn, port);
        if (run.verdict === 'unknown') inexact.push(`${port} is ${truth}, said ${run.verdict}/${run.reason}`);
        else if (passes(run.verdict) !== (truth === 'open')) wrong.push(`${port} is ${truth}, said ${run.verdict}`);
      }
    }
  }
  return { wrong, inexact };
};
