/** Calls between two phones on a line that loses what a test wants: what is sent again, when, and what each end knows at last. */
import fc from 'fast-check';
import t from 'tap';
import { createPhone } from '../../src/dialog/phone.js';
import { buildResponse, header } from '../../src/wire/sip.js';
import { challengeText, isAuthorized, readCredentials } from '../../src/wire/sip-digest.js';
import { audio, messageOf, nameOf, standing, testClock, twoPhones } from './support/line.js';

const namesOf = (messages: readonly { direction: string; bytes: Uint8Array }[], direction: string): string[] =>
  messages.filter((one) => one.direction === direction).map(({ bytes }) => nameOf(bytes));
const since = (all: readonly number[]): readonly number[] => all.map((at) => at - (all[0] ?? 0));

t.test('an INVITE into silence: timers A and B', async (t) => {
  const clock = testClock();
  const { alice, state } = twoPhones(clock);
  state.passes = () => false;
  const calling = alice.invite('sip:bob@example.com', { body: audio() });
  await clock.pass(33_000);
  const { sentAtMs, response } = await calling.over;
  t.same(since(sentAtMs), [0, 500, 1500, 3500, 7500, 15_500, 31_500], 'RFC 3261 §17.1.1.2');
  t.equal(response, null);
  t.equal(await calling.call, null);
  t.equal(await calling.first, null);
});

