/** From ladders to the stretch on which a port ends: it always holds the truth, and names a device only where one is left. */
import t from 'tap';
import type { Climb, HopFacts, Ladder } from '../../src/model/hops.js';
import type { IcmpPlace } from '../../src/model/icmp.js';
import { judge, stretchOf } from '../../src/verdict/studies/hops.js';

const TARGET = '198.51.100.10';
const OWN = '10.77.0.1';
const CARRIER = '100.64.0.1';
const CARRIER_2 = '100.64.1.1';
const TRANSIT = '203.0.113.9';
const MAPPED = '198.51.100.77';

const climb = (seen: readonly (string | null)[], reachedAt: number | null): Climb => ({ seen, reachedAt });
const thrice = (seen: readonly (string | null)[], reachedAt: number | null): readonly Climb[] =>
  [1, 2, 3].map(() => climb(seen, reachedAt));

const ladder = (port: number, climbs: readonly Climb[]): Ladder => ({
  ...{ id: `sip-options/udp/${port}`, probe: 'sip-options', transport: 'udp', port, climbs },
  isBlocked: climbs.every(({ reachedAt }) => reachedAt === null),
});

const PLACES: Readonly<Record<string, IcmpPlace>> = {
  [OWN]: 'on-link',
  [CARRIER]: 'beyond',
  [CARRIER_2]: 'beyond',
  [TRANSIT]: 'beyond',
  [MAPPED]: 'beyond',
};

const facts = (blocked: Ladder, passing: readonly Ladder[], some: Partial<HopFacts> = {}): HopFacts => ({
  ...{ address: TARGET, family: 4, ladders: [blocked, ...passing], places: PLACES },
  ...{ mapped: [MAPPED], local: '10.77.0.2' },
  ...some,
});

/** Own router, two of the provider, one of transit: the far end is the fifth. */
const PATH = [OWN, CARRIER, CARRIER_2, TRANSIT];
const PASSING = [ladder(3478, thrice(PATH, 5)), ladder(20_000, thrice(PATH, 5))];
const of = (seen: readonly (string | null)[], some: Partial<HopFacts> = {}, passing: readonly Ladder[] = PASSING) => {
  const blocked = ladder(5060, thrice(seen, null));
  return stretchOf(blocked, facts(blocked, passing, some));
};

t.test('a drop at each router, before or after its routing, lies within the stretch that is named', async (t) => {
  const hops = [...PATH, TARGET];
  for (const [at, router] of hops.entries()) {
    for (const hook of ['prerouting', 'forward'] as const) {
      // Routers look at the hop limit between the two: what is dropped before it gets no answer of theirs.
      const answers = hook === 'forward' ? at + 1 : at;
      if (answers > PATH.length) continue;
      const stretch = of(PATH.slice(0, answers));
      t.ok(stretch, `${router} ${hook}`);
      const from = stretch?.lastSeen === null ? -1 : hops.indexOf(stretch?.lastSeen ?? '');
      const to = hops.indexOf(stretch?.next.address ?? TARGET);
      t.ok(from <= at && at <= to, `${router} ${hook}: ${hops[from] ?? 'here'} to ${hops[to]}`);
      const truth = at === 0 ? 'branch-firewall' : at <= 2 ? 'provider' : 'other';
      if (stretch?.device) t.equal(stretch.device, truth, `${router} ${hook}`);
      if (stretch?.isOutside) t.ok(at > 0, 'outside this site');
    }
  }
});

t.test('which device, where only one is left', async (t) => {
  t.equal(of([])?.device, 'branch-firewall', 'not even the first router answers');
  t.equal(of([OWN])?.device, null, 'it, or the next one on arrival');
  t.equal(of([OWN, CARRIER])?.device, 'provider', 'between two routers of a provider');
  t.equal(of([OWN, CARRIER, CARRIER_2])?.device, null, 'the next may be anybody`s');
  t.match(of([OWN, CARRIER, CARRIER_2]), { isOutside: true, lastSeen: CARRIER_2, next: { address: TRANSIT } });
  t.match(of(PATH), { isOutside: true, next: { address: null, isFarEnd: true } });
});

