/** A report against a scenario: every check, every range, every service. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { Report, ReportRange } from '../../src/model/report.js';
import type { ServiceVerdict } from '../../src/model/verdict.js';
import type { Cell } from './confusion.js';
import { expectedOf, isAmong, laterOf, truthOf } from './reality.js';
import { questionsOf } from './rule-questions.js';
import { Between, type NamedScenario, type OneOrMore, type ReportFacts } from './scenario.js';
import { ADDRESS } from './topology.js';
import { matches, type Place } from './where.js';

/** Something that is right and not expected yet. */
export interface LaterResult {
  readonly issue: string;
  readonly what: string;
  readonly reached: boolean;
}

export interface Comparison {
  /** One line each: what, expected, got. */
  readonly mismatches: readonly string[];
  readonly cells: readonly Cell[];
  readonly later: readonly LaterResult[];
  /**
   * Keys of the scenario that this report is silent about. A study may be left out where chance took its time, so only a key
   * that no run is about is a mistake.
   */
  readonly aboutNothing?: readonly string[];
}

const list = <T>(value: OneOrMore<T>): readonly T[] => (Array.isArray(value) ? value : [value as T]);
const finding = ({ verdict, reason }: { verdict: string; reason: string }): string => `${verdict}/${reason}`;
const or = (values: readonly string[]): string => values.join(' or ');

const compareChecks = (scenario: NamedScenario, report: Report): Comparison[] =>
  report.checks.map((check) => {
    const got = finding(check);
    const expected = expectedOf(scenario, check);
    return {
      mismatches: isAmong(expected, got) ? [] : [`${check.id}: expected ${or(expected)}, got ${got} ${why(check)}`],
      cells: [
        { truth: truthOf(scenario, check), verdict: check.verdict, count: 1, where: `${scenario.name} ${check.id}` },
      ],
      later: laterOf(scenario, check).map(({ issue, findings }) => ({
        issue,
        what: `${check.id} ${or(findings)}`,
        reached: isAmong(findings, got),
      })),
    };
  });

/** What the verdict rests on, short enough for a line. */
const why = ({ sent, received, rttMs, confidence, evidence }: Report['checks'][number]): string =>
  `(sent ${sent}, received ${received}, round trip ${JSON.stringify(rttMs)}, confidence ${confidence}, ${JSON.stringify(evidence).slice(0, 200)})`;

/** Ports that lie between two findings were not asked, and a report has to say so. */
const isBoundary = (runs: readonly ReportRange[], index: number): boolean => {
  const run = runs[index];
  const before = runs[index - 1];
  const after = runs[index + 1];
  return run?.tested === 0 && before !== undefined && after !== undefined && finding(before) !== finding(after);
};

const compareRun = (scenario: NamedScenario, runs: readonly ReportRange[], index: number): Comparison => {
  const run = runs[index];
  if (!run || (scenario.exactRanges !== true && isBoundary(runs, index)))
    return { mismatches: [], cells: [], later: [] };
  const name = `${run.id} ${run.from}-${run.to}`;
  const got = finding(run);
  const places: Place[] = [];
  for (let port = run.from; port <= run.to; port += run.step) places.push({ ...run, port });
  const wrong = places.filter((place) => !isAmong(expectedOf(scenario, place), got));
  const [first] = wrong;
  // Both ends of a run were asked; what lies inside is inferred, and a mistake there counts as one.
  const ends = [places[0], places.at(-1)].flatMap((place) => place ?? []);
  const inferredWrong = wrong.filter((place) => !ends.includes(place));
  const cell = (place: Place, count: number): Cell => ({
    truth: truthOf(scenario, place),
    verdict: run.verdict,
    count,
    where: `${scenario.name} ${name}`,
  });
  const [start] = places;
  const end = places.at(-1);
  return {
    mismatches: first
      ? [`${name}: expected ${or(expectedOf(scenario, first))} on ${wrong.length} ports from ${first.port}, got ${got}`]
      : [],
    cells: [
      ...(start ? [cell(start, Math.max(1, run.tested - 1))] : []),
      ...(end && run.tested > 1 ? [cell(end, 1)] : []),
      ...(inferredWrong[0] ? [cell(inferredWrong[0], 1)] : []),
    ],
    later: start
      ? laterOf(scenario, start).map(({ issue, findings }) => ({
          issue,
          what: `${name} ${or(findings)}`,
          reached: isAmong(findings, got),
        }))
      : [],
  };
};

