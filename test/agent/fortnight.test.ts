/** The agent against a diary of faults; `npm run soak -- agent fortnight` does two weeks of it. */
import { rmSync } from 'node:fs';
import t from 'tap';
import { stateRoot } from './support/agent.js';
import { fortnight } from './support/fortnight.js';

t.setTimeout(280_000);
const root = stateRoot();
t.teardown(() => rmSync(root, { recursive: true, force: true }));

t.test('every fault is told once, in time, with its subject; nothing else is', async (t) => {
  const { summary, precision, recall, faults } = await fortnight(root, 2, 17);
  t.comment(summary);
  t.same(faults, []);
  t.ok(precision >= 0.99 && recall >= 0.99);
});
