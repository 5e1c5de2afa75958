/** What every status page has around it: its title, the way to the others, and times in words. */
import { type Content, html, type Markup, name } from '../../report/html/markup.js';
import { timeInWords } from '../../words/report.js';
import { STYLE } from './style.js';

/** Our own text, so it needs no escaping; it holds no markup. */
const style: Markup = { markup: STYLE };

interface Frame {
  readonly title: string;
  /** The agent's name. */
  readonly agent: string;
  /** The path of the page, to mark it in the navigation. */
  readonly path: string;
  readonly targets: readonly string[];
}

/** Links for a host with hundreds of targets would be a page of their own; the first page has them all. */
const MAX_LINKS = 12;

export const targetPath = (target: string): string => `/targets/${encodeURIComponent(target)}`;

const link = (path: string, text: string, here: string): Markup =>
  path === here ? html`<a href="${path}" aria-current="page">${text}</a>` : html`<a href="${path}">${text}</a>`;

/** A whole page. */
export const page = ({ title, agent, path, targets }: Frame, content: Content): string =>
  html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name(title)} · callpath ${name(agent)}</title>
<style>${style}</style>
</head>
<body>
<header class="bar"><p class="brand">callpath agent <bdi>${name(agent)}</bdi></p>
<nav aria-label="Pages">${link('/', 'Now', path)}${targets
    .slice(0, MAX_LINKS)
    .map((target) => link(targetPath(target), name(target), path))}${link('/events', 'Events', path)}</nav></header>
<main>
${content}</main>
</body>
</html>
`.markup;

/** A time of the wall clock, to the second. */
export const atInWords = (wallMs: number): string => timeInWords(new Date(wallMs).toISOString());

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** `3 d 4 h`, `12 min`, `40 s`: the two largest units, of which the second only where the first is small. */
export const spanInWords = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  if (first < 0) return '0 s';
  const [unit, size] = UNITS[first] ?? ['s', 1];
  const whole = Math.floor(seconds / size);
  const [nextUnit, nextSize] = UNITS[first + 1] ?? ['s', 1];
  const rest = Math.floor((seconds % size) / nextSize);
  return whole >= 10 || rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${nextUnit}`;
};

/** `40 s ago`; a time to come is one by a clock that was set. */
export const agoInWords = (wallMs: number, nowMs: number): string =>
  wallMs > nowMs + 1000 ? `in the future (${atInWords(wallMs)})` : `${spanInWords(nowMs - wallMs)} ago`;
