/** Kills a process that fills a spool, again and again, and holds what is left against what was promised. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/plan/package-root.js';

const CHILD = join(packageRoot(), 'dist', 'test', 'agent', 'support', 'spool-child.js');

interface Promised {
  readonly opened: boolean;
  readonly stored: ReadonlyMap<number, string>;
  readonly code: number | null;
}

/** Runs the child until it has stored `records`, plus `afterMs`; then kills it, if it is to be killed. */
const runChild = (folder: string, start: number, records: number | null, afterMs: number): Promise<Promised> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, folder, String(start), records === null ? 'drain' : 'append'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH },
    });
    const stored = new Map<number, string>();
    let opened = false;
    let rest = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [word, number, id] = line.split(' ');
        if (word === 'open') opened = true;
        if (word === 'stored' && id !== undefined) stored.set(Number(number), id);
      }
      if (records !== null && stored.size >= records) setTimeout(() => child.kill('SIGKILL'), afterMs);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ opened, stored, code }));
  });

interface CrashResult {
  readonly kills: number;
  readonly promised: number;
  readonly delivered: number;
  readonly redelivered: number;
  /** What must not be: each a sentence. */
  readonly faults: readonly string[];
}

/**
 * Kills `kills` times at random instants under load, restarting each time, then delivers the rest.
 * @param random 0 ≤ x < 1, decides the instants
 */
export const crash = async (folder: string, kills: number, random: () => number): Promise<CrashResult> => {
  const promised = new Map<number, string>();
  const faults: string[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    const start = (kill + 1) * 1_000_000;
    const run = await runChild(folder, start, 1 + Math.floor(random() * 60), random() * 8);
    if (!run.opened) faults.push(`kill ${kill}: the spool did not open`);
    for (const [number, id] of run.stored) promised.set(number, id);
  }
  const last = await runChild(folder, 0, null, 0);
  if (last.code !== 0) faults.push(`the spool could not be drained: exit ${last.code}`);
  const file = join(folder, 'delivered');
  const lines = existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line.endsWith(' .'))
    : [];
  const idsOf = new Map<number, Set<string>>();
  for (const line of lines) {
    const [id = '', number] = line.split(' ');
    const ids = idsOf.get(Number(number)) ?? new Set<string>();
    idsOf.set(Number(number), ids.add(id));
  }
  for (const [number, id] of promised) {
    if (!idsOf.get(number)?.has(id)) faults.push(`record ${number} was promised and never delivered`);
  }
  for (const [number, ids] of idsOf)
    if (ids.size > 1) faults.push(`record ${number} was delivered under ${ids.size} ids`);
  return { kills, promised: promised.size, delivered: idsOf.size, redelivered: lines.length - idsOf.size, faults };
};
