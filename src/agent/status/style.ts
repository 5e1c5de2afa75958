/** How the status page looks: the report's own style, and what a page of the agent has besides. */
import { createHash } from 'node:crypto';
import { STYLE as REPORT_STYLE } from '../../report/html/style.js';

const STATUS = `
body { max-width: 72rem; }
a { color: var(--accent); text-underline-offset: .15em; } a:focus-visible, summary:focus-visible, .scroll:focus-visible {
  outline: 3px solid var(--accent); outline-offset: 2px; }
.bar { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; align-items: baseline; border-bottom: 2px solid var(--line);
  padding-bottom: .5rem; margin-bottom: 1rem; }
.bar .brand { margin-right: auto; } nav { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; }
nav a { padding: .15rem 0; } nav a[aria-current] { color: var(--text); font-weight: 600; text-decoration: none; }
.spans { margin: .2rem 0 1rem; }
article > header { display: flex; flex-wrap: wrap; gap: .3rem 1rem; align-items: center; }
article > header > div { flex: 1 1 16rem; min-width: 0; }
article > header strong { color: var(--tone); font-size: 1.25rem; line-height: 1.2; }
.inside { padding: .8rem 1.1rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .4rem 1.2rem; margin: 0; }
.facts div { min-width: 0; } .facts dt { font-size: .8rem; } .facts dd { font-size: 1.15rem; font-variant-numeric: tabular-nums; margin: 0; }
.facts dd small { display: block; }
.rows { list-style: none; padding: 0; margin: .2rem 0 .6rem; }
.rows > li { display: grid; grid-template-columns: minmax(0, 17rem) minmax(0, 1fr) 5.4rem; gap: .15rem .9rem; align-items: center;
  padding: .35rem 0; border-bottom: 1px solid var(--line); margin: 0; }
.rows > li:last-child { border-bottom: 0; }
.rows .what { min-width: 0; display: flex; flex-wrap: wrap; gap: .1rem .6rem; align-items: center; justify-content: space-between; }
.rows .share { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
svg.strip { height: 1.45rem; border-radius: .2rem; background: var(--line); }
svg.strip.thick { height: 2.2rem; }
svg.chart { height: 9rem; border: 1px solid var(--line); border-radius: .35rem; background: var(--box); }
svg.chart.low { height: 4.5rem; }
.s-accent { stroke: var(--accent); fill: none; stroke-width: 2; } .s-line { stroke: var(--line); stroke-width: 1; }
.s-page { stroke: var(--page); stroke-width: 1; } .band { fill: var(--accent); opacity: .22; }
.scale { display: grid; grid-template-columns: 3.6rem minmax(0, 1fr); gap: 0 .5rem; }
.scale .y { display: flex; flex-direction: column; justify-content: space-between; text-align: right; color: var(--soft);
  font-size: .78rem; font-variant-numeric: tabular-nums; line-height: 1; padding: .2rem 0; }
.scale .ends { grid-column: 2; }
.events { list-style: none; padding: 0; margin: .2rem 0; }
.events li { padding: .4rem 0 .4rem .8rem; border-left: .25rem solid var(--tone, var(--line)); margin: .45rem 0; }
.events p { margin: 0; }
@media (max-width: 48rem) { .rows > li { grid-template-columns: minmax(0, 1fr) 4.8rem; } .rows .what { grid-column: 1 / -1; } }
@media (forced-colors: active) { svg.strip, svg.chart { forced-color-adjust: none; } }
`;

export const STYLE = REPORT_STYLE + STATUS;

const policyFor = (style: string): string =>
  `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** Only this very style sheet applies: no script, no attribute, nothing from elsewhere. */
export const PAGE_POLICY = policyFor(STYLE);
export const REPORT_POLICY = policyFor(REPORT_STYLE);
