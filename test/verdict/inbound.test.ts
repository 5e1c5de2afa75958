/** What the far end's attempts to reach our ports come to, and what a service makes of them. */
import t from 'tap';
import type { Requirement } from '../../src/model/profile.js';
import type { InboundFacts, InboundTry } from '../../src/model/study-facts.js';
import { type Item, weigh, weighService, withWayIn } from '../../src/verdict/services.js';
import { judge } from '../../src/verdict/studies/inbound.js';
import { ADDRESS, finding, THRESHOLDS } from './support/facts.js';
import { exampleProfile } from './support/profile.js';

const OURS = '192.0.2.7';
/** A path on which everything was answered, and one of which nothing is known. */
const CLEAN = { trials: 200, answers: 200 };
const NOTHING_KNOWN = { trials: 0, answers: 0 };

const facts = (fields: Partial<InboundFacts> = {}): InboundFacts => ({
  address: ADDRESS,
  family: 4,
  transport: 'tls',
  port: 5061,
  notTried: null,
  tries: [],
  local: OURS,
  seen: OURS,
  isSlow: false,
  ...fields,
});
const tries = (count: number, fields: Partial<InboundTry>): readonly InboundTry[] =>
  Array.from({ length: count }, () => ({ arrived: false, opened: 0, altered: false, said: 'silent', ...fields }));
/** Another port of this host, where something that the far end began came in. */
const LET_IN = facts({ transport: 'udp', port: 49_200, tries: tries(1, { arrived: true, said: 'sent' }) });
const verdictOf = (fields: Partial<InboundFacts>, loss = CLEAN, others: readonly InboundFacts[] = [LET_IN]): string => {
  const [one] = judge([facts(fields), ...others], loss, THRESHOLDS).checks ?? [];
  return `${one?.finding.verdict}/${one?.finding.reason}`;
};

t.test('what arrived passes, whatever the far end made of it', async (t) => {
  t.equal(verdictOf({ tries: tries(1, { arrived: true, said: null }) }), 'pass/answered');
  t.equal(verdictOf({ tries: [...tries(2, {}), ...tries(1, { arrived: true })] }), 'pass/answered');
  t.equal(
    verdictOf({ seen: '198.51.100.1', tries: tries(1, { arrived: true }) }),
    'pass/answered',
    'forwarded by a NAT',
  );
});

t.test('silence without a NAT is a filter, if nothing else explains it', async (t) => {
  t.equal(verdictOf({ tries: tries(3, {}) }), 'blocked/not-let-in');
  t.equal(verdictOf({ transport: 'udp', tries: tries(3, { said: 'sent' }) }), 'blocked/not-let-in');
  t.equal(verdictOf({ transport: 'udp', tries: tries(1, { said: 'sent' }) }), 'unknown/no-answer', 'one may be lost');
  t.equal(verdictOf({ tries: tries(3, {}) }, NOTHING_KNOWN), 'unknown/no-answer', 'the path may lose everything');
  t.equal(verdictOf({ tries: tries(3, {}), isSlow: true }), 'unknown/no-answer', 'it may have been on its way');
  t.equal(verdictOf({ tries: tries(3, { said: null }) }), 'unknown/no-answer', 'nothing may have been begun');
  t.equal(verdictOf({ tries: [] }), 'unknown/no-answer');
});

t.test('a NAT that forwards nowhere looks like a filter, and is not called one', async (t) => {
  const natted = { seen: '198.51.100.1' };
  for (const said of ['silent', 'refused', 'unreachable', 'sent', 'connected', 'tls-failed'] as const) {
    t.equal(verdictOf({ ...natted, tries: tries(4, { said }) }), 'unknown/not-forwarded', said);
  }
  t.equal(verdictOf({ local: null, tries: tries(4, {}) }), 'unknown/not-forwarded', 'nor where it is not known');
});

