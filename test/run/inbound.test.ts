/** The way in, from this host's side: who comes to the port and counts, and that nothing leaves it before it is tried. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import type { InboundPort } from '../../src/model/check.js';
import type { Transport } from '../../src/model/kinds.js';
import type { InboundFacts } from '../../src/model/study-facts.js';
import type { Host } from '../../src/reflector/exchange.js';
import { type Net, sparing, systemNet } from '../../src/run/net.js';
import { tryOwnPorts } from '../../src/run/phases/try-own-ports.js';
import { study } from '../../src/run/studies/inbound.js';
import { loadStudy, type StudiedFarEnd } from '../../src/run/studies/study.js';
import { judge } from '../../src/verdict/studies/inbound.js';
import { STUDY_KINDS, type StudyKind } from '../../src/verdict/studies/registry.js';
import type { InboundState } from '../../src/wire/inbound.js';
import { deriveKeys } from '../../src/wire/keys.js';
import { EVERYWHERE, pureReflector, TOKEN } from '../support/pure-reflector.js';
import { check, observed, silence, THRESHOLDS } from '../verdict/support/facts.js';
import { knownPath, toolsOf } from './support/context.js';
import { fakeNet } from './support/fake-net.js';
import { stateWith } from './support/state.js';

const HOST = '127.0.0.1';
const STRANGER = '127.0.0.2';
const OUTSIDE = '198.51.100.1';
const SESSION = { id: new Uint8Array(8).fill(7), keys: deriveKeys(TOKEN, new Uint8Array(8).fill(7)) };
const CLEAN = { trials: 200, answers: 200 };

type Knock = (port: number, binding: Uint8Array | null) => Uint8Array;
/** What comes to the port while the far end tries it for the nth time, counted from 0; the far end's word follows. */
type Coming = (port: number, knock: Knock, attempt: number) => Promise<void>;

/** A far end whose word is `said`, whatever comes to the port. */
const farEndWith = async (t: Test, said: InboundState, seen: string, coming: Coming): Promise<StudiedFarEnd> => {
  const states = new Map<number, InboundState>();
  const inbound: Host['inbound'] = {
    answer: ({ attempt, port }, { knock }) => {
      const known = states.get(attempt);
      if (known) return known;
      const count = states.size;
      states.set(attempt, 'pending');
      void coming(port, knock, count).then(() => states.set(attempt, said));
      return 'pending';
    },
    close: () => undefined,
  };
  const reflector = pureReflector(() => BigInt(Date.now()) * 1000n, EVERYWHERE, TOKEN, { inbound });
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const conversation = reflector.conversation();
    socket.on('data', (chunk) => {
      const from = { address: seen, port: socket.remotePort ?? 1, localPort: socket.localPort ?? 0 };
      const { send, close } = conversation.push(chunk, reflector.arrival(from));
      for (const { bytes } of send) socket.write(bytes);
      if (close) socket.end();
    });
  }).listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as { port: number };
  const way = check(`tcp-connect/tcp/${port}`, { address: HOST, host: HOST });
  return {
    ...{ address: HOST, passing: [way], observations: [], ways: [way], flows: null, signalling: [], connections: null },
    identity: { info: { ...EVERYWHERE, inbound: true }, control: way },
  };
};

const freePort = async (transport: Transport): Promise<number> => {
  if (transport === 'udp') {
    const socket = createSocket('udp4').bind(0, HOST);
    await once(socket, 'listening');
    const { port } = socket.address();
    await new Promise<void>((resolve) => socket.close(resolve));
    return port;
  }
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
};

/** Connects, and has been accepted: the listener reads nothing and answers nothing, so it ends only later. */
const connection = async (t: Test, from: string, port: number): Promise<void> => {
  const socket = connect({ port, host: HOST, localAddress: from });
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
};

const tried = async (farEnd: StudiedFarEnd, transport: Transport): Promise<InboundFacts> => {
  const asked: InboundPort = { transport, port: await freePort(transport) };
  const tools = toolsOf(systemNet(1000, HOST), SESSION, { path: knownPath(200, 0) });
  const [facts] = await study.ask([farEnd], tools, { deep: false, nat: false, inbound: [asked] });
  if (!facts) throw new Error('nothing came home');
  return facts;
};
const verdictOf = (facts: InboundFacts): string => {
  const { verdict, reason } = judge([facts], CLEAN, THRESHOLDS).checks?.[0]?.finding ?? {};
  return `${verdict}/${reason}`;
};

