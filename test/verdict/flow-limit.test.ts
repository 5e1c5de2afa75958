/** A full table of sessions makes everything new silent: none of that silence may be told as a port's. */
import t from 'tap';
import type { PathLimit } from '../../src/model/observation.js';
import { withFlowLimit } from '../../src/verdict/flow-limit.js';
import type { StudyCheck } from '../../src/verdict/studies/study-check.js';

const ADDRESS = '192.0.2.1';

const stage = (over: Partial<StudyCheck>): StudyCheck => ({
  probe: 'sip-alg',
  transport: 'udp',
  port: 5060,
  address: ADDRESS,
  family: 4,
  finding: { verdict: 'blocked', reason: 'payload-filtered' },
  confidence: 0.999,
  sent: 7,
  seen: 0,
  received: 0,
  evidence: { silent: ['OPTIONS'], stunPasses: false, nonSipPasses: true },
  ...over,
});

const limits = (kind: PathLimit['kind']): ReadonlyMap<string, PathLimit> =>
  new Map([[ADDRESS, kind === 'flows' ? { kind, flows: 138 } : { kind, packetsPerSecond: 138 }]]);

t.test('a limit of flows turns silence into not knowing', async (t) => {
  const [one] = withFlowLimit([stage({})], limits('flows'));
  t.same(one?.finding, { verdict: 'unknown', reason: 'no-answer' });
  t.equal(one?.evidence.stunPasses, null, 'STUN was silent, which says nothing here');
  t.equal(one?.evidence.nonSipPasses, true, 'what passed has passed');
});

t.test('everything else stays as it was', async (t) => {
  for (const [name, check, kind] of [
    ['a limit of rate', stage({}), 'rate'],
    ['TCP', stage({ transport: 'tcp' }), 'flows'],
    ['another address', stage({ address: '192.0.2.9' }), 'flows'],
  ] as const) {
    t.same(withFlowLimit([check], limits(kind)), [check], name);
  }
});