t.test('refusals, inspection, and somebody else who answers', async (t) => {
  t.equal(verdictOf({ tries: tries(3, { said: 'refused' }) }), 'blocked/rejected', 'we listened');
  t.equal(verdictOf({ tries: tries(3, { said: 'unreachable' }) }), 'blocked/rejected');
  t.equal(
    verdictOf({ tries: tries(3, { said: 'tls-failed', opened: 1 }) }),
    'blocked/dropped',
    'for what it is, or for its size',
  );
  t.equal(verdictOf({ tries: tries(3, { said: 'tls-failed', opened: 1 }), isSlow: true }), 'unknown/no-answer');
  t.equal(verdictOf({ tries: tries(3, { said: 'connected' }) }), 'altered/answered-by-other');
  t.equal(
    verdictOf({ tries: [...tries(2, {}), ...tries(1, { opened: 1 })] }),
    'unknown/no-answer',
    'somebody came while it was tried: the silence is not certain',
  );
});

t.test('connections that came to some of the tries are no inspection of all', async (t) => {
  const mixed = [...tries(1, { said: 'connected', opened: 1 }), ...tries(2, { said: 'connected' })];
  t.equal(verdictOf({ tries: mixed, seen: '198.51.100.1' }), 'unknown/not-forwarded');
  t.equal(verdictOf({ tries: mixed }), 'unknown/no-answer');
});

t.test('what arrives in another session than its own was opened on the way', async (t) => {
  const altered = { tries: tries(3, { said: 'connected', opened: 1, altered: true }) };
  t.equal(verdictOf(altered), 'altered/tls-intercepted');
  t.equal(verdictOf({ ...altered, seen: '198.51.100.1' }), 'altered/tls-intercepted', 'through a NAT as well');
  t.equal(verdictOf({ ...altered, transport: 'tcp' }), 'altered/payload-rewritten');
  t.equal(
    verdictOf({ tries: [...altered.tries, ...tries(1, { said: 'connected', opened: 1 })] }),
    'unknown/no-answer',
    'one that did not come at all',
  );
});

t.test('a filter at the far end’s side is excluded before one of this site is blamed', async (t) => {
  const alone = (fields: Partial<InboundFacts>, others: readonly InboundFacts[] = []) =>
    verdictOf(fields, CLEAN, others);
  const silent = { tries: tries(3, {}) };
  const refused = { tries: tries(3, { said: 'refused' }) };
  t.equal(alone(silent), 'unknown/no-way-in');
  t.equal(alone(refused), 'unknown/no-way-in', 'the far end’s own firewall may have refused it');
  t.equal(alone(silent, [facts({ ...silent, port: 5067 })]), 'unknown/no-way-in', 'nothing came in anywhere');
  t.equal(alone(silent, [{ ...LET_IN, address: '203.0.113.99' }]), 'unknown/no-way-in', 'somebody else came in');
  t.equal(alone(silent, [LET_IN]), 'blocked/not-let-in');
  t.equal(alone(refused, [LET_IN]), 'blocked/rejected');
  const opened = facts({ port: 5067, tries: tries(3, { said: 'tls-failed', opened: 1 }) });
  t.equal(alone(silent, [opened]), 'blocked/not-let-in', 'a connection that came in is a control too');
});

t.test('what was not tried is nobody’s fault on the path', async (t) => {
  const farEnd = (why: 'not-offered' | 'needs-connection' | 'held-back' | 'failed') =>
    verdictOf({ notTried: { by: 'far-end', why } });
  t.equal(farEnd('not-offered'), 'unknown/not-run');
  t.equal(farEnd('needs-connection'), 'unknown/not-run');
  t.equal(farEnd('held-back'), 'unknown/limited');
  t.equal(farEnd('failed'), 'unknown/limited');
  t.equal(verdictOf({ notTried: { by: 'this-host', code: 'EADDRINUSE' } }), 'unknown/local-error');
});

