/** `prometheus-textfile`: the newest report of every target in one file for node_exporter's textfile collector. */
import { open, rename, unlink } from 'node:fs/promises';
import * as v from 'valibot';
import { codeOf } from '../../model/error-code.js';
import { map } from '../../model/schema-words.js';
import { renderTargets } from '../../report/prometheus.js';
import type { Exporter } from './contract.js';
import type { ExporterDeps } from './deps.js';
import { createLatest } from './latest.js';
import { Text } from './settings.js';

export const configSchema = map({
  path: v.pipe(Text, v.endsWith('.prom', 'must end with .prom; the collector reads no other files')),
});
type Config = v.InferOutput<typeof configSchema>;

/** node_exporter runs as another user. */
const MODE = 0o644;

export const create = async ({ path }: Config, deps: ExporterDeps): Promise<Exporter> => {
  const { name, now, labels } = deps;
  const latest = createLatest(deps.staleAfterMs);
  /** Not `.prom`, so that the collector never reads half a file. */
  const temporary = `${path}.${process.pid}.tmp`;
  const replace = async (text: string): Promise<void> => {
    const handle = await open(temporary, 'w', MODE);
    try {
      await handle.writeFile(text);
      await handle.chmod(MODE);
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  };
  return {
    name,
    remember: latest.take,
    deliver: async (records) => {
      latest.take(records);
      try {
        await replace(renderTargets(latest.standings(now()), { ...labels }));
        return { outcome: 'delivered' };
      } catch (error) {
        await unlink(temporary).catch(() => undefined);
        return {
          outcome: 'retry',
          why: `${path}: ${codeOf(error)}`,
          afterMs: null,
        };
      }
    },
    close: async () => undefined,
  };
};
