/**
 * A report's diagnosis against a scenario, and against the report's own evidence: what each symptom needs is written
 * down here a second time, so that none appears that its checks do not carry. Pure.
 */
import type { Report, ReportCheck, ReportRange, ReportService } from '../../src/model/report.js';
import type { NamedScenario, OneOrMore } from './scenario.js';

const list = <T>(value: OneOrMore<T>): readonly T[] => (Array.isArray(value) ? value : [value as T]);

type Line = ReportCheck | ReportRange;

const linesOf = (report: Report, id: string): readonly Line[] => [
  ...report.checks.filter((one) => one.id === id),
  ...report.ranges.filter((one) => one.id === id),
];

const is =
  (verdict: string, ...reasons: readonly string[]) =>
  (line: Line): boolean =>
    line.verdict === verdict && (reasons.length === 0 || reasons.includes(line.reason));

const stunFails = (line: Line): boolean => {
  const { evidence } = line;
  return typeof evidence === 'object' && evidence !== null && 'stunPasses' in evidence && evidence.stunPasses === false;
};

const isCall = (line: { readonly probe: string; readonly verdict: string }): boolean =>
  line.probe === 'call' && line.verdict === 'blocked';

/** Some line of each named check must be so. */
const CARRIED_BY: Readonly<Record<string, (line: Line, report: Report) => boolean>> = {
  'cannot-register': (line) => is('blocked')(line) || is('degraded', 'flow-loss')(line),
  'wifi-calling-unavailable': (line) => is('blocked')(line) || is('unknown', 'dns-failure')(line),
  'facetime-cannot-connect': is('blocked'),
  'no-audio': is('blocked'),
  'one-way-audio-outbound': is('blocked', 'dropped-outbound'),
  'one-way-audio-inbound': (line, { sipAlg }) =>
    is('blocked', 'dropped-inbound', 'not-let-in')(line) || sipAlg.findings.length > 0,
  'some-calls-silent': (line, { network, notes }) =>
    is('blocked')(line) ||
    is('degraded', 'flow-loss')(line) ||
    network.mappedAddresses.length > 1 ||
    notes.some((note) => note.includes('no new flow passed')),
  'choppy-audio': (line, { quality }) => is('degraded')(line) || quality.length > 0,
  'delayed-audio': is('degraded', 'latency'),
  'lost-inbound-calls': (line, { nat, sipAlg }) =>
    is('blocked')(line) ||
    nat.bindingLifetime.length > 0 ||
    sipAlg.findings.length > 0 ||
    nat.portPreservation === false ||
    stunFails(line),
  'push-delayed': is('blocked'),
  'cannot-sign-in': is('blocked'),
  'trunk-down': is('blocked'),
  'messages-fail': is('blocked'),
  'provisioning-fails': is('blocked'),
  'activation-fails': is('blocked'),
  'wrong-time': is('blocked'),
  'app-limited': is('blocked'),
  'cannot-find-service': is('blocked'),
  // The usual way does not pass; that another one does is in the checks beside it.
  'over-fallback': is('blocked'),
  'calls-not-private': (line) =>
    line.transport === 'tls' && (is('blocked')(line) || is('altered', 'tls-intercepted')(line)),
  'long-invites-fail': (line) => is('blocked', 'size-filtered')(line) || is('blocked', 'payload-filtered')(line),
  'transfers-fail': (line, { sipAlg }) =>
    isCall(line) || is('blocked', 'size-filtered')(line) || sipAlg.findings.some(({ kind }) => kind === 'dropped'),
  'cannot-call': (_, { sipAlg }) => sipAlg.findings.some(({ kind }) => kind === 'dropped'),
  'calls-drop': (line, { sipAlg, quality }) =>
    isCall(line) ||
    sipAlg.findings.some(({ kind }) => kind === 'dropped') ||
    quality.some(({ throttledAfter }) => throttledAfter),
  'registration-flaps': (_, { network }) => network.mappedAddresses.length > 1,
  'peer-to-peer-fails': (_, { nat }) => nat.mapping.includes('dependent'),
};

const unfounded = (report: Report, service: ReportService): readonly string[] => {
  const name = `service ${service.profile}`;
  const known = (because: readonly string[], what: string): readonly string[] => [
    ...(because.length > 0 ? [] : [`${name}: ${what} names no check`]),
    ...because
      .filter((id) => linesOf(report, id).length === 0)
      .map((id) => `${name}: ${what} rests on ${id}, which is not in the report`),
  ];
  return [
    ...service.symptoms.flatMap(({ id, because }) => [
      ...known(because, id),
      ...because
        .filter((one) => !linesOf(report, one).some((line) => CARRIED_BY[id]?.(line, report)))
        .map((one) => `${name}: ${id} is not carried by ${one}`),
    ]),
    ...(service.causes ?? []).flatMap(({ id, because }) => known(because, `cause ${id}`)),
    ...service.fixes.flatMap(({ text, because }) => known(because, `fix "${text}"`)),
    ...(['blocked', 'impaired'].includes(service.verdict) && (service.causes ?? []).length === 0
      ? [`${name}: is ${service.verdict} and no cause is named`]
      : []),
  ];
};

/** One line for each difference. */
export const diagnosisMismatches = (scenario: NamedScenario, report: Report): readonly string[] =>
  report.services.flatMap((service) => {
    const { profile } = service;
    const wanted = scenario.symptoms?.[profile] ?? [];
    const perhaps = scenario.perhapsSymptoms?.[profile] ?? [];
    const got = service.symptoms.map(({ id }) => id);
    const missing = wanted.filter((id) => !got.includes(id));
    const added = got.filter((id) => ![...wanted, ...perhaps].some((one) => one === id));
    const causes = scenario.cause?.[profile];
    const first = service.causes?.[0]?.id ?? 'none';
    return [
      ...missing.map((id) => `service ${profile}: expected the symptom ${id}, got ${got.join(' ') || 'none'}`),
      ...added.map((id) => `service ${profile}: the symptom ${id} was not expected`),
      ...(causes === undefined || list<string>(causes).includes(first)
        ? []
        : [`service ${profile}: expected ${list<string>(causes).join(' or ')} as the first cause, got ${first}`]),
      ...unfounded(report, service),
    ];
  });
