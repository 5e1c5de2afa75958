/** Where each file lies: in a folder that runs from anywhere, and below the root of a Linux system. */
import { chmodSync, cpSync, linkSync, lutimesSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { packageRoot } from '../../src/plan/package-root.js';
import type { App } from './app.js';
import type { NodeProgram, Platform } from './node.js';
import { runTool } from './tools.js';

export const COMMANDS = ['callpath', 'probe', 'reflector'] as const;

const LINUX_HOME = 'usr/lib/callpath';

/** Only a link needs another program, which takes as long to start as a tenth of Node. */
const fromAnywhere = (command: string): string => `#!/bin/sh
file=$0
[ ! -L "$file" ] || file=$(readlink -f -- "$file")
case $file in */*) here=\${file%/*} ;; *) here=. ;; esac
exec "$here/../lib/node" "$here/../lib/app/dist/src/cli/${command}.js" "$@"
`;

const onWindows = (command: string): string =>
  `@"%~dp0..\\lib\\node.exe" "%~dp0..\\lib\\app\\dist\\src\\cli\\${command}.js" %*\r\n`;

const onLinux = (command: string): string => `#!/bin/sh
exec /${LINUX_HOME}/node /${LINUX_HOME}/app/dist/src/cli/${command}.js "$@"
`;

const read = (file: string): string => readFileSync(file, 'utf8');

const put = (file: string, content: string | Buffer, mode = 0o644): void => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, mode);
};

const entriesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/** Programs are those that we put there; all else is data. The times are those of the source, whatever the clock says. */
export const settle = (folder: string, programs: readonly string[], made: Date): void => {
  runTool('chmod', ['-R', 'u=rwX,go=rX', folder]);
  runTool('find', [folder, '-type', 'f', '-exec', 'chmod', '0644', '{}', '+']);
  for (const program of programs) chmodSync(join(folder, program), 0o755);
  for (const entry of [...entriesBelow(folder), folder]) lutimesSync(entry, made, made);
};

interface Parts {
  readonly app: App;
  readonly node: NodeProgram;
  /** Of one platform alone, as a `node_modules` folder; null where there is none. */
  readonly native: string | null;
  readonly made: Date;
}

const putApp = (home: string, { app, node, native }: Parts, program: string): void => {
  mkdirSync(home, { recursive: true });
  // One file in several trees: it is the largest part by far, with the same mode and time in each.
  linkSync(node.program, join(home, program));
  cpSync(app.folder, join(home, 'app'), { recursive: true });
  if (native !== null) cpSync(native, join(home, 'app', 'node_modules'), { recursive: true });
};

/** A folder that runs wherever it is unpacked. */
export const portableFolder = (folder: string, platform: Platform, parts: Parts): void => {
  const windows = platform === 'win-x64';
  const program = windows ? 'node.exe' : 'node';
  putApp(join(folder, 'lib'), parts, program);
  for (const command of COMMANDS) {
    if (windows) put(join(folder, 'bin', `${command}.cmd`), onWindows(command));
    else put(join(folder, 'bin', command), fromAnywhere(command));
  }
  cpSync(join(packageRoot(), 'LICENSE'), join(folder, 'LICENSE'));
  cpSync(parts.node.licence, join(folder, 'LICENSE.node'));
  cpSync(parts.app.licences, join(folder, 'LICENSES.dependencies'));
  cpSync(parts.app.billOfMaterials, join(folder, 'sbom.cdx.json'));
  const programs = [`lib/${program}`, ...(windows ? [] : COMMANDS.map((command) => `bin/${command}`))];
  settle(folder, programs, parts.made);
};

interface SystemTexts {
  /** Where each document of the distribution's own kind goes, and what it says. */
  readonly documents: Readonly<Record<string, string | Buffer>>;
  /** What each shell reads, by its name. */
  readonly completions: Readonly<Record<'bash' | 'zsh' | 'fish', string>>;
}

export type Family = 'debian' | 'rpm';

/** Where each shell looks; zsh's folder for packages has two names. */
const COMPLETION_FILES: Readonly<Record<'bash' | 'zsh' | 'fish', (family: Family) => string>> = {
  bash: () => 'usr/share/bash-completion/completions/callpath',
  zsh: (family) => `usr/share/zsh/${family === 'debian' ? 'vendor-completions' : 'site-functions'}/_callpath`,
  fish: () => 'usr/share/fish/vendor_completions.d/callpath.fish',
};

const REFLECTOR_ENVIRONMENT = `# What the reflector of this host is started with, for instance
#   REFLECTOR_OPTIONS=--listen 203.0.113.10 --listen 203.0.113.11 --metrics 127.0.0.1:9464
REFLECTOR_OPTIONS=
`;

/** gzip's header holds a time and a system; these are zero and "unknown" here. */
export const compressed = (text: string): Buffer => gzipSync(text, { level: 9 });

/** The tree below `/` that a package for a Linux distribution installs. */
export const systemRoot = (root: string, family: Family, parts: Parts, texts: SystemTexts): void => {
  putApp(join(root, LINUX_HOME), parts, 'node');
  for (const command of COMMANDS) put(join(root, 'usr/bin', command), onLinux(command));
  const systemd = join(packageRoot(), 'packaging', 'systemd');
  for (const unit of readdirSync(systemd)) cpSync(join(systemd, unit), join(root, 'usr/lib/systemd/system', unit));
  put(join(root, 'etc/callpath/reflector.env'), REFLECTOR_ENVIRONMENT);
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    put(join(root, COMPLETION_FILES[shell](family)), texts.completions[shell]);
  }
  put(join(root, 'usr/share/doc/callpath/sbom.cdx.json.gz'), compressed(read(parts.app.billOfMaterials)));
  for (const [file, text] of Object.entries(texts.documents)) put(join(root, file), text);
  const man = join(packageRoot(), 'packaging', 'man');
  for (const page of readdirSync(man)) {
    put(join(root, 'usr/share/man/man1', `${page}.gz`), compressed(read(join(man, page))));
  }
  settle(root, systemPrograms(), parts.made);
};

/** The programs of a system's tree, which alone may be run. */
const systemPrograms = (): readonly string[] => [
  `${LINUX_HOME}/node`,
  ...COMMANDS.map((command) => `usr/bin/${command}`),
];
