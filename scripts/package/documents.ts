/** What each kind of Linux distribution wants to read of a package: licences, changes, what its checks may overlook. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/plan/package-root.js';
import type { App } from './app.js';
import { copyrightFile } from './copyright.js';
import { type Making, versionOfSystem } from './formats.js';
import { compressed, type Family } from './layout.js';
import type { NodeProgram } from './node.js';

const DOC = 'usr/share/doc/callpath';
const RPM_LICENCES = 'usr/share/licenses/callpath';

/** One entry, for Debian's tools; people read CHANGELOG.md (Debian Policy §4.4). */
const debianChangelog = ({ version, made, maintainer }: Making): string =>
  `callpath (${versionOfSystem(version)}) unstable; urgency=medium

  * CHANGELOG.md.gz says what is new.

 -- ${maintainer}  ${made.toUTCString().replace('GMT', '+0000')}
`;

/** Where each document goes, and what it says. */
export const documentsFor = (
  family: Family,
  app: App,
  node: NodeProgram,
  making: Making,
): Readonly<Record<string, string | Buffer>> => {
  const changes = compressed(readFileSync(join(packageRoot(), 'CHANGELOG.md'), 'utf8'));
  return family === 'debian'
    ? {
        [`${DOC}/copyright`]: copyrightFile(app, node),
        [`${DOC}/changelog.gz`]: compressed(debianChangelog(making)),
        [`${DOC}/CHANGELOG.md.gz`]: changes,
        'usr/share/lintian/overrides/callpath': readFileSync(join(packageRoot(), 'packaging/deb/lintian-overrides')),
      }
    : {
        [`${RPM_LICENCES}/LICENSE`]: readFileSync(join(packageRoot(), 'LICENSE')),
        [`${RPM_LICENCES}/LICENSE.node`]: readFileSync(node.licence),
        [`${RPM_LICENCES}/LICENSES.dependencies`]: readFileSync(app.licences),
        [`${DOC}/CHANGELOG.md.gz`]: changes,
      };
};
