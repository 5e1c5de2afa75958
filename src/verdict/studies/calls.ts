/**
 * What rehearsed calls come to. A step passes when what was sent came to the other end and was answered back. Silence is held
 * against the path only where the far end's own account says what arrived, where it was alive meanwhile, where loss cannot
 * explain it, and where SIP still passes when all is over.
 */

import type { Report } from '../../model/report.js';
import type { CallFacts, CallLeg, CallStepFacts } from '../../model/study-facts.js';
import type { Finding } from '../../model/verdict.js';
import { noCallInWords } from '../../words/calls.js';
import { doubtOfSilence, lossUpperBound, SINGLE_CHECK_DOUBT } from '../silence.js';
import { compareSip } from './alg.js';
import type { AlgFinding, Judge, StudyCheck } from './study-check.js';

type CallReport = NonNullable<Report['calls']>[number];
type StepReport = CallReport['steps'][number];

interface Judgement {
  readonly finding: Finding;
  readonly confidence: number;
}

const certain = (finding: Finding): Judgement => ({ finding, confidence: 1 });
const unknown = (reason: Extract<Finding, { verdict: 'unknown' }>['reason']): Judgement => ({
  finding: { verdict: 'unknown', reason },
  confidence: 0,
});

interface Rest {
  readonly upperBound: number | null;
  readonly passesStill: boolean | null;
}

/** What was sent `packets` times while the far end was alive, and never came. */
const lost = (
  reason: 'dropped-outbound' | 'dropped-inbound',
  packets: number,
  sent: number,
  { upperBound, passesStill }: Rest,
): Judgement => {
  if (passesStill === false) return unknown('cut-off');
  const doubt = doubtOfSilence(packets, upperBound);
  if (doubt > SINGLE_CHECK_DOUBT) return unknown(packets < sent ? 'outage' : 'no-answer');
  return { finding: { verdict: 'blocked', reason }, confidence: Math.round((1 - doubt) * 1e6) / 1e6 };
};

const judgeLeg = (leg: CallLeg, rest: Rest): Judgement => {
  const { from, kind, sent, witnessed, arrived, answered, received, overConnection = false } = leg;
  const [there, back] =
    from === 'agent'
      ? (['dropped-outbound', 'dropped-inbound'] as const)
      : (['dropped-inbound', 'dropped-outbound'] as const);
  if (arrived === null) return unknown('no-answer');
  if (sent === 0) return unknown('not-run');
  if (arrived === 0) {
    // An answer to what never arrived is somebody else's.
    if (kind === 'request' && from === 'agent' && (received ?? 0) > 0)
      return certain({ verdict: 'altered', reason: 'answered-by-other' });
    return lost(there, witnessed, sent, rest);
  }
  if (kind === 'one-way') return certain({ verdict: 'pass', reason: 'answered' });
  if (answered === null || received === null) return unknown('no-answer');
  if (answered === 0) return unknown('limited');
  // Answers go out with what arrived: of sendings that met an outage the answers did too.
  const repeated = Math.min(answered, Math.max(0, witnessed - (sent - arrived)));
  if (received === 0) return lost(back, overConnection ? witnessed : repeated, answered, rest);
  return certain({ verdict: 'pass', reason: 'answered' });
};

const RANK: readonly Finding['verdict'][] = ['blocked', 'altered', 'degraded', 'unknown', 'pass'];
const worst = (all: readonly Judgement[]): Judgement | null =>
  [...all].sort((a, b) => RANK.indexOf(a.finding.verdict) - RANK.indexOf(b.finding.verdict))[0] ?? null;

/** What an answer says that is neither a success nor what a registrar asks first. */
const isRefused = ({ status, step }: CallStepFacts): boolean =>
  status !== null && status >= 300 && !(step === 'cancel' && status === 487);

const judgeStep = (facts: CallStepFacts, isChanged: boolean, rest: Rest): Judgement => {
  if (facts.untested !== null || facts.legs.length === 0) return unknown('not-run');
  const judged = worst(facts.legs.map((leg) => judgeLeg(leg, rest))) ?? unknown('not-run');
  const { verdict } = judged.finding;
  if (verdict !== 'pass') return judged;
  // The far end refuses what it would take: something changed it, or this version does not know what that is.
  if (isRefused(facts)) return isChanged ? certain({ verdict: 'altered', reason: 'sip-alg' }) : unknown('unreadable');
  return isChanged ? certain({ verdict: 'altered', reason: 'sip-alg' }) : judged;
};

/** Which requests belong to a step, for what was changed in them. */
const METHODS: Readonly<Partial<Record<CallStepFacts['step'], string>>> = {
  ...{ register: 'REGISTER', invite: 'INVITE', ack: 'ACK', hold: 'INVITE', resume: 'INVITE', 'remote-hold': 'INVITE' },
  ...{
    transfer: 'REFER',
    'attended-transfer': 'REFER',
    refresh: 'UPDATE',
    bye: 'BYE',
    'remote-bye': 'BYE',
    cancel: 'CANCEL',
  },
  'inbound-after-idle': 'INVITE',
};

const methodOf = (name: string): string => name.replace(/^\d{3} /, '').split(' ')[0] ?? '';

interface Changed {
  readonly direction: 'outbound' | 'inbound';
  readonly name: string;
  readonly findings: readonly AlgFinding[];
}