/** The range that was asked, as its id says; null for an id of another form. */
const askedBy = (id: string): { readonly from: number; readonly to: number } | null => {
  const [, from, to] = /\/(\d+)-(\d+)(?:#.*)?$/.exec(id) ?? [];
  return from === undefined || to === undefined ? null : { from: Number(from), to: Number(to) };
};

/** The runs of a range cover it exactly once (the contract says so), whatever their verdicts. */
const compareCoverage = (id: string, runs: readonly ReportRange[]): readonly string[] => {
  const asked = askedBy(id);
  const [first, last] = [runs[0]?.from, runs.at(-1)?.to];
  return [
    ...(asked === null || (first === asked.from && last === asked.to)
      ? []
      : [`${id}: expected runs from ${asked.from} to ${asked.to}, got ${first} to ${last}`]),
    ...runs.slice(1).flatMap((run, index) => {
      const before = runs[index];
      if (!before || run.from === before.to + run.step) return [];
      return `${run.id}: expected the next run at ${before.to + run.step}, got ${run.from}`;
    }),
  ];
};

const compareRanges = (scenario: NamedScenario, report: Report): Comparison[] => {
  const ids = [...new Set(report.ranges.map(({ id }) => id))];
  return ids.flatMap((id) => {
    const runs = report.ranges.filter((run) => run.id === id).sort((a, b) => a.from - b.from);
    return [
      { mismatches: compareCoverage(id, runs), cells: [], later: [] },
      ...runs.map((_run, index) => compareRun(scenario, runs, index)),
    ];
  });
};

const compareServices = (scenario: NamedScenario, report: Report): Comparison => ({
  mismatches: report.services.flatMap(({ profile, verdict }) => {
    const expected = list<ServiceVerdict>(scenario.services?.[profile] ?? 'works');
    return expected.includes(verdict) ? [] : [`service ${profile}: expected ${or(expected)}, got ${verdict}`];
  }),
  cells: [],
  later: (scenario.expectLater ?? []).flatMap(({ issue, services }) =>
    Object.entries(services ?? {}).map(([profile, expected]) => ({
      issue,
      what: `service ${profile} ${or(list(expected))}`,
      reached: report.services.some((one) => one.profile === profile && list(expected).includes(one.verdict)),
    })),
  ),
});

/** CONTRACT's rule, written down a second time. */
const exitCodeOf = (report: Report): number => {
  const verdicts = report.services.map(({ verdict }) => verdict);
  if (verdicts.some((verdict) => ['degraded', 'impaired', 'blocked'].includes(verdict))) return 1;
  return verdicts.length === 0 || verdicts.includes('unknown') ? 3 : 0;
};

/** Each key of `wanted` is in `got`; of lists, each wanted item is matched by some item. */
const contains = (got: unknown, wanted: unknown): boolean => {
  if (wanted instanceof Between) return typeof got === 'number' && got >= wanted.atLeast && got <= wanted.atMost;
  if (Array.isArray(wanted))
    return Array.isArray(got) && wanted.every((one) => got.some((item) => contains(item, one)));
  if (typeof wanted !== 'object' || wanted === null) return isDeepStrictEqual(got, wanted);
  if (typeof got !== 'object' || got === null) return false;
  return Object.entries(wanted).every(([key, value]) => contains((got as Record<string, unknown>)[key], value));
};

/** All that a report says in sentences, as a reader would search it. */
const sentencesOf = ({ notes, services }: Report): string =>
  [
    ...notes,
    ...services.flatMap(({ symptoms, causes = [], fixes }) =>
      [...symptoms, ...causes, ...fixes].map(({ text }) => text),
    ),
  ].join('\n');

const compareSentences = ({ says = [], saysNot = [] }: NamedScenario, report: Report): readonly string[] => {
  const text = sentencesOf(report);
  return [
    ...says.filter((wanted) => !wanted.test(text)).map((wanted) => `expected a sentence with ${wanted}, got none`),
    ...saysNot.flatMap((wrong) => {
      const [said] = wrong.exec(text) ?? [];
      return said === undefined ? [] : [`said "${said}", which is not so here`];
    }),
  ];
};

/** Outages are listed, each wanted one by its own; none where the network has none. */
const compareOutages = ({ outages }: NamedScenario, report: Report): readonly string[] => {
  if (outages === 'perhaps') return [];
  const told = (report as { readonly outages?: unknown }).outages;
  const got = Array.isArray(told) ? told : [];
  const missing = (outages ?? []).filter((wanted) => !got.some((one) => contains(one, wanted)));
  return [
    ...missing.map((wanted) => `expected an outage ${JSON.stringify(wanted)}, got ${JSON.stringify(told)}`),
    ...(outages === undefined && got.length > 0 ? [`expected no outage, got ${JSON.stringify(told)}`] : []),
  ];
};

const differences = (facts: ReportFacts | undefined, report: Report): { what: string; got: string; right: boolean }[] =>
  Object.entries(facts ?? {}).flatMap(([part, wanted]) =>
    Object.entries(wanted as Record<string, unknown>).map(([key, value]) => {
      const got = (report as unknown as Record<string, Record<string, unknown>>)[part]?.[key];
      return { what: `${part}.${key} ${JSON.stringify(value)}`, got: JSON.stringify(got), right: contains(got, value) };
    }),
  );

/** The NAT that a topology has shows as soon as one reflector's answer attests the address it saw. */
const networkFacts = (scenario: NamedScenario, report: Report): ReportFacts => {
  const attested = report.checks.some(({ evidence, family }) => family === 4 && evidence.seenAddress !== undefined);
  return attested ? { network: { natted: scenario.topology !== 'routed', ...scenario.report?.network } } : {};
};

const compareFacts = (scenario: NamedScenario, report: Report): Comparison => ({
  mismatches: differences({ ...scenario.report, ...networkFacts(scenario, report) }, report)
    .filter(({ right }) => !right)
    .map(({ what, got }) => `expected ${what}, got ${got}`),
  cells: [],
  later: (scenario.expectLater ?? []).flatMap(({ issue, report: facts }) =>
    differences(facts, report).map(({ what, right }) => ({ issue, what, reached: right })),
  ),
});

/** A key that is about nothing was mistyped, and its line would be believed to be checked. */
const keysAboutNothing = (scenario: NamedScenario, report: Report): readonly string[] => {
  const places: Place[] = [
    ...questionsOf(scenario, [ADDRESS.target, ADDRESS.second, ADDRESS.target6]),
    ...report.checks,
    ...report.ranges.flatMap((run) => [
      { ...run, port: run.from },
      { ...run, port: run.to },
    ]),
  ];
  const inRange = (where: string): boolean =>
    report.ranges.some((run) => {
      for (let port = run.from; port <= run.to; port += run.step) if (matches(where, { ...run, port })) return true;
      return false;
    });
  return [...Object.keys(scenario.really ?? {}), ...Object.keys(scenario.expect ?? {})].filter(
    (where) => !places.some((place) => matches(where, place)) && !inRange(where),
  );
};

/** What several runs of a scenario come to together. */
export const mergeComparisons = (all: readonly Comparison[]): Comparison => ({
  mismatches: [...new Set(all.flatMap(({ mismatches }) => mismatches))],
  cells: all.flatMap(({ cells }) => cells),
  later: all.flatMap(({ later }) => later),
  aboutNothing: (all[0]?.aboutNothing ?? []).filter((key) =>
    all.every(({ aboutNothing = [] }) => aboutNothing.includes(key)),
  ),
});

/** The same with the scenario's own mistakes. */
export const withMistakes = (comparison: Comparison): Comparison => ({
  ...comparison,
  mismatches: [
    ...comparison.mismatches,
    ...(comparison.aboutNothing ?? []).map((key) => `the scenario's key "${key}" is about no check of any run`),
  ],
});

/**
 * Nothing false was said, only too little: `unknown` where more can be told, and the sentences that are missing with it. That is what
 * the product is to say where its evidence falls short by chance, so it may be asked a second time; twice is a failure.
 */
export const isUndecided = (mismatches: readonly string[]): boolean =>
  mismatches.some((line) => / got unknown\b/.test(line)) &&
  // A far end that was late itself says so, and is the cause of what it could not tell.
  mismatches.every((line) => / got (unknown\b|none$|null$|undefined$|answers-held-back$)/.test(line));

/** What is called late in a network that is not: this machine's own doing. */
export const latencyOfOurs = (scenario: NamedScenario, report: Report): readonly string[] => {
  const isOurs = (place: Place, line: { verdict: string; reason: string }): boolean =>
    finding(line) === 'degraded/latency' && !isAmong(expectedOf(scenario, place), finding(line));
  return [
    ...report.checks.filter((check) => isOurs(check, check)).map(({ id }) => `${scenario.name} ${id}`),
    ...report.ranges
      .filter((run) => isOurs({ ...run, port: run.from }, run))
      .map(({ id, from, to }) => `${scenario.name} ${id} ${from}-${to}`),
  ];
};

/** Compares one run of the probe. */
export const compare = (scenario: NamedScenario, report: Report, exitCode: number): Comparison => {
  const expectedCode = exitCodeOf(report);
  const parts: readonly Comparison[] = [
    ...compareChecks(scenario, report),
    ...compareRanges(scenario, report),
    compareServices(scenario, report),
    compareFacts(scenario, report),
    {
      mismatches: [
        ...(exitCode === expectedCode ? [] : [`exit code: expected ${expectedCode} by the services, got ${exitCode}`]),
        ...compareSentences(scenario, report),
        ...compareOutages(scenario, report),
      ],
      cells: [],
      later: [],
    },
  ];
  return {
    mismatches: parts.flatMap(({ mismatches }) => mismatches),
    cells: parts.flatMap(({ cells }) => cells),
    later: parts.flatMap(({ later }) => later),
    aboutNothing: keysAboutNothing(scenario, report),
  };
};
