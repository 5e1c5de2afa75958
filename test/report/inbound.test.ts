/** The way in, in a report: whose check it is, and what is said where nothing came of it. */
import t from 'tap';
import type { Plan } from '../../src/model/check.js';
import type { Requirement } from '../../src/model/profile.js';
import { inboundNotes, studyRows, waysInOf } from '../../src/report/studies.js';
import type { StudyCheck } from '../../src/verdict/studies/study-check.js';

const requirement = { id: 'signalling', direction: 'both' } as unknown as Requirement;
const plan: Plan = {
  checks: [],
  ranges: [],
  requirements: [
    { profile: 'sbc', requirement, alternatives: [], inbound: [{ transport: 'tls', port: 5061 }] },
    { profile: 'pbx', requirement, alternatives: [], inbound: [{ transport: 'tls', port: 5061 }] },
    { profile: 'other', requirement, alternatives: [] },
  ],
};
const check: StudyCheck = {
  probe: 'inbound',
  transport: 'tls',
  port: 5061,
  address: '198.51.100.10',
  family: 4,
  finding: { verdict: 'blocked', reason: 'not-let-in' },
  confidence: 0.9999,
  sent: 3,
  seen: null,
  received: 0,
  evidence: {},
};

t.test('a port is a line of the checks, of all profiles that let it in', async (t) => {
  t.match(studyRows([check], plan), [{ id: 'inbound/tls/5061', requiredBy: ['sbc', 'pbx'], reason: 'not-let-in' }]);
  t.match(waysInOf([{ transport: 'tls', port: 5061 }], [check], plan), [{ id: 'inbound/tls/5061', probe: 'inbound' }]);
  t.strictSame(waysInOf([{ transport: 'tcp', port: 5061 }], [check], plan), []);
});

t.test('what nobody tried is said once', async (t) => {
  t.strictSame(inboundNotes(plan, [check]), []);
  t.match(inboundNotes(plan, []), [/^Inbound TLS 5061 was not tested: /]);
  t.equal(inboundNotes(plan, []).length, 1);
});
