/** Changes and events as a person reads them. What lies in the spool is read with care: another version may have put it there. */
import * as v from 'valibot';
import { type Content, html, isolated, type Markup, name, prose } from '../../report/html/markup.js';
import { TONE, type Tone } from '../../report/story.js';
import { HOST_STATES } from '../../words/changes.js';
import { eventInWords, isKnownEvent } from '../../words/events.js';
import { evidenceInWords } from '../../words/report.js';
import type { SpoolRecord } from '../exporters/contract.js';
import { agoInWords, atInWords, targetPath } from './frame.js';

const Word = v.fallback(v.string(), '');
const StateSchema = v.object({ verdict: v.string(), reason: v.fallback(v.nullable(v.string()), null) });
const ChangeSchema = v.object({
  subject: v.object({ kind: v.string(), id: v.string() }),
  what: Word,
  direction: Word,
  before: v.fallback(v.nullable(StateSchema), null),
  after: StateSchema,
  firstSeen: Word,
  reports: v.fallback(v.array(v.string()), []),
  /** What is part of it, as sentences; an older record has none. */
  members: v.fallback(v.array(v.object({ text: v.string() })), []),
});
const EventSchema = v.looseObject({ type: v.string() });

/** What needs somebody's eye. */
const WARNINGS = new Set<string>([
  'runs-missed',
  'run-failed',
  'results-dropped',
  'disk-failing',
  'memory-ceiling',
  'network-changed',
]);

/** What every event has, and is shown otherwise or not at all. */
const COMMON = new Set(['schema', 'id', 'at', 'agent', 'target', 'type', 'text']);
const MAX_DETAILS = 300;
const MAX_LINKS = 5;
/** Of what is part of a change. */
const MAX_SHOWN = 6;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const isId = (text: string): boolean => UUID.test(text);

const toneOf = (verdict: string): Tone =>
  (Object.hasOwn(TONE, verdict) ? TONE[verdict as keyof typeof TONE] : undefined) ?? 'none';

interface Told {
  readonly tone: Tone | null;
  readonly text: Content;
  readonly more: Content;
}

const stateInWords = ({ verdict, reason }: v.InferOutput<typeof StateSchema>): string => {
  const word = HOST_STATES.get(verdict) ?? name(verdict);
  return reason === null ? word : `${word} (${name(reason)})`;
};

const tellChange = (body: unknown): Told | null => {
  const parsed = v.safeParse(ChangeSchema, body);
  if (!parsed.success) return null;
  const { subject, what, direction, before, after, firstSeen, reports, members } = parsed.output;
  const how = what === 'flapping' ? 'is flapping, now ' : what === 'settled' ? 'is stable again: ' : '';
  const links = reports.filter(isId).slice(0, MAX_LINKS);
  return {
    tone: direction === 'better' ? 'good' : toneOf(after.verdict) === 'none' ? 'none' : toneOf(after.verdict),
    text: html`<b>${name(subject.kind)} <code>${name(subject.id)}</code></b> ${how}${
      before === null ? '' : `${stateInWords(before)} → `
    }${stateInWords(after)}`,
    more: [
      firstSeen === '' ? '' : `first seen ${atInWords(Date.parse(firstSeen) || 0)}`,
      links.length === 0 ? '' : ', reports: ',
      links.map((id, index) => html`${index === 0 ? '' : ', '}<a href="/reports/${id}">${id.slice(-6)}</a>`),
      members.length === 0
        ? ''
        : [
            ' · related: ',
            prose(
              members
                .slice(0, MAX_SHOWN)
                .map(({ text }) => text)
                .join('; '),
            ),
          ],
      members.length > MAX_SHOWN ? ` and ${members.length - MAX_SHOWN} more` : '',
    ],
  };
};

const tellEvent = (body: unknown): Told | null => {
  const parsed = v.safeParse(EventSchema, body);
  if (!parsed.success) return null;
  const { type } = parsed.output;
  const details = Object.fromEntries(Object.entries(parsed.output).filter(([key]) => !COMMON.has(key)));
  return {
    tone: WARNINGS.has(type) ? 'warn' : null,
    text: html`<b>${prose(eventInWords(type, details))}</b>`,
    // The sentence says it all; of another version's event nobody knows what matters.
    more: isKnownEvent(type) ? '' : prose(evidenceInWords(details, MAX_DETAILS)),
  };
};

const line = (record: SpoolRecord, now: number): Content => {
  const told = record.kind === 'change' ? tellChange(record.body) : tellEvent(record.body);
  if (told === null) return '';
  const at = Date.parse(record.at);
  const target =
    record.target === '' ? '' : html` · <a href="${targetPath(record.target)}">${isolated(record.target)}</a>`;
  return html`<li class="${told.tone ?? ''}"><p>${told.text}</p><small>${
    Number.isNaN(at)
      ? name(record.at)
      : html`<time datetime="${new Date(at).toISOString()}">${atInWords(at)}</time>, ${agoInWords(at, now)}`
  }${target}${told.more === '' ? '' : [' · ', told.more]}</small></li>\n`;
};

/** Newest first, as they come. */
export const eventList = (records: readonly SpoolRecord[], now: number): Markup =>
  records.length === 0
    ? html`<p class="soft">Nothing yet.</p>\n`
    : html`<ul class="events">\n${records.map((record) => line(record, now))}</ul>\n`;
