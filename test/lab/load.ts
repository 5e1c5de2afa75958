/** Finds the scenarios: every file in scenarios/ is one, under its own name. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { nearest } from '../../src/model/nearest.js';
import type { NamedScenario, Scenario } from './scenario.js';

const DIRECTORY = join(dirname(fileURLToPath(import.meta.url)), 'scenarios');

/** The names, in alphabetical order. */
export const scenarioNames = (): readonly string[] =>
  readdirSync(DIRECTORY)
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.slice(0, -'.js'.length))
    .sort();

/** The scenarios of these names, or all. @throws Error that names the one that is not there */
export const loadScenarios = async (names: readonly string[]): Promise<readonly NamedScenario[]> => {
  const known = scenarioNames();
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const meant = nearest(unknown, known);
    throw new Error(`there is no scenario "${unknown}"${meant ? `; did you mean ${meant}?` : '; --list shows them'}`);
  }
  return Promise.all(
    (names.length > 0 ? names : known).map(async (name): Promise<NamedScenario> => {
      const file = (await import(pathToFileURL(join(DIRECTORY, `${name}.js`)).href)) as { readonly default: Scenario };
      return { ...file.default, name };
    }),
  );
};
