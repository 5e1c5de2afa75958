/** Calls with the reflector: who may have them, to whom they go, how much, and that a whole call stands with every message told. */

import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { realClock } from '../../src/dialog/clock.js';
import { createPhone, type Phone } from '../../src/dialog/phone.js';
import { createEar, createMouth } from '../../src/dialog/sound.js';
import { type CallAnswer, createCalls } from '../../src/reflector/calls.js';
import { makeCredentials } from '../../src/reflector/certificate.js';
import { createLimiter } from '../../src/reflector/limits.js';
import { startReflector } from '../../src/reflector/server.js';
import { createStrangers } from '../../src/reflector/strangers.js';
import { createTcpSide } from '../../src/reflector/tcp.js';
import {
  type CallOrder,
  type CallQuery,
  callIdentity,
  encodeCallQuery,
  MAX_LINES,
  readCallAnswer,
  readCallQuery,
  readCallUser,
  THE_RECORD,
  userOf,
} from '../../src/wire/call.js';
import { parseIp, toMappedBytes } from '../../src/wire/ip.js';
import { audioOf, buildSdp, OUR_FORMATS, parseSdp } from '../../src/wire/sdp.js';
import { parseSip } from '../../src/wire/sip.js';
import { isAnswer, readTag, verifyTag } from '../../src/wire/tag.js';
import { testClock } from '../dialog/support/line.js';
import { askAs, requestTag, sendInRealTime, sessionOf, sipRequest, TOKEN } from './support.js';

sendInRealTime();
const HOST = '127.0.0.1';
const ELSEWHERE = '127.0.0.2';
const bytesOf = (address: string): Uint8Array => {
  const ip = parseIp(address);
  if (!ip) throw new Error(`${address} is no address`);
  return toMappedBytes(ip.bytes);
};
const keys = sessionOf(1).keys;
if (!keys) throw new Error('a session with keys');
const IDENTITY = callIdentity(keys.toAgent);

t.test('queries and answers: what is written is read, and what says nothing is none', async (t) => {
  const query = { action: 'do', order: 'talk', line: 3, number: 7, afterMs: 250, argument: 50 } as const;
  t.match(readCallQuery(encodeCallQuery(query)), query);
  t.match(readCallQuery(encodeCallQuery({ action: 'open', as: bytesOf(HOST), ports: [20_000, 20_002] })), {
    ports: [20_000, 20_002],
  });
  const good = encodeCallQuery(query);
  for (const [at, value] of [
    [0, 9],
    [1, 0],
    [1, 99],
    [2, MAX_LINES],
    [3, MAX_LINES + 1],
    [8, 0xff],
  ] as const) {
    const bad = Uint8Array.from(good);
    bad[at] = value;
    t.equal(readCallQuery(bad), null, `${at} is ${value}`);
  }
  t.equal(readCallQuery(new Uint8Array(35)), null);
  t.equal(readCallAnswer(Uint8Array.of(99, 0, 0, 0, 0, 0, 0, 0)), null);
  t.equal(readCallAnswer(new Uint8Array(5)), null);
  t.same(readCallUser(IDENTITY.user(5)), { window: IDENTITY.user(5).slice(1, -1), line: 5 });
  t.equal(readCallUser('alice'), null);
  t.equal(userOf('sip:alice:secret@example.com;x=y'), 'alice');
  t.equal(userOf('sip:example.com'), null);
});

