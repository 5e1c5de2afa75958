/** What a report says of each thing that is remembered: hosts, checks, ranges, services, facts. A pure function. */
import type { Report, ReportCheck } from '../../model/report.js';
import type { RunKind } from '../config/schema.js';
import { addressesOf, isOfPath, pathOf } from './path.js';
import type { State } from './state.js';

const SUBJECT_KINDS = ['host', 'check', 'range', 'service', 'path', 'fact'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

export interface Sighting {
  readonly kind: SubjectKind;
  /** The id that the report uses: a check's, a range's, a profile's name, a host, `nat.mapping`. */
  readonly id: string;
  /**
   * Looks of different kinds of run are weighed together only where they ask the same: a sweep finds holes in a range
   * that no sample meets, and would otherwise be outvoted by sixty light runs.
   */
  readonly asked: RunKind | 'any';
  readonly state: State;
  /** Where two looks agree although they are not equal (a round trip of 20 ms and one of 22): the state as those known say it. */
  readonly alike?: (known: readonly State[]) => State;
  /** The host whose silence would explain an `unknown`; null where any host's would. */
  readonly host: string | null;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** Our own failure, a limit that the far end told us of, a run that was cut short. */
const OWN_FAULT = new Set<string>(['not-run', 'local-error', 'limited']);
/** Says nothing of the one check: what is silent is the whole host, or the name, or the network. */
const NO_LOOK = new Set<string>([
  ...OWN_FAULT,
  ...['no-network', 'dns-failure', 'target-unreachable', 'unproven', 'outage', 'cut-off'],
]);

/** Whether a reason tells of something else than the check or range that it is given for. */
export const saysNothing = (reason: string): boolean => NO_LOOK.has(reason);

const state = (verdict: string, reason: string | null, key = verdict): State => ({ key, verdict, reason });

/** Within `altered` a SIP ALG and an intercepted TLS are different troubles; elsewhere the reason is detail. */
const checkState = ({ verdict, reason }: { readonly verdict: string; readonly reason: string }): State =>
  isOfPath({ verdict, reason })
    ? state('pass', 'answered')
    : state(verdict, reason, verdict === 'altered' ? `altered/${reason}` : verdict);

/** A host that says that it holds back answers. One that refuses may be a router's word as well, and is told apart. */
const answers = ({ verdict, reason, received }: ReportCheck): boolean =>
  verdict !== 'unknown' || reason === 'limited' || received > 0;

/** A reflector that says itself that it does not know the token; without a word of it, it may be somebody else. */
const whyUnproven = ({ services }: Report): string =>
  services.some(({ causes = [] }) => causes.some(({ id }) => id === 'wrong-token')) ? 'wrong-token' : 'unproven';

/** Hosts, and whether each proves itself, answers, only refuses, or is silent. */
const hostsOf = (report: Report): readonly Sighting[] => {
  const hosts = new Map<string, readonly string[]>([
    [report.target.host, report.target.addresses],
    ...report.reflectors.map(({ host, addresses }): [string, readonly string[]] => [host, addresses]),
  ]);
  return [...hosts].flatMap(([host, addresses]): Sighting[] => {
    const own = report.checks.filter(({ address }) =>
      address === null ? host === report.target.host : addresses.includes(address),
    );
    const asked = own.filter(({ reason }) => reason !== 'not-run');
    const proves = report.reflectors.some((one) => one.host === host && one.reachable);
    if (!proves && asked.length === 0) return [];
    const reasons = [...new Set(asked.map(({ reason }) => reason))];
    const silent = reasons.length === 1 ? (reasons[0] ?? null) : 'target-unreachable';
    const found = proves
      ? state('proves', null)
      : reasons.includes('unproven')
        ? state('unproven', whyUnproven(report))
        : asked.some(answers)
          ? state('answers', null)
          : reasons.includes('closed')
            ? state('refuses', 'closed')
            : state('silent', silent);
    const startedAt = report.reflectors.find((one) => one.host === host)?.startedAt ?? null;
    const affects = report.services.filter(({ verdict }) => verdict === 'unknown').map(({ profile }) => profile);
    return [
      {
        kind: 'host',
        id: host,
        asked: 'any',
        state: found,
        host,
        evidence: { addresses: [...addresses], affects, startedAt },
      },
    ];
  });
};

const hostOfAddress = (report: Report, address: string | null): string =>
  report.reflectors.find(({ addresses }) => address !== null && addresses.includes(address))?.host ??
  report.target.host;

const checksOf = (report: Report): readonly Sighting[] =>
  report.checks
    .filter(({ reason }) => !NO_LOOK.has(reason))
    .map((check) => ({
      kind: 'check',
      id: check.id,
      asked: 'any',
      state: checkState(check),
      host: hostOfAddress(report, check.address),
      evidence: {
        address: check.address,
        sent: check.sent,
        seen: check.seen,
        answered: check.answered ?? null,
        received: check.received,
        confidence: check.confidence,
        requiredBy: [...check.requiredBy],
      },
    }));

/** From best to worst, for a range that is not of one piece. */
const ORDER = ['pass', 'unknown', 'degraded', 'altered', 'blocked'];

const rangesOf = (report: Report, kind: RunKind): readonly Sighting[] =>
  [...new Set(report.ranges.map(({ id }) => id))].flatMap((id): Sighting[] => {
    const runs = report.ranges.filter((range) => range.id === id);
    const [first] = runs;
    if (!first || runs.some(({ reason }) => NO_LOOK.has(reason))) return [];
    const found = runs.map((one) => ({ ...one, ...checkState(one) }));
    const worst = found.reduce((a, b) => (ORDER.indexOf(b.verdict) > ORDER.indexOf(a.verdict) ? b : a), {
      ...first,
      ...checkState(first),
    });
    const whole = found.every(({ verdict }) => verdict === worst.verdict);
    const is = state(worst.verdict, worst.reason, whole ? worst.verdict : `partly ${worst.verdict}`);
    const parts = runs.map(({ from, to, verdict, reason, tested }) => ({ from, to, verdict, reason, tested }));
    const host = hostOfAddress(report, first.address);
    return [{ kind: 'range', id, asked: kind, state: is, host, evidence: { runs: parts.slice(0, 20) } }];
  });

/**
 * A service is `unknown` of our own making where a check was not asked, or not to its end: that is no look. One that is
 * degraded by loss or the length of the way alone is told with the path, and works beside it: what had blocked it is gone.
 */
const servicesOf = (report: Report, kind: RunKind): readonly Sighting[] => {
  const all = [...report.checks, ...report.ranges];
  const cutShort = all.some(({ reason }) => OWN_FAULT.has(reason));
  const bad = all.filter(({ verdict }) => verdict !== 'pass' && verdict !== 'unknown');
  const byPath = bad.length > 0 && bad.every(isOfPath);
  return report.services
    .filter(({ verdict }) => verdict !== 'unknown' || !cutShort)
    .map(({ profile, verdict, symptoms }) => ({
      kind: 'service',
      id: profile,
      asked: kind,
      state: state(verdict === 'degraded' && byPath ? 'works' : verdict, null),
      host: null,
      evidence: { symptoms: symptoms.map(({ id, because }) => ({ id, because: [...because].slice(0, 20) })) },
    }));
};

/** What a network is, as far as a report says; what it does not know is no look. */
const factsOf = (report: Report): readonly Sighting[] => {
  const { mapping, filtering, staleState = null } = report.nat;
  const { detected } = report.sipAlg;
  const fact = (id: string, value: string, alike?: Sighting['alike']): Sighting => ({
    ...(alike && { alike }),
    kind: 'fact',
    id,
    asked: 'any',
    state: state(value, null),
    host: null,
    evidence: {},
  });
  const addresses = addressesOf(report);
  return [
    ...(addresses.outer === null ? [] : [fact('network.address', addresses.outer)]),
    ...addresses.names.map(({ host, is, alike }) => fact(`addresses ${host}`, is.verdict, alike)),
    ...(mapping === 'unknown' ? [] : [fact('nat.mapping', mapping)]),
    ...(filtering === 'unknown' ? [] : [fact('nat.filtering', filtering)]),
    ...(staleState === null ? [] : [fact('nat.staleState', String(staleState))]),
    ...(detected === null ? [] : [fact('sipAlg.detected', String(detected))]),
  ];
};

/** Everything that a report shows, hosts first. */
export const digest = (report: Report, kind: RunKind): readonly Sighting[] => [
  ...hostsOf(report),
  ...checksOf(report),
  ...rangesOf(report, kind),
  ...pathOf(report).map(
    ({ id, state: found, alike, evidence }): Sighting => ({
      ...{ kind: 'path', id, asked: 'any', state: found, host: null, evidence },
      ...(alike && { alike }),
    }),
  ),
  ...servicesOf(report, kind),
  ...factsOf(report),
];
