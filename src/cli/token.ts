/** The token that agent and reflector share. It comes from a file or the environment, never from the command line. */
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../model/user-error.js';
import { MIN_TOKEN_BYTES } from '../wire/keys.js';

/** A token is a line; more is a wrong file. */
const MAX_TOKEN_FILE = 4096;
/** 256 bits, as long as the keys that are derived from it. */
const NEW_TOKEN_BYTES = 32;

const check = (text: string, where: string): Uint8Array => {
  const token = Buffer.from(text.trim(), 'utf8');
  if (token.length < MIN_TOKEN_BYTES) {
    throw new UserError(
      'token-invalid',
      `${where}: the token is ${token.length} bytes long, at least ${MIN_TOKEN_BYTES} are needed`,
    );
  }
  return token;
};

const readToken = (file: string, option: string): Uint8Array => {
  try {
    if (statSync(file).size > MAX_TOKEN_FILE)
      throw new UserError('token-invalid', `${option} ${file}: too large to be a token`);
    return check(readFileSync(file, 'utf8'), `${option} ${file}`);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    const { code } = cause as { code?: string };
    throw new UserError('token-unreadable', `${option} ${file}: cannot be read (${code ?? 'unknown error'})`, {
      cause,
    });
  }
};

/**
 * The token from `--token-file`, else CALLPATH_TOKEN_FILE, else CALLPATH_TOKEN; null if none is given.
 * @throws UserError naming the source that is unreadable or too short
 */
export const findToken = (option: string | null, env: NodeJS.ProcessEnv): Uint8Array | null => {
  if (option !== null) return readToken(option, '--token-file');
  const file = env.CALLPATH_TOKEN_FILE;
  if (file) return readToken(file, 'CALLPATH_TOKEN_FILE');
  const text = env.CALLPATH_TOKEN;
  return text ? check(text, 'CALLPATH_TOKEN') : null;
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
    throw new UserError('token-unreadable', `--token-file ${file}: cannot be made (${code ?? 'unknown error'})`, {
      cause,
    });
  }
};
