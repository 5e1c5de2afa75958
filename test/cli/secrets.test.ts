/** Tokens and keys on disk: who may read them, and what a link in their place may lead to. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../src/plan/package-root.js';
import { keptCredentials } from '../../src/reflector/certificate.js';
import { commandLine, probe, run } from './command.js';

const POSIX_ONLY = { skip: process.platform === 'win32' ? 'needs modes and links of files' : false };
const PROFILE = join(packageRoot(), 'fixtures', 'profiles', 'media-only.yaml');
const EXPOSED = /--token-file .*token: others can read it \(mode 0644\); run chmod 600 on it/;

const folderOf = (t: { teardown(end: () => unknown): unknown }): string => {
  const folder = mkdtempSync(join(tmpdir(), 'callpath-secrets-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const place = server.address();
      server.close(() => resolve(typeof place === 'object' && place !== null ? place.port : 0));
    });
  });

/** A reflector that is ended as soon as it is ready; one that refuses to start ends by itself. */
const startAndEnd = async (tokenFile: string, ...more: readonly string[]) => {
  const port = String(await freePort());
  const places = ['--listen', '127.0.0.1', '--udp', port, '--tcp', port, '--control-port', port];
  const looking = new AbortController();
  const finished = run(commandLine('reflector', [...places, '--token-file', tokenFile, ...more]), {}, (kill) => {
    // It keeps its certificate beside the token before it is ready, and ends in good order from then on.
    const timer = setInterval(() => {
      if (existsSync(`${tokenFile}.cert.pem`)) kill('SIGTERM');
    }, 100);
    looking.signal.addEventListener('abort', () => clearInterval(timer));
  });
  return finished.finally(() => looking.abort());
};

t.test('a token file that others can read draws a warning, and is refused with --strict', POSIX_ONLY, async (t) => {
  const token = join(folderOf(t), 'token');
  writeFileSync(token, 'a token of sufficient length\n');
  chmodSync(token, 0o644);
  const ask = ['--target', '127.0.0.1', '--token-file', token, '--profile', PROFILE, '--dry-run'];
  const warned = await probe(ask);
  t.match(warned.stderr, EXPOSED);
  t.equal(warned.code, 0, warned.stderr);
  const refused = await probe([...ask, '--strict']);
  t.equal(refused.code, 2);
  t.match(refused.stderr, EXPOSED);
  t.equal(refused.stdout, '');
  const reflector = await startAndEnd(token, '--strict');
  t.equal(reflector.code, 2);
  t.match(reflector.stderr, EXPOSED);
  t.notOk(existsSync(`${token}.key.pem`), 'it made nothing');
  chmodSync(token, 0o600);
  t.notMatch((await probe([...ask, '--strict'])).stderr, /others can read/);
});

t.test('at the first start token and key are its own, and for nobody else', POSIX_ONLY, async (t) => {
  const token = join(folderOf(t), 'made', 'token');
  const { code, stderr } = await startAndEnd(token);
  t.ok(code === 0 || code === null, stderr);
  for (const file of [token, `${token}.key.pem`]) t.equal(statSync(file).mode & 0o777, 0o600, file);
});

t.test('a link in the place of the key, the certificate or the token leads nowhere', POSIX_ONLY, async (t) => {
  for (const [part, there] of [
    ['.key.pem', true],
    ['.key.pem', false],
    ['.cert.pem', true],
    ['.cert.pem', false],
  ] as const) {
    const folder = folderOf(t);
    const [victim, token] = [join(folder, 'victim'), join(folder, 'token')];
    if (there) writeFileSync(victim, 'of another user');
    symlinkSync(victim, `${token}${part}`);
    const name = `${part} to a file that ${there ? 'is there' : 'is not'}`;
    await t.rejects(
      keptCredentials(token),
      { message: /\(EEXIST\); remove .*, which are links or another user's/ },
      name,
    );
    if (there) t.equal(readFileSync(victim, 'utf8'), 'of another user', name);
    else t.notOk(existsSync(victim), name);
  }
  const folder = folderOf(t);
  const [victim, token] = [join(folder, 'victim'), join(folder, 'token')];
  symlinkSync(victim, token);
  const { code, stderr } = await startAndEnd(token);
  t.equal(code, 2);
  t.match(stderr, /token-file .*token: cannot be read \(ENOENT\)/);
  t.notOk(existsSync(victim));
});
