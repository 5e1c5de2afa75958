/** `callpath setup`: what it asks, what it shows of a token, what it writes, and what it leaves alone. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import t from 'tap';
import { commandLine, probe } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'callpath-setup-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const TOKEN = 'kept-from-the-screen-0123456789';
const tokenFile = join(folder, 'given');
writeFileSync(tokenFile, `${TOKEN}\n`);

/** What appears on a terminal while each answer is typed when its question is there. util-linux's script is the terminal. */
const onTerminal = (args: readonly string[], typed: readonly (readonly [question: RegExp, keys: string])[]) =>
  new Promise<{ readonly screen: string; readonly code: number | null }>((resolve, reject) => {
    const line = commandLine('probe', ['setup', ...args]).join(' ');
    const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
      env: { PATH: process.env.PATH, HOME: folder, TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let screen = '';
    let next = 0;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      screen = stripVTControlCharacters(screen + text);
      const [question, keys] = typed[next] ?? [];
      if (question?.test(screen)) {
        next += 1;
        child.stdin.write(keys ?? '');
      }
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ screen, code }));
  });

const skip = process.platform !== 'linux' && "the terminal is util-linux's script";

t.test('three answers on a terminal', { skip }, async (t) => {
  const config = join(folder, 'typed', 'agent.yaml');
  const { screen, code } = await onTerminal(
    ['--config', config],
    [
      [/1\. Host.*: $/, '\r'],
      [/name a host[\s\S]*1\. Host.*: $/, 'reflector.example\r'],
      [/2\. .*: $/, 'tiny\r'],
      [/that is no file[\s\S]*: $/, `${TOKEN}X\x7f\r`],
      [/3\. .*: $/, 'zom\r'],
      [/"zom" is no profile[\s\S]*: $/, '\x1b[A zoom\r'],
    ],
  );
  t.equal(code, 0, screen);
  t.match(screen, 'reflector.example', 'what is no secret is shown');
  t.notMatch(screen, TOKEN.slice(0, 8), 'the token is not');
  t.notMatch(screen, 'tiny', 'nor is what was taken for one');
  const text = readFileSync(config, 'utf8');
  t.match(text, 'host: reflector.example');
  t.match(text, /profiles:\n\s+- zoom\n/);
  t.equal(readFileSync(join(folder, 'typed', 'token'), 'utf8'), `${TOKEN}\n`);
  t.equal(statSync(join(folder, 'typed', 'token')).mode & 0o777, 0o640);
});

t.test('what is pasted ahead of its question is hidden as well', { skip }, async (t) => {
  const config = join(folder, 'pasted', 'agent.yaml');
  const { screen, code } = await onTerminal(
    ['--config', config],
    [[/1\. Host.*: $/, `reflector.example\r${TOKEN}\r\r`]],
  );
  t.equal(code, 0, screen);
  t.notMatch(screen, TOKEN.slice(0, 8));
  t.match(readFileSync(config, 'utf8'), 'business-sip', 'no answer is the default');
});

t.test('a terminal that ends before the last answer', { skip }, async (t) => {
  for (const [name, key] of [
    ['Ctrl-C', '\x03'],
    ['Ctrl-D', '\x04'],
  ] as const) {
    const { screen, code } = await onTerminal(
      ['--config', join(folder, 'never', 'agent.yaml'), '--host', 'reflector.example'],
      [[/2\. .*: $/, key]],
    );
    t.equal(code, 130, name);
    t.match(screen, 'nothing is written');
    t.notOk(existsSync(join(folder, 'never')));
  }
});

const setup = (config: string, ...args: readonly string[]) =>
  probe(['setup', '--config', config, '--token-file', tokenFile, '--host', 'reflector.example', ...args]);

t.test('options make a configuration that the daemon takes', async (t) => {
  const config = join(folder, 'given-by-options', 'agent.yaml');
  const { code, stdout } = await setup(config, '--profile', 'zoom', '--site', 'branch-17');
  t.equal(code, 0);
  t.match(stdout, `callpath daemon --config ${config}`);
  const check = await probe(['daemon', '--config', config, '--check'], {
    STATE_DIRECTORY: join(folder, 'state'),
    CALLPATH__status__listen: '127.0.0.1:0',
  });
  t.equal(check.code, 0, check.stdout + check.stderr);
});

t.test('a configuration that is there is replaced by --force alone, and kept beside', async (t) => {
  const config = join(folder, 'twice', 'agent.yaml');
  await setup(config, '--profile', 'zoom');
  const before = readFileSync(config, 'utf8');
  const refused = await setup(config, '--profile', 'nfon');
  t.equal(refused.code, 2);
  t.match(refused.stderr, /exists; edit it, or --force replaces it/);
  t.equal(readFileSync(config, 'utf8'), before);
  t.equal((await setup(config, '--profile', 'nfon', '--force')).code, 0);
  t.match(readFileSync(config, 'utf8'), 'nfon');
  t.equal(readFileSync(`${config}.old`, 'utf8'), before);
});

t.test('what is missing or wrong is named, and nothing is written', async (t) => {
  const config = join(folder, 'wrong', 'agent.yaml');
  const rows: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['--no-token'], /--host is missing/],
    [['--host', 'reflector.example'], /--token-file is missing; name the file, or say --no-token/],
    [['--host', 'reflector.example', '--token-file', join(folder, 'none')], /none/],
    [['--host', 'reflector.example', '--no-token', '--profile', 'zom'], /did you mean zoom|zom/],
  ];
  for (const [args, message] of rows) {
    const { code, stderr } = await probe(['setup', '--config', config, ...args]);
    t.equal(code, 2, args.join(' '));
    t.match(stderr, message);
    t.notOk(existsSync(config));
  }
});
