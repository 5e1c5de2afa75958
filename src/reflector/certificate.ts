/** The certificate that the reflector shows: the operator's, or one of its own making. */
import { createPrivateKey, constants as cryptoConstants, X509Certificate } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { lstat, open, readFile, unlink } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { UserError } from '../model/user-error.js';
import { selfSigned } from '../net/self-signed.js';

export interface Credentials {
  readonly cert: string;
  readonly key: string;
  /** As Node prints it: `AB:CD:…`. */
  readonly sha256: string;
}

/** Agents check the token's binding and not the certificate, so it may live long. */
const VALID_DAYS = 3650;

/**
 * What connections are served with. Nobody needs a second handshake on one connection, and each costs as much as dozens of answers
 * (RFC 9325 §3.5). @throws OpenSSL's error for what it finds too weak or does not know
 */
export const secureContextOf = ({ cert, key }: Pick<Credentials, 'cert' | 'key'>): SecureContext =>
  createSecureContext({ cert, key, minVersion: 'TLSv1.2', secureOptions: cryptoConstants.SSL_OP_NO_RENEGOTIATION });

/** Reads a certificate and its key. @throws UserError naming the file that is wrong */
export const readCredentials = async (certFile: string, keyFile: string): Promise<Credentials> => {
  const read = async (file: string, option: string): Promise<string> =>
    readFile(file, 'utf8').catch((cause: unknown) => {
      throw new UserError('usage', `${option} ${file}: cannot be read (${(cause as { code?: string }).code})`, {
        cause,
      });
    });
  const [cert, key] = await Promise.all([read(certFile, '--cert'), read(keyFile, '--key')]);
  const parse = <T>(read: () => T, what: string): T => {
    try {
      return read();
    } catch (cause) {
      throw new UserError('usage', what, { cause });
    }
  };
  const certificate = parse(() => new X509Certificate(cert), `--cert ${certFile}: not a certificate in PEM form`);
  const secret = parse(() => createPrivateKey(key), `--key ${keyFile}: not a private key in PEM form`);
  if (!certificate.checkPrivateKey(secret))
    throw new UserError('usage', `--key ${keyFile}: not the key of the certificate ${certFile}`);
  // OpenSSL reads more than it serves: an RSA key of 512 bits, for instance.
  try {
    secureContextOf({ cert, key });
  } catch (cause) {
    const { reason, message } = cause as { reason?: string; message: string };
    throw new UserError('usage', `--cert ${certFile}: OpenSSL refuses it (${reason ?? message}); make a stronger one`, {
      cause,
    });
  }
  return { cert, key, sha256: certificate.fingerprint256 };
};

/** Makes a self-signed certificate. */
export const makeCredentials = async (): Promise<Credentials> => {
  const { cert, key } = await selfSigned('callpath reflector', VALID_DAYS);
  return { cert, key, sha256: new X509Certificate(cert).fingerprint256 };
};

/** Makes a file that is nobody else's: never through a link, and never over what is there. */
const writeOwn = async (file: string, text: string, mode: number): Promise<void> => {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(file, flags, mode);
  try {
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
};

/** A start that was interrupted leaves half of the pair: a plain file of ours, which is made anew. */
const removeHalf = async (file: string): Promise<void> => {
  const there = await lstat(file).catch(() => null);
  if (there?.isFile() && (process.getuid === undefined || there.uid === process.getuid())) await unlink(file);
};

/**
 * The credentials kept beside the token file, made at the first start, so that the certificate stays the same from one
 * start to the next.
 */
export const keptCredentials = async (tokenFile: string): Promise<Credentials> => {
  const certFile = `${tokenFile}.cert.pem`;
  const keyFile = `${tokenFile}.key.pem`;
  if (existsSync(certFile) && existsSync(keyFile)) return readCredentials(certFile, keyFile);
  const made = await makeCredentials();
  try {
    for (const file of [keyFile, certFile]) await removeHalf(file);
    await writeOwn(keyFile, made.key, 0o600);
    await writeOwn(certFile, made.cert, 0o644);
  } catch (cause) {
    const { code } = cause as { code?: string };
    const advice =
      code === 'EEXIST'
        ? `remove ${keyFile} and ${certFile}, which are links or another user's`
        : 'make its folder writable, or give --cert and --key';
    throw new UserError(
      'usage',
      `--token-file ${tokenFile}: no certificate can be kept beside it (${code}); ${advice}`,
      {
        cause,
      },
    );
  }
  return made;
};
