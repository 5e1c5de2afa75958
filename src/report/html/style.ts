/** How the HTML report looks: on light and dark screens, on narrow ones, and on paper. Nothing is fetched. */

/** Contrast of each text colour against its ground is 4.5:1 or more in both schemes (WCAG 2.2, 1.4.3). */
const COLOURS = `
:root { color-scheme: light dark; --page: #fff; --text: #17202b; --soft: #55606d; --line: #dde2e8; --box: #f6f8fa;
  --good: #11703f; --warn: #8a5200; --bad: #b3201a; --none: #55606d; --good-bg: #e9f6ee; --warn-bg: #fdf3e1;
  --bad-bg: #fdecea; --none-bg: #eef1f4; --accent: #1d4f91; }
@media screen and (prefers-color-scheme: dark) { :root { --page: #12161b; --text: #e7ebf0; --soft: #a5b0bd;
  --line: #333c47; --box: #1a2027; --good: #63d297; --warn: #f2b85c; --bad: #ff918a; --none: #a5b0bd;
  --good-bg: #14291e; --warn-bg: #2d2413; --bad-bg: #331a1a; --none-bg: #20272f; --accent: #8fbaf5; } }
.good { --tone: var(--good); --tint: var(--good-bg); } .warn { --tone: var(--warn); --tint: var(--warn-bg); }
.bad { --tone: var(--bad); --tint: var(--bad-bg); } .none { --tone: var(--none); --tint: var(--none-bg); }`;

const PAGE = `
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif; color: var(--text);
  background: var(--page); max-width: 60rem; margin: 0 auto; padding: 1.5rem 1.25rem 3rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .2rem 0 .4rem; letter-spacing: -.01em; text-wrap: balance; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-bottom: .3rem; border-bottom: 2px solid var(--line); }
h3 { font-size: .8rem; margin: 0 0 .25rem; color: var(--soft); text-transform: uppercase; letter-spacing: .06em; }
p { margin: .3rem 0; } ul { margin: .2rem 0; padding-left: 1.15rem; } li { margin: .15rem 0; }
small, .soft { color: var(--soft); font-size: .86rem; }
p, li, td, th, dd, code, pre { unicode-bidi: isolate; }
code, pre { font: .86em/1.5 ui-monospace, 'Cascadia Mono', Menlo, 'Liberation Mono', monospace; }
pre { white-space: pre-wrap; background: var(--page); border: 1px solid var(--line); padding: .6rem .75rem;
  border-radius: .35rem; margin: .4rem 0 .8rem; }
details { margin: .25rem 0; } summary { cursor: pointer; color: var(--accent); }
.rules { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin-top: .2rem; } .rules details { margin: 0; min-width: 0; }
.rules details[open] { flex-basis: 100%; } .rules > span { color: var(--soft); }
dl { display: grid; grid-template-columns: fit-content(13rem) 1fr; gap: .25rem 1rem; margin: .4rem 0; }
dt { color: var(--soft); } dd { margin: 0; min-width: 0; }
.brand { color: var(--accent); font-weight: 600; letter-spacing: .02em; margin: 0; }
.answer { border-radius: .6rem; background: var(--tint); border: 1px solid var(--tone); border-left-width: .5rem;
  padding: .9rem 1.1rem; margin: 1rem 0; }
.answer strong { display: block; font-size: 1.75rem; line-height: 1.2; color: var(--tone); }
.answer p { font-size: 1.05rem; }
article { border: 1px solid var(--line); border-radius: .6rem; margin: 1rem 0; overflow: hidden; break-inside: avoid; }
article > header { background: var(--tint); padding: .7rem 1.1rem; border-bottom: 1px solid var(--line); }
article > header h2 { margin: 0; padding: 0; border: 0; font-size: 1.1rem; }
article > header p { margin: .15rem 0 0; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1rem 1.5rem;
  padding: .9rem 1.1rem; }
.columns > div { min-width: 0; } .columns > .wide { grid-column: 1 / -1; }
.pill { display: inline-block; font-weight: 600; color: var(--tone); background: var(--tint); border: 1px solid;
  border-radius: 1rem; padding: 0 .6rem; font-size: .86rem; line-height: 1.5; white-space: nowrap; }
footer { color: var(--soft); font-size: .86rem; margin-top: 2.2rem; border-top: 2px solid var(--line); }`;

