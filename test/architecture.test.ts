/** The import rule: dependencies point downward only, and each layer touches no more of the world than it should. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { packageRoot } from '../src/plan/package-root.js';

const root = packageRoot();

/** From the top of the house to its floor; a layer may import its own and those below. */
const LAYERS: Readonly<Record<string, number>> = {
  'src/cli': 8,
  'src/agent': 7,
  'src/reflector': 7,
  'src/probing': 6,
  'src/run': 5,
  'src/report': 5,
  'src/plan': 4,
  'src/verdict': 3,
  'src/dialog': 3,
  probes: 3,
  'src/words': 2,
  'src/net': 2,
  'src/wire': 2,
  'src/model': 1,
};

/** What one neighbour of the same height may not know of the other. */
const APART: readonly (readonly [string, string])[] = [
  ['src/wire', 'src/net'],
  ['src/dialog', 'src/net'],
  ['src/dialog', 'src/verdict'],
  ['src/dialog', 'probes'],
  ['probes', 'src/verdict'],
  ['src/verdict', 'probes'],
  ['src/reflector', 'probes'],
  ['src/reflector', 'src/verdict'],
  ['src/reflector', 'src/report'],
  ['src/reflector', 'src/run'],
  ['src/reflector', 'src/plan'],
  ['src/reflector', 'src/agent'],
  ['src/agent', 'src/reflector'],
  ['src/reflector', 'src/probing'],
  ['src/probing', 'src/reflector'],
  ['src/run', 'src/report'],
  ['src/report', 'src/run'],
];

/** Pure layers see no sockets, no files and no names of the outside. */
const SOCKETS = new Set(['node:dgram', 'node:net', 'node:tls', 'node:dns', 'node:http', 'node:https']);
const WITHOUT_SOCKETS = ['src/model', 'src/wire', 'src/dialog', 'src/words', 'src/verdict', 'src/report', 'probes'];

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

t.test('every folder of src is a layer of its own', async (t) => {
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((one) => one.isDirectory());
  t.same(
    folders.map(({ name }) => `src/${name}`).filter((name) => !(name in LAYERS)),
    [],
  );
});

