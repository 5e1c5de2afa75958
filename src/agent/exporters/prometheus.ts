/**
 * `prometheus`: `/metrics` with the newest report of every target, and `/probe?target=…&module=…` for who would rather
 * have Prometheus decide when to probe.
 */
import * as v from 'valibot';
import { list, map } from '../../model/schema-words.js';
import { UserError } from '../../model/user-error.js';
import { renderTargets } from '../../report/prometheus.js';
import { type Page, plain, serve } from '../http/serve.js';
import { renderAgent } from '../metrics/agent-families.js';
import { createOnDemand, isCrossSite, scrapeTimeoutMs } from '../metrics/on-demand.js';
import type { Exporter } from './contract.js';
import type { ExporterDeps } from './deps.js';
import { createLatest } from './latest.js';
import { Endpoint, readSecret, readTls, Text, whole } from './settings.js';

/** Where it is asked if nothing is said: on this host alone. */
export const DEFAULT_LISTEN = '127.0.0.1:9892';

export const configSchema = map({
  listen: v.optional(Endpoint, DEFAULT_LISTEN),
  /** Names besides addresses under which it may be asked. */
  hosts: v.optional(list(Text), []),
  /** Bearer token or basic password; needed to listen elsewhere than on loopback. */
  secretFile: v.exactOptional(Text),
  certFile: v.exactOptional(Text),
  keyFile: v.exactOptional(Text),
  /** Probes on demand at a time; 0 turns `/probe` off. */
  probes: v.optional(whole(0, 16), 1),
});
type Config = v.InferOutput<typeof configSchema>;

const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
/** Scrapes that wait for their turn. */
const MAX_WAITING = 32;

/** RFC 9110 §11.4 leaves no room for spaces in a credential. */
const readCredential = async (file: string, deps: ExporterDeps): Promise<string> => {
  const secret = await readSecret(file, deps);
  if (/^[\x21-\x7e]+$/.test(secret)) return secret;
  throw new UserError('token-invalid', `exporter ${deps.name}: ${file} must hold ASCII without spaces`);
};

/** @returns with `port`, because port 0 takes any */
export const create = async (config: Config, deps: ExporterDeps): Promise<Exporter & { readonly port: number }> => {
  const { name, log, probe } = deps;
  const latest = createLatest(deps.staleAfterMs);
  const { cert, key } = await readTls(config, deps);
  const onDemand =
    probe === null || config.probes === 0
      ? null
      : createOnDemand(
          probe,
          {
            concurrency: config.probes,
            maxWaiting: MAX_WAITING,
            labels: { ...deps.labels },
            onFailed: (target, error) =>
              log.error({ exporter: name, target, error: String(error) }, 'a probe on demand could not run'),
          },
          () => performance.now(),
        );
  const exposition = (status: number, body: string): Page => ({ status, type: EXPOSITION_TYPE, body });
  const serving = await serve({
    purpose: `exporter ${name}`,
    host: config.listen.host,
    port: config.listen.port,
    hosts: config.hosts.map((host) => host.toLowerCase()),
    secret: config.secretFile === undefined ? null : await readCredential(config.secretFile, deps),
    tls: cert && key ? { cert, key } : null,
    open: [],
    answer: async ({ pathname, searchParams }, request, signal) => {
      if (pathname === '/metrics') {
        const health = deps.health?.() ?? null;
        const targets = renderTargets(latest.standings(deps.now()), { ...deps.labels });
        return exposition(200, targets + (health ? renderAgent(health, deps.labels) : ''));
      }
      if (pathname !== '/probe') return plain(404, 'only /metrics and /probe\n');
      if (onDemand === null) return plain(404, 'probes on demand are off\n');
      if (isCrossSite(request.headers, request.headers.host))
        return plain(403, 'a page of another site may not ask for a probe\n');
      const header = request.headers['x-prometheus-scrape-timeout-seconds'];
      const timeout = scrapeTimeoutMs(typeof header === 'string' ? header : undefined);
      const { status, body, isMetrics } = await onDemand(searchParams, timeout, signal);
      return isMetrics ? exposition(status, body) : plain(status, body);
    },
    onError: (error) => log.error({ exporter: name, error: String(error) }, 'a scrape could not be answered'),
  });
  return {
    name,
    port: serving.port,
    remember: latest.take,
    deliver: async (records) => {
      latest.take(records);
      return { outcome: 'delivered' };
    },
    close: serving.close,
  };
};
