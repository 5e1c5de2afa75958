/** `otlp`: metrics and logs to an OpenTelemetry collector over OTLP/HTTP in JSON, gzipped unless told otherwise. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import * as v from 'valibot';
import { map, oneOf } from '../../model/schema-words.js';
import { printable } from '../../wire/printable.js';
import type { Delivery, Exporter } from './contract.js';
import type { ExporterDeps } from './deps.js';
import { createPoster, type Poster } from './http-post.js';
import { createLatest } from './latest.js';
import { encodeLogs, encodeMetrics } from './otlp-encode.js';
import { Flag, Headers, readSecret, readTls, Text, TlsFiles, url } from './settings.js';

const compress = promisify(gzip);

export const configSchema = map({
  /** `/v1/metrics` and `/v1/logs` are added, as OTEL_EXPORTER_OTLP_ENDPOINT has it. */
  endpoint: v.optional(url('https', 'http'), 'http://127.0.0.1:4318'),
  metrics: v.optional(Flag, true),
  logs: v.optional(Flag, true),
  compression: v.optional(oneOf(['gzip', 'none']), 'gzip'),
  headers: v.optional(Headers, {}),
  /** A bearer token. */
  tokenFile: v.exactOptional(Text),
  ...TlsFiles,
});
type Config = v.InferOutput<typeof configSchema>;

const MAX_WORDS = 120;

/** What a collector kept out although it answered 200; it must not be sent again (OTLP, "Partial Success"). */
const rejectedOf = (body: string): { readonly count: string; readonly why: string } | null => {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    // An empty answer, or protobuf: nothing that says that anything was rejected.
    return null;
  }
  const partial = (answer as { partialSuccess?: Readonly<Record<string, unknown>> } | null)?.partialSuccess;
  if (typeof partial !== 'object' || partial === null) return null;
  const count = String(partial.rejectedDataPoints ?? partial.rejectedLogRecords ?? '0');
  if (!/^[1-9]\d{0,18}$/.test(count)) return null;
  return { count, why: printable(String(partial.errorMessage ?? ''), MAX_WORDS) };
};

export const create = async (config: Config, deps: ExporterDeps): Promise<Exporter> => {
  const { name, log, now } = deps;
  const { agentId, hostname, version, labels } = deps;
  const resource = { agentId, hostname, version, labels };
  const latest = createLatest(deps.staleAfterMs);
  const token = config.tokenFile === undefined ? null : await readSecret(config.tokenFile, deps);
  const tls = await readTls(config, deps);
  const posterFor = (path: string): Poster => {
    const target = new URL(config.endpoint);
    target.pathname = `${target.pathname.replace(/\/+$/, '')}${path}`;
    return createPoster(target, tls, now, deps.httpDeadlines);
  };
  const posters = { metrics: posterFor('/v1/metrics'), logs: posterFor('/v1/logs') };
  const headers = {
    'user-agent': `callpath/${deps.version}`,
    ...Object.fromEntries(Object.entries(config.headers).map(([header, value]) => [header.toLowerCase(), value])),
    'content-type': 'application/json',
    ...(config.compression === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };

  const post = async (
    signalType: keyof typeof posters,
    message: object | null,
    signal: AbortSignal,
  ): Promise<Delivery> => {
    if (message === null) return { outcome: 'delivered' };
    const json = Buffer.from(JSON.stringify(message));
    const body = config.compression === 'gzip' ? await compress(json) : json;
    const posted = await posters[signalType].post(body, headers, signal);
    if (!posted.ok) return posted.delivery;
    const rejected = rejectedOf(posted.answer.body);
    if (rejected !== null) log.warn({ exporter: name, of: signalType, ...rejected }, 'the collector kept out a part');
    return { outcome: 'delivered' };
  };

  return {
    name,
    remember: latest.take,
    // A repetition after half of it was taken does no harm: points have their own time, and logs their id.
    deliver: async (records, signal) => {
      const metrics = await post('metrics', config.metrics ? encodeMetrics(records, resource, latest) : null, signal);
      if (metrics.outcome === 'retry') return metrics;
      // A collector that has no use for metrics may want logs all the same.
      const logs = await post('logs', config.logs ? encodeLogs(records, resource, now()) : null, signal);
      return logs.outcome === 'delivered' ? metrics : logs;
    },
    close: async () => {
      posters.metrics.close();
      posters.logs.close();
    },
  };
};
