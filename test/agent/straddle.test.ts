/** A reflector that comes, goes or changes its token in the middle of a run; `npm run soak -- agent straddle` does it 20 times. */
import { rmSync } from 'node:fs';
import t from 'tap';
import { stateRoot } from './support/agent.js';
import { faultsOf, straddle } from './support/straddle.js';

t.setTimeout(280_000);
const root = stateRoot();
t.teardown(() => rmSync(root, { recursive: true, force: true }));

t.test('is one finding with its cause, and a restart is none', { skip: process.platform !== 'linux' }, async (t) => {
  const result = await straddle(root, 1, Math.random);
  t.comment(JSON.stringify(result.told));
  t.same(faultsOf(result), []);
});