/** A far end's calls without a network. */
const rig = () => {
  const clock = testClock();
  const sent: { bytes: Uint8Array; to: { address: string; port: number }; port: number }[] = [];
  const state: { isBroken: boolean; phone?: Phone } = { isBroken: false };
  const defects: unknown[] = [];
  const calls = createCalls({
    clock,
    guarded: (work, otherwise) => {
      try {
        return work();
      } catch (error) {
        defects.push(error);
        return otherwise;
      }
    },
    send: (place, bytes, to) => {
      if (state.isBroken) throw new Error('a defect');
      sent.push({ bytes, to, port: place.port });
      clock.after(5, () => state.phone?.hear(bytes));
    },
    places: () => [5060, 20_000, 20_002].map((port) => ({ listener: 0, port })),
    listenerOf: () => 0,
  });
  const ask = (
    query: Partial<CallQuery> & Pick<CallQuery, 'action'>,
    { name = 'token session', address = '192.0.2.9', overConnection = true } = {},
  ): CallAnswer => {
    const read = readCallQuery(encodeCallQuery(query));
    if (!read) throw new Error('a query');
    const key = Buffer.from(name.padEnd(32).slice(0, 32));
    return calls.answer(read, {
      ...{ name, sourceAddress: address, sourceBytes: bytesOf(address), overConnection },
      identity: () => callIdentity(key),
    });
  };
  const hear = (bytes: Uint8Array, address: string, port = 5060): boolean =>
    calls.hear(bytes, { address, port: 40_000 }, address, { listener: 0, port });
  const identity = callIdentity(Buffer.from('token session'.padEnd(32)));
  return { clock, sent, state, defects, calls, ask, hear, identity };
};
const invite = (user: string): Buffer =>
  Buffer.from(
    Buffer.from(sipRequest('INVITE')).toString('latin1').replaceAll('probe@192.0.2.1', `${user}@192.0.2.1`),
    'latin1',
  );

t.test('a window is opened over a connection only, and only its own address is in it', async (t) => {
  const { ask, hear, sent, identity } = rig();
  t.equal(ask({ action: 'open' }, { overConnection: false }).state, 'needs-connection');
  t.equal(ask({ action: 'tell', index: THE_RECORD }).state, 'not-open');
  t.notOk(hear(invite(identity.user(0)), '192.0.2.9'), 'before it is open');
  t.equal(ask({ action: 'open' }).state, 'ok');
  t.notOk(hear(invite('alice'), '192.0.2.9'), 'another name');
  t.notOk(hear(invite(identity.user(0)), '192.0.2.10'), 'the name, from another address');
  t.equal(sent.length, 0);
  t.ok(hear(invite(identity.user(0)), '192.0.2.9'));
  t.ok(sent.length > 0 && sent.every(({ to }) => to.address === '192.0.2.9'));
});

t.test('windows have places and a rate, and end when nobody asks for them', async (t) => {
  const { ask, clock, hear, identity, calls } = rig();
  const states = Array.from({ length: 40 }, (_, n) =>
    ask({ action: 'open' }, { name: `token${n % 2} ${n}`, address: `10.0.${n}.1` }),
  ).map(({ state }) => state);
  t.ok(states.filter((state) => state === 'ok').length <= 32);
  t.ok(states.includes('held-back'));
  await clock.pass(200_000);
  t.equal(ask({ action: 'open' }).state, 'ok', 'all of them have ended');
  t.ok(hear(invite(identity.user(0)), '192.0.2.9'));
  await clock.pass(200_000);
  t.notOk(hear(invite(identity.user(0)), '192.0.2.9'));
  for (let n = 0; n < 40; n += 1) ask({ action: 'open' }, { name: `t ${n}` });
  t.equal(ask({ action: 'open' }, { name: 'other x', address: '192.0.2.77' }).state, 'held-back', 'of one network');
  calls.close();
});

t.test('what a window sends in all has a ceiling', async (t) => {
  const { ask, hear, sent, clock, identity } = rig();
  ask({ action: 'open' });
  const offer = buildSdp({
    ...{ address: '192.0.2.9', port: 30_000, sessionId: 1, version: 1, direction: 'sendrecv', ssrc: 5 },
    formats: OUR_FORMATS,
  });
  const text = invite(identity.user(0)).toString('latin1');
  const [head = ''] = text.split('\r\n\r\n');
  const whole = head.replace(/Content-Length: 0/i, `Content-Type: application/sdp\r\nContent-Length: ${offer.length}`);
  t.ok(hear(Buffer.concat([Buffer.from(`${whole}\r\n\r\n`, 'latin1'), offer]), '192.0.2.9'));
  const orders = Array.from(
    { length: 50 },
    (_, n) => ({ order: 'talk', line: 0, number: 1000 + n, argument: 500 }) as const,
  );
  const states = orders.map((order) => ask({ action: 'do', ...order }).state);
  t.ok(states.filter((state) => state === 'ok').length <= 8 && states.at(-1) === 'held-back', 'many voices at once');
  await clock.pass(11_000);
  for (let turn = 0; turn < 60; turn += 1) {
    ask({ action: 'do', order: 'talk', line: 0, number: turn + 1, argument: 500 });
    await clock.pass(10_000);
  }
  const sound = sent.filter(({ port }) => port !== 5060);
  t.ok(sound.length > 1000 && sent.length <= 16_000, `${sent.length} packets`);
  t.ok(sound.every(({ to }) => to.port === 30_000 && to.address === '192.0.2.9'));
});