const SOURCE = { title: 'a document', evidence: 'secondary', checkedOn: '2026-11-21' } as const;
const row = (fields: Partial<Requirement> = {}): Requirement =>
  ({
    id: 'signalling',
    need: 'required',
    role: 'signalling',
    purpose: 'a purpose',
    direction: 'both',
    source: SOURCE,
    check: { probe: 'sip-options', transport: 'tls', port: 5061 },
    ...fields,
  }) as Requirement;
const profile = exampleProfile({ thresholdsSources: [SOURCE], symptoms: { signalling: 'trunk-down' } });
const item = (probe: Item['probe'], port: number, said: string): Item => ({
  id: `${probe}/tls/${port}`,
  probe,
  transport: 'tls',
  address: ADDRESS,
  from: port,
  to: port,
  finding: finding(said),
  partly: false,
  provable: true,
});
const serviceOf = (requirement: Requirement, out: readonly string[], inward: readonly (readonly [number, string])[]) =>
  weighService(profile, [
    withWayIn(
      weigh(
        requirement,
        out.map((said) => [item('sip-options', 5061, said)]),
      ),
      inward.map(([port, said]) => item('inbound', port, said)),
    ),
  ]);

t.test('a way in that does not pass impairs a service whose way out passes', async (t) => {
  const of = (said: string) => serviceOf(row(), ['pass/answered'], [[5061, said]]);
  t.match(of('pass/answered'), { verdict: 'works', untested: [] });
  t.match(of('blocked/not-let-in'), { verdict: 'impaired', untested: [] });
  t.match(of('unknown/not-forwarded'), { verdict: 'unknown', untested: [] });
  t.match(of('unknown/local-error'), { verdict: 'unknown', untested: [] });
  t.match(of('altered/answered-by-other'), { verdict: 'degraded', untested: [] });
  t.match(
    of('unknown/not-run'),
    { verdict: 'works', untested: ['inbound/tls/5061'] },
    'not offered: untested as before',
  );
  t.match(serviceOf(row(), ['pass/answered'], []), { verdict: 'works', untested: ['inbound/tls/5061'] });
  t.match(serviceOf(row(), ['blocked/dropped'], [[5061, 'pass/answered']]), { verdict: 'blocked' });
});

t.test('a row that only the far side begins is what came of it', async (t) => {
  const web = row({ id: 'web', role: 'web', direction: 'inbound' });
  const other = weigh(row({ direction: 'outbound' }), [[item('sip-options', 5061, 'pass/answered')]]);
  const of = (...inward: readonly (readonly [number, string])[]) =>
    weighService(profile, [
      other,
      withWayIn(
        weigh(web, []),
        inward.map(([port, said]) => item('inbound', port, said)),
      ),
    ]);
  t.match(of(), { verdict: 'works', untested: ['inbound/tls/5061'] });
  t.match(of([5061, 'pass/answered']), { verdict: 'works', untested: [] });
  t.match(of([5061, 'blocked/rejected']), { verdict: 'impaired', untested: [] });
});

t.test('one port of a range is not the range; one of several alternatives is enough', async (t) => {
  const { check: _, ...plain } = row() as Extract<Requirement, { check: unknown }>;
  const range = { ...plain, range: { probes: ['rtp-echo'], transport: 'udp', from: 49152, to: 53247 } } as Requirement;
  t.strictSame(serviceOf(range, ['pass/answered'], [[49200, 'pass/answered']]).untested, ['inbound/udp/49152-53247']);
  const anyOf = {
    ...plain,
    direction: 'inbound',
    anyOf: [
      { probe: 'tls-handshake', transport: 'tls', port: 443 },
      { probe: 'tls-handshake', transport: 'tls', port: 5001 },
    ],
  } as Requirement;
  t.match(serviceOf(anyOf, [], [[443, 'pass/answered']]), { verdict: 'works', untested: [] });
  t.match(
    serviceOf(
      anyOf,
      [],
      [
        [443, 'blocked/not-let-in'],
        [5001, 'pass/answered'],
      ],
    ),
    { verdict: 'degraded' },
  );
});
