/** Which silent ports are called rejected because of those around them that said so. */
import fc from 'fast-check';
import t from 'tap';
import type { Classified } from '../../src/model/verdict.js';
import { withHeldBackErrors } from '../../src/verdict/held-back-errors.js';
import { check, classified } from './support/facts.js';

const port = (number: number, said: string): Classified => classified(check(`rtp-echo/udp/${number}`), said);
/** Even ports of a range, with what `said` says of each. */
const ports = (from: number, to: number, said: (number: number) => string): readonly Classified[] =>
  Array.from({ length: (to - from) / 2 + 1 }, (_, index) => port(from + 2 * index, said(from + 2 * index)));
const rejected = (all: readonly Classified[]): readonly number[] =>
  all.filter(({ reason }) => reason === 'rejected').map((one) => one.check.port);

const SILENT = 'blocked/dropped-outbound';
const ERROR = 'blocked/rejected';
/** As a host tells it that answers one in twenty of those asked: irregular gaps, no two alike. */
const tells = (number: number): boolean => Math.imul(number, 2_654_435_761) >>> 0 < 2 ** 32 / 300;

t.test('a closed range is one stretch, however few errors came', async (t) => {
  const all = ports(16_384, 32_766, (number) => (tells(number) ? ERROR : SILENT));
  const errors = rejected(all).length;
  t.ok(errors > 10 && errors < 60, `${errors} errors`);
  t.equal(rejected(withHeldBackErrors(all)).length, 8192);
});

t.test('where the errors end, silence is silence', async (t) => {
  const all = ports(16_384, 32_766, (number) => (number < 24_000 && tells(number) ? ERROR : SILENT));
  const found = rejected(withHeldBackErrors(all));
  t.equal(found[0], 16_384);
  t.ok((found.at(-1) ?? 0) < 24_000, `up to ${found.at(-1)}`);
});

t.test('few errors vouch for what lies near', async (t) => {
  const of = (...errors: readonly number[]): readonly number[] =>
    rejected(withHeldBackErrors(ports(20_000, 21_000, (number) => (errors.includes(number) ? ERROR : SILENT))));
  const two = of(20_500, 20_510);
  t.same([two[0], two.at(-1), two.length], [20_500, 20_510, 6], 'between two, and no further than such gaps reach');
  t.equal(of(20_200, 20_700).length, 501, 'spread over all of it');
  t.same(of(20_500), [20_500], 'one alone vouches for nothing in so wide a stretch');
});

t.test('one error vouches for a narrow hole, and for nothing beyond a port that passes', async (t) => {
  const all = ports(20_000, 20_400, (number) =>
    number === 20_010 || number === 20_020 || number === 20_200
      ? 'pass/answered'
      : number === 20_014 || number === 20_300
        ? ERROR
        : SILENT,
  );
  t.same(rejected(withHeldBackErrors(all)), [20_012, 20_014, 20_016, 20_018, 20_300]);
});

t.test('nothing but the silent ones changes', async (t) => {
  const words = [SILENT, ERROR, 'blocked/dropped', 'blocked/dropped-inbound', 'pass/answered', 'unknown/not-run'];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 300 }), (said) => {
      const all = said.map((word, index) => port(20_000 + 2 * index, word));
      const after = withHeldBackErrors(all.toReversed());
      t.same(
        after.map((one) => one.check.port),
        said.length > 0 && said.includes(ERROR)
          ? all.map((one) => one.check.port)
          : all.toReversed().map((one) => one.check.port),
      );
      return after.every((one) => {
        const before = said[(one.check.port - 20_000) / 2] ?? '';
        const now = `${one.verdict}/${one.reason}`;
        return now === before || (now === ERROR && (before === SILENT || before === 'blocked/dropped'));
      });
    }),
  );
});
