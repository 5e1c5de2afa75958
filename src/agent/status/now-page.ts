/** The first page: each target in one answer, what changed lately, and how the agent itself is. */
import {
  type Content,
  html,
  isolated,
  type Markup,
  name,
  prose,
  section,
  table,
  terms,
} from '../../report/html/markup.js';
import { bytes, counted, milliseconds, percent } from '../../words/report.js';
import type { SpoolRecord } from '../exporters/contract.js';
import { healthOf } from '../health.js';
import type { Bucket } from '../history/series.js';
import { eventList } from './events.js';
import { agoInWords, atInWords, page, spanInWords, targetPath } from './frame.js';
import { availability, legend, sharesOf, strip } from './strip.js';
import { LANE_WORDS, laneStateOf, laneStatesOf, rowsOf, type StatusView } from './view.js';

/** Cards with strips; who watches more targets than this looks at a dashboard. */
const MAX_CARDS = 60;
const REFRESH_SECONDS = 60;

type Buckets = readonly (Bucket | null)[];

const fact = (term: string, value: Content, more: Content = ''): Markup =>
  html`<div><dt>${term}</dt><dd>${value}${more === '' ? '' : html`<small>${more}</small>`}</dd></div>\n`;

/** The last bucket in which something was measured: of now, or of a few minutes ago. */
const lastOf = <T>(buckets: Buckets, of: (bucket: Bucket) => T | null): T | null =>
  buckets.slice(-3).reduce<T | null>((last, bucket) => (bucket ? (of(bucket) ?? last) : last), null);

const lossOf = (buckets: Buckets): string => {
  const sum = { sent: 0, received: 0 };
  for (const bucket of buckets) {
    sum.sent += bucket?.messages?.sent ?? 0;
    sum.received += bucket?.messages?.received ?? 0;
  }
  return sum.sent === 0 ? 'unknown' : percent(1 - Math.min(1, sum.received / sum.sent));
};

/** The numbers of a target at a glance. */
export const factsOf = (view: StatusView, target: string): Markup => {
  const now = view.now().wall;
  const path = rowsOf(view, target, 'day').find(({ kind }) => kind === 'path')?.buckets ?? [];
  const rtt = lastOf(path, ({ rttMs }) => rttMs);
  return html`<dl class="facts">\n${[
    fact('Available, 24 hours', availability(sharesOf(path))),
    fact(
      'Round trip',
      rtt === null ? 'unknown' : milliseconds(rtt.mean),
      rtt === null ? '' : 'mean of the last minutes',
    ),
    fact('Loss, 24 hours', lossOf(path)),
    ...laneStatesOf(view, target).map(({ lane, at, report }) =>
      fact(
        `Last ${LANE_WORDS[lane]}`,
        agoInWords(at, now),
        report === null ? '' : html`<a href="/reports/${report.id}">full report of the ${LANE_WORDS[lane]}</a>`,
      ),
    ),
  ]}</dl>\n`;
};

const card = (view: StatusView, target: string): Markup => {
  const { headline, report } = laneStateOf(view, target);
  const rows = rowsOf(view, target, 'day').filter(({ kind }) => kind === 'service');
  const titleOf = (profile: string): string =>
    report?.services.find((service) => service.profile === profile)?.title ?? profile;
  return html`<article class="${headline.tone}"><header><div><h2><a href="${targetPath(target)}">${isolated(target)}</a></h2><p>${prose(
    headline.sentence,
  )}</p></div><strong>${headline.answer}</strong></header><div class="inside">
<ul class="rows">${rows.map(
    ({ id, buckets }) =>
      html`<li><span class="what">${name(titleOf(id))}</span>${strip(`${titleOf(id)} at ${target}`, buckets, 'day')}<span class="share">${availability(
        sharesOf(buckets),
      )}</span></li>\n`,
  )}</ul>
${factsOf(view, target)}</div></article>\n`;
};

const agentSection = (view: StatusView): Content => {
  const { state, history } = view;
  const health = healthOf(state, view.now());
  const dropped = Object.values(health.spool.dropped).reduce((sum, count) => sum + count, 0);
  const exporters = Object.entries(health.exporters);
  return section('The agent itself', [
    html`<p><span class="pill ${health.healthy ? 'good' : 'bad'}">${health.healthy ? 'healthy' : 'unhealthy'}</span></p>\n`,
    [...health.problems, ...health.remarks].map((text) => html`<p>${prose(text)}</p>\n`),
    terms([
      ['Up', `${spanInWords(health.upSeconds * 1000)}, since ${atInWords(state.startedAt)}`],
      ['Version', `${name(state.agent.version)} on ${name(state.agent.hostname)}, id ${name(state.agent.id)}`],
      ['Uses', `${health.residentMegabytes} MB of memory, ${health.cpuSeconds.toFixed(1)} s of CPU time since start`],
      [
        'On disk',
        `${counted(health.spool.records, 'result')}, ${bytes(health.spool.bytes)}${dropped > 0 ? `; ${dropped} dropped` : ''}${health.spool.held > 0 ? `; ${health.spool.held} more in memory` : ''}`,
      ],
      ...(history.filled === 'whole'
        ? []
        : [
            [
              'History',
              history.filled === 'reading'
                ? 'is still loading from disk; older data follows'
                : 'only the newest results were loaded at start; older ones are on disk',
            ] as const,
          ]),
    ]),
    exporters.length === 0
      ? ''
      : table(
          'Where results go',
          ['Exporter', 'Waiting', 'Delivered since start', 'Last error'],
          exporters.map(
            ([exporter, { delivered, lastError }]) =>
              html`<tr><th scope="row">${name(exporter)}</th><td class="number">${health.spool.waiting[exporter] ?? 0}</td><td class="number">${delivered}</td><td class="text">${lastError === null ? '' : prose(lastError)}</td></tr>\n`,
          ),
        ),
  ]);
};

/** @param refreshing whether the browser is told to ask again each minute */
export const nowPage = (view: StatusView, events: readonly SpoolRecord[], refreshing: boolean): string => {
  const { targets, state } = view;
  const now = view.now().wall;
  const more = targets.length - MAX_CARDS;
  return page({ title: 'Now', agent: state.agent.name, path: '/', targets }, [
    html`<h1>Will calls pass from ${isolated(state.agent.name)}?</h1>
<p class="soft">${atInWords(now)} · ${
      refreshing
        ? html`refreshes every minute, <a href="/">stop</a>`
        : html`<a href="/?refresh=${REFRESH_SECONDS}">refresh every minute</a>`
    }</p>\n`,
    targets.slice(0, MAX_CARDS).map((target) => card(view, target)),
    more > 0
      ? html`<p>and ${more} more: ${targets.slice(MAX_CARDS).map((target, index) => html`${index === 0 ? '' : ', '}<a href="${targetPath(target)}">${name(target)}</a>`)}</p>\n`
      : '',
    legend(),
    section('Latest changes and events', [eventList(events, now), html`<p><a href="/events">All events</a></p>\n`]),
    agentSection(view),
  ]);
};
