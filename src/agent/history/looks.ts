/** What a report says for the history of each thing in it. A pure function. */
import type { Report, ReportCheck } from '../../model/report.js';
import { type Headline, headlineOf, TONE } from '../../report/story.js';
import type { Look } from './series.js';

export const SERIES_KINDS = ['path', 'service', 'check', 'range', 'audio'] as const;
export type SeriesKind = (typeof SERIES_KINDS)[number];

interface NamedLook {
  readonly kind: SeriesKind;
  /** A check's id, a range's, a profile's name, a direction of audio; of the path itself nothing. */
  readonly id: string;
  readonly look: Look;
}

/** Was not asked, by our own fault or because it cannot be asked of this target: no look. */
const NOT_ASKED = new Set<string>(['not-run', 'local-error']);
/** From best to worst, for a range that is not of one piece. */
const ORDER = ['pass', 'unknown', 'degraded', 'altered', 'blocked'];

/** Loss is of what passes; the silence of what is blocked has another reason. */
const passes = ({ verdict }: ReportCheck): boolean => verdict === 'pass' || verdict === 'degraded';

const looksOfChecks = ({ checks }: Report): readonly NamedLook[] =>
  checks
    .filter(({ reason }) => !NOT_ASKED.has(reason))
    .map((check) => ({
      kind: 'check',
      id: check.id,
      look: {
        tone: TONE[check.verdict],
        rttMs: check.rttMs,
        messages: passes(check) ? { sent: check.sent, received: check.received } : null,
      },
    }));

const looksOfRanges = ({ ranges }: Report): readonly NamedLook[] =>
  [...new Set(ranges.map(({ id }) => id))].flatMap((id): NamedLook[] => {
    const verdicts = ranges
      .filter((range) => range.id === id && !NOT_ASKED.has(range.reason))
      .map(({ verdict }) => verdict);
    const worst = ORDER.findLast((verdict) => verdicts.some((one) => one === verdict));
    const verdict = verdicts.find((one) => one === worst);
    return verdict === undefined
      ? []
      : [{ kind: 'range', id, look: { tone: TONE[verdict], rttMs: null, messages: null } }];
  });

/** The way to the target: its shortest round trip, and the loss of everything that passes. */
const lookOfPath = (report: Report, { tone }: Headline): NamedLook => {
  const passing = report.checks.filter(passes);
  const rtts = passing.flatMap(({ rttMs }) => (rttMs === null ? [] : [rttMs]));
  const shortest = rtts.reduce<(typeof rtts)[number] | null>(
    (least, one) => (least === null || one.min < least.min ? one : least),
    null,
  );
  const sum = (of: (check: ReportCheck) => number): number => passing.reduce((total, check) => total + of(check), 0);
  const messages =
    passing.length === 0 ? null : { sent: sum(({ sent }) => sent), received: sum(({ received }) => received) };
  return { kind: 'path', id: '', look: { tone, rttMs: shortest, messages } };
};

/** Streams of audio by direction: of several the one that sounds worst. */
const looksOfAudio = ({ quality, checks }: Report): readonly NamedLook[] =>
  (['outbound', 'inbound'] as const).flatMap((direction): NamedLook[] => {
    const [worst] = quality.filter((one) => one.direction === direction).sort((a, b) => a.mos - b.mos);
    if (!worst) return [];
    const { port, packets, mos, jitterMs, lossRatio, lost = Math.round(lossRatio * packets) } = worst;
    const verdict = checks.find((one) => one.probe === 'media-stream' && one.port === port)?.verdict ?? 'pass';
    const messages = { sent: packets, received: packets - lost };
    return [
      { kind: 'audio', id: direction, look: { tone: TONE[verdict], rttMs: null, messages, audio: { mos, jitterMs } } },
    ];
  });

/** Everything that a report adds to the history. */
export const looksOf = (report: Report): readonly NamedLook[] => [
  lookOfPath(report, headlineOf(report)),
  ...report.services.map(
    ({ profile, verdict }): NamedLook => ({
      kind: 'service',
      id: profile,
      look: { tone: TONE[verdict], rttMs: null, messages: null },
    }),
  ),
  ...looksOfChecks(report),
  ...looksOfRanges(report),
  ...looksOfAudio(report),
];