/** An INVITE with an offer; `change` sees its header fields. */
const offering = (user: string, change: (head: string) => string = (head) => head): Buffer => {
  const offer = buildSdp({
    ...{ address: '192.0.2.9', port: 30_000, sessionId: 1, version: 1, direction: 'sendrecv', ssrc: 5 },
    formats: OUR_FORMATS,
  });
  const [head = ''] = invite(user).toString('latin1').split('\r\n\r\n');
  const typed = head.replace(/Content-Length: 0/i, `Content-Type: application/sdp\r\nContent-Length: ${offer.length}`);
  return Buffer.concat([Buffer.from(`${change(typed)}\r\n\r\n`, 'latin1'), offer]);
};
/** A request within the call that our last answer to its INVITE made. */
const within = (method: string, user: string, sent: readonly { bytes: Uint8Array }[], more = ''): Buffer => {
  const answer = Buffer.from(sent.at(-1)?.bytes ?? []).toString('latin1');
  const to = /^To:.*$/m.exec(answer)?.[0] ?? '';
  const [head = ''] = Buffer.from(sipRequest(method)).toString('latin1').split('\r\n\r\n');
  const mine = head
    .replaceAll('probe@192.0.2.1', `${user}@192.0.2.1`)
    .replace(/^To:.*$/m, to.trim())
    .replace('z9hG4bK74bf9', `z9hG4bK${method}`)
    .replace(/CSeq: 1 /, 'CSeq: 2 ');
  return Buffer.from(`${mine}${more}\r\n\r\n`, 'latin1');
};
const statusOfLast = (sent: readonly { bytes: Uint8Array }[]): number | null => {
  const parsed = parseSip(sent.at(-1)?.bytes ?? new Uint8Array());
  return parsed.ok && parsed.value.kind === 'response' ? parsed.value.status : null;
};

t.test('a call that is refused leaves the line to the one that stands', async (t) => {
  const { ask, hear, sent, clock, identity } = rig();
  const user = identity.user(0);
  ask({ action: 'open' });
  t.ok(hear(offering(user), '192.0.2.9'));
  await clock.pass(500);
  ask({ action: 'do', order: 'talk', line: 0, number: 1, argument: 500 });
  const sound = (): number => sent.filter(({ port }) => port !== 5060).length;
  await clock.pass(1000);
  const before = sound();
  const another = invite(user)
    .toString('latin1')
    .replace('74bf9', '74bfa')
    .replace(/^Call-ID: /m, 'Call-ID: 2');
  t.ok(hear(Buffer.from(another, 'latin1'), '192.0.2.9'));
  t.equal(statusOfLast(sent.filter(({ port }) => port === 5060)), 488, 'it offers nothing that can be spoken');
  await clock.pass(1000);
  t.ok(before > 40 && sound() >= before + 40, `${before} packets, then ${sound()}`);
});

