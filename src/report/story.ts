/**
 * What a person asks of a report, in the order in which they ask: will it work, what will users notice, why, what to
 * ask for, what next. The terminal and the HTML report tell the same story.
 */
import * as v from 'valibot';
import { kindOf, type ProbeKind } from '../model/kinds.js';
import type { Report, ReportService } from '../model/report.js';
import { type Reason, type ServiceVerdict, SYMPTOMS, type Verdict } from '../model/verdict.js';
import { type Cause, causesOf, whomToAsk } from '../words/causes.js';
import { EXPLANATIONS } from '../words/explanations.js';
import { GIVE_TOKEN, LISTEN_ON_SIP, RUN_REFLECTOR, TEST_INBOUND } from '../words/next-steps.js';
import { NO_PROFILE, someWork } from '../words/pages.js';
import { commonestUnknown, isNoticed, portsInWords, REASON_WORDS, serviceInWords } from '../words/report.js';

const WordsSchema = v.fallback(v.record(v.string(), v.string()), {});

/** `audio (RTP)` of `rtp-echo`. */
export const probeInWords = (probe: ProbeKind): string => kindOf(probe).label;

interface Problem {
  readonly id: string;
  readonly reason: Reason;
  readonly what: string;
}

const isProblem = (verdict: Verdict): boolean =>
  verdict === 'blocked' || verdict === 'altered' || verdict === 'degraded';

/** What went wrong for one service: its checks, and the ranges on which its symptoms and fixes rest. */
const problemsOf = ({ checks, ranges }: Report, service: ReportService): readonly Problem[] => {
  const noticed = new Set(service.symptoms.flatMap(({ because }) => because));
  const named = new Set([...noticed, ...service.fixes.flatMap(({ because }) => because)]);
  const problems: readonly Problem[] = [
    ...checks
      .filter(
        ({ id, requiredBy, verdict }) => isProblem(verdict) && (named.has(id) || requiredBy.includes(service.profile)),
      )
      .map(({ id, probe, transport, port, reason }) => ({
        id,
        reason,
        what: `${probeInWords(probe)} on ${transport === 'tls' ? 'TCP' : transport.toUpperCase()} ${port}`,
      })),
    ...ranges
      .filter(({ id, verdict }) => isProblem(verdict) && named.has(id))
      .map((run) => ({
        id: run.id,
        reason: run.reason,
        what: `${probeInWords(run.probe)} on ${run.transport.toUpperCase()} ${portsInWords(run)}`,
      })),
  ];
  // What people notice matters more than what only a list shows.
  return [...problems.filter(({ id }) => noticed.has(id)), ...problems.filter(({ id }) => !noticed.has(id))];
};

/** Ports of one reason that a sentence can hold. */
const MAX_NAMED = 4;

