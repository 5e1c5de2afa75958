/** Whatever code a report can hold, `probe explain` has words for it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../src/plan/package-root.js';
import { reportJsonSchema } from '../../src/report/schema.js';
import { explain } from '../../src/words/explain.js';
import { TERM_CODES, termsOf } from '../../src/words/glossary.js';

const isKnown = (code: string): boolean => explain(code) !== null || termsOf(code).length > 0;

/** Every closed list of the schema, by where it stands; the schema's own name is no code. */
const listsOf = (node: unknown, path = ''): readonly (readonly [path: string, codes: readonly string[]])[] => {
  if (typeof node !== 'object' || node === null) return [];
  const { enum: codes } = node as { readonly enum?: unknown };
  const own = Array.isArray(codes) ? [[path, codes.filter((one) => typeof one === 'string')] as const] : [];
  return [...own, ...Object.entries(node).flatMap(([key, inner]) => listsOf(inner, `${path}/${key}`))];
};

/** What the rules of diagnosis may name as a cause: an id, and then whose device. */
const CAUSE_ID = /\bid: (?:[^,\n]*\? )?'([a-z0-9-]+)'(?: : '([a-z0-9-]+)')?,\s*device:/g;
const causeIds = (): readonly string[] => {
  const folder = join(packageRoot(), 'src', 'verdict', 'rules');
  return readdirSync(folder).flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(CAUSE_ID)].flatMap(([, ...ids]) => ids.filter(Boolean)),
  );
};

t.test('every code of the schema is explained', async (t) => {
  const lists = listsOf(await reportJsonSchema());
  t.ok(lists.length > 20, 'the schema has its lists');
  for (const [path, codes] of lists)
    t.same(
      codes.filter((code) => !isKnown(code)),
      [],
      path,
    );
});

t.test('every cause is explained', async (t) => {
  const ids = [...new Set(causeIds())];
  t.ok(ids.length > 55, 'the rules name their causes', { found: ids.length });
  t.same(
    ids.filter((id) => !isKnown(id)),
    [],
  );
});

t.test('the answers of the table are explained', async (t) => {
  for (const answer of ['YES', 'YES, AS FAR AS TESTED', 'WORKS WITH PROBLEMS', 'PARTLY BLOCKED', 'NO', 'CANNOT TELL'])
    t.ok(isKnown(answer), answer);
});

t.test('what a NAT maps is not what it filters', async (t) => {
  for (const code of ['endpoint-independent', 'address-dependent', 'address-and-port-dependent']) {
    const [mapping, filtering, ...others] = termsOf(code);
    t.match(mapping, { kind: /nat\.mapping/, meaning: /public port/ }, code);
    t.match(filtering, { kind: /nat\.filtering/, meaning: /lets packets/ }, code);
    t.notMatch(filtering?.title, /public port/);
    t.same(others, []);
  }
});

t.test('each term is a title and sentences', async (t) => {
  for (const code of TERM_CODES)
    for (const { title, meaning } of termsOf(code)) {
      t.notMatch(title, /\.$/, code);
      t.match(meaning, /^[A-Z"].*[.)]$/s, code);
    }
});
