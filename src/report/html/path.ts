/** The path between here and the far end: who saw which address, what the NAT does, and what a SIP ALG changed. */
import type { Report } from '../../model/report.js';
import { addressesInWords, natInWords } from '../../words/nat.js';
import { outageInWords } from '../../words/outages.js';
import { REWRITES_CAPTION } from '../../words/pages.js';
import { lossInWords, reflectorInWords, roleInWords, sipAlgInWords } from '../../words/report.js';
import { type Content, html, isolated, type Markup, name, prose, section, table, terms } from './markup.js';

/** A message has some twenty headers; more rows than this come from something broken. */
const MAX_FINDINGS = 60;

const hop = (title: string, lines: readonly Content[], suspect: boolean): Markup =>
  html`<li class="hop${suspect ? ' warn' : ''}"><h3>${title}</h3>${lines.map((line) => html`<div>${line}</div>`)}</li>\n`;

const arrow = html`<li class="arrow" aria-hidden="true">→</li>\n`;

/** What lies between is named only as far as it showed itself. */
const between = ({ network, sipAlg }: Report): Markup => {
  const suspect = sipAlg.detected === true;
  const nat =
    network.natted === null
      ? 'address translation not known'
      : network.natted
        ? html`address becomes <code>${addressesInWords(network.mappedAddresses)}</code>`
        : 'address kept';
  return hop('In between', [nat, ...(suspect ? [html`<b>rewrites SIP</b>`] : [])], suspect);
};

const picture = (report: Report): Markup => {
  const { agent, network, target } = report;
  return html`<ul class="path">${hop(
    'Here',
    [
      isolated(agent.hostname),
      html`<code>${network.localAddress === null ? 'address not known' : name(network.localAddress)}</code>`,
    ],
    false,
  )}${arrow}${between(report)}${arrow}${hop(
    'Far end',
    [isolated(target.host), html`<code>${addressesInWords(target.addresses)}</code>`, roleInWords(report)],
    false,
  )}</ul>
`;
};

/** The path in a picture and in words. */
export const path = (report: Report): Markup =>
  section('The path', [
    picture(report),
    terms([
      ['NAT', natInWords(report)],
      ['Loss', lossInWords(report)],
      ['SIP ALG', sipAlgInWords(report)],
      ...(report.outages ?? []).map((outage) => ['Outage', outageInWords(outage)] as const),
      ...report.reflectors.map(
        (reflector) => ['Reflector', [isolated(reflector.host), ' ', reflectorInWords(reflector)]] as const,
      ),
    ]),
  ]);

const received = (text: string): Markup =>
  text === '' ? html`<small>nothing arrived</small>` : html`<code>${prose(text)}</code>`;

/** Each field as it was sent beside what arrived. */
export const algFindings = ({ sipAlg: { findings } }: Report): Content =>
  findings.length === 0
    ? ''
    : section(
        'What was changed in SIP messages',
        table(
          REWRITES_CAPTION,
          ['Field', 'Sent', 'Received', 'Kind'],
          findings
            .slice(0, MAX_FINDINGS)
            .map(
              (finding) =>
                html`<tr><th scope="row"><b>${name(finding.field)}</b><br><small>${name(finding.method)}, ${
                  finding.transport
                } ${finding.port}, ${finding.direction}</small></th><td class="quote"><code>${prose(
                  finding.sent,
                )}</code></td><td class="quote">${received(finding.received)}</td><td>${finding.kind}<br><small>${
                  finding.class
                }</small></td></tr>\n`,
            ),
        ),
      );
