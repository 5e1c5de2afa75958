/** Hours without uplink, with real receivers; `npm run soak -- agent uplink` does a day. */
import t from 'tap';
import { outage } from './support/outage.js';
import { missing } from './support/services.js';

t.setTimeout(280_000);

t.test(
  'afterwards nats-server, webhook and file have every result once',
  { skip: missing('nats-server', 'nats-server') },
  async (t) => {
    const { summary, faults } = await outage(t, 3);
    t.comment(summary);
    t.same(faults, []);
  },
);
