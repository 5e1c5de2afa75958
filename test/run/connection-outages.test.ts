/** An outage of TCP is told from a limit of new connections, which takes them again right after it has let one pass. */
import t from 'tap';
import type { Silence } from '../../src/model/far-end.js';
import type { Attempt } from '../../src/model/observation.js';
import { diedBesideOpened, withoutLimits } from '../../src/run/connection-outages.js';
import { check, observed, proven } from '../verdict/support/facts.js';

const silence = (fromMs: number, toMs: number | null): Silence => ({
  ...{ fromMs, toMs, what: 'tcp', asked: 8, flows: 0, recentFlows: 0 },
});
const died = (atMs: number): Attempt => ({
  ...{ outcome: 'silence', packets: 1, sourcePort: null, lostAtMs: [atMs], opened: null },
});

t.test('once it is over connections open as before', async (t) => {
  const away = silence(200, 7800);
  t.same(withoutLimits([away], [300, 900, 7700]), [away]);
  t.same(withoutLimits([away], [300, 900, 9000]), [away], 'one was lost');
  const again = silence(9000, 12_000);
  t.same(withoutLimits([away, again], [300, 900, 9000, 10_000, 11_000]), [away, again], 'a line that flaps');
});

t.test('one passes and the next do not: a limit', async (t) => {
  t.same(withoutLimits([silence(200, 7800)], [300, 900, 9000, 9800]), []);
  t.same(withoutLimits([silence(200, null)], [300, 900, 9000, 9800]), [silence(200, null)]);
});

t.test('of what once opened, at the end of the run as well', async (t) => {
  const opened = observed(check('sip-options/tcp/5060'), [died(100), proven()]);
  const blocked = observed(check('sip-options/tls/5061'), [died(100), died(9000)]);
  t.same(diedBesideOpened([{ ...opened, atLast: [died(8000), died(8900)] }, blocked]), [100, 8000, 8900]);
});
