/** The terminal table: golden outputs, the width it keeps, colours only on demand. */
import fc from 'fast-check';
import t from 'tap';
import { columns, wrap } from '../../src/report/layout.js';
import { renderTable } from '../../src/report/table.js';
import { fixtureText, GOLDEN, type Golden, reportOf } from './fixtures.js';

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
  t.ok(at('PARTLY BLOCKED') > 0 && at('PARTLY BLOCKED') < at('Users notice:'), 'the answer comes before the symptoms');
  t.ok(at('Users notice:') < at('Fix:') && at('Fix:') < at('BLOCKED ('), 'and the request before the proof');
  for (const verbose of [false, true]) {
    const table = renderTable(reportOf('media-blocked'), { color: false, verbose });
    t.match(table, 'the same command with --rules nftables', 'the command that prints them is named');
    t.notMatch(table, 'udp dport 16384-32767 accept', 'no rule is broken into lines');
  }
  t.match(
    renderTable(reportOf('carrier-untested'), plain),
    'YES, AS FAR AS TESTED',
    'an untested carrier is no plain yes',
  );
  t.match(renderTable({ ...reportOf('loopback'), services: [] }, plain), 'No profile was chosen');
});

t.test('a wide terminal is used', async (t) => {
  for (const name of ['rtp-blocked-outbound', 'range-holes'] as const) {
    t.equal(
      renderTable(reportOf(name), { color: false, width: 120 }),
      fixtureText(`${name}.120.txt`),
      `${name} at 120`,
    );
  }
});

t.test('the first screen says whether phones will work, and what to ask for or do next', async (t) => {
  const wanted: Readonly<Partial<Record<Golden, readonly string[]>>> = {
    'open-network': ['YES  Business SIP'],
    'rtp-blocked-outbound': [
      'PARTLY BLOCKED',
      'They cannot hear us',
      'Why:',
      "site's firewall or router",
      'Allow outbound UDP 16384',
    ],
    'sip-udp-dropped': [
      'WORKS WITH PROBLEMS',
      'set to TCP or TLS get through',
      'set to UDP do not',
      'Allow outbound UDP 5060',
    ],
    'sip-alg': ['WORKS WITH PROBLEMS', 'Calls end after', 'SIP ALG rewrites', 'Switch off the SIP ALG'],
    'wifi-calling-blocked': ['NO  Wi-Fi Calling', 'cannot be reached', 'Allow outbound UDP 500 '],
    'everything-dead': ['CANNOT TELL', 'Next:', 'try another network'],
    'carrier-without-token': ['YES, AS FAR AS TESTED', 'Whether audio passes is unknown', 'Run your own reflector'],
  };
  for (const name of GOLDEN) {
    const screen = renderTable(reportOf(name), plain).split('\n').slice(0, 24).join('\n');
    for (const words of wanted[name] ?? []) t.ok(screen.includes(words), `${name}: ${words}`);
  }
});

t.test('causes and instructions of other versions', async (t) => {
  const report = reportOf('rtp-blocked-outbound');
  const [service] = report.services;
  if (service === undefined) throw new Error('the fixture lost its service');
  const withCauses = (causes: unknown): string =>
    renderTable({ ...report, services: [{ ...service, causes } as never] }, plain);
  t.match(withCauses(undefined), 'Audio (RTP) on UDP 16384-32766', 'none: the findings speak');
  t.match(withCauses('nonsense'), 'never arrived at the far end', 'what is no list is none');
  t.match(
    withCauses([{ text: 'A cause.', device: 'moon', likelihood: 'surely' }]),
    'A cause. (possible: moon)',
    'what is not known is not believed',
  );
});

t.test('what works and is noticed all the same is no plain yes', async (t) => {
  const report = reportOf('open-network');
  const [service, ...rest] = report.services;
  if (service === undefined) throw new Error('the fixture lost its service');
  const because = ['sip-options/udp/5060'];
  const flapping = {
    ...service,
    symptoms: [{ id: 'registration-flaps', text: 'Phones lose their registration.', because }],
    causes: [{ id: 'lines', text: 'Lines take turns.', device: 'branch-firewall', likelihood: 'likely', because }],
  } as const;
  const text = renderTable({ ...report, services: [flapping as never, ...rest] }, { color: false, width: 200 });
  t.match(text, 'WORKS WITH PROBLEMS');
  t.match(text, 'users still notice a problem');
  t.match(text, "Lines take turns. (likely: this site's firewall or router)");
  t.match(text, /Next: +Pin voice to one uplink/, 'and says what helps where there is no rule to ask for');
  t.notMatch(text, 'Contact:', 'nobody is asked for nothing');
});

t.test('whom to ask follows the causes, the likeliest first', async (t) => {
  const report = reportOf('rtp-blocked-outbound');
  const wide = { color: false, width: 200 };
  t.match(
    renderTable(report, wide),
    /Contact: +Whoever manages this site's firewall; if they find nothing, the access provider\./,
  );
  t.match(renderTable(report, { ...wide, verbose: true }), 'The access provider drops UDP on high ports. (possible)');
});

t.test('what a range could not be asked is told like that of a check', async (t) => {
  const report = reportOf('rtp-blocked-outbound');
  const [service] = report.services;
  if (service === undefined) throw new Error('the fixture lost its service');
  const ranges = report.ranges.map((run) => ({ ...run, verdict: 'unknown', reason: 'local-error' }) as const);
  const because = ranges.map(({ id }) => id);
  const causes = [
    {
      id: 'host-firewall',
      text: "This computer's own firewall refuses.",
      device: 'host',
      likelihood: 'proven',
      because,
    },
  ] as const;
  const own = { ...service, verdict: 'unknown', symptoms: [], fixes: [], causes: [...causes] } as const;
  const text = renderTable({ ...report, ranges, services: [own as never] }, { color: false, width: 200 });
  t.match(text, 'It could not be measured: this host could not send it.');
  t.match(text, /Next: +Check the firewall of this host/);
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
