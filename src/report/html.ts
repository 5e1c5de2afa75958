/** The report as one self-contained HTML file: no scripts, nothing fetched, readable by a screen reader and on paper. */
import type { Report, ReportCheck, ReportRange, ReportService } from '../model/report.js';
import { printable } from '../wire/printable.js';
import {
  addressesInWords,
  bytes,
  confidence,
  counted,
  duration,
  hasInferredPorts,
  lossInWords,
  milliseconds,
  natInWords,
  percent,
  portCount,
  portsInWords,
  REASON_WORDS,
  reflectorInWords,
  roleInWords,
  serviceInWords,
  sipAlgInWords,
  stepInWords,
  timeInWords,
  untestedOf,
} from './words.js';

const MAX_NAME = 160;
const MAX_TEXT = 2000;
const MAX_RULE_LINES = 40;
/** Of one check; the JSON has all of it. */
const MAX_EVIDENCE = 8000;

/** Markup that is safe to put into the page: made by `html` and by nothing else. */
interface Markup {
  readonly markup: string;
}
type Content = Markup | string | number | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

const markupOf = (content: Content): string => {
  if (typeof content === 'string') return escaped(content);
  if (typeof content === 'number') return String(content);
  if ('markup' in content) return content.markup;
  return content.map(markupOf).join('');
};

/** Template tag that escapes every value, so that forgetting to escape is not possible. */
const html = (parts: TemplateStringsArray, ...values: readonly Content[]): Markup => ({
  markup: parts.map((part, index) => part + markupOf(values[index] ?? '')).join(''),
});

const name = (text: string): string => printable(text, MAX_NAME);
const prose = (text: string): string => printable(text, MAX_TEXT);

const STYLE: Markup = {
  markup: `
:root { color-scheme: light dark; --text: #1c1e21; --page: #fff; --soft: #5a6068; --line: #d5d9de; --box: #f5f6f8;
  --good: #0b6b34; --warn: #8a5300; --bad: #b3151b; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e8eb; --page: #15181c; --soft: #a3abb5; --line: #3a4049;
  --box: #1e2228; --good: #5bd08c; --warn: #f0b357; --bad: #ff8a86; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 64rem;
  margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; } article h2 { margin: 0 0 .3rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .5rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
article { border: 1px solid var(--line); border-left-width: .4rem; border-radius: .3rem; padding: .8rem 1rem;
  margin: .8rem 0; background: var(--box); }
article.good { border-left-color: var(--good); } article.warn { border-left-color: var(--warn); }
article.bad { border-left-color: var(--bad); }
.good strong, strong.good { color: var(--good); } .warn strong, strong.warn { color: var(--warn); }
.bad strong, strong.bad { color: var(--bad); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--soft); }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
pre { white-space: pre-wrap; background: var(--box); padding: .6rem; border-radius: .3rem; }
footer { color: var(--soft); margin-top: 2rem; }`,
};

/** Never the only sign: each stands beside the verdict in words. */
const TONE = {
  works: 'good',
  pass: 'good',
  degraded: 'warn',
  altered: 'warn',
  unknown: 'warn',
  impaired: 'bad',
  blocked: 'bad',
} as const;

const section = (title: string, content: Content): Markup => html`<section>\n<h2>${title}</h2>\n${content}</section>\n`;

const list = (items: readonly Content[]): Markup => html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>\n`;

const table = (caption: string, columns: readonly string[], rows: readonly Content[]): Markup =>
  html`<div class="scroll"><table>\n<caption>${caption}</caption>\n<thead><tr>${columns.map(
    (column) => html`<th scope="col">${column}</th>`,
  )}</tr></thead>\n<tbody>\n${rows}</tbody>\n</table></div>\n`;

const overview = (report: Report): Markup => {
  const { agent, network, target } = report;
  const rows: readonly (readonly [string, string])[] = [
    [
      'Target',
      `${name(target.host)}${target.addresses.length > 0 ? ` (${addressesInWords(target.addresses)})` : ''}, ${roleInWords(report)}`,
    ],
    ['When', `${timeInWords(report.startedAt)}, took ${duration(report.durationMs)}`],
    ['From', `${name(agent.hostname)}${network.localAddress === null ? '' : ` (${name(network.localAddress)})`}`],
    ['NAT', natInWords(report)],
    ['Path loss', lossInWords(report)],
    ['SIP ALG', sipAlgInWords(report)],
    ...report.reflectors.map(
      (reflector) => ['Reflector', `${name(reflector.host)} ${reflectorInWords(reflector)}`] as const,
    ),
  ];
  return html`<dl>\n${rows.map(([term, value]) => html`<dt>${term}</dt><dd>${value}</dd>\n`)}</dl>\n`;
};

const ruleOf = ([platform, rule]: readonly [string, string]): Markup =>
  html`<p>${name(platform)}</p><pre>${rule.split('\n', MAX_RULE_LINES).map(prose).join('\n')}</pre>\n`;

const serviceOf = (report: Report, service: ReportService): Markup => {
  const { answer, sentence } = serviceInWords(service, report);
  return html`<article class="${TONE[service.verdict]}">
