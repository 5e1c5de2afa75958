/** What strangers and other tenants may not do: take places, memory or time from others, or come back with old packets. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { createDeferrals } from '../../src/reflector/deferrals.js';
import { createFreshness, isFarOff } from '../../src/reflector/freshness.js';
import { createLateness } from '../../src/reflector/lateness.js';
import { createLimiter } from '../../src/reflector/limits.js';
import { createLedger, createShares } from '../../src/reflector/quotas.js';
import { createSessions, type SessionRecord } from '../../src/reflector/sessions.js';
import { createStrangers } from '../../src/reflector/strangers.js';
import { createConversation } from '../../src/reflector/streams.js';
import { createTurns } from '../../src/reflector/turns.js';
import { createWallClock } from '../../src/reflector/wall-clock.js';
import { arrivalFrom, createHost, latin1, NOW_MICROS, requestTag, sipRequest } from './support.js';

const SECOND = 1_000_000n;
const HERE = arrivalFrom().sourceBytes;

t.test('places: alone an owner gets half, and there is always something left for the next', async (t) => {
  const shares = createShares(1000);
  const takeAll = (owner: string): number => {
    let taken = 0;
    while (shares.take(owner)) taken += 1;
    return taken;
  };
  t.equal(takeAll('greedy'), 500);
  t.equal(takeAll('another'), 250);
  t.equal(takeAll('third'), 125);
  t.ok(shares.take('honest'));
  shares.release('greedy');
  shares.release('nobody');
  t.notOk(shares.take('greedy'), 'what it gives back is for others first');
});

t.test('memory: who has most makes room, the stalest first', async (t) => {
  const ledger = createLedger({ entries: 4, bytes: 1000 });
  ledger.touch('a one', 10);
  for (const name of ['b one', 'b two', 'b three']) ledger.touch(name, 10);
  t.equal(ledger.overflow(''), null);
  ledger.touch('b one', 10);
  ledger.touch('b four', 10);
  t.equal(ledger.overflow('b four'), 'b two');
  t.equal(ledger.overflow('b four'), null);
  ledger.touch('b five', 2000);
  t.equal(ledger.overflow('b five'), 'b three');
  t.equal(ledger.size(), 4);
});

t.test("one token's sessions with high numbers erase nothing of another's", async (t) => {
  const sessions = createSessions(1);
  const arrive = (name: string, sequence: number) =>
    sessions.arrive({ name, sequence, source: HERE, sentAtMicros: NOW_MICROS, receivedAtMicros: NOW_MICROS });
  t.equal(arrive('1 honest', 7), 'welcome');
  // Each claims a megabyte, of 64 that there are for all.
  for (let number = 0; number < 100; number += 1)
    for (let sequence = 0; sequence < 131_072; sequence += 512) arrive(`2 ${number}`, sequence);
  t.equal(sessions.receipt('1 honest', 7)?.arrived, 1);
  for (let number = 0; number < 5000; number += 1) arrive(`2 many ${number}`, 1);
  t.equal(sessions.receipt('1 honest', 7)?.arrived, 1);
  t.equal(sessions.size(), 2048);
});

t.test('a session that begins with a high number costs no more than another', async (t) => {
  const sessions = createSessions(1);
  const rounds = 2000;
  const spent = (sequence: number): number => {
    const began = process.cpuUsage().user;
    for (let number = 0; number < rounds; number += 1)
      sessions.arrive({
        name: `2 ${sequence} ${number}`,
        sequence,
        source: HERE,
        sentAtMicros: NOW_MICROS,
        receivedAtMicros: NOW_MICROS,
      });
    return process.cpuUsage().user - began;
  };
  spent(1);
  const low = spent(2);
  const high = spent(131_000);
  t.ok(high < 10 * low + 100_000, `${high} µs of processor time, ${low} µs for low numbers`);
});

t.test('deferred answers: one token leaves room for the others', async (t) => {
  const deferrals = createDeferrals();
  t.teardown(deferrals.close);
  let taken = 0;
  for (let network = 0; network < 16; network += 1) {
    const { sourceBytes } = arrivalFrom({ address: `192.0.${network}.1` });
    while (deferrals.add(sourceBytes, '1', 60_000, () => undefined)) taken += 1;
  }
  t.equal(taken, 8192);
  t.ok(deferrals.add(HERE, '2', 60_000, () => undefined));
});

t.test('old packets begin nothing', async (t) => {
  let upMs = 1_000_000;
  const freshness = createFreshness(() => upMs);
  const at = (ageSeconds: bigint, isBound = false, name = '1 a') =>
    freshness.mayBegin({ name, sentAtMicros: NOW_MICROS - ageSeconds * SECOND, receivedAtMicros: NOW_MICROS, isBound });
  t.ok(at(0n));
  t.ok(at(200n));
  t.ok(at(-200n), 'a clock that is ahead by minutes');
  t.notOk(at(301n));
  t.notOk(at(-301n));
  t.notOk(at(300n * 86_400n), 'three hundred days');
  t.ok(at(300n * 86_400n, true), 'unless TLS vouches for it');
  upMs = 10_000;
  t.ok(at(9n));
  t.notOk(at(11n), 'sent to an earlier life of this process');
  upMs = 1_000_000;
  freshness.forget('1 a', NOW_MICROS - 5n * SECOND);
  t.notOk(at(6n), 'what was sent before its session was forgotten');
  t.ok(at(4n));
  t.ok(at(6n, false, '1 b'));
  t.ok(isFarOff(0n, NOW_MICROS));
});

t.test('the first of a session may not be old, and what a forgotten session was asked is not "never"', async (t) => {
  const sessions = createSessions(1);
  const at = { name: '1 a', source: HERE, receivedAtMicros: NOW_MICROS };
  t.equal(sessions.arrive({ ...at, sequence: 1, sentAtMicros: NOW_MICROS - 400n * SECOND }), 'replay');
  t.equal(sessions.receipt('1 a', 1), null);
  t.equal(sessions.arrive({ ...at, sequence: 50, sentAtMicros: NOW_MICROS, asksBack: true }), 'welcome');
  t.equal(sessions.receipt('1 a', 49), null, 'before the question');
  t.equal(sessions.receipt('1 a', 51)?.arrived, 0, 'after it');
});

t.test('what was turned away before its session began is not "never", in no process', async (t) => {
  const told: SessionRecord[] = [];
  const here = createSessions(1, (record) => told.push(record));
  const there = createSessions(1);
  const at = { name: '1 a', source: HERE, receivedAtMicros: NOW_MICROS };
  t.equal(here.arrive({ ...at, sequence: 7, sentAtMicros: NOW_MICROS - 400n * SECOND }), 'replay');
  t.equal(here.arrive({ ...at, sequence: 3, sentAtMicros: NOW_MICROS }), 'welcome');
  t.same(
    told.map(({ say }) => say),
    ['turned-away', 'arrived'],
  );
  for (const record of told) there.merge(record);
  const late = createSessions(1);
  for (const record of [...told].reverse()) late.merge(record);
  for (const sessions of [here, there, late]) {
    t.equal(sessions.receipt('1 a', 7), null, 'it came');
    t.equal(sessions.receipt('1 a', 2), null, 'perhaps this one, too');
    t.same(sessions.receipt('1 a', 3), { arrived: 1, answered: 1, why: null });
    t.same(sessions.receipt('1 a', 8), { arrived: 0, answered: 0, why: null }, 'this one did not');
  }
});

t.test('what was late before anybody could ask is told to nobody', async (t) => {
  let at = 0;
  const lateness = createLateness(() => at);
  t.teardown(lateness.close);
  at = 700;
  while (lateness.worstMs() === 0) await sleep(10);
  t.equal(lateness.worstMs(), 600);
  lateness.begin();
  t.same([lateness.worstMs(), lateness.totalMs()], [0, 0]);
});

t.test('a read that is full of messages ends the conversation', async (t) => {
  for (const [name, piece, most] of [
    ['pings', latin1('\r\n\r\n'), 40],
    ['OPTIONS', sipRequest('OPTIONS'), 100_000],
  ] as const) {
    const conversation = createConversation(createHost());
    const many = Buffer.concat(new Array<Uint8Array>(Math.floor(65_536 / piece.length)).fill(piece));
    const { send, close, excess } = conversation.push(many, arrivalFrom());
    t.ok(close && excess, `${name}: hung up`);
    t.ok(send.length <= 16, `${name}: ${send.length} answers`);
    t.ok(Buffer.concat(send.map(({ bytes }) => bytes)).length <= most, `${name}: few octets`);
  }
});

t.test('a conversation knows whose token it has seen', async (t) => {
  const conversation = createConversation(createHost());
  t.equal(conversation.owner(), null);
  const { send } = conversation.push(requestTag(1, { body: new Uint8Array(52) }), arrivalFrom());
  t.equal(send.length, 1);
  t.type(conversation.owner(), 'string');
});

t.test('strangers over connections share the rates of UDP, and get fewer handshakes', async (t) => {
  let nowMs = 0;
  const limiter = createLimiter(() => nowMs);
  const strangers = createStrangers(limiter, () => nowMs);
  let answers = 0;
  while (strangers.mayBeAnswered(HERE)) answers += 1;
  t.equal(answers, 400);
  t.notOk(limiter.allow(HERE), 'nothing is left over UDP');
  t.notOk(strangers.mayAsk(HERE, latin1('OPTIONS sip:a')));
  t.ok(strangers.mayAsk(HERE, requestTag(1)), 'a tag may be inside');
  let handshakes = 0;
  for (let network = 0; network < 500; network += 1) {
    const address = `198.${network >> 8}.${network % 256}.1`;
    if (strangers.mayHandshake(arrivalFrom({ address }).sourceBytes, address)) handshakes += 1;
  }
  t.equal(handshakes, 300, 'of all networks together');
  t.notOk(strangers.mayHandshake(HERE, '192.0.2.9'));
  strangers.proved('192.0.2.9');
  t.ok(strangers.mayHandshake(HERE, '192.0.2.9'), 'who has shown a token is no stranger');
  nowMs += 130_000;
  t.ok(strangers.mayHandshake(HERE, '192.0.2.9'));
});

t.test('work in turns: what exceeds a slice waits, in order', async (t) => {
  let nowMs = 0;
  const turns = createTurns(() => nowMs);
  t.teardown(turns.close);
  const done: number[] = [];
  for (let number = 0; number < 5; number += 1) {
    turns.run(() => {
      nowMs += 1;
      done.push(number);
    });
  }
  t.same(done, [0]);
  await new Promise(setImmediate);
  t.same(done, [0, 1]);
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  t.same(done, [0, 1, 2, 3, 4]);
});

t.test('work in turns: what only begins when it returns has its turn for itself', async (t) => {
  // The clock stands still: such work seems to cost nothing, as a TLS handshake does to whoever makes its socket.
  const turns = createTurns(() => 0);
  t.teardown(turns.close);
  const done: number[] = [];
  for (let number = 0; number < 4; number += 1) turns.runLast(() => done.push(number));
  turns.run(() => done.push(4));
  t.same(done, [0]);
  for (const expected of [
    [0, 1],
    [0, 1, 2],
    [0, 1, 2, 3],
  ]) {
    await new Promise(setImmediate);
    t.same(done, expected);
  }
  await new Promise(setImmediate);
  t.same(done, [0, 1, 2, 3, 4]);
});

t.test('the clock is right again after it was set', async (t) => {
  let wall = 1000;
  let monotonic = 0;
  const now = createWallClock(
    () => wall,
    () => monotonic,
  );
  monotonic += 5.5;
  wall += 5;
  t.equal(now(), 1_005_500n, 'finer than the wall clock');
  wall += 3_600_000;
  t.equal(now(), 3_601_005_000n);
});
