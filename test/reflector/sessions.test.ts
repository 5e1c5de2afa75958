/** What the far end remembers: receipts, what is a replay and what a retransmission, and what it holds back. */
import t from 'tap';
import { createSessions, type SessionRecord, type Sessions } from '../../src/reflector/sessions.js';

const SEED = 7;
const HERE = Buffer.from('00000000000000000000ffffc0000209', 'hex');
const THERE = Buffer.from('00000000000000000000ffffc000020a', 'hex');
const START = 1_700_000_000_000_000n;
const SECOND = 1_000_000n;

interface Sent {
  readonly sequence: number;
  readonly source?: Uint8Array;
  /** By the agent's clock, which is 42 s slow; seconds after the start. */
  readonly sentAt?: number;
  readonly receivedAt?: number;
  readonly name?: string;
}

const arrive = (sessions: Sessions, sent: Sent) => {
  const { sequence, source = HERE, sentAt = 0, receivedAt = sentAt, name = 'a' } = sent;
  return sessions.arrive({
    name,
    sequence,
    source,
    sentAtMicros: START + BigInt(sentAt) * SECOND,
    receivedAtMicros: START + (BigInt(receivedAt) + 42n) * SECOND,
  });
};

/** How often a number arrived; null for what is forgotten. */
const arrived = (sessions: Sessions, name: string, sequence: number): number | null =>
  sessions.receipt(name, sequence)?.arrived ?? null;

t.test('a retransmission is welcome, and counted', async (t) => {
  const sessions = createSessions(SEED);
  for (let time = 0; time < 11; time += 1) t.equal(arrive(sessions, { sequence: 5, receivedAt: time }), 'welcome');
  t.equal(arrived(sessions, 'a', 5), 11);
  t.equal(arrived(sessions, 'a', 4), 0, 'what never came');
  t.equal(arrived(sessions, 'b', 5), null, 'of a session that nobody knows');
});

t.test('what was captured is told from it', async (t) => {
  const sessions = createSessions(SEED);
  t.equal(arrive(sessions, { sequence: 1 }), 'welcome');
  t.equal(arrive(sessions, { sequence: 1, source: THERE }), 'replay', 'from another address');
  t.equal(
    arrive(sessions, { sequence: 2, source: THERE }),
    'welcome',
    'a new request may come from another (two WANs)',
  );
  t.equal(arrive(sessions, { sequence: 1, receivedAt: 60 }), 'welcome', "within SIP's longest retransmission");
  t.equal(arrive(sessions, { sequence: 1, receivedAt: 65 }), 'replay', 'too late');
  t.equal(arrive(sessions, { sequence: 4, sentAt: 65 }), 'welcome', 'a new request at that time');
  t.equal(arrive(sessions, { sequence: 3, sentAt: 10, receivedAt: 80 }), 'replay', 'a captured one that never arrived');
  t.same(sessions.receipt('a', 3), { arrived: 1, answered: 0, why: 'replay' }, 'it arrived, and nobody answered it');
  t.same(sessions.receipt('a', 1), { arrived: 4, answered: 2, why: 'replay' });
  const often = createSessions(SEED);
  for (let time = 0; time < 32; time += 1) t.equal(arrive(often, { sequence: 9 }), 'welcome');
  t.equal(arrive(often, { sequence: 9 }), 'replay', 'more often than a protocol and a path that doubles explain');
  t.same(often.receipt('a', 9), { arrived: 33, answered: 32, why: 'replay' });
});

t.test('the difference of the clocks does not matter, nor that it is learnt late', async (t) => {
  const sessions = createSessions(SEED);
  t.equal(arrive(sessions, { sequence: 1, receivedAt: 3 }), 'welcome', 'the first was slow');
  t.equal(arrive(sessions, { sequence: 2, sentAt: 4 }), 'welcome');
  t.equal(
    arrive(sessions, { sequence: 3, sentAt: 5, receivedAt: 600 }),
    'welcome',
    'a host that slept, whose clock stood',
  );
  t.equal(arrive(sessions, { sequence: 4, sentAt: 6, receivedAt: 601 }), 'welcome', 'and goes on');
  t.equal(arrive(sessions, { sequence: 2, sentAt: 4, receivedAt: 667 }), 'replay', 'what came before stays old');
  const ahead = createSessions(SEED);
  const years = 20n * 365n * 86_400n * SECOND;
  const at = { name: 'a', source: HERE, receivedAtMicros: START };
  const first = { ...at, sequence: 1, sentAtMicros: START + years };
  t.equal(ahead.arrive(first), 'replay', 'a clock of twenty years ahead proves no freshness');
  t.equal(ahead.arrive({ ...first, isBound: true }), 'welcome', 'a TLS session does');
  t.equal(ahead.arrive({ ...first, sequence: 2 }), 'welcome', 'and from then on the difference is known');
});

