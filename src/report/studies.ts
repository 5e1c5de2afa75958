/** Where the findings of the studies go in a report: lines among its checks, and what services make of them. */
import { type Check, checkName, type InboundPort, isWithinRange, type Plan, type PortRange } from '../model/check.js';
import { kindOf, type ProbeKind } from '../model/kinds.js';
import type { ReportCheck } from '../model/report.js';
import type { Item } from '../verdict/services.js';
import type { StudyCheck } from '../verdict/studies/study-check.js';
import { inboundNotTested } from '../words/study-notes.js';

/** With its address where the same question went to several. */
const idOf = ({ probe, transport, port, address }: StudyCheck, plan: Plan): string => {
  // The port is this host's own, whoever tries it.
  if (probe === 'inbound') return checkName(probe, transport, port);
  const isNamed = ({ id, address: at }: Check): boolean => at === address && id.includes('#');
  const several = plan.checks.some(isNamed) || plan.ranges.some(({ sample }) => sample.some(isNamed));
  return checkName(probe, transport, port) + (several ? `#${address}` : '');
};

/** Whether a check of the plan asks what this study answers: a port's NAT matters to the keepalives over it. */
const isAbout = (study: StudyCheck, probe: ProbeKind): boolean => kindOf(study.probe).about === probe;

/**
 * The checks whose port a study is about: those of its address, or, where nothing of the kind was asked there, those of the
 * server in whose place it was asked.
 */
const checksOf = (study: StudyCheck, plan: Plan): readonly Check[] => {
  const about = plan.checks.filter((one) => isAbout(study, one.probe));
  const here = about.filter(({ address }) => address === study.address);
  return (here.length > 0 ? here : about).filter(
    ({ transport, port }) => transport === study.transport && port === study.port,
  );
};

/** A stream is about the range that its port is one of. */
const isOfRange = (study: StudyCheck, range: PortRange): boolean =>
  isAbout(study, range.probe) && isWithinRange(range, { ...study, probe: range.probe });

/** The profiles that use the very port that a stage is about. */
const requiredBy = (study: StudyCheck, plan: Plan): string[] => {
  if (study.probe === 'inbound') {
    const rows = plan.requirements.filter(({ inbound = [] }) => inbound.some((one) => isOf(study, one)));
    return [...new Set(rows.map(({ profile }) => profile))];
  }
  const within = study.probe === 'media-stream' ? plan.ranges.filter((range) => isOfRange(study, range)) : [];
  return [...new Set([...checksOf(study, plan), ...within].flatMap((one) => one.requiredBy))];
};

/** Whether a study's check is what became of this port of ours. */
const isOf = ({ probe, transport, port }: StudyCheck, asked: InboundPort): boolean =>
  probe === 'inbound' && transport === asked.transport && port === asked.port;

/** Whether the plan asks the same question itself. */
export const isAskedByItself = ({ probe, transport, port, address }: StudyCheck, plan: Plan): boolean =>
  plan.checks.some(
    (one) => one.probe === probe && one.transport === transport && one.port === port && one.address === address,
  );

/** One line of the report's `checks`. */
const row = (one: StudyCheck, plan: Plan): ReportCheck => ({
  id: idOf(one, plan),
  probe: one.probe,
  transport: one.transport,
  port: one.port,
  address: one.address,
  family: one.family,
  requiredBy: requiredBy(one, plan),
  ...one.finding,
  confidence: one.confidence,
  sent: one.sent,
  seen: one.seen,
  answered: one.answered ?? null,
  received: one.received,
  rttMs: null,
  evidence: { ...one.evidence },
});

const itemOf = (one: StudyCheck, plan: Plan): Item => ({
  id: idOf(one, plan),
  probe: one.probe,
  transport: one.transport,
  address: one.address,
  from: one.port,
  to: one.port,
  finding: one.harm ?? one.finding,
  ...(one.leavesShort && { leavesShort: true as const }),
  partly: false,
  provable: true,
});

/** Whether a study's port is the item's, or for a stream of audio one of its ports. */
const isAt = (study: StudyCheck, item: Item): boolean =>
  isAbout(study, item.probe) &&
  item.transport === study.transport &&
  item.address === study.address &&
  (study.probe === 'media-stream' ? item.from <= study.port && study.port <= item.to : item.from === study.port);

/** What passes short exchanges and hurts a call is about the stream alone. */
const isHarmful = ({ probe, finding }: StudyCheck): boolean =>
  // What calls suffer from is weighed by itself: the port passes, and signalling with it.
  (probe !== 'call' && (finding.verdict === 'blocked' || finding.verdict === 'altered')) ||
  (probe === 'media-stream' && finding.verdict === 'degraded');

/**
 * What studies add to an alternative of a requirement: where OPTIONS pass and INVITE or large messages do not, phones
 * cannot signal that way; where keepalives pass and come too late, they keep nothing alive. What passes, or is not
 * known, adds nothing.
 */
export const harmedBy = (own: readonly Item[], studies: readonly StudyCheck[], plan: Plan): readonly Item[] =>
  studies
    .filter(isHarmful)
    .filter((one) => {
      const about = checksOf(one, plan);
      return own.some(
        (item) => isAt(one, item) || about.some(({ id, address }) => id === item.id && address === item.address),
      );
    })
    .map((one) => itemOf(one, plan));

/** What became of the ports at which a row lets the far side begin. */
export const waysInOf = (asked: readonly InboundPort[], studies: readonly StudyCheck[], plan: Plan): readonly Item[] =>
  studies.filter((one) => asked.some((port) => isOf(one, port))).map((one) => itemOf(one, plan));

/** The lines of all studies. */
export const studyRows = (studies: readonly StudyCheck[], plan: Plan): readonly ReportCheck[] =>
  studies.map((one) => row(one, plan));

const LABELS = { udp: 'UDP', tcp: 'TCP', tls: 'TLS' } as const;

/** Ports that the user let the far end try, and of which nothing came home. */
export const inboundNotes = ({ requirements }: Plan, studies: readonly StudyCheck[]): readonly string[] => {
  const missing = requirements
    .flatMap(({ inbound = [] }) => inbound)
    .filter((port) => !studies.some((one) => isOf(one, port)))
    .map(({ transport, port }) => `${LABELS[transport]} ${port}`);
  return missing.length === 0 ? [] : [inboundNotTested([...new Set(missing)].join(', '))];
};
