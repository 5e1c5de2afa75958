/** Losses of ports told from losses of a line: by hand, and by drawing lines of known loss. */
import t from 'tap';
import { seededRandom } from '../../src/model/random.js';
import { clusteredFrom, losingPart } from '../../src/verdict/clustered.js';

const ports = (...groups: readonly (readonly [count: number, lost: number])[]): readonly number[] =>
  groups.flatMap(([count, lost]) => Array.from({ length: count }, () => lost));

t.test('packet after packet of some ports, and none of others', async (t) => {
  t.equal(clusteredFrom(ports([64, 0], [36, 5])), 2, 'a third of a range was shut');
  t.equal(clusteredFrom(ports([92, 0], [8, 4])), 2, 'a small part of it');
  t.equal(clusteredFrom(ports([36, 0], [2, 6])), 4, 'two ports of a small sample, which lost six each');
  t.equal(clusteredFrom(ports([80, 0], [16, 1], [4, 2])), null, 'a line that loses one in five');
  t.equal(clusteredFrom(ports([100, 0])), null);
  t.equal(clusteredFrom([]), null);
  t.equal(clusteredFrom(ports([20, 2])), null, 'all of them: the first packets of each flow, or the line');
});

t.test('what the line is found to lose besides explains it', async (t) => {
  const lost = ports([92, 0], [8, 4]);
  t.equal(clusteredFrom(lost, 0.06), 2);
  t.equal(clusteredFrom(lost, 0.6), null);
});

t.test('a line that loses at random has hardly ever such ports', async (t) => {
  for (const loss of [0.01, 0.05, 0.2, 0.4]) {
    const random = seededRandom(7);
    const lostOfPort = (): number => {
      let lost = 0;
      while (random() < loss) lost += 1;
      return lost;
    };
    const RUNS = 400;
    const found = Array.from({ length: RUNS }, () => clusteredFrom(Array.from({ length: 100 }, lostOfPort)));
    t.ok(found.filter((one) => one !== null).length <= 1, `loss of ${loss}`);
  }
});

t.test('one lost packet each, of ports of one part', async (t) => {
  const range = (isLosing: (port: number) => boolean) =>
    Array.from({ length: 200 }, (_, index) => 16_384 + index).map((port) => ({ port, lost: isLosing(port) ? 1 : 0 }));
  t.equal(losingPart(range((port) => port >= 16_484 && port % 3 === 0)), 97, 'the upper half');
  t.equal(losingPart(range((port) => port % 2 === 1 && port % 3 === 0)), 100, 'odd ports');
  t.equal(losingPart(range((port) => port % 3 === 0)), null, 'all over the range');
  t.equal(losingPart(range((port) => port >= 16_484 && port <= 16_488)), null, 'a few');
  t.equal(losingPart([]), null);
  for (const loss of [0.05, 0.2, 0.5]) {
    const random = seededRandom(11);
    const found = Array.from({ length: 400 }, () => losingPart(range(() => random() < loss)));
    t.ok(found.filter((one) => one !== null).length <= 1, `a line that loses ${loss}`);
  }
});
