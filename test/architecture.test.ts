/** The import rule: dependencies point downward only, and each layer touches no more of the world than it should. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import t from 'tap';
import { packageRoot } from '../src/plan/package-root.js';

const root = packageRoot();

/** From the top of the house to its floor; a layer may import its own and those below. */
const LAYERS: Readonly<Record<string, number>> = {
  'src/cli': 7,
  'src/agent': 6,
  'src/reflector': 6,
  'src/run': 5,
  'src/report': 5,
  'src/plan': 4,
  'src/verdict': 3,
  probes: 3,
  'src/words': 2,
  'src/net': 2,
  'src/wire': 2,
  'src/model': 1,
};

/** What one neighbour of the same height may not know of the other. */
const APART: readonly (readonly [string, string])[] = [
  ['src/wire', 'src/net'],
  ['probes', 'src/verdict'],
  ['src/verdict', 'probes'],
  ['src/reflector', 'probes'],
  ['src/reflector', 'src/verdict'],
  ['src/reflector', 'src/report'],
  ['src/reflector', 'src/run'],
  ['src/reflector', 'src/plan'],
  ['src/reflector', 'src/agent'],
  ['src/agent', 'src/reflector'],
];

/** Pure layers see no sockets, no files and no names of the outside. */
const SOCKETS = new Set(['node:dgram', 'node:net', 'node:tls', 'node:dns', 'node:http', 'node:https']);
const WITHOUT_SOCKETS = ['src/model', 'src/wire', 'src/words', 'src/verdict', 'src/report', 'probes'];

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });

const importsOf = (file: string): readonly Import[] => {
  const text = readFileSync(join(root, file), 'utf8');
  const pattern = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?[^;'"]*?from\s+'([^']+)'|import\('([^']+)'\)/g;
  return [...text.matchAll(pattern)].map((match) => {
    const specifier = match[2] ?? match[3] ?? '';
    const target = specifier.startsWith('.')
      ? relative(root, resolve(root, dirname(file), specifier)).replace(/\.js$/, '.ts')
      : specifier;
    return { file, target, typeOnly: Boolean(match[1]) };
  });
};

const layerOf = (path: string): string | null =>
  Object.keys(LAYERS).find((layer) => path.startsWith(`${layer}/`)) ?? null;

const imports = [...filesBelow('src'), ...filesBelow('probes')].flatMap(importsOf);

t.test('the imports were found', async (t) => {
  t.ok(imports.length > 300, `${imports.length} imports`);
});

t.test('imports point downward only', async (t) => {
  const wrong = imports.filter(({ file, target }) => {
    const from = layerOf(file);
    const to = layerOf(target);
    return from !== null && to !== null && (LAYERS[to] ?? 0) > (LAYERS[from] ?? 0);
  });
  t.same(wrong, []);
});

t.test('neighbours that have no business with each other', async (t) => {
  const wrong = imports.filter(({ file, target }) =>
    APART.some(([from, to]) => file.startsWith(`${from}/`) && target.startsWith(`${to}/`)),
  );
  t.same(wrong, []);
});

t.test('no probe imports another', async (t) => {
  const wrong = imports.filter(
    ({ file, target }) =>
      file.startsWith('probes/') &&
      target.startsWith('probes/') &&
      target !== 'probes/contract.ts' &&
      !target.includes('${'),
  );
  t.same(wrong, []);
});

t.test('pure layers import no sockets', async (t) => {
  const wrong = imports.filter(
    ({ file, target, typeOnly }) =>
      !typeOnly && SOCKETS.has(target) && WITHOUT_SOCKETS.some((layer) => file.startsWith(`${layer}/`)),
  );
  t.same(wrong, []);
});

t.test('the model imports nothing of ours but itself', async (t) => {
  const wrong = imports.filter(
    ({ file, target }) => file.startsWith('src/model/') && layerOf(target) !== null && !target.startsWith('src/model/'),
  );
  t.same(wrong, []);
});
