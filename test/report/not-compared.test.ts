/** A service whose SIP goes in the open is no plain yes as long as nobody told what arrives of it. */
import t from 'tap';
import type { Requirement } from '../../src/model/profile.js';
import type { Report } from '../../src/model/report.js';
import { diagnosedService } from '../../src/report/diagnosed.js';
import { headlineOf, storyOf } from '../../src/report/story.js';
import { type Facts, NO_FACTS } from '../../src/verdict/rules/rule.js';
import { type Item, weigh, weighService } from '../../src/verdict/services.js';
import { ADDRESS } from '../verdict/support/facts.js';
import { exampleProfile } from '../verdict/support/profile.js';
import { reportOf } from './fixtures.js';

const SOURCE = { title: 'a document', evidence: 'primary', checkedOn: '2026-11-21' } as const;

const sip = (transport: Item['transport'], verdict: 'pass' | 'blocked' = 'pass'): Item => ({
  id: `sip-options/${transport}/5060`,
  probe: 'sip-options',
  transport,
  address: ADDRESS,
  from: 5060,
  to: 5060,
  finding: verdict === 'pass' ? { verdict, reason: 'answered' } : { verdict, reason: 'dropped' },
  partly: false,
  provable: false,
});

/** What the report says of a service that signals over these. */
const told = (items: readonly Item[], detected: Facts['sipAlg']['detected'], symptom = 'cannot-register') => {
  const profile = exampleProfile({
    thresholdsSources: [SOURCE],
    symptoms: { signalling: symptom as 'cannot-register' },
  });
  const row: Requirement = {
    ...({ id: 'signalling', need: 'required', role: 'signalling', purpose: 'a purpose' } as const),
    source: SOURCE,
    check: { probe: 'sip-options', transport: 'udp', port: 5060 },
  };
  const state = weighService(profile, [
    weigh(
      row,
      items.map((one) => [one]),
    ),
  ]);
  const service = diagnosedService(state, { ...NO_FACTS, sipAlg: { detected, findings: [] } });
  const report: Report = { ...reportOf('open-network'), services: [service] };
  return { service, ...headlineOf(report), next: storyOf(report, service).next };
};

t.test('SIP over UDP and TCP passes, and nothing was compared', async (t) => {
  const { service, answer, sentence, tone } = told([sip('udp'), sip('tcp'), sip('tls')], null);
  t.equal(service.verdict, 'works');
  t.same(service.untested, ['sip-alg/udp/5060', 'sip-alg/tcp/5060']);
  t.equal(answer, 'YES, AS FAR AS TESTED');
  t.match(sentence, 'Whether a SIP ALG rewrites calls is unknown');
  t.equal(tone, 'none');
});

t.test('a plain yes', async (t) => {
  t.match(told([sip('udp'), sip('tls')], false), { answer: 'YES', service: { untested: [] } }, 'it was compared');
  t.match(told([sip('tls')], null), { answer: 'YES' }, 'no ALG sees into TLS');
  t.match(told([sip('udp')], null, 'wifi-calling-unavailable'), { answer: 'YES' }, 'calls run inside IPsec');
});

t.test('what does not pass need not be compared', async (t) => {
  t.same(told([sip('udp', 'blocked')], null).service.untested, []);
});

t.test('a reflector that is there has to listen on the ports of SIP', async (t) => {
  t.match(told([sip('udp')], null).next, 'listen on the SIP ports');
});
