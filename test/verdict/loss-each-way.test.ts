/** Which way the line loses, from the four numbers of the checks that pass. */
import t from 'tap';
import type { Classified } from '../../src/model/verdict.js';
import { lossEachWay } from '../../src/verdict/loss-each-way.js';
import { check } from './support/facts.js';

const of = (
  port: number,
  numbers: readonly [number, number, number, number],
  fields: Partial<Classified> = {},
): Classified => {
  const [sent, seen, answered, received] = numbers;
  const passes = {
    verdict: 'pass',
    reason: 'answered',
    confidence: 1,
    rttMs: null,
    evidence: { authentic: true },
  } as const;
  return {
    ...{
      ...passes,
      check: check(`rtp-echo/udp/${port}`),
      sent,
      seen,
      answered,
      received,
      duringOutage: 0,
      firstPackets: 0,
    },
    ...fields,
  } as Classified;
};
const clean = (count: number): readonly Classified[] =>
  Array.from({ length: count }, (_, index) => of(20_000 + index, [1, 1, 1, 1]));

t.test('what did not arrive was lost outbound, what was answered and not heard inbound', async (t) => {
  const found = lossEachWay([...clean(90), of(1, [6, 4, 4, 3]), of(2, [4, 4, 4, 4])]);
  t.match(found, { outbound: { sent: 100, lost: 2 }, inbound: { sent: 98, lost: 1 } });
  t.ok(found && found.outbound.lower < 0.02 && found.outbound.upper > 0.02 && found.outbound.upper < 0.07);
});

t.test('a check that stands there twice counts once, and a packet that the network doubled is one', async (t) => {
  t.match(lossEachWay([of(1, [4, 3, 3, 3]), of(1, [4, 3, 3, 3])]), {
    outbound: { sent: 4, lost: 1 },
    inbound: { sent: 3, lost: 0 },
  });
  t.match(lossEachWay([of(1, [3, 6, 6, 3])]), { outbound: { sent: 3, lost: 0 }, inbound: { sent: 3, lost: 0 } });
});

const lossy: readonly [number, number, number, number] = [8, 4, 4, 4];
const others: Record<string, Classified> = {
  'a silent port': of(1, [8, 0, 0, 0], { verdict: 'blocked', reason: 'dropped-outbound' } as Partial<Classified>),
  'a far end that does not tell': of(1, lossy, { seen: null }),
  'somebody else': of(1, lossy, { evidence: { authentic: false } }),
  'a connection': of(1, lossy, { check: check('sip-options/tcp/5060') }),
  'an outage': of(1, lossy, { duringOutage: 4 }),
  'first packets': of(1, lossy, { firstPackets: 4 }),
  'a dead link': of(1, lossy, { verdict: 'degraded', reason: 'flow-loss' } as Partial<Classified>),
  'a limit': of(1, lossy, { verdict: 'degraded', reason: 'rate-limited' } as Partial<Classified>),
};
for (const [what, one] of Object.entries(others)) {
  t.test(`${what} says nothing of the line`, async (t) => {
    t.match(lossEachWay([...clean(10), one]), { outbound: { sent: 10, lost: 0 }, inbound: { sent: 10, lost: 0 } });
    t.equal(lossEachWay([one]), null);
  });
}
