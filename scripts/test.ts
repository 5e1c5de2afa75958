/**
 * `npm test`: runs every compiled test (or those whose path contains one of the given words) under tap, and ends with
 * the line that CI reads: `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { packageRoot } from '../src/plan/package-root.js';

const root = packageRoot();
const words = process.argv.slice(2);

const findTests = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return findTests(path);
    return entry.name.endsWith('.test.js') ? [relative(root, path)] : [];
  });

const files = findTests(join(root, 'dist', 'test')).filter(
  (file) => words.length === 0 || words.some((word) => file.includes(word)),
);
if (files.length === 0) {
  process.stderr.write(`no test file has ${words.join(' or ')} in its path\n`);
  process.exit(2);
}
/** How much of each finding is worth scrolling through. */
const MAX_LINES = 30;

/** Every failed assertion with what tap says of it, under the file that it is in; what contains one has nothing to add. */
const failures = (text: string): string => {
  const shown: string[] = [];
  let file = '';
  let lines = Number.POSITIVE_INFINITY;
  let indent: number | null = null;
  for (const line of text.split('\n')) {
    const depth = line.search(/\S/);
    const [, subtest] = /^# Subtest: (.*)$/.exec(line) ?? [];
    if (subtest !== undefined) file = subtest;
    if (/^\s+not ok /.test(line)) {
      shown.push(...(file === '' ? [] : [file]), line);
      file = '';
      indent = depth;
      lines = 0;
    } else if (indent !== null && depth >= 0 && depth <= indent) indent = null;
    else if (indent !== null && depth >= 0 && lines < MAX_LINES) {
      shown.push(line);
      lines += 1;
    }
  }
  return `${shown.join('\n')}\n`;
};

/** The lab keeps a machine busy by itself; beside it others would be late, and it beside them. */
const ALONE = 'dist/test/lab/lab.test.js';

interface Counts {
  readonly total: number;
  readonly failed: number;
  readonly skipped: number;
  readonly ok: boolean;
}

const folder = mkdtempSync(join(tmpdir(), 'callpath-test-'));

/** The longest of them wait for agents, timers and namespaces more than they compute: three keep two cores busy. */
const FILES_AT_ONCE = 3;

/** Runs these files under tap and shows what failed. */
const run = (some: readonly string[], name: string): Promise<Counts> =>
  new Promise((resolve) => {
    const results = join(folder, `${name}.tap`);
    const tap = spawn(
      process.execPath,
      [
        join(root, 'node_modules/tap/dist/esm/run.mjs'),
        'run',
        `--jobs=${FILES_AT_ONCE}`,
        '--reporter=terse',
        `--output-file=${results}`,
        ...some,
      ],
      { cwd: root, stdio: 'inherit' },
    );
    tap.on('close', (code) => {
      const text = readFileSync(results, { encoding: 'utf8', flag: 'a+' });
      const counts = /^# \{ total: (\d+)(.*)\}$/m.exec(text);
      const count = (what: string): number => Number(new RegExp(`${what}: (\\d+)`).exec(counts?.[2] ?? '')?.[1] ?? 0);
      const total = Number(counts?.[1] ?? 0);
      const failed = count('fail');
      // tap draws its findings on a terminal only.
      if (failed > 0 && !process.stdout.isTTY) process.stdout.write(failures(text));
      resolve({ total, failed, skipped: count('skip') + count('todo'), ok: code === 0 && total > 0 });
    });
  });

const together = files.filter((file) => file !== ALONE);
const groups = [together, files.filter((file) => file === ALONE)].filter((group) => group.length > 0);
const all: Counts[] = [];
for (const [index, group] of groups.entries()) all.push(await run(group, `results-${index}`));
rmSync(folder, { recursive: true, force: true });

const sum = (of: (counts: Counts) => number): number => all.reduce((before, counts) => before + of(counts), 0);
const failed = sum((counts) => counts.failed);
const skipped = sum((counts) => counts.skipped);
const passed = sum((counts) => counts.total) - failed - skipped;
// tap's reporter leaves a terminal control sequence on the line that it ends with; the counts get a line of their own.
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = all.every(({ ok }) => ok) ? 0 : 1;