const TABLES = `
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; overflow-wrap: break-word; min-width: 4.5rem; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-size: .8rem; font-weight: 600; } tbody th { font-weight: 400; min-width: 10rem; }
th code, .quote code { overflow-wrap: anywhere; } td.text { min-width: 11rem; } .cell { display: flex; gap: .6rem; align-items: center; }
.cell small { white-space: nowrap; font-variant-numeric: tabular-nums; min-width: 3.6rem; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.quote { min-width: 11rem; } td .pill { margin-top: .05rem; }
@media screen and (max-width: 40rem) { .scroll { overflow: visible; } table, caption, tbody, tbody tr, tbody th, td { display: block; }
  thead { display: none; } tbody tr { border-bottom: 1px solid var(--line); padding: .45rem 0; }
  tbody th, td, td.text, td.quote { border: 0; min-width: 0; padding: .1rem 0; } tbody th { font-weight: 600; }
  td.quote { padding-left: 0; } td, td.number, td.text { display: flow-root; padding-left: 7.5rem; text-align: left; white-space: normal; } td:empty { display: none; }
  td::before { content: attr(data-label); float: left; width: 7rem; margin-left: -7.5rem; color: var(--soft); font-size: .8rem; line-height: 1.7; }
  td.quote::before { float: none; display: block; margin-left: 0; } }`;

const PICTURES = `
.maps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: .8rem 1.5rem; }
figure { margin: .2rem 0; break-inside: avoid; min-width: 0; } figcaption { margin-bottom: .2rem; }
svg { display: block; width: 100%; } svg.map { height: 1.5rem; border-radius: .25rem; }
svg.plot { height: 1.1rem; min-width: 5rem; flex: 1; } svg.over-time { height: 2.6rem; border-bottom: 1px solid var(--line); }
.ends { display: flex; justify-content: space-between; color: var(--soft); font-size: .8rem;
  font-variant-numeric: tabular-nums; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding: 0; margin: .3rem 0; list-style: none; }
.legend svg { display: inline-block; width: 1.4rem; height: .8rem; vertical-align: -.05rem; margin-right: .35rem; }
.f-good { fill: var(--good); } .f-warn { fill: var(--warn); } .f-bad { fill: var(--bad); } .f-none { fill: var(--none); }
.f-gap { fill: var(--line); } .f-line { fill: var(--line); } .f-page { fill: var(--page); } .f-soft { fill: var(--soft); }
.f-accent { fill: var(--accent); }
.path { display: grid; grid-template-columns: 1fr auto 1fr auto 1fr; align-items: center; gap: .5rem; padding: 0;
  margin: .6rem 0 1rem; list-style: none; }
.path li { margin: 0; } .path .hop { border: 1px solid var(--line); border-radius: .5rem; background: var(--box);
  padding: .55rem .8rem; height: 100%; } .path .hop.warn { border-color: var(--warn); background: var(--warn-bg); }
.path .arrow { color: var(--soft); font-size: 1.3rem; }
@media (max-width: 40rem) { body { padding: 1rem .9rem 2rem; } h1 { font-size: 1.35rem; }
  .path { grid-template-columns: 1fr; } .path .arrow { transform: rotate(90deg); justify-self: center; line-height: 1; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .45rem; } .answer strong { font-size: 1.4rem; } }`;

/** Ink is dear and paper is wide: what opens on a click stays shut, the rest keeps its colours. */
const PAPER = `
@page { size: A4; margin: 13mm; }
@media print { :root { font-size: 9.5pt; } body { font-size: 1rem; line-height: 1.35; max-width: none; padding: 0; print-color-adjust: exact;
  -webkit-print-color-adjust: exact; } h1 { font-size: 15pt; } h2 { font-size: 11.5pt; margin: 10pt 0 3pt;
  break-after: avoid; } .answer { padding: 5pt 9pt; margin: 6pt 0; } .answer strong { font-size: 15pt; }
  .answer p { font-size: 10.5pt; } article { margin: 6pt 0; } .columns { padding: 5pt 9pt; gap: 5pt 12pt; }
  article > header { padding: 4pt 9pt; } th, td { padding: 1.5pt 6pt 1.5pt 0; } tr { break-inside: avoid; }
  table { font-size: 8.5pt; } .pill { line-height: 1.25; } .scroll { overflow: visible; } figure { margin: 4pt 0; } svg.map { height: 11pt; }
  svg.plot { height: 9pt; } .path { margin: 4pt 0; } .path .hop { padding: 3pt 6pt; } footer { margin-top: 8pt; }
  .screen { display: none; } dl { gap: 1pt 10pt; } }
@media not print { .paper { display: none; } }`;

export const STYLE = [COLOURS, PAGE, TABLES, PICTURES, PAPER].join('');
