/** The HTML report's first screen: the one answer, then each service with what users notice, why, and what to change. */
import type { Report, ReportService } from '../../model/report.js';
import type { Cause } from '../../words/causes.js';
import { clicksOf, headlineOf, storyOf, toneOf } from '../story.js';
import { type Content, html, isolated, list, type Markup, name, prose } from './markup.js';

/** A rule of more lines is not one that a person would paste. */
const MAX_RULE_LINES = 60;

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

const ruleOf = ([platform, rule]: readonly [string, string]): Markup =>
  html`<details><summary>${dialect(platform)}</summary><pre>${rule
    .split('\n', MAX_RULE_LINES)
    .map(prose)
    .join('\n')}</pre></details>\n`;

const clickOf = ([product, text]: readonly [string, string]): Markup =>
  html`<details><summary>${dialect(product)}</summary><p>${prose(text)}</p></details>\n`;

const fixOf = (fix: ReportService['fixes'][number]): Content => {
  const rules = Object.entries(fix.rules);
  const clicks = Object.entries(clicksOf(fix));
  const names = [...rules, ...clicks].map(([key]) => dialect(key));
  return [
    prose(fix.text),
    names.length === 0
      ? ''
      : html`<div class="screen rules"><span>Ready to paste:</span>${rules.map(ruleOf)}${clicks.map(clickOf)}</div><small class="paper"> Rules ready to paste are in the file of this report: ${names.join(', ')}.</small>`,
  ];
};

const causeOf = ({ text, doubt }: Cause): Content => [
  prose(text),
  doubt === null ? '' : html` <small>(${prose(doubt)})</small>`,
];

/** To whom the request goes. */
const whomOf = (whom: string | null): Content => (whom === null ? '' : html`<p>Whom to ask: ${prose(whom)}</p>\n`);

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
