/** Finds the scenarios: every source file in scenarios/ is one, under its own name. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nearest } from '../../src/model/nearest.js';
import { packageRoot } from '../../src/plan/package-root.js';
import { DIST } from './processes.js';
import type { NamedScenario, Scenario } from './scenario.js';

const DIRECTORY = 'test/lab/scenarios';

/** The names, in alphabetical order. From the sources, because compiled files outlive those that were renamed. */
const scenarioNames = (): readonly string[] =>
  readdirSync(join(packageRoot(), DIRECTORY))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
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
      const file = (await import(pathToFileURL(join(DIST, DIRECTORY, `${name}.js`)).href)) as {
        readonly default: Scenario;
      };
      return { ...file.default, name };
    }),
  );
};
