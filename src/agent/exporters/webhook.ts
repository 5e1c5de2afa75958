/**
 * `webhook`: records as JSON to a URL. With a secret each request is signed as Standard Webhooks 1.0 describes it
 * (`webhook-id`, `webhook-timestamp`, `webhook-signature`), for which receivers find a library in every language.
 */
import { createHash, createHmac } from 'node:crypto';
import * as v from 'valibot';
import { map } from '../../model/schema-words.js';
import { UserError } from '../../model/user-error.js';
import type { Exporter, SpoolRecord } from './contract.js';
import type { ExporterDeps } from './deps.js';
import { createPoster } from './http-post.js';
import { labelled } from './labels.js';
import { Headers, readSecret, readTls, Text, TlsFiles, url } from './settings.js';

export const configSchema = map({
  url: url('https', 'http'),
  /** One line: `whsec_` and Base64 as Standard Webhooks has it, or any text of 16 characters or more. */
  secretFile: v.exactOptional(Text),
  /** A bearer token (RFC 6750), for receivers that want one. */
  tokenFile: v.exactOptional(Text),
  headers: v.optional(Headers, {}),
  ...TlsFiles,
});
type Config = v.InferOutput<typeof configSchema>;

/** The version in front of a symmetric signature. */
const SIGNATURE_VERSION = 'v1';
const SECRET_PREFIX = 'whsec_';

/** Standard Webhooks: what follows the prefix is Base64 of the key; without the prefix the text is the key itself. */
const signingKey = (secret: string): Buffer =>
  secret.startsWith(SECRET_PREFIX) ? Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64') : Buffer.from(secret);

/** The signature over id, time in seconds, and body. */
export const sign = (key: Uint8Array, id: string, seconds: number, body: Uint8Array): string =>
  `${SIGNATURE_VERSION},${createHmac('sha256', key).update(`${id}.${seconds}.`).update(body).digest('base64')}`;

/**
 * The same records have the same id, so that a receiver may drop a request that it has taken already: the record's own
 * if there is one, else a digest of all.
 */
const batchId = (records: readonly SpoolRecord[]): string => {
  const [only] = records;
  if (records.length === 1 && only) return only.id;
  const digest = createHash('sha256').update(records.map(({ id }) => id).join('\n'));
  return `batch-${digest.digest('hex').slice(0, 32)}`;
};

export const create = async (config: Config, deps: ExporterDeps): Promise<Exporter> => {
  const { name, now } = deps;
  const key = config.secretFile === undefined ? null : signingKey(await readSecret(config.secretFile, deps));
  if (key !== null && key.length < 16)
    throw new UserError('token-invalid', `exporter ${name}: the key in ${config.secretFile} is shorter than 16 bytes`);
  const token = config.tokenFile === undefined ? null : await readSecret(config.tokenFile, deps);
  const poster = createPoster(new URL(config.url), await readTls(config, deps), now, deps.httpDeadlines);
  return {
    name,
    deliver: async (records, signal) => {
      const body = Buffer.from(
        JSON.stringify({
          ...{ schema: 'callpath.records/1', agent: deps.agentId, labels: deps.labels },
          records: records.map((record) => labelled(record, deps.labels)),
        }),
      );
      const id = batchId(records);
      const seconds = Math.floor(now() / 1000);
      const posted = await poster.post(
        body,
        {
          'user-agent': `callpath/${deps.version}`,
          ...Object.fromEntries(Object.entries(config.headers).map(([header, value]) => [header.toLowerCase(), value])),
          'content-type': 'application/json',
          'idempotency-key': id,
          'webhook-id': id,
          'webhook-timestamp': String(seconds),
          ...(key === null ? {} : { 'webhook-signature': sign(key, id, seconds, body) }),
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        signal,
      );
      return posted.ok ? { outcome: 'delivered' } : posted.delivery;
    },
    close: async () => poster.close(),
  };
};
