/** The terminal table: golden outputs, the width it keeps, colours only on demand. */
import fc from 'fast-check';
import t from 'tap';
import { columns, wrap } from '../../src/report/layout.js';
import { renderTable } from '../../src/report/table.js';
import { fixtureText, GOLDEN, reportOf } from './fixtures.js';

const plain = { color: false } as const;
const SGR = new RegExp(`${String.fromCharCode(0x1b)}\\[[0-9]+m`, 'g');

for (const name of GOLDEN) {
  t.test(name, async (t) => {
    const report = reportOf(name);
    t.equal(renderTable(report, plain), fixtureText(`${name}.txt`), 'is as reviewed');
    for (const width of [40, 80, 120]) {
      for (const verbose of [false, true]) {
        const lines = renderTable(report, { color: false, width, verbose }).split('\n');
        const longest = Math.max(...lines.map(columns));
        t.ok(longest <= width, `fits ${width} columns${verbose ? ' when verbose' : ''}`, { longest });
        t.notOk(
          lines.some((line) => /\s$/.test(line)),
          'no line ends in blanks',
        );
      }
    }
    const colored = renderTable(report, { color: true });
    t.match(colored, SGR, 'has colours when asked');
    t.equal(colored.replace(SGR, ''), renderTable(report, plain), 'colour changes no word');
  });
}

t.test('what a first-time reader looks for', async (t) => {
  const blocked = renderTable(reportOf('media-blocked'), plain);
  const at = (text: string): number => blocked.indexOf(text);
  t.ok(at('NOT FULLY') > 0 && at('NOT FULLY') < at('Users notice:'), 'the answer comes before the symptoms');
  t.ok(at('Users notice:') < at('Ask for:') && at('Ask for:') < at('BLOCKED'), 'and the request before the proof');
  t.notMatch(blocked, 'nftables', 'rules wait for -v');
  t.match(renderTable(reportOf('media-blocked'), { color: false, verbose: true }), 'udp dport 16384-32767 accept');
  t.match(
    renderTable(reportOf('carrier-untested'), plain),
    'YES, AS FAR AS TESTED',
    'an untested carrier is no plain yes',
  );
  t.match(renderTable({ ...reportOf('loopback'), services: [] }, plain), 'No profile was chosen');
});

t.test('long lists are cut and say so, unless everything is wanted', async (t) => {
  const report = reportOf('media-blocked');
  const [one] = report.checks.filter((check) => check.verdict === 'blocked');
  if (one === undefined) throw new Error('the fixture lost its blocked check');
  const checks = Array.from({ length: 50 }, (_, index) => ({ ...one, id: `udp-echo/udp/${41000 + index}` }));
  const short = renderTable({ ...report, checks }, plain);
  t.match(short, 'BLOCKED (50 checks)', 'counts all');
  t.match(short, '... and 38 more (-v lists all)');
  t.notMatch(short, '41049');
  t.match(renderTable({ ...report, checks }, { color: false, verbose: true }), '41049');
});

t.test('wrapping', async (t) => {
  t.same(wrap('  one two   three', 7), ['one two', 'three']);
  t.same(wrap('abcdefghij', 4), ['abcd', 'efgh', 'ij'], 'cuts what does not fit');
  t.same(wrap('', 10), []);
  t.same(wrap('\u96fb\u8a71\u96fb', 4), ['\u96fb\u8a71', '\u96fb'], 'wide characters take two columns');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.integer({ min: 2, max: 30 }), (text, width) => {
      const lines = wrap(text, width);
      t.ok(lines.every((line) => columns(line) <= width));
      t.equal(lines.join('').replace(/\s/g, ''), text.replace(/\s/g, ''));
    }),
    { numRuns: 50 },
  );
});
