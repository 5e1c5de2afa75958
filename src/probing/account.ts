/** The file with an account, and the numbers that are never called with it. */
import { readFileSync, statSync } from 'node:fs';
import * as v from 'valibot';
import { parse } from 'yaml';
import type { Account } from '../model/account.js';
import { UserError } from '../model/user-error.js';

const MAX_FILE_BYTES = 4096;
const DEFAULT_CALL_S = 10;
const MAX_CALL_S = 60;
/** Anybody else may do nothing with it. */
const OTHERS_MAY = 0o077;

const AccountSchema = v.strictObject({
  user: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.+-]{1,64}$/)),
  domain: v.pipe(v.string(), v.regex(/^[A-Za-z0-9.-]{1,253}$/)),
  password: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
  maxCallSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_CALL_S)), DEFAULT_CALL_S),
});

/** So begin the short numbers that states keep for help: 15, 17, 18, 112, 117, 911, 998 and so on; no list is complete. */
const SHORT = /^[019]\d{1,2}$/;
/** Emergency calls and directory services that cost, behind a digit for an outside line. */
const EMERGENCY =
  /^[09]?(?:15|17|18|112|911|999|000|110|111|113|115|117|118\d*|119|120|122|133|144|150|155|158|19[0-4]|197|99[78]|10[0-3]|108)$/;
/** Premium rates (0900, 900, 1-900, 0190, 09xx), and whatever leaves the country: 00 and +. */
const PREMIUM = /^[09]?(?:0?900|1900|0190|09\d\d|00|011|\+)/;

/**
 * What may be dialled in the end: a PBX takes feature codes off (`*31#112` hides the caller and calls 112). Where there is a
 * `*` or `#`, a code of two or three digits may stand before the number without anything between (`*67911`).
 */
const dialled = (callTo: string): readonly string[] => {
  const digits = callTo.replace(/[\s()._-]/g, '');
  if (!/[*#]/.test(digits)) return [digits];
  return digits.split(/[*#]+/).flatMap((part) => [part, part.slice(2), part.slice(3)]);
};

/** Why a number is never called; null for one that may be. */
export const forbidden = (callTo: string): string | null => {
  const numbers = dialled(callTo);
  if (numbers.some((one) => SHORT.test(one) || EMERGENCY.test(one))) return 'may be an emergency number';
  return numbers.some((one) => PREMIUM.test(one)) ? 'may be a premium or international number' : null;
};

const refused = (message: string, cause?: unknown): UserError => new UserError('account-unusable', message, { cause });

const textOf = (file: string): string => {
  try {
    const { size, mode } = statSync(file);
    if (size > MAX_FILE_BYTES) throw refused(`--account ${file}: too large to be an account`);
    // Windows has no such bits, and Node makes them up there.
    if (process.platform !== 'win32' && (mode & OTHERS_MAY) !== 0)
      throw refused(`--account ${file}: others can read or change it; run chmod 600 on it`);
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw refused(`--account ${file}: cannot be read (${(cause as { code?: string }).code ?? 'unknown error'})`, cause);
  }
};

/** Neither message nor cause holds anything of the file: the parser's own would quote the password. */
const yamlOf = (file: string): unknown => {
  const text = textOf(file);
  try {
    return parse(text);
  } catch {
    throw refused(`--account ${file}: is no YAML; write user, domain and password, one a line`);
  }
};

/**
 * Reads an account: user, domain, password, and if wanted maxCallSeconds (1 to 60, by default 10).
 * @throws UserError naming file and key, and nothing of what stands there
 */
export const readAccount = (file: string, callTo: string | null): Account => {
  const read = v.safeParse(AccountSchema, yamlOf(file));
  if (!read.success) {
    const key = read.issues[0].path?.[0]?.key;
    throw refused(
      `--account ${file}: ${typeof key === 'string' && key in AccountSchema.entries ? key : 'a key'} is missing, wrong or unknown; it takes user, domain, password and maxCallSeconds (1 to ${MAX_CALL_S})`,
    );
  }
  return { ...read.output, callTo };
};
