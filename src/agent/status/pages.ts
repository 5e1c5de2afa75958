/** Which page a URL is: reads what it needs, renders it, and keeps every answer bounded. */
import { isMap } from '../../model/schema-words.js';
import { html } from '../../report/html/markup.js';
import { renderHtml } from '../../report/html.js';
import type { SpoolRecord } from '../exporters/contract.js';
import { healthOf } from '../health.js';
import { reportFrom } from '../history/fill.js';
import { SERIES_KINDS } from '../history/looks.js';
import { SPAN_NAMES, type Span } from '../history/series.js';
import { type Page, plain, type ServeOptions } from '../http/serve.js';
import { createInTurn } from '../in-turn.js';
import { eventList, isId } from './events.js';
import { page } from './frame.js';
import { nowPage } from './now-page.js';
import { seriesPage } from './series-page.js';
import { PAGE_POLICY, REPORT_POLICY } from './style.js';
import { targetPage } from './target-page.js';
import type { StatusView } from './view.js';

export type { StatusView } from './view.js';

/** Answered without the secret: they say one word. */
export const OPEN_PATHS = ['/healthz', '/readyz'];

const MAX_EVENTS = 200;
const FEW_EVENTS = 12;
/** Looked at for the events of one target. */
const MAX_READ = 500;
/** No page of ours comes near; a report of something strange might. */
const MAX_BODY = 8 * 1024 * 1024;
const REFRESH_SECONDS = 60;

const document = (body: string, policy = PAGE_POLICY, headers: Readonly<Record<string, string>> = {}): Page =>
  body.length > MAX_BODY
    ? plain(507, 'this page would be too large\n')
    : {
        status: 200,
        type: 'text/html; charset=utf-8',
        body,
        headers: { 'content-security-policy': policy, ...headers },
      };

const json = (value: unknown): Page => {
  const body = JSON.stringify(value);
  return body.length > MAX_BODY
    ? plain(507, 'this document would be too large\n')
    : { status: 200, type: 'application/json', body: `${body}\n` };
};

const NOT_FOUND = plain(404, 'no such page; start at /\n');

const spanOf = (text: string | null): Span => SPAN_NAMES.find((span) => span === text) ?? 'day';

const decoded = (text: string): string | null => {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
};

/** UUIDv7 begins with 48 bits of milliseconds (RFC 9562 §5.7). */
const timeOfId = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);

/** Every target was looked at, or the look failed and was said: from then on the page says something. */
const isReady = ({ state, targets }: StatusView): boolean =>
  targets.every((target) =>
    [...state.jobs.values()].some((job) => job.target === target && job.state.runs + job.state.failures > 0),
  );

/** The pages of this agent. */
export const createPages = (view: StatusView): ServeOptions['answer'] => {
  const { state, history, targets } = view;
  const events = (limit: number, wanted: (record: SpoolRecord) => boolean = () => true) =>
    state.spool.newest(MAX_READ, ['event', 'change'], wanted).then((records) => records.slice(0, limit));

  // One at a time: looking for an old report reads a few files.
  const inTurn = createInTurn();
  const find = (id: string): Promise<SpoolRecord | null> =>
    inTurn(() => state.spool.find(['light', 'full'], id, timeOfId(id)));

  const report = async (name: string): Promise<Page> => {
    const asJson = name.endsWith('.json');
    const id = asJson ? name.slice(0, -'.json'.length) : name;
    if (!isId(id)) return NOT_FOUND;
    const record = await find(id);
    if (record === null) return plain(404, 'this report is no longer on disk\n');
    if (asJson) return json(record.body);
    const found = reportFrom(record);
    return found === null
      ? plain(404, `this version cannot show this report; its data is at /reports/${id}.json\n`)
      : document(renderHtml(found), REPORT_POLICY);
  };

  const target = async (parts: readonly string[], query: URLSearchParams): Promise<Page> => {
    const [name, kind, ...rest] = parts;
    if (name === undefined || !targets.includes(name) || rest.length > 0) return NOT_FOUND;
    const span = spanOf(query.get('span'));
    if (kind === undefined) {
      return document(targetPage(view, name, span, await events(FEW_EVENTS * 2, (one) => one.target === name)));
    }
    const id = query.get('id') ?? '';
    const series = history
      .series(name)
      .find((one) => one.kind === SERIES_KINDS.find((known) => known === kind) && one.id === id);
    if (!series) return NOT_FOUND;
    const isOf = ({ kind: recordKind, target: of, body }: SpoolRecord): boolean => {
      if (recordKind !== 'change' || of !== name) return false;
      const members = Array.isArray(body.members) ? body.members : [];
      return [body, ...members].some(
        (one) => isMap(one) && isMap(one.subject) && one.subject.kind === kind && one.subject.id === id,
      );
    };
    return document(seriesPage(view, name, series, span, await events(FEW_EVENTS * 2, isOf)));
  };

  return async ({ pathname, searchParams }) => {
    const parts = pathname.split('/').slice(1).map(decoded);
    if (parts.some((part) => part === null)) return NOT_FOUND;
    const [first = '', ...rest] = parts.flatMap((part) => part ?? []);
    if (pathname === '/') {
      const refreshing = searchParams.get('refresh') === String(REFRESH_SECONDS);
      const body = nowPage(view, await events(FEW_EVENTS), refreshing);
      return document(body, PAGE_POLICY, refreshing ? { refresh: String(REFRESH_SECONDS) } : {});
    }
    if (pathname === '/healthz') {
      return healthOf(state, view.now()).alive ? plain(200, 'ok\n') : plain(503, 'unhealthy\n');
    }
    if (pathname === '/readyz') return isReady(view) ? plain(200, 'ready\n') : plain(503, 'not ready\n');
    if (pathname === '/health.json') return json(healthOf(state, view.now()));
    if (pathname === '/events') {
      const list = eventList(await events(MAX_EVENTS), view.now().wall);
      const said = html`<h1>Changes and events</h1>\n<p class="soft">The newest ${MAX_EVENTS}; older ones went to the exporters.</p>\n${list}`;
      return document(page({ title: 'Events', agent: state.agent.name, path: '/events', targets }, said));
    }
    if (first === 'reports' && rest.length === 1) return report(rest[0] ?? '');
    if (first === 'targets') return target(rest, searchParams);
    return NOT_FOUND;
  };
};
