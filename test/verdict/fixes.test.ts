/**
 * Texts to paste. Those of nftables and iptables are put into real firewalls by the lab; the others are held against
 * fixtures/fixes, written by the vendors' documentation (each file names it). `UPDATE=1` writes them anew, to be read.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { packageRoot } from '../../src/plan/package-root.js';
import { type Ask, askOf, FIX_KINDS, portRuns, writePorts } from '../../src/verdict/fixes/ask.js';
import { CLICKED, inAllDialects, PASTED } from '../../src/verdict/fixes/dialects.js';

const TARGET = '198.51.100.10';
const ask = (fields: Partial<Ask>): Ask => ({
  kind: 'allow',
  protocol: 'udp',
  ports: [
    [5060, 5060],
    [16384, 32767],
  ],
  address: TARGET,
  family: 4,
  ...fields,
});

const ASKS: readonly (readonly [story: string, of: Ask])[] = [
  ['allow UDP', ask({})],
  ['allow TCP', ask({ protocol: 'tcp', ports: [[5061, 5061]] })],
  ['allow IPv6', ask({ address: '2001:db8:100::10', family: 6 })],
  ['alg-off', ask({ kind: 'alg-off', ports: [[5060, 5060]] })],
  ['no-redirect', ask({ kind: 'no-redirect', protocol: 'tcp', ports: [[443, 443]] })],
  ['udp-timeout', ask({ kind: 'udp-timeout', ports: [[5060, 5060]] })],
  ['static-port', ask({ kind: 'static-port', ports: [[5060, 5060]] })],
  ['far-side', ask({ kind: 'far-side' })],
  ['advise', ask({ kind: 'advise' })],
];

const DIALECTS = { ...PASTED, ...CLICKED };

t.test('every dialect against its golden file', async (t) => {
  for (const [name, write] of Object.entries(DIALECTS)) {
    const text = ASKS.map(([story, of]) => `## ${story}\n${write(of) ?? '(nothing)'}\n`).join('\n');
    const file = join(packageRoot(), 'fixtures', 'fixes', `${name}.txt`);
    if (process.env.UPDATE === '1') {
      const head = existsSync(file) ? (readFileSync(file, 'utf8').split('\n\n')[0] ?? '') : '# source: to be named';
      writeFileSync(file, `${head}\n\n${text}`);
    }
    const [head = '', ...rest] = readFileSync(file, 'utf8').split('\n\n');
    t.match(head, /^# source: /, `${name}: says whose documentation it follows`);
    t.equal(rest.join('\n\n'), text, name);
  }
});

t.test('no rule is wider than what was asked', async (t) => {
  const port = fc.integer({ min: 1, max: 65_535 });
  const items = fc.array(
    fc.tuple(port, fc.nat(300)).map(([from, more]) => ({
      from,
      to: Math.min(65_535, from + more),
      transport: 'udp' as const,
      address: TARGET,
    })),
    { minLength: 1, maxLength: 30 },
  );
  const narrow = fc.property(items, fc.constantFrom('allow' as const, 'no-redirect' as const), (some, kind) => {
    const of = askOf(kind, some);
    if (of === null) return false;
    const asked = new Set(some.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, at) => from + at)));
    const covered = of.ports.reduce((sum, [from, to]) => sum + to - from + 1, 0);
    const lines = Object.values(inAllDialects(of).rules)
      .flatMap((text) => text.split('\n'))
      .filter((line) => /accept|ACCEPT|permit|^pass/.test(line) && !/^\s*#|set action/.test(line));
    return covered === asked.size && lines.every((line) => line.includes(TARGET));
  });
  t.doesNotThrow(() => fc.assert(narrow, { numRuns: 200 }));
});

t.test('iptables takes no more than fifteen ports in one rule', async (t) => {
  const ports = Array.from({ length: 40 }, (_, index): [number, number] => [1000 + 4 * index, 1001 + 4 * index]);
  const text = PASTED.iptables(ask({ ports })) ?? '';
  for (const line of text.split('\n')) {
    const list = /--[ds]ports (\S+)/.exec(line)?.[1] ?? '';
    t.ok(list.split(/[,:]/).length <= 15, list);
  }
  t.equal(text.split('--dports').length - 1, 6, '40 ranges, seven a rule');
});

t.test('only addresses go into rules', async (t) => {
  const place = { from: 5060, to: 5060, transport: 'udp' as const };
  for (const address of ['voip.example', '', '198.51.100.10; reboot', '198.51.100.10\nno ip', "1'2", null]) {
    t.equal(askOf('allow', [{ ...place, address }]), null, JSON.stringify(address));
  }
  t.equal(askOf('allow', [{ ...place, address: '2001:db8::1' }])?.family, 6);
  t.strictSame(inAllDialects(null), { rules: {}, words: {} });
});

t.test('ports that touch are one run', async (t) => {
  t.equal(
    writePorts(
      portRuns([
        { from: 16385, to: 32767 },
        { from: 5060, to: 5060 },
        { from: 16384, to: 32766 },
      ]),
    ),
    '5060, 16384-32767',
  );
  t.strictSame(
    FIX_KINDS.filter((kind) => !ASKS.some(([, of]) => of.kind === kind)),
    [],
    'each kind is in the golden files',
  );
});
