/** The checks one by one, what needs action first, each with its round trips and its answers as small plots. */
import type { Report, ReportCheck } from '../../model/report.js';
import { rejectionInWords } from '../../words/icmp.js';
import { roundTripScale } from '../../words/pages.js';
import { confidence, milliseconds, REASON_WORDS, untestedGroups, untestedOf } from '../../words/report.js';
import { TONE } from '../story.js';
import { type Content, html, list, type Markup, name, section, table } from './markup.js';

const ORDER = ['blocked', 'altered', 'degraded', 'unknown', 'pass'] as const;

/** The plots' width in their own units; the page stretches them. */
const WIDTH = 200;
/** No mark is too thin to see. */
const THINNEST = 3;
/** A report of a range asked port by port has its ranges for that. */
const MAX_ROWS = 300;

/** From the shortest to the longest round trip, with a mark at the median; all rows share the scale, from zero. */
const rttPlot = (rtt: NonNullable<ReportCheck['rttMs']>, scale: number): Markup => {
  const at = (ms: number): number => Math.round(Math.min(1, ms / scale) * (WIDTH - THINNEST));
  const label = `round trip: shortest ${milliseconds(rtt.min)}, median ${milliseconds(rtt.median)}, longest ${milliseconds(rtt.max)}`;
  return html`<svg class="plot" viewBox="0 0 ${WIDTH} 20" preserveAspectRatio="none" role="img" aria-label="${label}"><rect class="f-line" x="0" y="9" width="${WIDTH}" height="1"></rect><rect class="f-soft" x="${at(
    rtt.min,
  )}" y="8" width="${Math.max(THINNEST, at(rtt.max) - at(rtt.min))}" height="4"></rect><rect class="f-accent" x="${at(
    rtt.median,
  )}" y="3" width="${THINNEST}" height="14"></rect></svg>`;
};

/** Sent, seen and received as bars one above the other: where they end early is where messages were lost. */
const lossPlot = ({ sent, seen, answered = null, received }: ReportCheck): Markup => {
  const part = (count: number): number => Math.round(Math.min(1, count / Math.max(1, sent)) * WIDTH);
  const lost = `sent ${sent}, ${seen === null ? 'far end not asked' : `seen by the far end ${seen}`}, ${answered === null ? '' : `answered by it ${answered}, `}received ${received}`;
  return html`<svg class="plot" viewBox="0 0 ${WIDTH} 20" preserveAspectRatio="none" role="img" aria-label="${lost}"><rect class="f-line" x="0" y="1" width="${WIDTH}" height="18"></rect>${
    seen === null ? '' : html`<rect class="f-soft" x="0" y="1" width="${part(seen)}" height="9"></rect>`
  }<rect class="f-accent" x="0" y="${seen === null ? 1 : 11}" width="${part(received)}" height="${
    seen === null ? 18 : 8
  }"></rect></svg>`;
};

/** Who rejects it, where an ICMP error says so. */
const rejectionOf = ({ evidence }: ReportCheck): Content => {
  const words = rejectionInWords(evidence);
  return words === null ? '' : html`<br><small>${words}</small>`;
};

const row = (check: ReportCheck, scale: number): Markup =>
  html`<tr><th scope="row"><code>${name(check.id)}</code>${
    check.verdict === 'pass' ? '' : html`<br><small>${REASON_WORDS[check.reason]} (${check.reason})</small>`
  }${check.verdict === 'pass' ? '' : rejectionOf(check)}</th><td><span class="pill ${TONE[check.verdict]}">${check.verdict}</span></td><td><div class="cell">${
    check.sent === 0 ? '' : lossPlot(check)
  }<small>${check.sent} / ${check.seen ?? '?'} / ${check.answered ?? '?'} / ${check.received}</small></div></td><td>${
    check.rttMs === null
      ? ''
      : html`<div class="cell">${rttPlot(check.rttMs, scale)}<small>${milliseconds(check.rttMs.median)}</small></div>`
  }</td><td class="number">${check.verdict === 'unknown' ? '' : confidence(check.confidence)}</td></tr>\n`;

/** All checks but those that this target could not be asked. */
export const checks = (report: Report): Content => {
  const untested = new Set(untestedOf(report));
  const asked = report.checks.filter(({ id }) => !untested.has(id));
  if (asked.length === 0) return '';
  const sorted = ORDER.flatMap((verdict) => asked.filter((check) => check.verdict === verdict));
  const longest = Math.max(0, ...asked.map(({ rttMs }) => rttMs?.max ?? 0));
  const drawn = longest > 0 ? roundTripScale(milliseconds(longest)) : '';
  // Times of 0 ms exist: a coarse clock against a reflector on this host.
  const scale = longest > 0 ? longest : 1;
  const more = sorted.length - MAX_ROWS;
  return section('Checks', [
    table(
      `What needs action comes first.${drawn}`,
      ['Check', 'Verdict', 'Sent / seen by far end / answered by it / received', 'Round trip', 'Confidence'],
      sorted.slice(0, MAX_ROWS).map((check) => row(check, scale)),
    ),
    more > 0 ? html`<p>and ${more} more, in the JSON report</p>\n` : '',
  ]);
};

/** What was required and could not be asked, and who could answer it. */
export const untestedSection = (report: Report): Content => {
  const groups = untestedGroups(report);
  if (groups.length === 0) return '';
  return section(
    'Not tested',
    groups.flatMap(({ says, ids }) => [
      html`<p>${says}. They are neither open nor blocked.</p>\n`,
      list(ids.map((id) => html`<code>${name(id)}</code>`)),
    ]),
  );
};
