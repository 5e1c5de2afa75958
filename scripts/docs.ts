/** `npm run docs`: writes the pages of docs/ that are made from the product's own texts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manPages } from '../src/cli/man.js';
import { packageRoot } from '../src/plan/package-root.js';
import { renderVerdictsPage } from '../src/report/verdicts-page.js';

writeFileSync(join(packageRoot(), 'docs', 'verdicts.md'), renderVerdictsPage());

const man = join(packageRoot(), 'packaging', 'man');
mkdirSync(man, { recursive: true });
for (const [name, text] of Object.entries(manPages())) writeFileSync(join(man, name), text);
