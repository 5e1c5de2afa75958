/** Flows that die, told from packets that are lost: by tables, and by drawing lines of known loss. */
import t from 'tap';
import type { FlowFacts } from '../../src/model/far-end.js';
import { seededRandom } from '../../src/model/random.js';
import {
  awayAtFirst,
  connectionsDie,
  deadConnections,
  deadFlows,
  deadShare,
  firstPackets,
  flowsDie,
  holdsFirst,
  laterRoundTrips,
  losesFirst,
  lostAtFirst,
  mayBeFirst,
} from '../../src/verdict/flows.js';
import { proven } from './support/facts.js';

/** As they are asked: four packets each, and six more where none of those was answered. */
const PACKETS = 4;
const PACKETS_OF_DEAD = 10;
const facts = ({ asked = 12, dead = 0, ...of }: Partial<FlowFacts>): FlowFacts => ({
  ...{ asked, dead, packetsOfDead: dead === 0 ? 0 : PACKETS_OF_DEAD, firstLost: 0, firstHeld: 0 },
  firstPackets: of.firstLost ?? 0,
  ...{ packetsOfLiving: (asked - dead) * PACKETS, lostOfLiving: 0 },
  ...of,
});

t.test('what a few flows show', async (t) => {
  const cases = [
    ['nothing was looked at', null, false],
    ['all live', facts({}), false],
    ['one died: a packet in each of its four attempts may be lost', facts({ dead: 1 }), false],
    ['three of twelve died, the others lost nothing', facts({ dead: 3 }), true],
    ['half of them', facts({ dead: 6 }), true],
    ['all died: then it is the port, or the line', facts({ dead: 12 }), false],
    ['one died where a third of all packets is lost', facts({ dead: 1, lostOfLiving: 13 }), false],
    ['a limit on answers leaves one answer to some', facts({ dead: 4, lostOfLiving: 22 }), false],
  ] as const;
  for (const [what, one, expected] of cases) t.equal(flowsDie(one), expected, what);
  t.equal(deadShare(null), null);
  t.equal(deadShare(facts({})), null);
  t.ok((deadShare(facts({ dead: 3 })) ?? 0) > 0.25, 'the share is a bound, and more than was seen');
});

t.test('the first packet of a flow, lost or held', async (t) => {
  t.ok(losesFirst(facts({ firstLost: 11, lostOfLiving: 11 })));
  t.notOk(losesFirst(facts({ firstLost: 4, lostOfLiving: 4 })), 'a third is loss');
  t.notOk(losesFirst(facts({ firstLost: 12, lostOfLiving: 20 })), 'others are lost as well');
  t.ok(losesFirst(facts({ firstLost: 12, lostOfLiving: 15 })), 'a line that loses a few of the others');
  const two = facts({ firstLost: 12, firstPackets: 24, lostOfLiving: 24 });
  t.ok(losesFirst(two), 'the first two of each');
  t.same(
    [lostAtFirst(two), lostAtFirst(facts({ firstLost: 11, lostOfLiving: 11 })), lostAtFirst(facts({}))],
    [2, 1, 0],
  );
  const sent = (sourcePort: number, packets: number) =>
    ({ outcome: 'silence', sourcePort, packets, opened: null, lostAtMs: [] }) as const;
  t.ok(mayBeFirst([sent(1, 2), sent(2, 1), sent(3, 2)], two), 'no flow was asked a third time');
  t.notOk(mayBeFirst([sent(1, 2), sent(2, 3)], two));
  t.notOk(mayBeFirst([sent(1, 1), sent(2, 1)], facts({})));
  t.ok(holdsFirst(facts({ firstHeld: 10 })));
  t.notOk(holdsFirst(facts({ firstHeld: 2 })));
});

t.test('attempts by their source ports', async (t) => {
  const sent = { packets: 2, opened: null, lostAtMs: [1, 2] };
  const attempts = [
    { outcome: 'silence', sourcePort: 1001, ...sent },
    { outcome: 'silence', sourcePort: 1002, ...sent },
    { outcome: 'silence', sourcePort: 1003, ...sent, packets: 1, lostAtMs: [3] },
  ] as const;
  t.strictSame(deadFlows(attempts), { flows: 3, packets: 5 });
  t.equal(firstPackets(attempts), 3);
});