t.test('what would make a message of ours too long to be read is refused before anything stands on it', async (t) => {
  const { ask, hear, sent, clock, defects, identity } = rig();
  const user = identity.user(0);
  ask({ action: 'open' });
  const long = (count: number) => 'a'.repeat(count);
  for (const [what, change] of [
    ['a Contact', (head: string) => head.replace(/^Contact:.*$/m, `Contact: <sip:${long(8150)}>`)],
    ['a From', (head: string) => head.replace('<sip:alice@', `"${long(2000)}" <sip:alice@`)],
    [
      'a strict router, and more of them',
      (head: string) => `${head}\r\nRecord-Route: <sip:a>\r\nRecord-Route: <sip:${long(8100)};lr>`,
    ],
    ['a router with a control in its name', (head: string) => `${head}\r\nRecord-Route: "\x01" <sip:a;lr>`],
  ] as const) {
    t.ok(
      hear(
        offering(user, (head) => change(head.replace('74bf9', `${long(3)}${what.length}`))),
        '192.0.2.9',
      ),
      what,
    );
    t.equal(statusOfLast(sent), 513, what);
  }
  const registering = Buffer.from(sipRequest('REGISTER')).toString('latin1');
  const registers = registering
    .replaceAll('probe@192.0.2.1', `${user}@192.0.2.1`)
    .replace(/^Contact:.*$/m, `Contact: <sip:${long(8150)}>`);
  t.ok(hear(Buffer.from(registers, 'latin1'), '192.0.2.9'));
  t.equal(statusOfLast(sent), 513, 'a registration');
  const count = sent.length;
  hear(
    offering(user, (head) => head.replace('74bf9;rport', `74bf9;x=${long(8000)};rport`)),
    '192.0.2.9',
  );
  t.equal(sent.length, count, 'what no answer can be built to is not answered');
  t.equal(ask({ action: 'do', order: 'call', line: 0, number: 1, afterMs: 1 }).state, 'nothing', 'nobody registered');
  await clock.pass(1000);
  t.ok(sent.every(({ bytes }) => statusOfLast([{ bytes }]) === 513));
  t.same(defects, []);
});

t.test('a line has eight calls at most, whoever makes them', async (t) => {
  const { ask, hear, clock, state, identity } = rig();
  const [line, other] = [identity.user(0), identity.user(1)];
  const phoneOf = (user: string): Phone => {
    const phone = createPhone({
      clock,
      random: (bytes) => randomBytes(bytes),
      self: {
        ...{ transport: 'UDP', host: '192.0.2.9', port: 40_000, uri: `sip:${user}@192.0.2.1` },
        contact: `sip:${user}@192.0.2.9:40000`,
      },
      peer: () => ({ address: '192.0.2.1', port: 5060 }),
      wire: { isReliable: false, send: (bytes) => void clock.after(5, () => hear(bytes, '192.0.2.9')) },
      called: (called) => void called.accept(describe(0)),
    });
    state.phone = phone;
    return phone;
  };
  ask({ action: 'open' });
  const caller = phoneOf(line);
  const all = Array.from({ length: 10 }, () => caller.invite(`sip:${line}@192.0.2.1`, { body: describe(0) }));
  await clock.pass(1000);
  const statuses = await Promise.all(all.map(async ({ over }) => (await over).response?.status));
  t.same(statuses.toSorted(), [...Array(8).fill(200), 486, 486]);
  const standing = await all[statuses.indexOf(200)]?.call;
  const bye = standing?.ask('BYE');
  await clock.pass(100);
  t.equal((await bye)?.response?.status, 200);
  const next = caller.invite(`sip:${line}@192.0.2.1`, { body: describe(0) });
  await clock.pass(1000);
  t.equal((await next.over).response?.status, 200, 'there is room again');

  const called = phoneOf(other);
  const registered = called.register('sip:192.0.2.1', 600, identity.password);
  await clock.pass(100);
  t.equal((await registered).at(-1)?.response?.status, 200);
  const states: string[] = [];
  for (let number = 1; number <= 10; number += 1) {
    states.push(ask({ action: 'do', order: 'call', line: 1, number }).state);
    await clock.pass(100);
  }
  t.same(states, [...Array(8).fill('ok'), 'held-back', 'held-back']);
});

t.test('a defect that comes to light later costs what was to be done then, and is told', async (t) => {
  const { ask, hear, sent, clock, state, defects, identity } = rig();
  const user = identity.user(0);
  ask({ action: 'open' });
  t.ok(hear(offering(user), '192.0.2.9'));
  await clock.pass(400);
  t.equal(statusOfLast(sent), 200);
  t.ok(hear(within('REFER', user, sent, `\r\nRefer-To: <sip:${user}@192.0.2.1>`), '192.0.2.9'));
  t.equal(statusOfLast(sent), 202);
  state.isBroken = true;
  await clock.pass(1);
  t.match(defects, [{ message: 'a defect' }], 'of the NOTIFY, for which nobody waits');
  ask({ action: 'do', order: 'bye', line: 0, number: 1, afterMs: 1 });
  await clock.pass(10);
  t.match(defects, [{ message: 'a defect' }, { message: 'a defect' }], 'of an order that was delayed');
});

