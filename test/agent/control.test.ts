/** Whose control socket is asked: in a folder that everybody may write, only that of the state folder's owner. */
import { lchownSync, mkdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { askAgent, controlPath, openControl } from '../../src/agent/control.js';

const SAID = { healthy: true };
/** Not the user of this test. */
const SOMEBODY = 65_534;

t.test('in the state folder whoever may write there is the agent', async (t) => {
  const folder = t.testdir();
  const close = await openControl(controlPath(folder), () => SAID);
  t.same(await askAgent(folder), SAID);
  await close();
  t.equal(await askAgent(folder), null);
});

t.test(
  'beside a path that is too long for a socket, one of somebody else is not believed',
  { skip: process.getuid?.() === 0 ? false : 'only root gives a socket to somebody else' },
  async (t) => {
    const folder = join(t.testdir(), 'a'.repeat(120));
    mkdirSync(folder);
    const path = controlPath(folder);
    t.not(dirname(path), folder);
    const close = await openControl(path, () => SAID);
    t.same(await askAgent(folder), SAID);
    lchownSync(path, SOMEBODY, SOMEBODY);
    t.equal(await askAgent(folder), null);
    await close();
    try {
      unlinkSync(path);
    } catch {
      // It went with the server.
    }
  },
);