t.test('connections that never open beside others that do', async (t) => {
  t.equal(connectionsDie(null, 0.01), false);
  t.equal(connectionsDie({ asked: 12, dead: 4 }, 0.02), true);
  t.equal(connectionsDie({ asked: 12, dead: 4, isLimited: true }, 0.02), false, 'asked slowly they all open');
  t.equal(connectionsDie({ asked: 12, dead: 4 }, 0.4), false, 'loss explains them');
  t.equal(connectionsDie({ asked: 12, dead: 1 }, 0.001), false, 'one is chance');
  t.equal(connectionsDie({ asked: 12, dead: 12 }, 0.02), false, 'all: it is the port, or the line');
  t.equal(connectionsDie({ asked: 12, dead: 11 }, null), false, 'of a path about which nothing is known');
  const opened = { outcome: 'silence', sourcePort: 1001, packets: 1, lostAtMs: [1] } as const;
  t.equal(
    deadConnections([
      { ...opened, opened: null },
      { ...opened, opened: {} },
    ]),
    1,
    'one that opened is not dead',
  );
});

/** What a line would show of which each flow dies with one probability, and each packet with another. */
const draw = (random: () => number, dies: number, loses: number, asked: number): FlowFacts => {
  const answers = (packets: number): boolean[] => Array.from({ length: packets }, () => random() >= loses);
  const ask = (): boolean[] => {
    if (random() < dies) return Array.from({ length: PACKETS_OF_DEAD }, () => false);
    const first = answers(PACKETS);
    if (first.includes(true)) return first;
    const more = answers(PACKETS_OF_DEAD - PACKETS);
    return [...first, ...(more.includes(true) ? more.slice(0, more.indexOf(true) + 1) : more)];
  };
  const flows = Array.from({ length: asked }, ask);
  const living = flows.filter((one) => one.includes(true));
  return facts({
    ...{ asked, dead: asked - living.length },
    packetsOfLiving: living.flat().length,
    lostOfLiving: living.flat().filter((answered) => !answered).length,
  });
};

t.test('drawn lines', async (t) => {
  const DRAWS = 4000;
  const random = seededRandom(4787);
  for (const loses of [0, 0.05, 0.2, 0.36]) {
    for (const asked of [12, 36]) {
      const told = Array.from({ length: DRAWS }, () => flowsDie(draw(random, 0, loses, asked))).filter(Boolean).length;
      t.ok(told <= DRAWS / 1000, `loss ${loses}, ${asked} flows: ${told} of ${DRAWS} called dead flows`);
    }
  }
  for (const [dies, loses] of [
    [0.25, 0],
    [0.25, 0.05],
    [0.5, 0.05],
  ] as const) {
    const told = Array.from({ length: DRAWS }, () => flowsDie(draw(random, dies, loses, 36))).filter(Boolean).length;
    t.ok(told >= 0.99 * DRAWS, `${dies} of flows dead, loss ${loses}: ${told} of ${DRAWS} told`);
  }
});

t.test('connections that fail until one opens were away; those that fail in between die', async (t) => {
  const dead = { outcome: 'silence', sourcePort: null, packets: 1, opened: null, lostAtMs: [1] } as const;
  const alive = proven();
  t.equal(awayAtFirst([dead, dead, alive, dead, alive]), 2);
  t.equal(awayAtFirst([alive, dead]), 0);
  t.equal(awayAtFirst([dead, dead]), 0, 'none opened');
});

t.test('of a flow the first packet is told from the later ones', async (t) => {
  const at = (sourcePort: number, rttMs: number | null) => proven({ sourcePort, rttMs });
  t.same(laterRoundTrips([at(1, 700), at(1, 5), at(2, 701), at(1, 6), at(2, null)]), [5, 6]);
  t.same(
    laterRoundTrips([{ outcome: 'silence', packets: 1, sourcePort: 1, lostAtMs: [0], opened: null }, at(1, 5)]),
    [5],
    'an unanswered one was the first',
  );
  t.same(laterRoundTrips([proven({ sourcePort: null })]), [], 'of a connection nobody asks');
});
