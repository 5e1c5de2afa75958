/** What somebody at a terminal sees of a run, and what a log file does not. */

import { spawnSync } from 'node:child_process';
import t from 'tap';
import { renderCompletion } from '../../src/cli/completion.js';
import { createProgress } from '../../src/cli/progress.js';
import { readableLine } from '../../src/cli/readable-log.js';

t.test('a map of the range on a terminal', async (t) => {
  const written: string[] = [];
  const stream = { isTTY: true, write: (text: string) => written.push(text) };
  const progress = createProgress(2, stream, [1000, 1039]);
  progress.update?.(2, [
    [1000, true],
    [1001, false],
    [1039, true],
    [5000, false],
  ]);
  t.equal(written[0], `\r\u001b[K2 asked, looking closer 1000 █░${'·'.repeat(37)}█ 1039`);
  progress.clear();
  t.equal(written.at(-1), '\r\u001b[K');
});

t.test('a line never wraps, and is not at its end before the run is', async (t) => {
  const written: string[] = [];
  const stream = { isTTY: true, columns: 30, write: (text: string) => written.push(text) };
  const progress = createProgress(2, stream, [1000, 1039]);
  progress.update?.(1, [[1000, true]]);
  t.equal(written[0], '\r\u001b[K1 of 2 checks', 'without the map, for which there is no room');
  progress.update?.(2, [[1001, true]]);
  t.equal(written[1], '\r\u001b[K2 asked, looking closer');
});

t.test('nothing elsewhere', async (t) => {
  const written: string[] = [];
  const progress = createProgress(1, { write: (text: string) => written.push(text) }, [1, 2]);
  t.equal(progress.update, null, 'nobody need tell it anything');
  progress.clear();
  t.same(written, []);
});

t.test('log lines for a person', async (t) => {
  const line =
    '{"level":40,"time":1795840382835,"name":"reflector","port":443,"who":"a\\u001b[2J","msg":"cannot be bound"}';
  t.equal(readableLine(line), '04:33:02 warn  cannot be bound  port=443  who=a\\x1b[2J\n');
  t.equal(readableLine('no JSON\n'), 'no JSON\n');
});

t.test('bash completes commands and the options of each', async (t) => {
  const completed = (...words: readonly string[]): readonly string[] => {
    const script = `${renderCompletion(['bash'])}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _callpath; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' });
    t.equal(stderr, '');
    return stdout.trim().split('\n');
  };
  t.strictSame(completed('probe', 'da'), ['daemon']);
  t.strictSame(completed('probe', '--rtp'), ['--rtp-range']);
  t.strictSame(completed('probe', '--mn'), ['--mnc'], 'the second of a line');
  t.strictSame(completed('probe', 'daemon', '--c'), ['--config', '--check']);
  t.strictSame(completed('/usr/bin/reflector', '--tok'), ['--token-file']);
  t.strictSame(completed('callpath', 'reflector', '--tok'), ['--token-file']);
  t.strictSame(completed('callpath', 'ref'), ['reflector']);
  t.strictSame(completed('callpath', 'probe', 'da'), ['daemon']);
  t.strictSame(completed('callpath', 'probe', 'daemon', '--c'), ['--config', '--check']);
  t.strictSame(completed('probe', '-o', 'nd'), ['ndjson'], 'values of an option');
  t.strictSame(completed('probe', '--rules', 'forti'), ['fortios']);
  t.strictSame(completed('probe', '--target', 'h', '--transport', 't'), ['tcp', 'tls']);
  const fish = renderCompletion(['fish']);
  t.match(fish, "complete -c probe -c callpath -l rules -x -a 'nftables");
  t.match(renderCompletion(['zsh']), /^#compdef callpath probe reflector\n/);
  t.throws(() => renderCompletion(['csh']), /bash, zsh, fish/);
});