t.test(
  'orders of which too many are under way are held back, so that no tenant takes the time of others',
  async (t) => {
    const { ask, hear, clock, identity } = rig();
    ask({ action: 'open' });
    t.ok(hear(invite(identity.user(0)), '192.0.2.9'));
    const states = (order: CallOrder, from: number, afterMs: number) =>
      Array.from({ length: 500 }, (_, n) => ask({ action: 'do', order, line: 0, number: from + n, afterMs }).state);
    for (const [order, from, afterMs] of [
      ['manner', 1000, 60_000],
      ['manner', 2000, 300_000],
    ] as const) {
      const said = states(order, from, afterMs);
      t.ok(said.filter((state) => state === 'ok').length <= 8, `${order} after ${afterMs} ms`);
      t.equal(said.at(-1), 'held-back');
      t.equal(said[0], 'ok');
      t.equal(ask({ action: 'do', order, line: 0, number: from, afterMs }).state, 'ok', 'the first again is done once');
      await clock.pass(afterMs + 1000);
      ask({ action: 'open' });
      t.equal(ask({ action: 'do', order, line: 0, number: from + 900 }).state, 'ok', 'when they are over');
    }
  },
);

t.test('two calls of one address share a port, and each hears its own speaker', async (t) => {
  const { ask, hear, identity, clock } = rig();
  const other = callIdentity(Buffer.from('token other'.padEnd(32)));
  const windows = [
    { name: 'token session', user: identity.user(0), ssrc: 5 },
    { name: 'token other', user: other.user(0), ssrc: 6 },
  ];
  for (const { name, user, ssrc } of windows) {
    t.equal(ask({ action: 'open', ports: [20_000] }, { name }).state, 'ok');
    const offer = buildSdp({
      ...{ address: '10.0.0.2', port: 30_000, sessionId: 1, version: 1, direction: 'sendrecv', ssrc },
      formats: OUR_FORMATS,
    });
    const [head = ''] = invite(user).toString('latin1').split('\r\n\r\n');
    const typed = head.replace(
      /Content-Length: 0/i,
      `Content-Type: application/sdp\r\nContent-Length: ${offer.length}`,
    );
    const mine = Buffer.from(`${typed.replace('z9hG4bK74bf9', `z9hG4bK${ssrc}`)}\r\n\r\n`, 'latin1');
    t.ok(hear(Buffer.concat([mine, offer]), '192.0.2.9'));
  }
  await clock.pass(1000);
  for (const { ssrc } of windows) t.ok(hear(createMouth(ssrc, 0).next(), '192.0.2.9', 20_000));
  t.notOk(hear(createMouth(7, 0).next(), '192.0.2.9', 20_000), 'a speaker of neither');
  for (const { name } of windows) {
    const { whole } = ask({ action: 'tell', index: THE_RECORD }, { name });
    t.equal(JSON.parse(Buffer.from(whole ?? []).toString()).call.soundHeard, 1);
  }
});

