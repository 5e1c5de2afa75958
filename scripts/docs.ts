/** `npm run docs`: writes the pages of docs/ that are made from the product's own texts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/plan/package-root.js';
import { renderVerdictsPage } from '../src/report/verdicts-page.js';

writeFileSync(join(packageRoot(), 'docs', 'verdicts.md'), renderVerdictsPage());
