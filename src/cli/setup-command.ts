/** `probe setup`: from three answers to a configuration that the daemon starts with. */
import { existsSync, statSync } from 'node:fs';
import { chmod, chown, copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { UserError } from '../model/user-error.js';
import { listBundledProfiles, loadProfile } from '../plan/profiles.js';
import { findToken } from '../probing/token.js';
import { MIN_TOKEN_BYTES } from '../wire/keys.js';
import { judgeConfig } from './agent-config.js';
import { EXIT } from './main.js';
import { parseMistake, usage } from './options.js';

const OPTIONS = {
  host: { type: 'string' },
  'token-file': { type: 'string' },
  'no-token': { type: 'boolean' },
  profile: { type: 'string', multiple: true },
  site: { type: 'string' },
  config: { type: 'string' },
  force: { type: 'boolean' },
} as const;

const DEFAULT_PROFILE = 'business-sip';
/** The configuration is for its owner and the service's group: it names files that hold secrets. */
const FILE_MODE = 0o640;
const FOLDER_MODE = 0o750;

const parse = (argv: readonly string[]) => {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: false, strict: true }).values;
  } catch (error) {
    throw parseMistake(error, OPTIONS);
  }
};

/** Where a configuration belongs: the system's for root, else the user's (XDG Base Directory). */
const defaultConfigFile = (env: NodeJS.ProcessEnv, platform: NodeJS.Platform, uid: number | null): string => {
  if (platform === 'win32') return join(env.ProgramData ?? 'C:\\ProgramData', 'callpath', 'agent.yaml');
  if (uid === 0) return platform === 'darwin' ? '/usr/local/etc/callpath/agent.yaml' : '/etc/callpath/agent.yaml';
  return join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'callpath', 'agent.yaml');
};

interface Answers {
  readonly host: string;
  /** A file that holds the token, the token itself, or none. */
  readonly token: { readonly file: string } | { readonly text: string } | null;
  readonly profiles: readonly string[];
}

const tokenIn = (answer: string): Answers['token'] => {
  if (answer === '') return null;
  if (existsSync(answer)) return { file: answer };
  if (answer.includes('/') || answer.length < MIN_TOKEN_BYTES) {
    throw usage(
      `setup: "${answer.slice(0, 60)}" is no file, and too short for a token (${MIN_TOKEN_BYTES} characters)`,
    );
  }
  return { text: answer };
};

const listOf = (answer: string): readonly string[] => answer.split(/[\s,]+/).filter((name) => name !== '');

type Values = ReturnType<typeof parse>;

/** What is not given as an option is asked on the terminal. @returns null if the terminal ends before the answers do */
const ask = async (values: Values, names: readonly string[]): Promise<Answers | null> => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  // Read as a stream: an answer that is typed or pasted ahead of its question counts.
  const lines = terminal[Symbol.asyncIterator]();
  const question = async (text: string): Promise<string | null> => {
    process.stderr.write(text);
    const { value, done } = await lines.next();
    return done === true ? null : value.trim();
  };
  try {
    const host = values.host ?? (await question('1. Host to probe (a callpath reflector, or a carrier or PBX): '));
    if (host === null) return null;
    if (host === '') throw usage('setup: no host was named; nothing is written');
    let token: Answers['token'] = values['token-file'] === undefined ? null : { file: values['token-file'] };
    if (token === null && values['no-token'] !== true) {
      const answer = await question("2. The reflector's token, or the file that holds it (empty: none): ");
      if (answer === null) return null;
      token = tokenIn(answer);
    }
    if (values.profile !== undefined) return { host, token, profiles: values.profile };
    process.stderr.write(`   Profiles: ${names.join(', ')}\n`);
    const answer = await question(`3. What phones use here, separated by blanks (empty: ${DEFAULT_PROFILE}): `);
    if (answer === null) return null;
    const profiles = listOf(answer);
    return { host, token, profiles: profiles.length > 0 ? profiles : [DEFAULT_PROFILE] };
  } finally {
    terminal.close();
  }
};

const fromOptions = (values: Values): Answers => {
  if (values.host === undefined) throw usage('setup: --host is missing; name the host to probe');
  if (values['token-file'] === undefined && values['no-token'] !== true) {
    throw usage('setup: --token-file is missing; name the file, or say --no-token');
  }
  const token = values['token-file'] === undefined ? null : { file: values['token-file'] };
  return { host: values.host, token, profiles: values.profile ?? [DEFAULT_PROFILE] };
};

