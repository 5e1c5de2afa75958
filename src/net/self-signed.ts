/** Certificates for ends that prove themselves by a token and not by who signed. */

const DAY_MS = 86_400_000;

/** A certificate and its key in PEM form: ECDSA P-256, SHA-256, valid from now on. */
export const selfSigned = async (
  commonName: string,
  days: number,
): Promise<{ readonly cert: string; readonly key: string }> => {
  const { generate } = await import('selfsigned');
  const made = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + days * DAY_MS),
  });
  return { cert: made.cert, key: made.private };
};
