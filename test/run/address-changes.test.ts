/** One change of the public address in the course of a run is told from lines that take turns. */
import t from 'tap';
import { addressChangesOf, type Sighting } from '../../src/run/address-changes.js';

const [A, B, C] = ['198.51.100.1', '198.51.100.2', '198.51.100.3'];

/** One every 50 ms. */
const every = (fromMs: number, toMs: number, address: string): readonly Sighting[] =>
  Array.from({ length: Math.floor((toMs - fromMs) / 50) }, (_, index) => ({ atMs: fromMs + 50 * index, address }));

t.test('all before a moment show one address, all after it another', async (t) => {
  t.strictSame(addressChangesOf([...every(0, 4000, A), ...every(4000, 9000, B)]), [{ atMs: 4000, from: A, to: B }]);
  t.strictSame(addressChangesOf([...every(0, 2000, A), ...every(2000, 5000, B), ...every(5000, 9000, A)]), [
    { atMs: 2000, from: A, to: B },
    { atMs: 5000, from: B, to: A },
  ]);
});

t.test('for a moment flows from before the change still live', async (t) => {
  const changes = addressChangesOf([...every(0, 4400, A), ...every(4100, 9000, B)]);
  t.match(changes, [{ from: A, to: B }]);
  t.ok(changes.every(({ atMs }) => atMs >= 4000 && atMs <= 4500));
});

t.test('lines that take turns do not separate in time', async (t) => {
  const turns = Array.from({ length: 200 }, (_, index) => ({ atMs: 50 * index, address: index % 2 === 0 ? A : B }));
  t.strictSame(addressChangesOf(turns), []);
  const bySecond = Array.from({ length: 8 }, (_, index) => every(1000 * index, 1000 * index + 1000, index % 2 ? A : B));
  t.strictSame(addressChangesOf(bySecond.flat()), [], 'nor is it a redial that comes each second');
  t.strictSame(
    addressChangesOf([...every(0, 9000, A), ...every(3000, 5000, B)]),
    [],
    'a canary on the first line all the time',
  );
  t.strictSame(addressChangesOf([...every(0, 4000, A), ...every(4000, 9000, B), ...every(2000, 2100, B)]), []);
  t.strictSame(addressChangesOf([...every(0, 4000, A), ...every(4000, 9000, B), ...every(8950, 9000, C)]), []);
});

t.test('of a few the order is chance', async (t) => {
  t.strictSame(addressChangesOf([...every(0, 450, A), ...every(500, 950, B)]), []);
  t.strictSame(addressChangesOf([...every(0, 9000, A), ...every(9000, 9150, B)]), []);
  t.strictSame(addressChangesOf(every(0, 9000, A)), []);
});
