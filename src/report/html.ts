/**
 * The report as one self-contained HTML file, to attach to a ticket: no scripts, nothing fetched, readable by a screen
 * reader and on paper. Services come first, then the proof.
 */
import type { Report } from '../model/report.js';
import { timeInWords } from '../words/report.js';
import { evidence, identity, meanings, notes } from './html/appendix.js';
import { calls } from './html/calls.js';
import { checks, untestedSection } from './html/checks.js';
import { farEnd } from './html/far-end.js';
import { html, isolated, type Markup, name } from './html/markup.js';
import { algFindings, path } from './html/path.js';
import { portMaps } from './html/port-map.js';
import { quality } from './html/quality.js';
import { answer, serviceCard } from './html/services.js';
import { STYLE } from './html/style.js';

/** Our own text, so it needs no escaping; it holds no markup. */
const style: Markup = { markup: STYLE };

/** The whole page. The content security policy says once more what escaping already ensures: nothing runs or loads. */
export const renderHtml = (report: Report): string => {
  const title = `callpath: ${name(report.target.host)}, ${timeInWords(report.startedAt)}`;
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<main>
<p class="brand">callpath connectivity report</p>
<h1>Will calls pass from ${isolated(report.agent.hostname)} to ${isolated(report.target.host)}?</h1>
<p class="soft">Measured ${timeInWords(report.startedAt)}</p>
${answer(report)}${report.services.map((service) => serviceCard(report, service))}${path(report)}${farEnd(report)}${portMaps(
  report,
)}${algFindings(report)}${quality(report)}${calls(report)}${checks(report)}${untestedSection(report)}${meanings(report)}${notes(
  report,
)}${identity(report)}${evidence(report)}</main>
</body>
</html>
`.markup;
};