/** Files that import each other, by way of others or not. What is only a type is gone when it runs. */
const circles = (): readonly (readonly string[])[] => {
  const targets = new Map<string, string[]>();
  for (const { file, target, typeOnly } of imports)
    if (!typeOnly) targets.set(file, [...(targets.get(file) ?? []), target]);
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    const at = way.indexOf(file);
    if (at >= 0) {
      found.push([...way.slice(at), file]);
      return;
    }
    if (done.has(file)) return;
    for (const target of targets.get(file) ?? []) visit(target, [...way, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return found;
};

t.test('no file imports itself by way of others', async (t) => {
  t.same(circles(), []);
});

t.test('a run knows a question by its key; what people read joins nothing', async (t) => {
  const wrong = filesBelow('src/run').filter((file) =>
    /\b(?:check|question|one|port)\.id\b|\(\{ id \}\)/.test(readFileSync(join(root, file), 'utf8')),
  );
  t.same(wrong, []);
});

/** What stands at the top: everything else belongs into a folder. */
const AT_THE_TOP = new Set(
  '.ci .dockerignore .editorconfig .gitattributes .github .gitignore .npmrc .nvmrc .taprc CHANGELOG.md CONTRIBUTING.md Dockerfile LICENSE README.md biome.json docs fixtures package-lock.json package.json packaging probes profiles scripts src test tsconfig.json'.split(
    ' ',
  ),
);
/** What tools put there, and .gitignore names. */
const MADE = new Set(['.git', '.tap', 'dist', 'node_modules', 'coverage', 'packages']);

t.test('no stray notes at the top', async (t) => {
  t.same(
    readdirSync(root).filter((name) => !AT_THE_TOP.has(name) && !MADE.has(name) && !name.endsWith('.tgz')),
    [],
  );
});

t.test('the picture of the house names every layer, and no other', async (t) => {
  const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
  const [, picture = ''] = /```text\n([\s\S]*?)```/.exec(page) ?? [];
  const named = new Set(picture.match(/\b(?:src\/[a-z]+|probes)\b/g) ?? []);
  t.same([...named].sort(), Object.keys(LAYERS).sort());
  const phases = readFileSync(join(root, 'src/run/run.ts'), 'utf8').matchAll(/'\.\/phases\/([a-z-]+)\.js'/g);
  const missing = [...phases].map(([, name = '']) => name).filter((name) => !page.includes(`\`${name}\``));
  t.same(missing, [], 'every phase has its line');
});

/** Found by the file that they are in: what loads probes and studies names no single one. */
const LOADED = /^(?:probes\/|src\/run\/studies\/)/;
/** Named in no import, and yet in the type of something that tests export. */
const IN_TYPES_OF_TESTS = new Set(['Daemon', 'KeepaliveBook']);

t.test('what is exported is imported somewhere', async (t) => {
  const files = ['src', 'probes', 'scripts', 'test'].flatMap(filesBelow);
  // What users of the package import is imported by nobody here.
  const isOffered = (file: string): boolean => file === 'src/index.ts';
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
  const words = new Map([...texts].map(([file, text]) => [file, new Set(text.match(/\w+/g) ?? [])]));
  const isImported = (name: string, from: string): boolean =>
    [...words].some(([file, all]) => file !== from && all.has(name));
  const unused = [...texts]
    .filter(([file]) => !isOffered(file))
    .flatMap(([file, text]) =>
      [...text.matchAll(/^export (?:async )?(?:const|function|class|type|interface) (\w+)/gm)]
        .map(([, name = '']) => name)
        .filter((name) => !(LOADED.test(file) && ['probe', 'study'].includes(name)) && !IN_TYPES_OF_TESTS.has(name))
        .filter((name) => !isImported(name, file))
        .map((name) => `${file}: ${name}`),
    );
  t.same(unused, []);
});

/** Sentences that belong beside what they describe, or are a page of their own; all others stand in src/words. */
const SENTENCES_ELSEWHERE: readonly string[] = [
  // The HELP of each metric is part of its definition.
  'src/agent/metrics/',
  'src/reflector/metrics.ts',
  'src/report/metrics.ts',
  // The help of each command is read with the options that it names.
  'src/cli/help.ts',
  // The head of a generated page, and the description of the schema.
  'src/cli/man.ts',
  'src/report/schema.ts',
  'src/report/verdicts-page.ts',
];

/** Fewer words than this are a label, a rule of a firewall or a fragment. */
const LEAST_WORDS = 4;

/** The text of a literal, with `{}` for what is put in; null of any other node. */
const literalOf = (node: ts.Node): string | null => {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return null;
  return node.head.text + node.templateSpans.map(({ literal }) => `{}${literal.text}`).join('');
};

const sentencesOf = (file: string): readonly string[] => {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const text = literalOf(node);
    if (text !== null && /\.\s*$/.test(text)) {
      const words = text.split(/\s+/).filter((word) => /[a-z{]/i.test(word));
      if (words.length >= LEAST_WORDS) found.push(`${file}: ${text}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
};

t.test('sentences that users read stand in src/words', async (t) => {
  t.ok(sentencesOf('src/words/diagnosis/causes.ts').length > 50, 'sentences are found where they are');
  const files = [...filesBelow('src'), ...filesBelow('probes')].filter(
    (file) => !file.startsWith('src/words/') && !SENTENCES_ELSEWHERE.some((exception) => file.startsWith(exception)),
  );
  t.same(files.flatMap(sentencesOf), []);
});

/** A screen and a half: what a reader holds in mind. Functions within a function count for themselves. */
const MAX_OWN_LINES = 80;
/** A factory with all its functions. */
const MAX_LINES = 200;
/** Factories whose functions share so much state that parts of them would pass it to and fro. */
const LONG_FACTORIES: ReadonlyMap<string, string> = new Map([
  ['createTransactions', 'a table of questions under way, and everything that may happen to one'],
  ['createSweeper', 'rounds of a sweep share its budget, its answers and its end'],
]);

interface Sized {
  readonly place: string;
  readonly name: string;
  readonly lines: number;
  readonly own: number;
}

const functionsOf = (file: string): readonly Sized[] => {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const lineAt = (position: number): number => source.getLineAndCharacterOfPosition(position).line + 1;
  const found: Sized[] = [];
  /** The lines of functions right within a node. */
  const visit = (node: ts.Node): number => {
    let within = 0;
    ts.forEachChild(node, (child) => {
      within += visit(child);
    });
    if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return within;
    const first = lineAt(node.getStart());
    const lines = lineAt(node.end) - first + 1;
    const { parent } = node;
    const name = ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) ? parent.name.getText() : '';
    found.push({ place: `${file}:${first}`, name, lines, own: lines - within });
    // The line that it begins in is its surroundings'.
    return lines - 1;
  };
  visit(source);
  return found;
};

t.test('functions are short', async (t) => {
  const all = ['src', 'probes', 'scripts'].flatMap(filesBelow).flatMap(functionsOf);
  t.ok(all.length > 3000, `${all.length} functions were found`);
  const told = ({ place, name, lines, own }: Sized): string => `${place} ${name}: ${lines} lines, ${own} of its own`;
  t.same(all.filter(({ own }) => own > MAX_OWN_LINES).map(told), []);
  const long = all.filter(({ lines }) => lines > MAX_LINES);
  t.same(long.filter(({ name }) => !LONG_FACTORIES.has(name)).map(told), []);
});