t.test('any other request into silence: timers E and F, and an end when enough was sent', async (t) => {
  const clock = testClock();
  const { alice, state } = twoPhones(clock);
  state.passes = () => false;
  const asked = alice.ask('OPTIONS', 'sip:bob@example.com');
  const few = alice.ask('OPTIONS', 'sip:bob@example.com', { isEnough: (sent) => sent.length >= 4 });
  await clock.pass(33_000);
  t.same(
    since((await asked).sentAtMs),
    [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
    'RFC 3261 §17.1.2.2',
  );
  t.same(since((await few).sentAtMs), [0, 500, 1500, 3500]);
});

t.test('over a connection nothing is sent twice but the answer that waits for its ACK', async (t) => {
  const clock = testClock();
  const { alice, called, state } = twoPhones(clock, { isReliable: true });
  state.passes = (bytes, from) => from === 'alice' && nameOf(bytes) !== 'ACK';
  const calling = alice.invite('sip:bob@example.com', { body: audio() });
  await clock.pass(20);
  const call = called[0]?.accept(audio());
  await clock.pass(33_000);
  t.equal((await calling.over).sentAtMs.length, 1);
  t.equal(await call?.acknowledged, false);
  t.equal(call?.answers(), 11, 'RFC 3261 §13.3.1.4: whatever the transport');
});

t.test('a call from its first ring to its end, and every byte remembered at both ends', async (t) => {
  const clock = testClock();
  const line = twoPhones(clock);
  const [atAlice, atBob] = await standing(clock, line);
  t.equal(await atBob.acknowledged, true);
  t.equal(atBob.answers(), 1);
  const bye = atAlice.ask('BYE');
  await clock.pass(50);
  t.equal((await bye).response?.status, 200);
  t.ok(atBob.isOver());
  t.same(namesOf(line.alice.messages, 'sent'), ['INVITE', 'ACK', 'BYE']);
  t.same(namesOf(line.alice.messages, 'heard'), ['180 INVITE', '200 INVITE', '200 BYE']);
  const sent = line.alice.messages.filter(({ direction }) => direction === 'sent').map(({ bytes }) => bytes);
  const heard = line.bob.messages.filter(({ direction }) => direction === 'heard').map(({ bytes }) => bytes);
  t.same(
    sent.map((one) => Buffer.from(one).toString()),
    heard.map((one) => Buffer.from(one).toString()),
  );
  const late = atAlice.ask('INFO');
  await clock.pass(50);
  t.equal((await late).response?.status, 481, 'of a call that is over');
});

t.test('the ACK that never comes: the answer is sent until 32 seconds have gone', async (t) => {
  const clock = testClock();
  const line = twoPhones(clock);
  line.state.passes = (bytes) => nameOf(bytes) !== 'ACK';
  const [atAlice, atBob] = await standing(clock, line);
  await clock.pass(33_000);
  t.equal(await atBob.acknowledged, false);
  t.equal(atBob.answers(), 11);
  t.equal(atAlice.acks(), 11, 'each of them is acknowledged');
});

t.test('an ACK that is lost once comes with the next answer', async (t) => {
  const clock = testClock();
  const line = twoPhones(clock);
  let acks = 0;
  line.state.passes = (bytes) => {
    if (nameOf(bytes) !== 'ACK') return true;
    acks += 1;
    return acks > 1;
  };
  const [, atBob] = await standing(clock, line);
  await clock.pass(2000);
  t.equal(await atBob.acknowledged, true);
  t.equal(atBob.answers(), 2);
});

t.test('a refusal is acknowledged by the transaction, and sent again until it is', async (t) => {
  const clock = testClock();
  const { alice, bob, called, state } = twoPhones(clock);
  let acks = 0;
  state.passes = (bytes) => {
    if (nameOf(bytes) === 'ACK') acks += 1;
    return nameOf(bytes) !== 'ACK' || acks > 1;
  };
  const calling = alice.invite('sip:bob@example.com', { body: audio() });
  await clock.pass(20);
  called[0]?.refuse(486, 'Busy Here');
  await clock.pass(3000);
  t.equal((await calling.over).response?.status, 486);
  t.equal(await calling.call, null);
  t.same(namesOf(bob.messages, 'sent'), ['486 INVITE', '486 INVITE']);
  const ack = messageOf(alice.messages.findLast(({ direction }) => direction === 'sent')?.bytes ?? new Uint8Array());
  const invite = messageOf(alice.messages[0]?.bytes ?? new Uint8Array());
  t.equal(ack.essentials.via.branch, invite.essentials.via.branch, 'RFC 3261 §17.1.1.3');
  t.not(ack.essentials.toTag, null);
});

t.test('a request that comes again is answered again with the same bytes, and told to nobody', async (t) => {
  const clock = testClock();
  const { alice, bob, called, state } = twoPhones(clock);
  state.passes = (_, from) => from === 'alice';
  void alice.invite('sip:bob@example.com', { body: audio() });
  await clock.pass(20);
  called[0]?.ring(180);
  await clock.pass(4000);
  t.equal(called.length, 1);
  const answers = bob.messages
    .filter(({ direction }) => direction === 'sent')
    .map(({ bytes }) => Buffer.from(bytes).toString());
  t.equal(answers.length, 4, 'one for each of the four INVITEs');
  t.equal(new Set(answers).size, 1);
});

t.test('a call taken back before it is answered', async (t) => {
  const clock = testClock();
  const { alice, called } = twoPhones(clock);
  const calling = alice.invite('sip:bob@example.com', { body: audio() });
  await clock.pass(20);
  const one = called[0];
  one?.ring(180);
  let told = false;
  one?.onCancelled(() => {
    told = true;
  });
  await clock.pass(100);
  t.equal(await calling.first, 180);
  const cancelled = calling.cancel();
  await clock.pass(100);
  t.equal((await cancelled).response?.status, 200);
  t.equal((await calling.over).response?.status, 487);
  t.ok(told);
  t.equal(one?.accept(audio()), null, 'too late');
  await clock.pass(40_000);
  const late = calling.cancel();
  await clock.pass(100);
  t.equal((await late).response?.status, 481);
});

t.test('hold and resume from each side, each with its ACK, and numbers that grow', async (t) => {
  const clock = testClock();
  const line = twoPhones(clock);
  const [atAlice, atBob] = await standing(clock, line);
  for (const [from, to] of [
    [atAlice, atBob],
    [atBob, atAlice],
  ] as const) {
    const acknowledged: Promise<boolean>[] = [];
    to.onAsked((asked) => {
      acknowledged.push(asked.acknowledged);
      asked.respond(200, 'OK', {
        headers: [{ name: 'Contact', value: '<sip:moved@192.0.2.7>' }],
        body: audio({ direction: 'recvonly' }),
      });
    });
    const before = from.dialog().localSequence;
    const held = from.reinvite(audio({ direction: 'sendonly', version: 2 }));
    await clock.pass(100);
    t.equal((await held).response?.status, 200);
    t.equal(from.dialog().localSequence, before + 1);
    t.equal(from.dialog().remoteTarget, 'sip:moved@192.0.2.7', 'a 2xx may name a new target');
    t.same(await Promise.all(acknowledged), [true]);
  }
  const bye = atBob.ask('BYE');
  await clock.pass(100);
  t.equal((await bye).response?.status, 200);
  t.ok(atAlice.isOver());
});

t.test('what comes out of order or belongs to no call is refused', async (t) => {
  const clock = testClock();
  const line = twoPhones(clock);
  const [atAlice, atBob] = await standing(clock, line);
  atBob.onAsked(({ respond }) => respond(200, 'OK'));
  const first = atAlice.ask('INFO');
  await clock.pass(100);
  t.equal((await first).response?.status, 200);
  atAlice.moved((dialog) => ({ ...dialog, localSequence: dialog.localSequence - 2 }));
  const late = atAlice.ask('INFO');
  await clock.pass(100);
  t.equal((await late).response?.status, 500, 'RFC 3261 §12.2.2');
  atAlice.moved((dialog) => ({ ...dialog, remoteTag: 'nobody' }));
  const lost = atAlice.ask('INFO');
  await clock.pass(100);
  t.equal((await lost).response?.status, 481);
  const unknown = line.alice.ask('MESSAGE', 'sip:bob@example.com');
  await clock.pass(100);
  t.equal((await unknown).response?.status, 405);
});

/** A registrar that knows one password. */
const registrar = (clock: ReturnType<typeof testClock>, password: string, challenges: readonly string[]) => {
  const seen: string[] = [];
  const phone = createPhone({
    clock,
    random: (bytes) => new Uint8Array(bytes).fill(seen.length + 1),
    self: { transport: 'UDP', host: '192.0.2.9', port: 5060, uri: 'sip:alice@example.com', contact: 'sip:a@192.0.2.9' },
    peer: () => null,
    wire: {
      isReliable: false,
      send: (bytes) => {
        const request = messageOf(bytes);
        if (request.kind !== 'request') return;
        const credentials = readCredentials(header(request, 'authorization') ?? '');
        const isRight = credentials !== null && isAuthorized(credentials, password, 'REGISTER');
        seen.push(credentials?.algorithm ?? 'none');
        const answer = buildResponse(request, {
          ...(isRight ? { status: 200, reason: 'OK' } : { status: 401, reason: 'Unauthorized' }),
          toTag: 'x',
          // A header field may stand once here; two challenges are two fields on the wire, which kamailio's test shows.
          extraHeaders: isRight ? [] : [{ name: 'WWW-Authenticate', value: challenges[0] ?? '' }],
        });
        clock.after(1, () => phone.hear(answer));
      },
    },
    called: () => undefined,
  });
  return { phone, seen };
};

t.test('registering: with the right password, with a wrong one, and with a scheme that nobody speaks', async (t) => {
  const challenge = (algorithm: 'SHA-256' | 'MD5'): string =>
    challengeText({ realm: 'x', nonce: 'n', algorithm, opaque: null, isWithQop: true, isStale: false });
  for (const algorithm of ['SHA-256', 'MD5'] as const) {
    const clock = testClock();
    const { phone, seen } = registrar(clock, 'secret', [challenge(algorithm)]);
    const right = phone.register('sip:example.com', 600, 'secret');
    await clock.pass(100);
    t.same(
      (await right).map(({ response }) => response?.status),
      [401, 200],
    );
    t.same(seen, ['none', algorithm]);
    const wrong = phone.register('sip:example.com', 600, 'guess');
    await clock.pass(100);
    t.same(
      (await wrong).map(({ response }) => response?.status),
      [401, 401],
      'asked once and not again',
    );
  }
  const clock = testClock();
  const { phone } = registrar(clock, 'secret', ['Basic realm="x"']);
  const none = phone.register('sip:example.com', 600, 'secret');
  await clock.pass(100);
  t.same(
    (await none).map(({ response }) => response?.status),
    [401],
  );
  const numbers = phone.messages.filter(({ direction }) => direction === 'sent').map(({ bytes }) => messageOf(bytes));
  t.same(
    numbers.map(({ essentials }) => essentials.cseq.sequence),
    [1],
  );
});

t.test('an answer whose routes are too long for our ACK is none, and one with many routes stands', async (t) => {
  for (const [length, stands] of [
    [300, true],
    [700, false],
  ] as const) {
    const clock = testClock();
    const { alice, called, state } = twoPhones(clock);
    state.passes = (_, from) => from === 'alice';
    const calling = alice.invite('sip:bob@example.com', { body: audio() });
    await clock.pass(20);
    const invited = called[0]?.request;
    if (!invited) throw new Error('an INVITE');
    const routes = Array.from({ length: 11 }, () => `<sip:${'a'.repeat(length)}>`).join(', ');
    const answer = buildResponse(invited, {
      ...{ status: 200, reason: 'OK', toTag: 'there' },
      extraHeaders: [
        { name: 'Contact', value: `<sip:${'b'.repeat(1000)}>` },
        { name: 'Record-Route', value: routes },
      ],
      body: audio(),
    });
    alice.hear(answer);
    await clock.pass(40_000);
    t.equal((await calling.call) !== null, stands, `${routes.length} octets`);
    t.equal(
      alice.messages.some(({ bytes }) => nameOf(bytes) === 'ACK'),
      stands,
    );
    t.same(namesOf(alice.messages, 'heard'), ['200 INVITE'], 'it is remembered as what came');
  }
});

t.test('on a line that loses anything at any time each request ends, one way or another', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }), async (fates) => {
      const clock = testClock();
      const line = twoPhones(clock);
      line.state.passes = (_, __, count) => fates[count % fates.length] ?? true;
      const calling = line.alice.invite('sip:bob@example.com', { body: audio() });
      await clock.pass(2000);
      const atBob = line.called[0]?.accept(audio());
      await clock.pass(200_000);
      const { response } = await calling.over;
      const call = await calling.call;
      t.equal(call !== null, response?.status === 200);
      t.type(await (atBob?.acknowledged ?? true), 'boolean');
      const bye = call?.ask('BYE');
      await clock.pass(40_000);
      if (bye) t.ok((await bye).sentAtMs.length >= 1);
      t.equal(line.called.length <= 1, true, 'one INVITE is one call, however often it comes');
    }),
    { numRuns: 40 },
  );
});

t.test('bytes that are no message, and messages of strangers, change nothing', async (t) => {
  const clock = testClock();
  const line = twoPhones(clock);
  const [atAlice] = await standing(clock, line);
  const before = line.alice.messages.length;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => line.alice.hear(bytes)),
    { numRuns: 200 },
  );
  t.equal(line.alice.messages.length, before, 'no SIP, no memory');
  const answer = line.alice.messages.find(({ bytes }) => nameOf(bytes) === '200 INVITE')?.bytes ?? new Uint8Array();
  const acks = atAlice.acks();
  line.alice.hear(
    Buffer.from(
      Buffer.from(answer)
        .toString('latin1')
        .replace(/^Call-ID:.*$/m, 'Call-ID: other'),
      'latin1',
    ),
  );
  t.equal(atAlice.acks(), acks, 'a response of another call');
  line.alice.hear(answer);
  t.equal(atAlice.acks(), acks + 1, 'its own, once more');
});
