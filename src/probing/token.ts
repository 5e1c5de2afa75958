/**
 * The tokens that agents and reflector share. They come from a file or the environment, never from the command line. A
 * file holds one token a line, each with a name before it if there are several: `acme-berlin 7Qm…`. Lines that begin with `#`
 * are comments.
 */

import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { NamedToken } from '../model/token.js';
import { UserError } from '../model/user-error.js';
import { keyIdOf, MIN_TOKEN_BYTES } from '../wire/keys.js';
import { writeTrouble } from '../words/files.js';

/** Some thousand customers; more is a wrong file. */
const MAX_TOKEN_FILE = 256 * 1024;
/** A token is a line that a person can copy. */
const MAX_TOKEN_BYTES = 1024;
/** 256 bits, as long as the keys that are derived from it. */
const NEW_TOKEN_BYTES = 32;
/** Names stand in metrics and logs. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** What a token is called that has no name of its own. */
const DEFAULT_NAME = 'default';

const invalid = (message: string): UserError => new UserError('token-invalid', message);

const check = (text: string, where: string): Uint8Array => {
  const token = Buffer.from(text, 'utf8');
  if (token.length < MIN_TOKEN_BYTES) {
    throw invalid(`${where}: the token is ${token.length} bytes long, at least ${MIN_TOKEN_BYTES} are needed`);
  }
  if (token.length > MAX_TOKEN_BYTES) throw invalid(`${where}: too large to be a token`);
  return token;
};

/** A name and a token, or a token alone; what is neither a name nor two words is a token with blanks in it. */
const parseLine = (line: string, where: string): NamedToken => {
  const [, name, rest] = /^(\S+)\s+(\S+)$/.exec(line) ?? [];
  return name !== undefined && rest !== undefined && NAME.test(name)
    ? { name, token: check(rest, `${where}: ${name}`) }
    : { name: DEFAULT_NAME, token: check(line, where) };
};

/** @throws UserError naming the line of a token that is too short, or that has another's name or bytes */
const parseTokens = (text: string, where: string): readonly NamedToken[] => {
  const names = new Set<string>();
  const keyIds = new Set<number>();
  return text.split('\n').flatMap((raw, index): NamedToken[] => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return [];
    const at = `${where}:${index + 1}`;
    const one = parseLine(line, at);
    if (names.has(one.name))
      throw invalid(`${at}: there is a token called ${one.name} already; give each its own name`);
    // The reflector finds a token by this; two equal ones among a thousand are a copy, or one chance in ten thousand.
    if (keyIds.has(keyIdOf(one.token))) throw invalid(`${at}: the same token stands above; every name needs its own`);
    names.add(one.name);
    keyIds.add(keyIdOf(one.token));
    return [one];
  });
};

/**
 * All tokens of a file.
 * @param option what the user gave it by
 * @throws UserError naming file and line
 */
const readTokens = (file: string, option: string): readonly NamedToken[] => {
  try {
    if (statSync(file).size > MAX_TOKEN_FILE) throw invalid(`${option} ${file}: too large to be a token file`);
    const tokens = parseTokens(readFileSync(file, 'utf8'), `${option} ${file}`);
    if (tokens.length === 0) throw invalid(`${option} ${file}: no token in it`);
    return tokens;
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    const { code } = cause as { code?: string };
    const mend = MENDS.get(code ?? '') ?? '';
    throw new UserError('token-unreadable', `${option} ${file}: cannot be read (${code ?? 'unknown error'})${mend}`, {
      cause,
    });
  }
};

/** What helps against an error of the system, as the end of its line. */
const MENDS: ReadonlyMap<string, string> = new Map([
  ['EACCES', '; run this as its owner, or let its group read it: chgrp GROUP and chmod 640'],
  ['ENOENT', '; copy the file that the reflector made'],
  ['EISDIR', '; name the file, not its folder'],
]);

/** Group and others; what they may do with a token is all that its owner may. */
const OTHERS_READ = 0o044;

/** What is wrong with a token file that others can read, and the way out; null where nothing is. */
const exposedFile = (file: string): string | null => {
  // Windows has no such bits, and Node makes them up there.
  if (process.platform === 'win32') return null;
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & OTHERS_READ) === 0) return null;
  return `--token-file ${file}: others can read it (mode ${(mode & 0o777).toString(8).padStart(4, '0')}); run chmod 600 on it`;
};

/** The same of a file that may not be there. @throws UserError where a warning is not enough */
export const exposure = (file: string | null | undefined, strict: boolean): string | null => {
  const exposed = file ? exposedFile(file) : null;
  if (exposed !== null && strict) throw invalid(exposed);
  return exposed;
};

const only = (tokens: readonly NamedToken[], where: string): Uint8Array => {
  const [first, second] = tokens;
  if (!first || second)
    throw invalid(`${where}: holds ${tokens.length} tokens, an agent needs a file with its own one`);
  return first.token;
};

/**
 * An agent's token from `--token-file`, else CALLPATH_TOKEN_FILE, else CALLPATH_TOKEN; null if none is given.
 * @throws UserError naming the source that is unreadable or too short
 */
export const findToken = (option: string | null, env: NodeJS.ProcessEnv): Uint8Array | null => {
  if (option !== null) return only(readTokens(option, '--token-file'), `--token-file ${option}`);
  const file = env.CALLPATH_TOKEN_FILE;
  if (file) return only(readTokens(file, 'CALLPATH_TOKEN_FILE'), `CALLPATH_TOKEN_FILE ${file}`);
  const text = env.CALLPATH_TOKEN?.trim();
  return text ? check(text, 'CALLPATH_TOKEN') : null;
};

/** The same for a reflector, which may know several. */
export const findTokens = (option: string | null, env: NodeJS.ProcessEnv): readonly NamedToken[] => {
  if (option !== null) return readTokens(option, '--token-file');
  if (env.CALLPATH_TOKEN_FILE) return readTokens(env.CALLPATH_TOKEN_FILE, 'CALLPATH_TOKEN_FILE');
  const token = findToken(null, env);
  return token ? [{ name: DEFAULT_NAME, token }] : [];
};

/** Makes a token file with mode 0600, unless it exists already; returns whether it was made. */
export const makeTokenFile = async (file: string): Promise<boolean> => {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(`${randomBytes(NEW_TOKEN_BYTES).toString('base64url')}\n`);
    await handle.close();
    return true;
  } catch (cause) {
    const { code } = cause as { code?: string };
    if (code === 'EEXIST') return false;
    throw new UserError('token-unreadable', `--token-file ${file}: cannot be made${writeTrouble(cause)}`, {
      cause,
    });
  }
};
