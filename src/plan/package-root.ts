/** Where this package lies on disk: the nearest folder above this file whose package.json is callpath's. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const isOurs = (folder: string): boolean => {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return typeof manifest === 'object' && manifest !== null && 'name' in manifest && manifest.name === 'callpath';
  } catch {
    return false;
  }
};

/**
 * The package's root folder, found upwards so that it does not matter where the compiler put this file.
 * @throws Error if the package is incomplete.
 */
export const packageRoot = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!isOurs(folder)) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('the package.json of callpath is missing; reinstall the package');
    folder = parent;
  }
  return folder;
};
