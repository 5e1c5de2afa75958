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
${indented(read(node.licence))}

Files: usr/lib/callpath/app/node_modules/*
Copyright: the authors of each package
License: dependencies
${indented(read(app.licences))}
`;