const findingsOf = (report: Report, service: ReportService): readonly Cause[] => {
  const byReason = new Map<Reason, Problem[]>();
  for (const problem of problemsOf(report, service)) {
    byReason.set(problem.reason, [...(byReason.get(problem.reason) ?? []), problem]);
  }
  return [...byReason].map(([reason, group]) => {
    const names = [...new Set(group.map(({ what }) => what))];
    const more = names.length - MAX_NAMED;
    const list = names.slice(0, MAX_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
    return {
      text: `${list.charAt(0).toUpperCase()}${list.slice(1)}: ${REASON_WORDS[reason]}.`,
      doubt: null,
      device: null,
      likelihood: null,
      because: [...new Set(group.map(({ id }) => id))],
    };
  });
};

/** Findings speak where the report names no cause. */
const whyOf = (report: Report, service: ReportService): readonly Cause[] => {
  const causes = causesOf(service);
  return causes.length > 0 ? causes : findingsOf(report, service);
};

/** What to click where nothing can be pasted, by product; empty in reports of versions before it. */
export const clicksOf = ({ words }: { readonly words?: unknown }): Readonly<Record<string, string>> =>
  v.parse(WordsSchema, words);

/** What helps against what users notice first; null for a symptom of another version. */
const explainedFix = ({ symptoms: [first] }: ReportService): string | null => {
  const known = SYMPTOMS.find((id) => id === first?.id);
  return known === undefined ? null : EXPLANATIONS[known].fix;
};

/** What our reflector calls itself in the Server field of its SIP answers, and in the certificate that it makes for itself. */
const OWN_NAMES: readonly unknown[] = ['callpath', 'callpath reflector'];

/** Whether who answered says that it is a reflector of ours; anybody can say so. */
const saysItIsOurs = ({ checks, certificates = [] }: Report): boolean =>
  certificates.some(({ subject }) => OWN_NAMES.includes(subject)) ||
  checks.some(
    ({ evidence: { answer } }) =>
      typeof answer === 'object' && answer !== null && 'server' in answer && OWN_NAMES.includes(answer.server),
  );

const isProven = ({ reflectors }: Report): boolean => reflectors.some(({ reachable }) => reachable);

/** What to do where there is nothing to ask a firewall's keeper for; null where the fixes say it all. */
const nextStep = (report: Report, service: ReportService): string | null => {
  if (service.verdict === 'unknown') {
    const reason = commonestUnknown(service, report);
    // The cause says what to do; "let the run finish" is no advice where it did.
    if (reason === 'not-run' && causesOf(service).length > 0) return null;
    return EXPLANATIONS[reason ?? 'unknown'].fix;
  }
  if (service.untested.length > 0 && service.untested.every((id) => id.startsWith('inbound/'))) {
    return TEST_INBOUND;
  }
  if (service.untested.length > 0 && service.untested.every((id) => id.startsWith('sip-alg/')) && isProven(report)) {
    return LISTEN_ON_SIP;
  }
  if (service.untested.length > 0) {
    if (saysItIsOurs(report)) return GIVE_TOKEN;
    return RUN_REFLECTOR;
  }
  if (service.fixes.length > 0) return null;
  if (service.verdict === 'works') return isNoticed(service) ? explainedFix(service) : null;
  return EXPLANATIONS[problemsOf(report, service)[0]?.reason ?? service.verdict].fix;
};

interface Story {
  readonly answer: string;
  readonly sentence: string;
  readonly notices: readonly string[];
  readonly why: readonly Cause[];
  readonly whom: string | null;
  readonly next: string | null;
}

/** The story of one service. Texts are as the report has them: printing them is the renderer's care. */
export const storyOf = (report: Report, service: ReportService): Story => ({
  ...serviceInWords(service, report),
  notices: service.symptoms.map(({ text }) => text),
  why: service.verdict === 'works' && !isNoticed(service) ? [] : whyOf(report, service),
  whom: whomToAsk(service),
  next: nextStep(report, service),
});

export type Tone = 'good' | 'warn' | 'bad' | 'none';

/** How good or bad a verdict is; never the only sign, it stands beside the word. */
export const TONE: Readonly<Record<ServiceVerdict | Verdict, Tone>> = {
  works: 'good',
  pass: 'good',
  degraded: 'warn',
  altered: 'warn',
  unknown: 'none',
  impaired: 'bad',
  blocked: 'bad',
};

/** How good or bad a service is to those who use it. */
export const toneOf = (service: ReportService): Tone => (isNoticed(service) ? 'warn' : TONE[service.verdict]);

const WORST_FIRST: readonly ServiceVerdict[] = ['blocked', 'impaired', 'degraded', 'unknown', 'works'];

export interface Headline {
  readonly answer: string;
  readonly sentence: string;
  readonly tone: Tone;
}

/** The whole report in one answer. Of several services that differ, none speaks for the others. */
export const headlineOf = (report: Report): Headline => {
  const { services } = report;
  const verdict = WORST_FIRST.find((one) => services.some((service) => service.verdict === one));
  const worst = services.filter((service) => service.verdict === verdict);
  const first = worst.find(isNoticed) ?? worst[0];
  if (verdict === undefined || first === undefined) {
    return {
      answer: 'NOTHING TESTED',
      sentence: NO_PROFILE,
      tone: 'none',
    };
  }
  const { answer, sentence } = serviceInWords(first, report);
  if (services.every((service) => service.verdict === verdict)) {
    const untested = services.some((service) => service.untested.length > 0);
    return { answer, sentence, tone: untested && verdict === 'works' ? 'none' : toneOf(first) };
  }
  const working = services.filter((service) => service.verdict === 'works').length;
  const titles = services.filter((service) => service.verdict === verdict).map(({ title }) => title);
  return {
    answer: working === 0 ? answer : 'NOT ALL OF THEM',
    sentence: someWork(working, services.length, titles),
    tone: TONE[verdict],
  };
};