t.test('what lies outside the site is sure, or not said', async (t) => {
  const isOutside = (seen: readonly string[], some: Partial<HopFacts> = {}): boolean | undefined => {
    const passing = [3478, 20_000].map((port) => ladder(port, thrice([...seen, TRANSIT], seen.length + 2)));
    return of(seen, some, passing)?.isOutside;
  };
  t.equal(
    isOutside([OWN, TRANSIT.replace('9', '8')], {
      places: { [OWN]: 'on-link', [TRANSIT]: 'beyond', '203.0.113.8': 'beyond' },
    }),
    true,
  );
  t.equal(isOutside([OWN, MAPPED]), false, 'its own public address');
  const near = MAPPED.replace(/\d+$/, '250');
  t.equal(isOutside([OWN, near], { places: { ...PLACES, [near]: 'beyond' } }), false, 'a router of its own block');
  t.equal(isOutside([OWN, '10.9.9.9'], { places: { ...PLACES, '10.9.9.9': 'beyond' } }), false, 'private: anybody`s');
  t.equal(isOutside([OWN, CARRIER], { local: '100.64.7.7' }), false, 'a site in shared space');
  t.equal(isOutside([OWN, CARRIER_2], { mapped: [] }), true, 'shared space needs no NAT to be seen');
  t.equal(isOutside([OWN, '203.0.113.8'], { mapped: [], places: { ...PLACES, '203.0.113.8': 'beyond' } }), false);
  t.equal(
    isOutside([OWN, '203.0.113.8'], { local: '203.0.113.77', places: { ...PLACES, '203.0.113.8': 'beyond' } }),
    false,
  );
});

t.test('no statement where the ladders do not carry one', async (t) => {
  const other = '203.0.113.200';
  const none = (why: string, blocked: Ladder, passing: readonly Ladder[] = PASSING): void => {
    t.equal(stretchOf(blocked, facts(blocked, passing)), null, why);
  };
  none('two climbs', ladder(5060, thrice([OWN], null).slice(1)));
  none('nothing passes', ladder(5060, thrice([OWN], null)), []);
  none('ECMP among what passes', ladder(5060, thrice([OWN], null)), [
    ladder(3478, thrice(PATH, 5)),
    ladder(20_000, thrice([OWN, other, CARRIER_2, TRANSIT], 5)),
  ]);
  none('the blocked port takes another path', ladder(5060, thrice([OWN, other], null)));
  none('ways of different length', ladder(5060, thrice([OWN], null)), [
    ladder(3478, thrice(PATH, 5)),
    ladder(20_000, thrice(PATH.slice(0, 3), 4)),
  ]);
  none('a proxy: the far end answers before a router that is further', ladder(5060, thrice([OWN], null)), [
    ladder(3478, thrice([OWN, CARRIER, CARRIER_2], 3)),
    ladder(20_000, thrice([OWN, CARRIER, CARRIER_2], 3)),
  ]);
  none('seen once further on', ladder(5060, [climb([OWN, CARRIER], null), climb([OWN], null), climb([OWN], null)]));
  none('no router says anything', ladder(5060, thrice([], null)), [
    ladder(3478, thrice([null, null], 3)),
    ladder(20_000, thrice([null, null], 3)),
  ]);
});

t.test('a router that is mute, or does not always answer, is no boundary', async (t) => {
  const mute = [OWN, null, CARRIER_2, TRANSIT];
  t.match(of([OWN], {}, [ladder(3478, thrice(mute, 5)), ladder(20_000, thrice(mute, 5))]), {
    lastSeen: OWN,
    next: { address: CARRIER_2, limit: 3 },
    device: null,
  });
  const seldom = [climb(PATH, 5), climb(PATH, 5), climb([OWN, null, CARRIER_2, TRANSIT], 5)];
  t.match(of([OWN], {}, [ladder(3478, seldom), ladder(20_000, thrice(PATH, 5))]), { next: { address: CARRIER_2 } });
});

t.test('as rows and sentences of the report', async (t) => {
  const blocked = ladder(5060, thrice([OWN], null));
  const { hops = [], notes = [] } = judge([facts(blocked, PASSING)], { trials: 10, answers: 10 }, {} as never);
  t.match(hops, [
    {
      check: 'sip-options/udp/5060',
      passes: false,
      answered: [OWN, null, null, null],
      lastSeen: OWN,
      nextOnControl: CARRIER,
    },
    { port: 3478, passes: true, answered: PATH },
    { port: 20_000, passes: true, answered: PATH },
  ]);
  t.equal(notes.length, 1, 'of what passes nothing is said');
  t.match(
    notes[0],
    /^Hops of UDP 5060 \(198\.51\.100\.10\): it gets as far as 10\.77\.0\.1 and never to 100\.64\.0\.1: /,
  );
});
