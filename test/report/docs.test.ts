/** The pages that are made from the product's texts are those that the texts make. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../src/plan/package-root.js';
import { renderVerdictsPage } from '../../src/report/verdicts-page.js';

t.test('docs/verdicts.md is up to date', async (t) => {
  const page = readFileSync(join(packageRoot(), 'docs', 'verdicts.md'), 'utf8');
  t.equal(page, renderVerdictsPage(), 'run "npm run docs" and commit what it writes');
});