/** The group of the service, where its package or its administrator made one. */
const serviceGroup = async (): Promise<number | null> => {
  const text = await readFile('/etc/group', 'utf8').catch(() => '');
  const gid = /^callpath:[^:]*:(\d+):/m.exec(text)?.[1];
  return gid === undefined ? null : Number(gid);
};

/** Writes beside and renames, so that a daemon that starts meanwhile reads one or the other whole. */
const put = async (file: string, text: string, gid: number | null): Promise<void> => {
  const beside = `${file}.new`;
  await writeFile(beside, text, { mode: FILE_MODE, flush: true });
  await chmod(beside, FILE_MODE);
  if (gid !== null && process.getuid?.() === 0) await chown(beside, 0, gid);
  await rename(beside, file);
};

const configText = ({ host, profiles }: Answers, tokenFile: string | null, site: string | undefined): string =>
  `# Written by "callpath setup". docs/deploy-agent.md has every key; "callpath daemon --check" judges a change.\n${stringify(
    {
      ...(site !== undefined && { agent: { name: site } }),
      targets: [
        {
          host,
          ...(tokenFile !== null && { tokenFile }),
          profiles,
          schedules: [
            { kind: 'light', every: '1m' },
            { kind: 'sweep', every: '1h' },
          ],
        },
      ],
      status: {},
    },
  )}`;

const nextSteps = (file: string): string => {
  const unit = ['/lib/systemd/system', '/etc/systemd/system'].some((folder) =>
    existsSync(join(folder, 'callpath-agent.service')),
  );
  const start =
    unit && file === '/etc/callpath/agent.yaml'
      ? 'systemctl enable --now callpath-agent'
      : `callpath daemon --config ${file}`;
  return `Next:\n  ${start}\n  callpath health --config ${file}\nThe status page is at http://127.0.0.1:9893/\n`;
};

/** Token and configuration, judged before it takes its place. @returns what is wrong with it, or null */
const write = async (
  file: string,
  answers: Answers,
  values: Values,
  env: NodeJS.ProcessEnv,
): Promise<string | null> => {
  const folder = dirname(file);
  const isNew = !existsSync(folder);
  const gid = await serviceGroup();
  try {
    await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    if (isNew && gid !== null && process.getuid?.() === 0) await chown(folder, 0, gid);
    const tokenFile = join(folder, 'token');
    if (answers.token !== null) {
      const same = 'file' in answers.token && resolve(answers.token.file) === tokenFile;
      const text = 'file' in answers.token ? await readFile(answers.token.file, 'utf8') : `${answers.token.text}\n`;
      if (!same && existsSync(tokenFile) && values.force !== true) {
        throw usage(`setup: ${tokenFile} exists; name it with --token-file, or --force replaces it`);
      }
      if (!same) await put(tokenFile, text, gid);
    }
    const text = configText(answers, answers.token === null ? null : 'token', values.site);
    const trial = `${file}.trial`;
    await put(trial, text, gid);
    const reading = await judgeConfig(trial, env);
    if (!reading.ok) {
      await rename(trial, `${file}.rejected`);
      return reading.lines.map((line) => line.replaceAll(trial, `${file}.rejected`)).join('\n');
    }
    if (existsSync(file)) {
      await copyFile(file, `${file}.old`);
      await chmod(`${file}.old`, statSync(file).mode & 0o777);
    }
    await rename(trial, file);
    return null;
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const mend = code === 'EACCES' ? '; run it as root, or name a file of your own with --config' : '';
    throw new UserError('output-unwritable', `setup: ${file} cannot be written (${code})${mend}`, { cause });
  }
};

/** @throws UserError naming the option or the answer that does not do */
export const setupCommand = async (argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> => {
  const values = parse(argv);
  const uid = process.getuid?.() ?? null;
  const file = resolve(values.config ?? defaultConfigFile(env, process.platform, uid));
  if (existsSync(file) && values.force !== true) {
    throw usage(`setup: ${file} exists; edit it, or --force replaces it and keeps it as ${file}.old`);
  }
  const names = (await listBundledProfiles()).map(({ name }) => name);
  const answers = process.stdin.isTTY === true ? await ask(values, names) : fromOptions(values);
  if (answers === null) {
    process.stderr.write('\nsetup: ended before the last answer; nothing is written\n');
    return EXIT.interrupted;
  }
  if (answers.token !== null && 'file' in answers.token) findToken(answers.token.file, {});
  for (const profile of answers.profiles) await loadProfile(profile);
  const mistakes = await write(file, answers, values, env);
  if (mistakes !== null) {
    process.stderr.write(`${mistakes}\n`);
    return EXIT.usage;
  }
  process.stdout.write(`${file} is written.\n${nextSteps(file)}`);
  return EXIT.ok;
};
