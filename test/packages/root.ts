/** A Debian system without Node, as a writable layer over this one: what is installed there is gone with it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const run = (command: string, args: readonly string[]): string =>
  execFileSync(command, [...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

export interface System {
  /** Where its `/` lies. */
  readonly root: string;
  /** Runs a program in it to its end. @throws Error with what it said */
  readonly run: (user: string, ...command: readonly string[]) => string;
  /** Starts a program in it, in the system's own network. */
  readonly start: (
    user: string,
    environment: Readonly<Record<string, string>>,
    ...command: readonly string[]
  ) => ChildProcess;
  readonly close: () => void;
}

/** @throws Error where overlays cannot be mounted */
export const openSystem = (): System => {
  const folder = mkdtempSync(join(tmpdir(), 'callpath-system-'));
  const [upper, work, root] = ['upper', 'work', 'root'].map((name) => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  }) as [string, string, string];
  const network = `callpath-packages-${process.pid}`;
  run('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=/,upperdir=${upper},workdir=${work}`, root]);
  for (const [type, source, at] of [
    ['proc', 'proc', 'proc'],
    ['tmpfs', 'tmpfs', 'run'],
    ['tmpfs', 'tmpfs', 'tmp'],
  ] as const) {
    run('mount', ['-t', type, source, join(root, at)]);
  }
  run('mount', ['--bind', '/dev', join(root, 'dev')]);
  run('ip', ['netns', 'add', network]);
  run('ip', ['-n', network, 'link', 'set', 'lo', 'up']);
  for (const path of run('sh', ['-c', 'which -a node npm || true'])
    .split('\n')
    .filter((line) => line !== '')) {
    rmSync(join(root, path), { force: true });
  }
  const inside = (user: string, command: readonly string[]): readonly string[] => [
    ...['netns', 'exec', network, 'chroot', `--userspec=${user}`, root],
    ...['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/tmp', 'DEBIAN_FRONTEND=noninteractive'],
    ...command,
  ];
  return {
    root,
    run: (user, ...command) => run('ip', inside(user, command)),
    start: (user, environment, ...command) => {
      const assigned = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
      return spawn('ip', inside(user, [...assigned, ...command]), { stdio: ['ignore', 'pipe', 'pipe'] });
    },
    close: () => {
      run('ip', ['netns', 'delete', network]);
      for (const at of ['dev', 'tmp', 'run', 'proc', '']) run('umount', [join(root, at)]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** What a unit of the installed package starts, with systemd's variables filled in. */
export const commandOf = (
  system: System,
  unit: string,
  variables: Readonly<Record<string, string>>,
): readonly string[] => {
  const text = readFileSync(join(system.root, 'lib/systemd/system', unit), 'utf8');
  const line = /^ExecStart=(.*)$/m.exec(text)?.[1] ?? '';
  return line
    .replace(/\$\{?(\w+)\}?/g, (_, name: string) => variables[name] ?? '')
    .split(' ')
    .filter((word) => word !== '');
};
