/** What the daemon hands to every exporter, and what the file of an exporter has to offer. */
import type * as v from 'valibot';
import type { Health } from '../health.js';
import type { ProbeRunner } from '../metrics/on-demand.js';
import type { Exporter } from './contract.js';
import type { AgentLabels } from './labels.js';
import type { StaleAfter } from './latest.js';

/** How long an HTTP receiver may be silent, and how long all of its answer may take, in milliseconds. */
export interface HttpDeadlines {
  readonly idleMs: number;
  readonly overallMs: number;
}

/** One line for operators; details are fields, never part of the sentence. */
interface ExporterLog {
  info(details: Readonly<Record<string, unknown>>, message: string): void;
  warn(details: Readonly<Record<string, unknown>>, message: string): void;
  error(details: Readonly<Record<string, unknown>>, message: string): void;
}

export interface ExporterDeps {
  /** The exporter's name in the configuration. */
  readonly name: string;
  readonly agentId: string;
  /** Of this package. */
  readonly version: string;
  readonly hostname: string;
  readonly labels: AgentLabels;
  readonly log: ExporterLog;
  /** Wall-clock milliseconds since 1970. */
  readonly now: () => number;
  /** The content of a file that the configuration names, as it is on disk. @throws UserError naming the file */
  readonly readFile: (file: string) => Promise<Buffer>;
  /** Runs one target at once, for `/probe`; null where nothing can be run on demand. */
  readonly probe: ProbeRunner | null;
  /** For how long a report of a target stands. */
  readonly staleAfterMs: StaleAfter;
  /** Those of `http-post.ts` if left out. */
  readonly httpDeadlines?: HttpDeadlines;
  /** How the agent is; null, or absent, while nobody can say. */
  readonly health?: () => Health | null;
}

/** An exporter's file. */
export interface ExporterModule<Schema extends v.GenericSchema = v.GenericSchema> {
  /** Its own keys; `type` and `name` are the daemon's. */
  readonly configSchema: Schema;
  /** @throws UserError if the configuration cannot work: a file that is missing, an address that cannot be bound */
  create(config: v.InferOutput<Schema>, deps: ExporterDeps): Promise<Exporter>;
}
