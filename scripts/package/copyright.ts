/** Debian's copyright file (machine-readable format 1.0): ours, Node's and that of every dependency, with their texts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/plan/package-root.js';
import type { App } from './app.js';
import type { NodeProgram } from './node.js';

/** Every line of a text is indented, and an empty one is a dot. */
const indented = (text: string): string =>
  text
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`))
    .join('\n');

/** Debian has this text on every system, and its policy (§12.5) wants it named instead of repeated. */
const APACHE =
  /^[^\n]*Apache License[^\n]*\s+Version 2\.0, January 2004[\s\S]{8000,12000}?END OF TERMS AND CONDITIONS/gm;
const APACHE_NAMED = 'Apache License, Version 2.0: /usr/share/common-licenses/Apache-2.0';

const read = (file: string): string => readFileSync(file, 'utf8');

export const copyrightFile = (
  app: App,
  node: NodeProgram,
): string => `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: callpath

Files: *
Copyright: 2026 callpath contributors
License: Expat
${indented(read(join(packageRoot(), 'LICENSE')))}

Files: usr/lib/callpath/node
Copyright: Node.js contributors and the authors of what it contains
License: Node.js
${indented(read(node.licence).replace(APACHE, APACHE_NAMED))}

Files: usr/lib/callpath/app/node_modules/*
Copyright: the authors of each package
License: dependencies
${indented(read(app.licences).replace(APACHE, APACHE_NAMED))}
`;
