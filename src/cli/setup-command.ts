/** `probe setup`: from three answers to a configuration that the daemon starts with. */
import { existsSync, statSync } from 'node:fs';
import { chmod, chown, copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { UserError } from '../model/user-error.js';
import { listBundledProfiles, loadProfile } from '../plan/profiles.js';
import { findToken } from '../probing/token.js';
import { MIN_TOKEN_BYTES } from '../wire/keys.js';
import { judgeConfig } from './agent-config.js';
import { EXIT } from './main.js';
import { parseMistake, usage } from './options.js';
import { askAll, type Question } from './setup-questions.js';

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

interface Places {
  readonly config: string;
  /** Where the service keeps its state; null for an agent of a user, which finds its own. */
  readonly state: string | null;
}

/** Where configuration and state belong: the system's places for root, else the user's (XDG Base Directory). */
const defaultPlaces = (env: NodeJS.ProcessEnv, platform: NodeJS.Platform, uid: number | null): Places => {
  if (platform === 'win32') {
    const folder = join(env.ProgramData ?? 'C:\\ProgramData', 'callpath');
    return { config: join(folder, 'agent.yaml'), state: join(folder, 'state') };
  }
  if (uid !== 0) {
    return { config: join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'callpath', 'agent.yaml'), state: null };
  }
  return platform === 'darwin'
    ? { config: '/usr/local/etc/callpath/agent.yaml', state: '/usr/local/var/callpath' }
    : { config: '/etc/callpath/agent.yaml', state: '/var/lib/callpath' };
};

interface Answers {
  readonly host: string;
  /** A file that holds the token, the token itself, or none. */
  readonly token: { readonly file: string } | { readonly text: string } | null;
  readonly profiles: readonly string[];
}

/** @returns what is wrong with an answer about the token, in words that hold nothing of it; null if nothing is */
const tokenMistake = (answer: string): string | null =>
  answer === '' || existsSync(answer) || (!answer.includes('/') && answer.length >= MIN_TOKEN_BYTES)
    ? null
    : `that is no file, and too short for a token (${MIN_TOKEN_BYTES} characters)`;

const tokenIn = (answer: string): Answers['token'] => {
  if (answer === '') return null;
  return existsSync(answer) ? { file: answer } : { text: answer };
};

const listOf = (answer: string): readonly string[] => answer.split(/[\s,]+/).filter((name) => name !== '');

type Values = ReturnType<typeof parse>;

const HOST: Question = {
  text: '1. Host to probe (a callpath reflector, or a carrier or PBX): ',
  secret: false,
  judge: (answer) => (answer === '' ? 'name a host; Ctrl-C ends and writes nothing' : null),
};

const TOKEN: Question = {
  text: "2. The reflector's token, or the file that holds it (not shown; empty: none): ",
  secret: true,
  judge: tokenMistake,
};

const profilesQuestion = (bundled: readonly string[]): Question => ({
  text: `   Profiles: ${bundled.join(', ')}\n3. What phones use here, separated by blanks (empty: ${DEFAULT_PROFILE}): `,
  secret: false,
  judge: (answer) => {
    const unknown = listOf(answer).find((name) => !bundled.includes(name) && !existsSync(name));
    return unknown === undefined ? null : `"${unknown}" is no profile and no file`;
  },
});

/** Asks on the terminal for what is not given as an option. @returns null if the terminal ends before the answers do */
const ask = async (values: Values, bundled: readonly string[]): Promise<Answers | null> => {
  const { host, profile } = values;
  const file = values['token-file'];
  const asksToken = file === undefined && values['no-token'] !== true;
  const profiles = profilesQuestion(bundled);
  const questions = [
    ...(host === undefined ? [HOST] : []),
    ...(asksToken ? [TOKEN] : []),
    ...(profile === undefined ? [profiles] : []),
  ];
  const answers = await askAll(questions);
  if (answers === null) return null;
  const answerTo = (question: Question): string => answers[questions.indexOf(question)] ?? '';
  const named = listOf(answerTo(profiles));
  return {
    host: host ?? answerTo(HOST),
    token: file === undefined ? tokenIn(answerTo(TOKEN)) : { file },
    profiles: profile ?? (named.length > 0 ? named : [DEFAULT_PROFILE]),
  };
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

interface Agent {
  readonly name?: string;
  readonly stateDirectory?: string;
}

const configText = ({ host, profiles }: Answers, tokenFile: string | null, agent: Agent): string =>
  `# Written by "callpath setup". docs/deploy-agent.md has every key; "callpath daemon --check" judges a change.\n${stringify(
    {
      ...(Object.keys(agent).length > 0 && { agent }),
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

const nextSteps = (file: string, isNew: boolean): string => {
  const unit = ['/usr/lib/systemd/system', '/lib/systemd/system', '/etc/systemd/system'].some((folder) =>
    existsSync(join(folder, 'callpath-agent.service')),
  );
  const service = isNew ? 'systemctl enable --now callpath-agent' : 'systemctl restart callpath-agent';
  const start = unit && file === '/etc/callpath/agent.yaml' ? service : `callpath daemon --config ${file}`;
  return `Next:\n  ${start}\n  callpath health --config ${file}\nThe status page is at http://127.0.0.1:9893/\n`;
};

/** Token and configuration, judged before it takes its place. @returns what is wrong with it, or null */
const write = async (
  { config: file, state }: Places,
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
    const text = configText(answers, answers.token === null ? null : 'token', {
      ...(values.site !== undefined && { name: values.site }),
      // In the file and not in the unit alone: "callpath health" looks there, too.
      ...(state !== null && { stateDirectory: state }),
    });
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
  const places = defaultPlaces(env, process.platform, process.getuid?.() ?? null);
  const file = resolve(values.config ?? places.config);
  const isNew = !existsSync(file);
  if (!isNew && values.force !== true) {
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
  // A configuration elsewhere is for an agent of its own.
  const mistakes = await write(
    { config: file, state: file === places.config ? places.state : null },
    answers,
    values,
    env,
  );
  if (mistakes !== null) {
    process.stderr.write(`${mistakes}\n`);
    return EXIT.usage;
  }
  process.stdout.write(`${file} is written.\n${nextSteps(file, isNew)}`);
  return EXIT.ok;
};
