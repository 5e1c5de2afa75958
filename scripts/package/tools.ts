/** Runs the programs that packages are made with; one that is missing is named with the Debian package that brings it. */
import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';

const BROUGHT_BY: Readonly<Record<string, string>> = {
  '7z': 'p7zip-full',
  'dpkg-deb': 'dpkg',
  rpmbuild: 'rpm',
  tar: 'tar',
  xz: 'xz-utils',
  zip: 'zip',
};

/** Output of a program can hold a file list of some thousand lines. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * Runs a program to its end and returns what it printed.
 * @throws Error naming the program, with what it said, if it is missing or fails
 */
export const runTool = (command: string, args: readonly string[], options: ExecFileSyncOptions = {}): string => {
  try {
    const output = execFileSync(command, [...args], {
      maxBuffer: MAX_OUTPUT_BYTES,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...options,
      encoding: 'utf8',
    });
    return String(output ?? '');
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { readonly stderr?: string };
    if (code === 'ENOENT') {
      const from = BROUGHT_BY[command];
      throw new Error(`${command} is missing${from === undefined ? '' : ` (Debian: apt-get install ${from})`}`, {
        cause: error,
      });
    }
    throw new Error(`${command} failed: ${stderr?.trim() || message}`, { cause: error });
  }
};