<h2>${prose(service.title)} <small>(${name(service.profile)})</small></h2>
<p><strong>${answer}</strong> - ${service.verdict}. ${sentence}</p>
${service.symptoms.length > 0 ? html`<p>Users notice:</p>${list(service.symptoms.map(({ text }) => prose(text)))}` : ''}${
  service.fixes.length > 0
    ? html`<p>Ask for:</p>${list(service.fixes.map(({ text, rules }) => [prose(text), Object.entries(rules).map(ruleOf)]))}`
    : ''
}</article>
`;
};

const verdictCell = (verdict: keyof typeof TONE): Markup =>
  html`<td><strong class="${TONE[verdict]}">${verdict}</strong></td>`;

const ORDER = ['blocked', 'altered', 'degraded', 'unknown', 'pass'] as const;

const checkRow = (check: ReportCheck): Markup =>
  html`<tr><th scope="row"><code>${name(check.id)}</code></th>${verdictCell(check.verdict)}<td>${
    REASON_WORDS[check.reason]
  } <small>(${check.reason})</small></td><td class="number">${check.sent}</td><td class="number">${
    check.seen ?? 'not known'
  }</td><td class="number">${check.received}</td><td class="number">${
    check.rttMs === null ? '' : milliseconds(check.rttMs.median)
  }</td><td class="number">${confidence(check.confidence)}</td></tr>\n`;

const checks = (report: Report): Content =>
  report.checks.length === 0
    ? ''
    : section(
        'Checks',
        table(
          'What needs action comes first.',
          ['Check', 'Verdict', 'Reason', 'Sent', 'Seen by the far end', 'Answered', 'Median round trip', 'Confidence'],
          ORDER.flatMap((verdict) => report.checks.filter((check) => check.verdict === verdict)).map(checkRow),
        ),
      );

const rangeRow = (run: ReportRange): Markup =>
  html`<tr><th scope="row"><code>${run.probe}/${run.transport}/${portsInWords(run)}</code> ${stepInWords(run)}</th>${verdictCell(
    run.verdict,
  )}<td>${REASON_WORDS[run.reason]} <small>(${run.reason})</small></td><td class="number">${run.tested} of ${portCount(
    run,
  )}</td></tr>\n`;

const ranges = (report: Report): Content =>
  report.ranges.length === 0
    ? ''
    : section(
        'Port ranges',
        table(
          `One row for each run of equal verdict.${hasInferredPorts(report.ranges) ? ' Ports not tested are inferred from their neighbours.' : ''}`,
          ['Ports', 'Verdict', 'Reason', 'Tested'],
          report.ranges.map(rangeRow),
        ),
      );

const sipAlg = ({ sipAlg: { findings } }: Report): Content =>
  findings.length === 0
    ? ''
    : section(
        'What the SIP ALG changed',
        table(
          'Header or field, as it was sent and as it arrived.',
          ['Field', 'Where', 'Kind', 'Sent', 'Received'],
          findings.map(
            (finding) =>
              html`<tr><th scope="row">${name(finding.field)}</th><td>${name(finding.method)} ${finding.transport} ${
                finding.port
              }, ${finding.direction}</td><td>${finding.kind} (${finding.class})</td><td><code>${prose(
                finding.sent,
              )}</code></td><td><code>${prose(finding.received)}</code></td></tr>\n`,
          ),
        ),
      );

const quality = (report: Report): Content =>
  report.quality.length === 0
    ? ''
    : section(
        'Media quality',
        table(
          'Per stream.',
          ['Port', 'Direction', 'MOS', 'Loss', 'Jitter', 'Reordered', 'Packets'],
          report.quality.map(
            (stream) =>
              html`<tr><th scope="row">${stream.port}</th><td>${stream.direction}</td><td class="number">${stream.mos.toFixed(
                2,
              )}</td><td class="number">${percent(stream.lossRatio)}</td><td class="number">${milliseconds(
                stream.jitterMs,
              )}</td><td class="number">${stream.reordered}</td><td class="number">${stream.packets}</td></tr>\n`,
          ),
        ),
      );

const untested = (report: Report): Content => {
  const ids = untestedOf(report);
  if (ids.length === 0) return '';
  const why = html`<p>Only a reflector of your own at the far end can answer these.</p>\n`;
  return section('Untested', [why, list(ids.map((id) => html`<code>${name(id)}</code>`))]);
};

const notes = (report: Report): Content =>
  report.notes.length === 0 ? '' : section('Notes', list(report.notes.map(prose)));

const evidence = (report: Report): Content => {
  const having = report.checks.filter((check) => Object.keys(check.evidence).length > 0);
  if (having.length === 0) return '';
  return section(
    'Appendix: evidence',
    having.map(
      (check) =>
        html`<details><summary><code>${name(check.id)}</code></summary><pre>${Object.entries(check.evidence)
          .map(
            ([key, value]) =>
              `${name(key)}: ${prose(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null'))}`,
          )
          .join('\n')
          .slice(0, MAX_EVIDENCE)}</pre></details>\n`,
    ),
  );
};

/** The whole page. The content security policy says once more what escaping already ensures: nothing runs or loads. */
export const renderHtml = (report: Report): string => {
  const title = `callpath: ${name(report.target.host)}, ${timeInWords(report.startedAt)}`;
  const { totals } = report;
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Will calls pass from ${name(report.agent.hostname)} to ${name(report.target.host)}?</h1>
${report.services.length === 0 ? html`<p>No profile was chosen, so there is no service to judge.</p>` : report.services.map((service) => serviceOf(report, service))}
${section('This run', overview(report))}${checks(report)}${ranges(report)}${sipAlg(report)}${quality(report)}${untested(
  report,
)}${notes(report)}${evidence(report)}</main>
<footer>${counted(totals.checks, 'check')}, ${counted(totals.packetsSent, 'packet')} sent (${bytes(
    totals.bytesSent,
  )}), ${totals.packetsReceived} received. Report ${name(report.id)}, callpath ${name(report.agent.version)}.</footer>
</body>
</html>
`.markup;
};