t.test('numbers far behind the newest are forgotten, which is not "never arrived"', async (t) => {
  const sessions = createSessions(SEED);
  arrive(sessions, { sequence: 1 });
  for (let sequence = 2; sequence < 131_073; sequence += 1)
    arrive(sessions, { sequence, sentAt: (sequence / 20_000) | 0 });
  t.equal(arrived(sessions, 'a', 1), 1);
  arrive(sessions, { sequence: 131_073, sentAt: 7 });
  t.equal(arrived(sessions, 'a', 1), null);
  t.equal(arrive(sessions, { sequence: 1 }), 'replay');
  t.equal(arrived(sessions, 'a', 131_073), 1, 'whose place the newest has taken');
  arrive(sessions, { sequence: 400_000, sentAt: 8 });
  t.equal(arrived(sessions, 'a', 399_999), 0, 'a leap leaves no old counts behind');
  t.equal(arrived(sessions, 'a', 400_000), 1);
});

t.test('a session that asks more than its share is held back, and told so', async (t) => {
  const sessions = createSessions(SEED);
  let welcome = 0;
  for (let sequence = 0; sequence < 70_000; sequence += 1) {
    if (arrive(sessions, { sequence }) === 'welcome') welcome += 1;
  }
  t.equal(welcome, 65_536, 'every port there is, at once');
  t.equal(sessions.heldBack('a'), 70_000 - 65_536);
  t.same(sessions.receipt('a', 69_999), { arrived: 1, answered: 0, why: 'held-back' }, 'what was held back did arrive');
  t.same(sessions.receipt('a', 0), { arrived: 1, answered: 1, why: null });
  t.equal(arrive(sessions, { sequence: 70_000, sentAt: 1 }), 'welcome', 'a second later it goes on');
  t.equal(arrive(sessions, { sequence: 0, name: 'b' }), 'welcome', 'another session has its own share');
  t.equal(sessions.heldBack('b'), 0);
});

t.test('two processes that tell each other know the same', async (t) => {
  const told: SessionRecord[] = [];
  const one = createSessions(SEED, (record) => told.push(record));
  const other = createSessions(SEED);
  arrive(one, { sequence: 1 });
  arrive(one, { sequence: 1, receivedAt: 1 });
  arrive(one, { sequence: 2 });
  t.equal(arrive(one, { sequence: 1, source: THERE }), 'replay');
  one.unanswered({ name: 'a', sequence: 2 }, 'too-large');
  for (const record of told) other.merge(record);
  for (const sequence of [1, 2, 3]) t.same(other.receipt('a', sequence), one.receipt('a', sequence));
  t.same(other.receipt('a', 1), { arrived: 3, answered: 2, why: 'replay' });
  t.same(other.receipt('a', 2), { arrived: 1, answered: 0, why: 'too-large' });
  t.equal(arrive(other, { sequence: 2, source: THERE }), 'replay', 'at another port than the captured one came to');
  t.equal(arrive(other, { sequence: 2 }), 'welcome');
});

t.test('what is not answered after all is taken back, once for each arrival', async (t) => {
  const sessions = createSessions(SEED);
  const request = { name: 'a', sequence: 1 };
  arrive(sessions, { sequence: 1 });
  arrive(sessions, { sequence: 1, receivedAt: 1 });
  sessions.unanswered(request, 'too-large');
  t.same(sessions.receipt('a', 1), { arrived: 2, answered: 1, why: 'too-large' });
  sessions.unanswered(request, 'busy');
  t.same(sessions.receipt('a', 1), { arrived: 2, answered: 0, why: 'busy' }, 'the latest reason');
  sessions.unanswered(request, 'busy');
  t.same(sessions.receipt('a', 1), { arrived: 2, answered: 0, why: 'busy' }, 'never below nothing');
  sessions.unanswered({ name: 'b', sequence: 1 }, 'busy');
  sessions.unanswered({ name: 'a', sequence: 9 }, 'busy');
  t.same(
    sessions.receipt('a', 9),
    { arrived: 0, answered: 0, why: null },
    'of what never came there is nothing to take',
  );
});

t.test('what arrived in work that failed was not answered', async (t) => {
  const sessions = createSessions(SEED);
  sessions.during(() => arrive(sessions, { sequence: 1 }));
  t.throws(() =>
    sessions.during(() => {
      arrive(sessions, { sequence: 2 });
      throw new Error('a defect');
    }),
  );
  t.same(sessions.receipt('a', 1), { arrived: 1, answered: 1, why: null });
  t.same(sessions.receipt('a', 2), { arrived: 1, answered: 0, why: 'busy' });
});

t.test('a place that another number takes keeps nothing of the one before', async (t) => {
  const sessions = createSessions(SEED);
  arrive(sessions, { sequence: 5 });
  arrive(sessions, { sequence: 5, source: THERE });
  sessions.unanswered({ name: 'a', sequence: 5 }, 'busy');
  arrive(sessions, { sequence: 5 + 131_072, sentAt: 1 });
  t.same(sessions.receipt('a', 5 + 131_072), { arrived: 1, answered: 1, why: null });
});
