/** The certificate that the reflector shows: the operator's, or one of its own making. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { UserError } from '../model/user-error.js';

export interface Credentials {
  readonly cert: string;
  readonly key: string;
  /** As Node prints it: `AB:CD:…`. */
  readonly sha256: string;
}

/** Agents check the token's binding and not the certificate, so it may live long. */
const VALID_DAYS = 3650;

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
  return { cert, key, sha256: certificate.fingerprint256 };
};

/** Makes a self-signed certificate (ECDSA P-256, SHA-256). */
export const makeCredentials = async (): Promise<Credentials> => {
  const { generate } = await import('selfsigned');
  const notAfterDate = new Date(Date.now() + VALID_DAYS * 86_400_000);
  const made = await generate([{ name: 'commonName', value: 'callpath reflector' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notAfterDate,
  });
  return { cert: made.cert, key: made.private, sha256: new X509Certificate(made.cert).fingerprint256 };
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
    await writeFile(keyFile, made.key, { mode: 0o600 });
    await writeFile(certFile, made.cert, { mode: 0o644 });
  } catch (cause) {
    const { code } = cause as { code?: string };
    const advice = 'make its folder writable, or give --cert and --key';
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
