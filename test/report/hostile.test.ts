/** Whatever a network puts into names, headers, certificates and banners stays text in every format. */
import fc from 'fast-check';
import t from 'tap';
import * as v from 'valibot';
import { type Report, ReportSchema } from '../../src/model/report.js';
import { columns } from '../../src/report/layout.js';
import { OUTPUTS, render } from '../../src/report/render.js';
import { fixtureText, type Golden } from './fixtures.js';
import { ACTIVE, pageFault } from './inert.js';

/** Fields from closed lists: a report in which these are something else is refused before it is rendered. */
const CLOSED = new Set(
  'schema probe transport verdict reason role mapping filtering direction kind class device likelihood'.split(' '),
);
/** Objects whose keys come from the network or from other versions, too. */
const OPEN_KEYS = new Set(['evidence', 'rules', 'words', 'answer']);

const poisoned = (value: unknown, text: string, key = ''): unknown => {
  if (typeof value === 'string') return CLOSED.has(key) ? value : `${value}${text}`;
  if (Array.isArray(value)) return value.map((item) => poisoned(item, text, key));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([inner, content]): [string, unknown] => [
    OPEN_KEYS.has(key) ? `${inner}${text}` : inner,
    poisoned(content, text, inner),
  ]);
  return Object.fromEntries(OPEN_KEYS.has(key) ? [...entries, [text, text]] : entries);
};

const poison = (name: Golden, text: string): Report =>
  v.parse(ReportSchema, poisoned(JSON.parse(fixtureText(`${name}.json`)), text));

/** Long enough to drown a reader, whatever it is made of. */
const LONG = 100_000;
/** The longest page of a small report whose every field is as long as that; a bound, not a target. */
const MAX_OUTPUT = 600_000;

const faultOf = async (report: Report): Promise<string | null> => {
  for (const output of OUTPUTS) {
    for (const verbose of output === 'table' ? [false, true] : [false]) {
      const text = await render(output, report, { color: false, verbose, width: 80 });
      if (ACTIVE.test(text.replaceAll('\n', ''))) return `${output}: a character that acts`;
      const lines = text.trimEnd().split('\n');
      if (output !== 'json' && output !== 'ndjson' && text.length > MAX_OUTPUT) return `${output}: ${text.length} long`;
      if (output === 'table' && lines.some((line) => columns(line) > 80)) return 'table: a line too wide';
      if (output === 'html') {
        const fault = pageFault(text);
        if (fault !== null) return `html: ${fault.slice(0, 200)}`;
      }
      if (output === 'nagios') {
        if ((text.match(/\|/g) ?? []).length !== 1) return 'nagios: performance data begins twice';
        if (lines.filter((line) => line.startsWith('CALLPATH ')).length !== 1) return 'nagios: a forged summary';
        if (/[<>`$&]/.test(text)) return 'nagios: markup or a command';
      }
      if (output === 'prometheus') {
        const odd = lines.find(
          (line) =>
            !/^(?:# (?:HELP|TYPE) callpath_|callpath_[a-z_]+\{(?:[a-z]+="(?:[^"\\]|\\[\\"n])*",?)+\} \S+$)/.test(line),
        );
        if (odd !== undefined) return `prometheus: not a sample: ${odd.slice(0, 200)}`;
      }
    }
  }
  return null;
};

const SCRIPT = `</style></title></code><script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)>`;
const ATTACKS: Readonly<Record<string, string>> = {
  markup: SCRIPT,
  'an attribute that ends': `" onmouseover="alert(1)' onfocus='alert(1)`,
  'ANSI escapes': '\u001b[2J\u001b[31;1mCALLS WORK\u001b[0m\u009b2J\u001b]0;title\u0007',
  'bidi marks': '\u202egnp.exe\u202c\u2066x\u2069\u200f\u061c',
  'forged lines': '\r\nCALLPATH OK - fine|x=1\n# TYPE callpath_probe_success gauge\ncallpath_probe_success{} 1\n',
  'a shell command': `; \`id\` $(id) | 'rtt'=0;;; \\" }`,
  'lone surrogates': '\ud800 x \udfff',
  'entities and nulls': '&lt;script&gt;\u0000&#0;&amp;',
  'wide characters': '\u96fb\u8a71'.repeat(200),
  '100 kB of one word': 'A'.repeat(LONG),
  '100 kB of markup': '<b>'.repeat(LONG / 3),
  '100 kB of lines': '\n'.repeat(LONG),
};

for (const [attack, text] of Object.entries(ATTACKS)) {
  t.test(attack, async (t) => {
    for (const name of ['sip-alg', 'rtp-blocked-outbound', 'carrier-without-token'] as const) {
      t.equal(await faultOf(poison(name, text)), null, name);
    }
  });
}

t.test('any text at all', async (t) => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(...Object.values(ATTACKS).filter(({ length }) => length < 1000)),
    fc.constantFrom('<', '>', '"', "'", '&', '\u001b[', '\u202e', '|', '\\', '\n', '-->', ']]>', '${', '__proto__'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 6 }), async (pieces) => {
      const fault = await faultOf(poison('sip-alg', pieces.join('')));
      if (fault !== null) throw new Error(fault);
    }),
    { numRuns: 60 },
  );
  t.pass('stays text');
});
