/** The agent's log: JSON lines on stderr, in which no secret is readable. */
import pino, { type Logger } from 'pino';

/** Keys whose values are never written, at any depth that our own log lines have. */
const SECRET_KEYS = ['token', 'password', 'secret', 'authorization'].flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

/** A shorter text is no secret, and would tear words apart wherever it happens to stand. */
const SHORTEST_SECRET = 8;

/**
 * A logger that replaces every one of `secrets` wherever it turns up, be it in an error message of a library's.
 * @param secrets looked at for each line, so that later ones count as well
 */
export const createLog = (level: string, secrets: () => readonly string[]): Logger =>
  pino(
    {
      name: 'probe',
      base: null,
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_KEYS, censor: '[redacted]' },
      hooks: {
        streamWrite: (line) =>
          secrets().reduce(
            (text, secret) => (secret.length < SHORTEST_SECRET ? text : text.replaceAll(secret, '[redacted]')),
            line,
          ),
      },
    },
    pino.destination({ dest: 2, sync: true }),
  );
