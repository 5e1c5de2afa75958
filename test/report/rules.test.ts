/** `--rules`: the rules of a report alone, whole, in one dialect. */
import t from 'tap';
import type { Report, ReportService } from '../../src/model/report.js';
import { renderHtml } from '../../src/report/html.js';
import { renderRules } from '../../src/report/rules.js';
import { asksOf } from '../../src/verdict/fixes/ask.js';
import { inAllDialects, PASTED } from '../../src/verdict/fixes/dialects.js';
import { reportOf } from './fixtures.js';

/** As many networks as some vendors have, so that lines are long and FortiOS needs many. */
const NETWORKS = Array.from({ length: 60 }, (_, index) => `203.0.${index}.0/24`);
const PLACES = [
  { from: 5060, to: 5060, transport: 'udp', address: '198.51.100.10' },
  { from: 5060, to: 5061, transport: 'tcp', address: '198.51.100.10' },
] as const;

const fix = {
  text: 'Allow outbound UDP 5060 and TCP 5060-5061 to many networks.',
  because: ['sip-options/udp/5060'],
  ...inAllDialects(asksOf('allow', PLACES, NETWORKS), ['a source']),
  test: { text: 'For this test only: the reflector.', ...inAllDialects(asksOf('allow', PLACES, ['198.51.100.10'])) },
};

const base = reportOf('rtp-blocked-outbound');
const reporting = (...fixes: readonly ReportService['fixes'][number][]): Report => ({
  ...base,
  services: base.services.slice(0, 1).map((service) => ({ ...service, fixes: [...fixes] })),
});
const report = reporting(fix);

t.test('every dialect comes whole, and each other line is a comment', async (t) => {
  for (const dialect of Object.keys(PASTED)) {
    const text = renderRules(report, dialect, 'service');
    const rule = (fix.rules as Readonly<Record<string, string>>)[dialect] ?? 'none';
    t.ok(text.includes(rule), `${dialect}: as the report has it`);
    for (const line of text
      .replace(rule, '')
      .split('\n')
      .filter((one) => one !== '')) {
      t.match(line, dialect === 'cisco-asa' ? /^! / : /^# /, `${dialect}: ${line}`);
    }
    t.notMatch(text, '198.51.100.10', `${dialect}: the reflector is not opened by the way`);
    t.match(text, '--test-rules', `${dialect}: and how to get its rule is said`);
    const test = renderRules(report, dialect, 'test');
    t.match(test, '198.51.100.10');
    t.notMatch(test, '203.0.', `${dialect}: the test opens no service`);
  }
  t.equal(
    renderRules(report, 'fortios', 'service').match(/^ {8}set subnet/gm)?.length,
    120,
    'FortiOS has all networks',
  );
});

t.test('what two services share is printed once, and nothing is a comment', async (t) => {
  const [service] = report.services;
  if (service === undefined) throw new Error('the fixture lost its service');
  const twice = { ...report, services: [service, { ...service, profile: 'other' }] };
  t.equal(renderRules(twice, 'nftables', 'service'), renderRules(report, 'nftables', 'service'));
  t.match(renderRules(reporting(), 'nftables', 'service'), /^# nothing was found[^\n]*\n$/);
  t.match(renderRules(reporting(), 'cisco-asa', 'service'), /^! nothing was found/);
});

t.test('the HTML report has them whole, each once', async (t) => {
  const page = renderHtml(report);
  t.equal(page.match(/set subnet 203\.0\.59\.0/g)?.length, 2, 'to the last network, for UDP and TCP');
  const nft = fix.rules.nftables?.split('\n').find((line) => line.includes('udp dport')) ?? 'none';
  t.ok(
    nft.length > 600 && page.includes(nft.replaceAll('"', '&quot;').replaceAll("'", '&#39;')),
    'long lines are not cut',
  );
  t.match(page, 'For this test only: the reflector.');
});
