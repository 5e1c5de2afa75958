/** A far end that has ended is told from one that is quiet for a moment, and from one that was hardly asked. */
import t from 'tap';
import { createHearing } from '../../src/engine/hearing.js';

t.test('deaf is who answered before, and nothing for long although much was asked', async (t) => {
  let now = 1000;
  const totals = { packetsSent: 10, bytesSent: 0, packetsReceived: 0 };
  const hearing = createHearing(() => now, totals);
  const after = (ms: number, packets: number): boolean => {
    now += ms;
    totals.packetsSent += packets;
    return hearing.isDeaf('192.0.2.1');
  };
  t.equal(after(60_000, 5000), false, 'who never answered has not ended');
  hearing.heard('192.0.2.1');
  t.equal(after(4000, 1000), false, 'a burst of loss');
  t.equal(after(2000, 1000), true);
  t.equal(hearing.isDeaf('192.0.2.2'), false, 'each address for itself');
  hearing.heard('192.0.2.1');
  t.equal(after(60_000, 50), false, 'at a slow pace little was asked');
  t.equal(after(1, 200), true);
});
