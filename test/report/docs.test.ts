/** The pages that are made from the product's texts are those that the texts make. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { manPages } from '../../src/cli/man.js';
import { packageRoot } from '../../src/plan/package-root.js';
import { renderVerdictsPage } from '../../src/report/verdicts-page.js';

t.test('docs/verdicts.md is up to date', async (t) => {
  const page = readFileSync(join(packageRoot(), 'docs', 'verdicts.md'), 'utf8');
  t.equal(page, renderVerdictsPage(), 'run "npm run docs" and commit what it writes');
});

for (const [name, text] of Object.entries(manPages())) {
  t.test(`packaging/man/${name} is up to date, and is set without a warning`, async (t) => {
    const file = join(packageRoot(), 'packaging', 'man', name);
    t.equal(readFileSync(file, 'utf8'), text, 'run "npm run docs" and commit what it writes');
    if (text.startsWith('.so')) return;
    const set = spawnSync('groff', ['-man', '-ww', '-Tascii', '-P-cbou', '-rLL=100n', file], { encoding: 'utf8' });
    if (set.error && process.env.CI !== 'true') return t.comment('not set: groff is not installed');
    t.equal(set.stderr, '');
    for (const word of ['--token-file', 'SYNOPSIS', 'EXAMPLES']) t.match(set.stdout, word);
  });
}
