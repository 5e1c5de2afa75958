/** What the agent says of itself, as a person reads it on the page, in syslog and in a webhook. */
import t from 'tap';
import { eventInWords } from '../../src/words/events.js';

t.test('each event is a sentence', async (t) => {
  const said: readonly (readonly [type: string, details: Readonly<Record<string, unknown>>, sentence: string])[] = [
    ['agent-started', { targets: ['hq', 'carrier'] }, 'The agent started; it tests hq, carrier'],
    ['agent-stopped', {}, 'The agent stopped'],
    [
      'network-changed',
      { changes: ['address 10.0.0.9 is new'] },
      'The network of this host changed: address 10.0.0.9 is new',
    ],
    [
      'baseline',
      { kind: 'full', subjects: 41, differences: [], troubles: [] },
      'Baseline established: 41 results to compare later runs with',
    ],
    [
      'baseline',
      {
        subjects: 1,
        differences: [
          { kind: 'check', id: 'sip-options/udp/5060', before: { verdict: 'pass' }, after: { verdict: 'blocked' } },
        ],
        troubles: [{ kind: 'check', id: 'sip-options/udp/5060', verdict: 'blocked', reason: 'dropped' }],
      },
      'Baseline established: 1 result to compare later runs with; different from before: sip-options/udp/5060 was pass, is blocked; already failing: sip-options/udp/5060 blocked',
    ],
    [
      'runs-missed',
      { job: 'hq/light', counts: { budget: 2, overrun: 1 } },
      '3 runs of hq/light missed (budget 2, overrun 1)',
    ],
    ['run-failed', { kind: 'full', why: 'no route' }, 'A full run failed: no route'],
    ['clock-set', { bySeconds: -3600 }, 'The clock of this host was set back by 3600 s'],
    ['suspended', { forSeconds: 120 }, 'This host was suspended for 120 s'],
    [
      'results-dropped',
      { sinceStart: { light: 3, full: 1 } },
      '4 results dropped before delivery since the agent started',
    ],
    ['disk-failing', { error: 'ENOSPC', held: 7 }, 'The disk does not take results (ENOSPC); 7 are held in memory'],
    ['disk-failing', { error: null, held: 0 }, 'The disk takes results again'],
    ['memory-ceiling', { why: '301 MB resident' }, 'The agent stops because it uses too much memory: 301 MB resident'],
  ];
  for (const [type, details, sentence] of said) t.equal(eventInWords(type, details), sentence);
});

t.test('what another version wrote is told as far as it can be, and never raw', async (t) => {
  t.equal(eventInWords('of-tomorrow', { a: 1 }), 'of-tomorrow');
  t.equal(eventInWords('constructor', {}), 'constructor');
  t.notMatch(eventInWords('run-failed', { kind: 7, why: '\u001b[31mred' }), '\u001b');
  for (const details of [{}, { differences: 'x', troubles: 3 }, { counts: [], targets: {}, changes: [null] }])
    for (const type of ['agent-started', 'baseline', 'runs-missed', 'network-changed', 'results-dropped', 'clock-set'])
      t.type(eventInWords(type, details), 'string');
});
