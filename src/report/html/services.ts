/** The HTML report's first screen: the one answer, then each service with what users notice, why, and what to change. */
import type { Report, ReportService } from '../../model/report.js';
import { printable } from '../../wire/printable.js';
import type { Cause } from '../../words/causes.js';
import { clicksOf, headlineOf, storyOf, toneOf } from '../story.js';
import { type Content, html, isolated, list, type Markup, name, prose } from './markup.js';

const DIALECTS: ReadonlyMap<string, string> = new Map([
  ['nftables', 'nftables (Linux)'],
  ['iptables', 'iptables (Linux)'],
  ['cisco-asa', 'Cisco ASA'],
  ['fortios', 'FortiGate (FortiOS)'],
  ['routeros', 'MikroTik (RouterOS)'],
  ['pf', 'pf (FreeBSD)'],
  ['opnsense', 'OPNsense, pfSense'],
  ['unifi', 'UniFi'],
  ['sonicwall', 'SonicWall'],
]);
const dialect = (key: string): string => DIALECTS.get(key) ?? name(key);

/** The answer that the whole document is about. */
export const answer = (report: Report): Markup => {
  const { answer: word, sentence, tone } = headlineOf(report);
  return html`<div class="answer ${tone}"><strong>${word}</strong><p>${prose(sentence)}</p></div>\n`;
};

/** Longer texts than these come from no writer of ours. */
const MAX_RULE_LINES = 2000;
const MAX_RULE_LINE = 4000;

/** Whole, because half a rule is none; what is cut says so. */
const ruleLines = (rule: string): readonly string[] => {
  const lines = rule.split('\n');
  const more = lines.length - MAX_RULE_LINES;
  const shown = lines.slice(0, MAX_RULE_LINES).map((line) => printable(line, MAX_RULE_LINE));
  return more > 0 ? [...shown, `# ${more} more lines are left out here; the JSON report has them`] : shown;
};

const ruleOf = ([platform, rule]: readonly [string, string]): Markup =>
  html`<details><summary>${dialect(platform)}</summary><pre>${ruleLines(rule).join('\n')}</pre></details>\n`;

const clickOf = ([product, text]: readonly [string, string]): Markup =>
  html`<details><summary>${dialect(product)}</summary><p>${prose(text)}</p></details>\n`;

const pasteable = (from: { readonly rules: Readonly<Record<string, string>>; readonly words?: unknown }): Content => {
  const rules = Object.entries(from.rules);
  const clicks = Object.entries(clicksOf(from));
  const names = [...rules, ...clicks].map(([key]) => dialect(key));
  return names.length === 0
    ? ''
    : html`<div class="screen rules"><span>Ready to paste:</span>${rules.map(ruleOf)}${clicks.map(clickOf)}</div><small class="paper"> Rules ready to paste are in the file of this report: ${names.join(', ')}.</small>`;
};

const fixOf = (fix: ReportService['fixes'][number]): Content => [
  prose(fix.text),
  pasteable(fix),
  fix.test ? html`<div class="screen"><small>${prose(fix.test.text)}</small>${pasteable(fix.test)}</div>` : '',
];

const causeOf = ({ text, doubt }: Cause): Content => [
  prose(text),
  doubt === null ? '' : html` <small>(${prose(doubt)})</small>`,
];

/** To whom the request goes. */
const whomOf = (whom: string | null): Content => (whom === null ? '' : html`<p>Contact: ${prose(whom)}</p>\n`);

const column = (title: string, wide: boolean, content: Content): Markup =>
  html`<div${wide ? html` class="wide"` : ''}><h3>${title}</h3>${content}</div>\n`;

/** One service as a card. */
export const serviceCard = (report: Report, service: ReportService): Markup => {
  const { answer: word, sentence, notices, why, whom, next } = storyOf(report, service);
  // Of a single service the headline has said so much already.
  const said = report.services.length === 1;
  const columns = [
    ...(notices.length > 0 ? [column('What users notice', false, list(notices.map(prose)))] : []),
    ...(why.length > 0 ? [column('Why', false, list(why.map(causeOf)))] : []),
    ...(service.fixes.length > 0
      ? [column('What to change', true, [list(service.fixes.map(fixOf)), whomOf(whom)])]
      : []),
    ...(next === null ? [] : [column('What to do next', true, html`<p>${next}</p>`)]),
  ];
  return html`<article class="${toneOf(service)}">
<header><h2>${prose(service.title)} ${said ? '' : html`<span class="pill">${word}</span>`}</h2>
<p>${said ? '' : sentence} <small>Profile ${isolated(service.profile)}: ${service.verdict}.</small></p></header>
${columns.length === 0 ? '' : html`<div class="columns">${columns}</div>`}</article>
`;
};
