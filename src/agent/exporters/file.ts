/**
 * `file`: one line of JSON per record (NDJSON), for whatever reads files. Written and synced before it counts as
 * delivered; rotated by size; no line twice, even if the agent was killed between writing and remembering it.
 */
import * as v from 'valibot';
import { codeOf } from '../../model/error-code.js';
import { map } from '../../model/schema-words.js';
import { UserError } from '../../model/user-error.js';
import type { Exporter } from './contract.js';
import type { ExporterDeps } from './deps.js';
import { labelled } from './labels.js';
import { createLineFile } from './line-file.js';
import { Text, whole } from './settings.js';

const MEGABYTE = 1024 * 1024;

export const configSchema = map({
  path: Text,
  /** The file is set aside when it has grown to this. */
  maxMegabytes: v.optional(whole(1, 10_000), 64),
  /** Files set aside: path.1 is the newest. */
  keep: v.optional(whole(0, 1000), 7),
});
type Config = v.InferOutput<typeof configSchema>;

export const create = async (config: Config, { name, log, labels }: ExporterDeps): Promise<Exporter> => {
  const { path, keep } = config;
  const file = createLineFile({
    ...{ path, keep },
    maxBytes: config.maxMegabytes * MEGABYTE,
    onCut: (bytes) => log.warn({ exporter: name, bytes }, 'the last line of the file was cut off, and is removed'),
  });
  await file.reopen().catch((cause: unknown) => {
    throw new UserError('output-unwritable', `exporter ${name}: ${path} cannot be written (${codeOf(cause)})`, {
      cause,
    });
  });
  return {
    name,
    deliver: async (records) => {
      try {
        await file.append(records.map((record) => ({ id: record.id, text: JSON.stringify(labelled(record, labels)) })));
        return { outcome: 'delivered' };
      } catch (error) {
        return { outcome: 'retry', why: `${path}: ${codeOf(error)}`, afterMs: null };
      }
    },
    close: file.close,
  };
};
