/** A far end that has ended is told from one that is quiet for a moment, and from one that is asked behind closed ports. */
import t from 'tap';
import { createHearing } from '../../src/run/liveness.js';

t.test('deaf is who answered before, and nothing for long although much was expected', async (t) => {
  let now = 1000;
  const hearing = createHearing(() => now);
  const after = (ms: number, questions: number): boolean => {
    now += ms;
    for (let count = 0; count < questions; count += 1) hearing.expected('192.0.2.1');
    return hearing.isDeaf('192.0.2.1');
  };
  t.equal(after(60_000, 100), false, 'who never answered has not ended');
  hearing.heard('192.0.2.1');
  t.equal(after(4000, 100), false, 'a burst of loss');
  t.equal(after(2000, 0), true);
  t.equal(hearing.isDeaf('192.0.2.2'), false, 'each address for itself');
  hearing.heard('192.0.2.1');
  t.equal(after(60_000, 5), false, 'where nothing is known to pass nothing can be missed');
  t.equal(after(1, 10), true);
});