const changedOf = (facts: CallFacts): readonly Changed[] =>
  facts.changed.map(({ name, direction, sent, received }) => ({
    ...{ name, direction },
    findings: compareSip(sent, received).map((difference) => ({
      ...{ transport: facts.transport, port: facts.port, direction, kind: 'rewritten' as const },
      method: methodOf(name),
      ...difference,
    })),
  }));

const isSemantic = ({ findings }: Changed): boolean => findings.some((one) => one.class === 'semantic');

const stepReport = (facts: CallStepFacts, { finding, confidence }: Judgement): StepReport => ({
  ...{ step: facts.step, ...finding, status: facts.status, ms: facts.ms, untested: facts.untested, confidence },
  legs: facts.legs.map(({ from, sent, arrived, answered, received }) => ({ from, sent, arrived, answered, received })),
});

/** Without these there is no call, or nobody hears anything. */
const SEVERE: ReadonlySet<string> = new Set(['register', 'invite', 'ack', 'media-outbound', 'media-inbound']);

interface Told {
  readonly facts: CallFacts;
  readonly report: CallReport;
  readonly changed: readonly Changed[];
}

/** Of somebody's server an answer is proof, silence is none, and a refusal may be anybody's. */
const judgeAnswer = ({ untested, status, legs }: CallStepFacts): Judgement => {
  if (untested !== null) return unknown('not-run');
  if (status !== null) return status < 300 ? certain({ verdict: 'pass', reason: 'answered' }) : unknown('closed');
  const isHeard = legs.some(({ kind, received }) => kind === 'one-way' && (received ?? 0) > 0);
  return isHeard ? certain({ verdict: 'pass', reason: 'answered' }) : unknown('no-answer');
};

const tell = (facts: CallFacts, upperBound: number | null): Told => {
  const changed = changedOf(facts);
  const rest = { upperBound, passesStill: facts.passesStill };
  const steps = facts.steps.map((step) => {
    if (facts.isThirdParty) return stepReport(step, judgeAnswer(step));
    const method = METHODS[step.step];
    const isChanged = changed.some((one) => isSemantic(one) && methodOf(one.name) === method);
    return stepReport(step, judgeStep(step, isChanged, rest));
  });
  const { transport, port, address, direction, idle } = facts;
  return {
    facts,
    changed,
    report: {
      ...{ transport, port, address, direction, steps },
      idle: idle && { seconds: Math.round(idle.ms / 1000), keepalives: idle.keepalives },
    },
  };
};

/** That nothing comes after a long silence without keepalives is what keepalives are for: it is told, and breaks no call. */
const counts = ({ idle }: CallReport): boolean => idle === null || idle.keepalives;

/** One line for all calls over one port. */
const checkOf = (all: readonly Told[]): StudyCheck | null => {
  const [first] = all;
  if (!first) return null;
  const { address, family, transport, port, notTried } = first.facts;
  const place = { probe: 'call' as const, address, family, transport, port };
  if (notTried !== null) {
    const reason = notTried === 'held-back' ? 'limited' : notTried === 'no-answer' ? 'no-answer' : 'not-run';
    const evidence = { notTried };
    return {
      ...place,
      finding: { verdict: 'unknown', reason },
      confidence: 0,
      sent: 0,
      seen: null,
      received: 0,
      evidence,
    };
  }
  const steps = all.filter(({ report }) => counts(report)).flatMap(({ report }) => report.steps);
  const tried = steps.filter(({ untested }) => untested === null);
  const judged = worst(
    tried.map(({ verdict, reason, confidence }) => ({ finding: { verdict, reason } as Finding, confidence })),
  );
  const failing = tried.filter(({ verdict }) => verdict === 'blocked' || verdict === 'altered');
  const { finding, confidence } = judged ?? unknown('not-run');
  return {
    ...{ ...place, finding, confidence },
    sent: tried.length,
    seen: null,
    received: tried.filter(({ verdict }) => verdict === 'pass').length,
    evidence: {
      steps: tried.length,
      ...(failing.length > 0 && { failing: [...new Set(failing.map(({ step }) => step))].join(', ') }),
      ...(failing.some(({ step, verdict }) => verdict === 'blocked' && SEVERE.has(step)) && { severe: true }),
      untested: steps.length - tried.length,
    },
  };
};

const findingsOf = (all: readonly Told[]): readonly AlgFinding[] => {
  const seen = new Set<string>();
  return all
    .flatMap(({ changed }) => changed.flatMap(({ findings }) => findings))
    .filter(({ method, direction, field }) => {
      const key = `${method} ${direction} ${field}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
};

const placeOf = ({ facts: { address, transport, port } }: Told): string => `${transport} ${port} ${address}`;

export const judge: Judge<CallFacts> = (facts, loss) => {
  const upperBound = lossUpperBound(loss);
  const told = facts.map((one) => tell(one, upperBound));
  const findings = findingsOf(told);
  return {
    checks: [...new Set(told.map(placeOf))].flatMap(
      (place) => checkOf(told.filter((one) => placeOf(one) === place)) ?? [],
    ),
    calls: told.filter(({ report }) => report.steps.length > 0).map(({ report }) => report),
    notes: [...new Set(facts.flatMap(({ notTried }) => (notTried === null ? [] : noCallInWords(notTried))))],
    ...(findings.some((one) => one.class === 'semantic') && { sipAlg: { detected: true, findings } }),
  };
};
