/**
 * Texts to paste. Those of nftables and iptables are put into real firewalls by the lab; the others are held against
 * fixtures/fixes, written by the vendors' documentation (each file names it). `UPDATE=1` writes them anew, to be read.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { parseNetwork } from '../../src/model/network-text.js';
import { packageRoot } from '../../src/plan/package-root.js';
import { type Ask, asksOf, FIX_KINDS, PLACEHOLDER, portRuns, writePorts } from '../../src/verdict/fixes/ask.js';
import { CLICKED, inAllDialects, PASTED } from '../../src/verdict/fixes/dialects.js';

const TARGET = '198.51.100.10';
const networks = (...texts: readonly string[]) => texts.flatMap((text) => parseNetwork(text) ?? []);
const ask = (fields: Partial<Ask>): Ask => ({
  kind: 'allow',
  protocol: 'udp',
  ports: [
    [5060, 5060],
    [16384, 32767],
  ],
  networks: networks(TARGET),
  family: 4,
  ...fields,
});

const ASKS: readonly (readonly [story: string, of: Ask])[] = [
  ['allow UDP', ask({})],
  ['allow TCP', ask({ protocol: 'tcp', ports: [[5061, 5061]] })],
  ['allow IPv6', ask({ networks: networks('2001:db8:100::10'), family: 6 })],
  ['allow networks', ask({ networks: networks('52.112.0.0/14', '203.0.113.7') })],
  ['allow IPv6 networks', ask({ networks: networks('2603:1063::/38', '2001:db8::1'), family: 6 })],
  ['allow, networks unknown', ask({ networks: [] })],
  ['alg-off of networks', ask({ kind: 'alg-off', ports: [[5060, 5060]], networks: networks('52.112.0.0/14') })],
  ['alg-off, networks unknown', ask({ kind: 'alg-off', ports: [[5060, 5060]], networks: [] })],
  ['no-redirect of networks', ask({ kind: 'no-redirect', networks: networks('52.112.0.0/14', '203.0.113.7') })],
  ['udp-timeout of networks', ask({ kind: 'udp-timeout', networks: networks('52.112.0.0/14', '203.0.113.7') })],
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
    const asks = asksOf(kind, some, [TARGET]);
    const asked = new Set(some.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, at) => from + at)));
    const covered = asks.flatMap(({ ports }) => ports).reduce((sum, [from, to]) => sum + to - from + 1, 0);
    const lines = Object.values(inAllDialects(asks).rules)
      .flatMap((text) => text.split('\n'))
      .filter((line) => /accept|ACCEPT|permit|^pass/.test(line) && !/^\s*#|set action/.test(line));
    return asks.length === 1 && covered === asked.size && lines.every((line) => line.includes(TARGET));
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

t.test('only networks go into rules', async (t) => {
  const place = { from: 5060, to: 5060, transport: 'udp' as const, address: TARGET };
  for (const network of ['voip.example', '', '198.51.100.10; reboot', '198.51.100.10\nno ip', "1'2", '10.0.0.1/8']) {
    t.strictSame(asksOf('allow', [place], [network]), [], JSON.stringify(network));
  }
  t.equal(asksOf('allow', [place], ['2001:db8::1'])[0]?.family, 6);
  t.strictSame(inAllDialects([]), { rules: {}, words: {} });
});

t.test('networks that nobody knows are a placeholder, of the family and protocol that was asked', async (t) => {
  const of = (transport: 'udp' | 'tcp', address: string) => ({ from: 5060, to: 5060, transport, address });
  const asks = asksOf('allow', [of('udp', TARGET), of('tcp', '2001:db8::1')], null);
  t.strictSame(
    asks.map(({ protocol, family }) => `${protocol} ${family}`),
    ['udp 4', 'tcp 6'],
  );
  for (const [dialect, text] of Object.entries(inAllDialects(asks).rules)) {
    t.match(text, PLACEHOLDER, dialect);
    t.notMatch(text, TARGET, `${dialect}: not the address that was asked`);
    t.match(text, `${PLACEHOLDER} becomes: `, `${dialect}: and how it is filled in`);
  }
  const { nftables, pf, routeros } = inAllDialects(asks).rules;
  t.match(nftables, `ip daddr { ${PLACEHOLDER} } udp`, 'several networks fit as well as one');
  t.match(pf, `to { ${PLACEHOLDER} } port`);
  t.match(routeros, `address-list add list=callpath-SERVICE address=${PLACEHOLDER}`);
});

t.test('what two protocols share is said once', async (t) => {
  const of = (transport: 'udp' | 'tcp') => ({ from: 5060, to: 5060, transport, address: TARGET });
  const { rules } = inAllDialects(asksOf('alg-off', [of('udp'), of('tcp')], [TARGET]), ['a word']);
  t.equal(rules.fortios?.match(/default-voip-alg-mode/g)?.length, 1);
  t.match(rules['cisco-asa'], /^! a word\n/);
  t.match(rules.nftables, /^# a word\n[\s\S]*udp dport[\s\S]*tcp dport/);
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