t.test('whoever else connects to the port is no connection of the far end’s', async (t) => {
  const farEnd = await farEndWith(t, 'connected', OUTSIDE, async (port, _, count) => {
    if (count === 0) await connection(t, STRANGER, port);
  });
  const facts = await tried(farEnd, 'tcp');
  t.equal(facts.tries.length, 3);
  t.ok(facts.tries.every(({ opened, said }) => opened === 0 && said === 'connected'));
  t.equal(verdictOf(facts), 'unknown/not-forwarded', 'the NAT forwards it to another host');
});

t.test('connections of the far end’s own are, however its address is spelt', async (t) => {
  const farEnd = await farEndWith(t, 'tls-failed', OUTSIDE, async (port) => connection(t, HOST, port));
  const facts = await tried({ ...farEnd, address: `::ffff:${HOST}` }, 'tls');
  t.ok(facts.tries.every(({ opened }) => opened === 1));
  t.equal(verdictOf(facts), 'blocked/dropped', 'content or size: what came of the knock does not tell');
});

t.test('a knock that comes in another TLS session was opened on the way', async (t) => {
  const farEnd = await farEndWith(t, 'connected', HOST, async (port, knock) => {
    const socket = connectTls({
      socket: connect({ port, host: HOST, localAddress: STRANGER }),
      rejectUnauthorized: false,
    });
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    await new Promise<void>((resolve) => socket.end(knock(port, new Uint8Array(32).fill(1)), () => resolve()));
  });
  const facts = await tried(farEnd, 'tls');
  t.ok(facts.tries.every(({ arrived, altered }) => !arrived && altered));
  t.equal(verdictOf(facts), 'altered/tls-intercepted');
});

t.test('datagrams of strangers say nothing, and the knock arrives beside them', async (t) => {
  const send = async (from: string, port: number, bytes: Uint8Array): Promise<void> => {
    const socket = createSocket('udp4').bind(0, from);
    await once(socket, 'listening');
    await new Promise<void>((resolve) => socket.send(bytes, port, HOST, () => resolve()));
    await new Promise<void>((resolve) => socket.close(resolve));
  };
  const farEnd = await farEndWith(t, 'sent', HOST, async (port, knock, count) => {
    const changed = Uint8Array.from(knock(port, null));
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    await send(STRANGER, port, changed);
    await send(STRANGER, port, Buffer.from('anything'));
    if (count === 1) await send(HOST, port, knock(port, null));
  });
  const { tries } = await tried(farEnd, 'udp');
  t.match(tries, [
    { arrived: false, altered: false, opened: 0 },
    { arrived: true, opened: 0 },
  ]);
});

t.test('every other study waits until inbound traffic was tried', async (t) => {
  const after = new Map<StudyKind, readonly StudyKind[]>();
  for (const kind of STUDY_KINDS) after.set(kind, (await loadStudy(kind)).after ?? []);
  const waits = (kind: StudyKind): boolean => (after.get(kind) ?? []).some((one) => one === 'inbound' || waits(one));
  t.strictSame(
    STUDY_KINDS.filter((kind) => !waits(kind)),
    ['inbound'],
  );
});

t.test('no socket gets a port of inbound traffic by chance', async (t) => {
  const net = fakeNet();
  const flow = { address: HOST, port: 5060, family: 4 } as const;
  const events = { message: () => undefined, error: () => undefined };
  const kept = [40_000, 40_001, 40_003].map((port): InboundPort => ({ transport: 'udp', port }));
  const spared = sparing(net, [...kept, { transport: 'tcp', port: 40_002 }]);
  t.equal((await spared.openUdp(flow, events)).local.port, 40_002, 'of TCP it may be');
  t.equal((await spared.openSharedUdp(4, () => undefined, null)).local.port, 40_004);
  t.equal(net.openSockets(), 2, 'those that are not used are closed');
});

t.test('a silent protocol is asked from its own port, unless that is to be tried from outside', async (t) => {
  const from = async (inbound: readonly InboundPort[]): Promise<readonly unknown[]> => {
    const ports: unknown[] = [];
    const fake = fakeNet();
    const net: Net = {
      ...fake,
      openUdp: (peer, events, local) => {
        ports.push(local?.port);
        return fake.openUdp(peer, events, local);
      },
    };
    const state = await stateWith(net, [observed(check('sip-options/udp/5060'), silence(3))], {
      studies: { deep: false, nat: false, inbound },
    });
    t.teardown(() => state.close());
    await fake.run(tryOwnPorts(state));
    return ports;
  };
  t.strictSame(await from([]), [5060]);
  t.strictSame(await from([{ transport: 'tcp', port: 5060 }]), [5060]);
  t.strictSame(await from([{ transport: 'udp', port: 5060 }]), []);
});
