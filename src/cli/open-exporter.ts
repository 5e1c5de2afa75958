/** From a configured exporter to one that delivers. */
import { readFile } from 'node:fs/promises';
import { nameOfExporter } from '../agent/config/rules.js';
import type { Config } from '../agent/config/schema.js';
import { EXPORTER_TYPES, type ExporterDeps } from '../agent/exporter-modules.js';
import type { Exporter } from '../agent/exporters/contract.js';
import { codeOf } from '../model/error-code.js';
import { UserError } from '../model/user-error.js';

/** What it reads from files is taken for secret. @throws UserError */
export const openExporter = async (
  entry: Config['exporters'][number],
  common: Omit<ExporterDeps, 'name' | 'readFile'>,
  keepSecret: (secret: string) => void,
): Promise<Exporter> => {
  const name = nameOfExporter(entry);
  const { type, name: _name, ...own } = entry;
  const checked = await EXPORTER_TYPES.check(type, own);
  if (!checked.ok) throw new UserError('config-invalid', `exporter ${name}: ${checked.issues[0]?.message}`);
  return checked.exporter.open({
    ...common,
    name,
    readFile: async (file) => {
      const content = await readFile(file).catch((cause: unknown) => {
        const reason = codeOf(cause);
        throw new UserError('config-invalid', `exporter ${name}: ${file} cannot be read (${reason})`, { cause });
      });
      keepSecret(content.toString('utf8').trim());
      return content;
    },
  });
};
