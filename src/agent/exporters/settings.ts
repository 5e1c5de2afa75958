/** The kinds of values that several exporters' configurations share. */
import * as v from 'valibot';
import { use } from '../../model/schema-words.js';
import { UserError } from '../../model/user-error.js';
import type { ExporterDeps } from './deps.js';

const MAX_TEXT = 1024;

/** One line of text without control characters. */
export const Text = v.pipe(
  v.string(use('one line of text')),
  v.nonEmpty(use('one line of text')),
  v.maxLength(MAX_TEXT, use('one line of text')),
  v.regex(/^\P{Cc}*$/u, use('one line of text')),
);

export const Flag = v.boolean(use('true or false'));

export const whole = (least: number, most: number) => {
  const fix = use(`a whole number from ${least} to ${most}`);
  return v.pipe(v.number(fix), v.integer(fix), v.minValue(least, fix), v.maxValue(most, fix));
};

const parsed = (text: string): URL | null => (URL.canParse(text) ? new URL(text) : null);

/** A URL of these schemes, without user and password: those lie in files. */
export const url = (...schemes: readonly string[]) =>
  v.pipe(
    Text,
    v.check(
      (text) => {
        const { protocol, username, password, hash } = parsed(text) ?? {};
        return schemes.includes((protocol ?? '').slice(0, -1)) && `${username}${password}${hash}` === '';
      },
      use(
        `a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}, without user, password and #`,
      ),
    ),
  );

const HOST_AND_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/;

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `host:port` or `[IPv6]:port`. Port 0 is for listeners that take any. */
export const Endpoint = v.pipe(
  Text,
  v.check((text) => Number(HOST_AND_PORT.exec(text)?.[3] ?? 65_536) <= 65_535, use('host:port or [IPv6]:port')),
  v.transform((text): Endpoint => {
    const match = HOST_AND_PORT.exec(text);
    return { host: match?.[1] ?? match?.[2] ?? '', port: Number(match?.[3]) };
  }),
);

/** HTTP field names are tokens (RFC 9110 §5.1); values are visible ASCII, so that none can begin another field. */
export const Headers = v.record(
  v.pipe(v.string(), v.regex(/^[\w!#$%&'*+.^`|~-]{1,128}$/, use('an HTTP header name'))),
  v.pipe(v.string(use('text')), v.regex(/^[\x20-\x7e]{0,4096}$/, use('printable ASCII'))),
  use('a map of HTTP headers'),
);

/** How a client meets a TLS server; all of it in files, PEM. */
export const TlsFiles = {
  /** Trusted instead of the system's authorities. */
  caFile: v.exactOptional(Text),
  /** With `keyFile`: who this agent is. */
  certFile: v.exactOptional(Text),
  keyFile: v.exactOptional(Text),
};

export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Reads what the configuration names. @throws UserError also if only one of certificate and key is there */
export const readTls = async (
  files: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string },
  { name, readFile }: Pick<ExporterDeps, 'name' | 'readFile'>,
): Promise<TlsMaterial> => {
  const { caFile, certFile, keyFile } = files;
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new UserError('usage', `exporter ${name}: certFile and keyFile belong together; set both or none`);
  return {
    ...(caFile === undefined ? {} : { ca: await readFile(caFile) }),
    ...(certFile === undefined ? {} : { cert: await readFile(certFile) }),
    ...(keyFile === undefined ? {} : { key: await readFile(keyFile) }),
  };
};

/** Shorter ones can be guessed. */
const MIN_SECRET_LENGTH = 16;

/** A secret on one line; the line's end is not part of it. @throws UserError if it is too short to be one */
export const readSecret = async (
  file: string,
  { name, readFile }: Pick<ExporterDeps, 'name' | 'readFile'>,
): Promise<string> => {
  const secret = (await readFile(file)).toString('utf8').trim();
  if (secret.length < MIN_SECRET_LENGTH || /\p{Cc}/u.test(secret))
    throw new UserError(
      'token-invalid',
      `exporter ${name}: ${file} must hold one line of at least ${MIN_SECRET_LENGTH} characters`,
    );
  return secret;
};
