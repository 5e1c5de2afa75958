/** No sentence of a report contradicts another one of it. */
import t from 'tap';
import { renderTable } from '../../src/report/table.js';
import { contradictionsIn } from './contradictions.js';
import { GOLDEN, reportOf } from './fixtures.js';

t.test('the golden reports are true to themselves', async (t) => {
  // It is made of contradictions, to see whether they are printed harmlessly.
  for (const name of GOLDEN.filter((one) => one !== 'hostile')) {
    const report = reportOf(name);
    for (const verbose of [false, true]) {
      t.strictSame(contradictionsIn(report, renderTable(report, { color: false, verbose })), [], name);
    }
  }
});

t.test('contradictions are found', async (t) => {
  const good = reportOf('carrier-untested');
  const [check] = good.checks;
  if (check === undefined) throw new Error('the report has no check');
  const having = (changes: Partial<typeof check>) => ({ ...good, checks: [{ ...check, ...changes }] });
  const said = (report: typeof good, table = ''): number => contradictionsIn(report, table).length;
  t.equal(said({ ...good, totals: { ...good.totals, packetsReceived: 3 } }, 'nothing at\n  all passes'), 1);
  t.ok(said(having({ received: 2, reason: 'target-unreachable' })) > 0);
  t.ok(said(having({ sent: 8, received: 8, verdict: 'degraded', reason: 'loss' })) > 0);
  t.ok(said(having({ reason: 'closed', evidence: { opened: {} } })) > 0);
  t.ok(said(good, 'the path is open, but nothing listens there') > 0);
});