/** One socket with a phone on it, and the reflector at the other end. */
const telephone = async (t: Test, line: number, port: number, address = HOST) => {
  const socket: Socket = createSocket('udp4').bind(0, address);
  await once(socket, 'listening');
  t.teardown(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  const local = socket.address();
  const state: { phone?: Phone } = {};
  const user = IDENTITY.user(line);
  const phone = createPhone({
    clock: realClock,
    random: (bytes) => Buffer.from(Array.from({ length: bytes }, () => Math.floor(256 * Math.random()))),
    self: {
      ...{ transport: 'UDP', host: address, port: local.port, uri: `sip:${user}@${HOST}` },
      contact: `sip:${user}@${address}:${local.port}`,
    },
    peer: () => ({ address: HOST, port }),
    wire: { isReliable: false, send: (bytes) => socket.send(bytes, port, HOST) },
    called: (called) => {
      called.ring(180);
      called.accept(describe(line));
    },
  });
  state.phone = phone;
  socket.on('message', (bytes) => phone.hear(bytes));
  t.teardown(() => phone.close());
  return { phone, socket, user };
};
const describe = (line: number, more: { address?: string; port?: number } = {}) => ({
  contentType: 'application/sdp',
  content: buildSdp({
    ...{ address: HOST, port: 9, sessionId: 1, version: 1, direction: 'sendrecv', ssrc: line + 1 },
    formats: OUR_FORMATS,
    ...more,
  }),
});

const freeUdp = async (count: number): Promise<readonly number[]> => {
  const sockets = Array.from({ length: count }, () => createSocket('udp4').bind(0, HOST));
  await Promise.all(sockets.map((socket) => once(socket, 'listening')));
  const ports = sockets.map((socket) => socket.address().port);
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  return ports;
};

/** What this test reads of a record, which holds more than agents ask about. */
interface Told {
  readonly registration: { readonly expires: number; readonly algorithm: string } | null;
  readonly cancelled: number;
  readonly done: readonly { readonly order: string; readonly status: number | null }[];
  readonly call: {
    readonly acknowledged: boolean | null;
    readonly stands: boolean;
    readonly isOurs: boolean;
    readonly ssrc: number;
    readonly soundSent: number;
    readonly soundHeard: number;
  } | null;
  readonly messages: readonly (readonly [direction: number, atMs: number, name: string, digest: string])[];
}

const started = async (t: Test, how: { readonly calls?: boolean; readonly processes?: number } = {}) => {
  const [sip = 0, media = 0, other = 0] = await freeUdp(3);
  const control = sip;
  const reflector = await startReflector({
    listeners: [{ address: HOST, publicAddress: HOST }],
    ports: { udp: [sip, media, other], tcp: [control] },
    tokens: [{ name: 'test', token: TOKEN }],
    credentials: await makeCredentials(),
    version: '0.0.0-test',
    processes: 1,
    warn: (message) => t.fail(message),
    ...how,
  });
  t.teardown(() => reflector.close());
  let sequence = 1000;
  const query = async (one: Partial<CallQuery> & Pick<CallQuery, 'action'>) => {
    sequence += 1;
    const socket = connect({ port: control, host: HOST });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.end(requestTag(sequence, { type: 'callRequest', body: encodeCallQuery(one) }));
    await once(socket, 'close');
    const read = readTag(Buffer.concat(chunks));
    if (!read.ok || !isAnswer(read.value.tag) || !verifyTag(read.value, keys.toAgent, null))
      throw new Error('no answer');
    const told = readCallAnswer(read.value.tag.body);
    if (!told) throw new Error('no word');
    return told;
  };
  const whole = async (line: number, index: number): Promise<Buffer> => {
    const pieces: Uint8Array[] = [];
    for (let length = 0; ; ) {
      const { piece } = await query({ action: 'tell', line, index, offset: length });
      pieces.push(piece.bytes);
      length += piece.bytes.length;
      if (length >= piece.wholeLength || piece.bytes.length === 0) return Buffer.concat(pieces);
    }
  };
  const record = async (line: number): Promise<Told> => JSON.parse((await whole(line, THE_RECORD)).toString()) as Told;
  const until = async (line: number, holds: (told: Told) => boolean) => {
    for (let turn = 0; turn < 100; turn += 1) {
      const now = await record(line);
      if (holds(now)) return now;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    throw new Error(`the far end never came so far: ${JSON.stringify(await record(line))}`);
  };
  return { sip, media, other, query, whole, record, until };
};

t.test("a call's connection may rest for two minutes, after a keepalive as well", async (t) => {
  const clock = testClock();
  const CALL = 'a message of a call';
  const tcp = createTcpSide({
    clock,
    listeners: [{ address: HOST }],
    secureContext: () => {
      throw new Error('no TLS here');
    },
    arrivalOf: ({ address, port }, localPort, binding, localAddress) => ({
      ...{ sourceBytes: bytesOf(address), sourceAddress: address, sourcePort: port, localPort, localAddress, binding },
      ...{ receivedAtMicros: 0n, surroundings: null },
    }),
    createConversation: () => ({
      owner: () => 'token',
      push: (chunk) => ({
        send: [{ bytes: Buffer.from(chunk), afterMs: 0, proven: false, informed: null }],
        ...{ close: false, inCall: Buffer.from(chunk).toString() === CALL },
      }),
    }),
    strangers: createStrangers(createLimiter()),
    guarded: (work) => work(),
    defer: () => false,
    failed: () => undefined,
    refused: () => t.fail('nobody is refused'),
    counted: () => undefined,
    warn: (message) => t.fail(message),
  });
  const [port = 0] = await freeUdp(1);
  await tcp.bind({ listener: 0, port });
  t.teardown(() => tcp.close());
  const opened = async (first: string) => {
    const socket = connect({ port, host: HOST });
    const say = async (text: string): Promise<void> => {
      socket.write(text);
      await once(socket, 'data');
    };
    await say(first);
    return { say, ended: once(socket, 'close') };
  };
  const phone = await opened(CALL);
  const pinging = await opened('\r\n\r\n');
  await clock.pass(14_000);
  for (const one of [phone, pinging]) await one.say('\r\n\r\n');
  await clock.pass(16_000);
  await pinging.ended;
  t.equal(tcp.openConnections(), 1, 'without a call fifteen seconds');
  await clock.pass(100_000);
  await phone.say('\r\n\r\n');
  await clock.pass(119_000);
  t.equal(tcp.openConnections(), 1);
  await clock.pass(2000);
  await phone.ended;
});

t.test('a whole call: registered, called, heard, held, hung up, called back, and every message told', async (t) => {
  const { sip, media, query, whole, until } = await started(t);
  t.equal((await query({ action: 'open', as: bytesOf(HOST), ports: [media] })).state, 'ok');
  const { phone, user } = await telephone(t, 0, sip);

  const registered = await phone.register(`sip:${HOST}`, 600, IDENTITY.password);
  t.same(
    registered.map(({ response }) => response?.status),
    [401, 200],
  );
  const wrong = await phone.register(`sip:${HOST}`, 600, 'a guess');
  t.same(
    wrong.map(({ response }) => response?.status),
    [401, 401],
  );
  t.match(await until(0, ({ registration }) => registration !== null), {
    registration: { expires: 600, algorithm: 'SHA-256' },
    wrong: 1,
  });

  const voice = createSocket('udp4').bind(0, HOST);
  await once(voice, 'listening');
  t.teardown(() => new Promise<void>((resolve) => voice.close(() => resolve())));
  const calling = phone.invite(`sip:${user}@${HOST}`, { body: describe(0, { port: voice.address().port }) });
  t.equal(await calling.first, 180);
  const { response } = await calling.over;
  const call = await calling.call;
  if (!call || !response) throw new Error('the call stands');
  t.match(await until(0, (one) => one.call?.acknowledged === true), { call: { answers: 1, stands: true } });
  const described = parseSdp(response.body);
  const theirs = described.ok ? audioOf(described.value) : null;
  t.match(theirs, { address: HOST, port: media }, 'the port that we asked for');

  const mouth = createMouth(1, 0);
  const ear = createEar(() => 101);
  voice.on('message', (bytes) => ear.hear(bytes));
  for (let turn = 0; turn < 5; turn += 1) voice.send(mouth.next(), media, HOST);
  for (const bytes of mouth.press('5', 101)) voice.send(bytes, media, HOST);
  await query({ action: 'do', order: 'talk', number: 1, argument: 10 });
  await query({ action: 'do', order: 'key', number: 2, argument: '#'.charCodeAt(0), afterMs: 250 });
  const spoken = await until(0, ({ call: own }) => own?.soundHeard === 13 && own.soundSent >= 18);
  t.match(spoken.call, { keys: '5' });
  while (ear.keys() === '') await once(voice, 'message');
  t.equal(ear.keys(), '#');
  t.ok(ear.heard(spoken.call?.ssrc ?? 0) >= 10);
  const info = await call.ask('INFO', {
    body: { contentType: 'application/dtmf-relay', content: Buffer.from('Signal=7\r\nDuration=160\r\n') },
  });
  t.equal(info.response?.status, 200);

  const held = await call.reinvite({
    contentType: 'application/sdp',
    content: buildSdp({
      ...{ address: HOST, port: 9, sessionId: 1, version: 2, direction: 'sendonly', ssrc: 1, formats: OUR_FORMATS },
    }),
  });
  const answered = held.response && parseSdp(held.response.body);
  t.equal(answered?.ok && audioOf(answered.value)?.direction, 'recvonly');
  t.match(await until(0, (one) => one.call?.acknowledged === true), { call: { relayed: '7' } });

  const asked: string[] = [];
  call.onAsked(({ request, respond }) => {
    asked.push(request.method);
    if (request.method === 'INVITE') {
      respond(200, 'OK', { headers: [{ name: 'Contact', value: `<sip:${user}@${HOST}:9>` }], body: describe(0) });
    } else respond(200, 'OK');
  });
  await query({ action: 'do', order: 'hold', number: 3 });
  await until(0, ({ done }) => done.some((one) => one.order === 'hold' && one.status === 200));
  await query({ action: 'do', order: 'hold', number: 3 });
  await query({ action: 'do', order: 'refresh', number: 4 });
  await until(0, ({ done }) => done.some((one) => one.order === 'refresh'));
  const referred = await call.ask('REFER', { headers: [{ name: 'Refer-To', value: `<sip:${user}@${HOST}>` }] });
  t.equal(referred.response?.status, 202);
  await until(0, () => asked.filter((method) => method === 'NOTIFY').length === 2);
  t.same(asked, ['INVITE', 'UPDATE', 'NOTIFY', 'NOTIFY'], 'an order of the same number is done once');
  t.equal((await call.ask('BYE')).response?.status, 200);
  await until(0, (one) => one.call?.stands === false);

  t.equal((await query({ action: 'do', order: 'call', number: 5 })).state, 'ok');
  await until(0, ({ call: own }) => own?.isOurs === true && own.stands);
  await query({ action: 'do', order: 'bye', number: 6 });
  await until(0, ({ done }) => done.some((one) => one.order === 'bye' && one.status === 200));

  const { messages } = await until(0, () => true);
  t.equal(messages.length, phone.messages.length, 'on loopback nothing is lost and nothing is sent twice');
  for (const [index, one] of phone.messages.entries()) {
    const told = await whole(0, index);
    t.same(told.toString('latin1'), Buffer.from(one.bytes).toString('latin1'));
    const [direction, , name] = messages[index] ?? [];
    t.same([direction, name], [one.direction === 'sent' ? 0 : 1, one.name]);
  }
});

t.test(
  'where calls are switched off, or have several processes: none are offered, and SIP is answered as a stranger is',
  async (t) => {
    for (const how of [{ calls: false }, { processes: 2 }]) {
      const { sip, media, query } = await started(t, how);
      t.equal((await query({ action: 'open', as: bytesOf(HOST), ports: [media] })).state, 'not-offered');
      const { phone, user } = await telephone(t, 0, sip);
      const calling = phone.invite(`sip:${user}@${HOST}`, { body: describe(0) });
      t.equal((await calling.over).response?.status, 603, JSON.stringify(how));
    }
  },
);

t.test('a call left ringing is taken back; and what belongs to no call is answered as ever', async (t) => {
  const { sip, media, query, until } = await started(t);
  await query({ action: 'open', as: bytesOf(HOST), ports: [media] });
  await query({ action: 'do', order: 'manner', line: 2, number: 1, argument: 1 });
  const { phone, user, socket } = await telephone(t, 2, sip);
  const calling = phone.invite(`sip:${user}@${HOST}`, { body: describe(2) });
  t.equal(await calling.first, 180);
  t.equal((await calling.cancel()).response?.status, 200);
  t.equal((await calling.over).response?.status, 487);
  await until(2, ({ cancelled }) => cancelled === 1);

  const statusOf = async (bytes: Uint8Array, from = socket): Promise<number | null> => {
    from.send(bytes, sip, HOST);
    const [answer] = (await once(from, 'message')) as [Buffer];
    const parsed = parseSip(answer);
    return parsed.ok && parsed.value.kind === 'response' ? parsed.value.status : null;
  };
  t.equal(await statusOf(sipRequest('INVITE')), 603, "a stranger's INVITE");
  t.equal(await statusOf(sipRequest('REGISTER')), 403);
  const other = createSocket('udp4').bind(0, ELSEWHERE);
  await once(other, 'listening');
  t.teardown(() => new Promise<void>((resolve) => other.close(() => resolve())));
  t.equal(await statusOf(invite(user), other), 603, 'the right name from another address');
  const { question } = await askAs('rtp-echo', { sequence: 77, session: 1, port: media });
  const [message] = question.messages;
  socket.send(message ?? '', media, HOST);
  const [echo] = (await once(socket, 'message')) as [Buffer];
  t.ok(echo.length > 100, 'a question inside RTP to a port of a call');
});
