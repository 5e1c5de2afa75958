/** What the findings rest on: their meaning and limits in words, the evidence of each check, and who measured. */
import type { Report, ReportCheck } from '../../model/report.js';
import type { Reason } from '../../model/verdict.js';
import { EXPLANATIONS } from '../../words/explanations.js';
import { bytes, counted, duration, flattened, milliseconds, timeInWords } from '../../words/report.js';
import { type Content, html, list, type Markup, name, prose, section, terms } from './markup.js';

/** Of one check; the JSON has all of it. */
const MAX_FIELDS = 60;
const MAX_CHECKS = 300;

export const notes = (report: Report): Content =>
  report.notes.length === 0 ? '' : section('Notes', list(report.notes.map(prose)));

const meaning = (reason: Reason): readonly [string, Content] => {
  const { title, meaning: text, doesNotProve } = EXPLANATIONS[reason];
  return [title, html`${text} <small>Does not prove: ${doesNotProve} <code>${reason}</code></small>`];
};

/** The words of `probe explain` for every reason that the report gives. */
export const meanings = ({ checks, ranges }: Report): Content => {
  const reasons = [...new Set([...checks, ...ranges].map(({ reason }) => reason))].filter(
    (reason) => reason !== 'answered' && reason !== 'not-run',
  );
  return reasons.length === 0
    ? ''
    : section('What the findings mean, and what they do not prove', terms(reasons.map(meaning)));
};

const evidenceOf = (check: ReportCheck): Markup =>
  html`<details><summary><code>${name(check.id)}</code></summary>${terms(
    flattened(check.evidence)
      .slice(0, MAX_FIELDS)
      .map(
        ([key, value]) =>
          [
            name(key),
            html`<code>${prose(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null'))}</code>`,
          ] as const,
      ),
  )}</details>\n`;

/** Opened one by one on a screen; on paper it would be pages of it, and the JSON has it all. */
export const evidence = ({ checks }: Report): Content => {
  const having = checks.filter((check) => Object.keys(check.evidence).length > 0);
  if (having.length === 0) return '';
  return html`<div class="screen">${section('Appendix: evidence', having.slice(0, MAX_CHECKS).map(evidenceOf))}</div>`;
};

/** Who measured, against whom, when: what a provider needs to find the run in logs. */
export const identity = (report: Report): Markup => {
  const { agent, totals } = report;
  return section(
    'Who measured',
    terms([
      ['Report', html`<code>${name(report.id)}</code>`],
      ['When', `${timeInWords(report.startedAt)}, for ${duration(report.durationMs)}`],
      [
        'Agent',
        [
          html`${name(agent.hostname)} (<code>${name(agent.id)}</code>), callpath ${name(agent.version)} on ${name(agent.platform)}`,
          agent.eventLoopDelayMs === null ? '' : `, timers late by at most ${milliseconds(agent.eventLoopDelayMs)}`,
        ],
      ],
      ...report.reflectors.map(
        ({ host, addresses, version }) =>
          [
            'Reflector',
            html`${name(host)} (<code>${addresses.slice(0, 4).map(name).join(', ')}</code>)${
              version === null ? '' : `, callpath ${name(version)}`
            }`,
          ] as const,
      ),
      [
        'Traffic',
        `${counted(totals.checks, 'check')}, ${counted(totals.packetsSent, 'packet')} sent (${bytes(totals.bytesSent)}), ${totals.packetsReceived} received`,
      ],
    ]),
  );
};
