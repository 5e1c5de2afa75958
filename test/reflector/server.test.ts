/**
 * The reflector on real sockets of the loopback interface: what ordinary tools get from it, what who holds connections
 * open gets, and what its command line says. No traffic leaves this host.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { type Credentials, keptCredentials, makeCredentials } from '../../src/reflector/certificate.js';
import { type Reflector, startReflector } from '../../src/reflector/server.js';
import { TAG_HEADER, tagToText } from '../../src/wire/carriers.js';
import { expectProof, judgeTag } from '../../src/wire/proof.js';
import { parseSip, topVia } from '../../src/wire/sip.js';
import { mappedAddressOf, parseStun } from '../../src/wire/stun.js';
import { isAnswer, readTag } from '../../src/wire/tag.js';
import {
  latin1,
  NOW_MICROS,
  oldStunRequest,
  requestTag,
  sendInRealTime,
  sessionOf,
  sipRequest,
  stunRequest,
  TOKEN,
} from './support.js';

const run = promisify(execFile);
const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
const CREDENTIALS: Credentials = await makeCredentials();
const LABEL = 'EXPORTER-callpath-1';

/** Whether nobody has this port, over UDP and TCP, on any of the addresses. */
const isFree = async (port: number, addresses: readonly string[]): Promise<boolean> => {
  for (const address of addresses) {
    const server = createServer();
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const bound = await Promise.all([
      new Promise<boolean>((resolve) => {
        server.once('error', () => resolve(false));
        server.listen({ port, host: address, exclusive: true }, () => resolve(true));
      }),
      new Promise<boolean>((resolve) => {
        socket.once('error', () => resolve(false));
        socket.bind({ port, address, exclusive: true }, () => resolve(true));
      }),
    ]);
    if (server.listening) await new Promise((resolve) => server.close(resolve));
    await new Promise<void>((resolve) => socket.close(resolve));
    if (bound.includes(false)) return false;
  }
  return true;
};

const handedOut = new Set<number>();
/** Ports below the range from which systems hand out ports of their own, so that no other socket takes them meanwhile. */
const freePorts = async (count: number, addresses: readonly string[] = ['127.0.0.1']): Promise<number[]> => {
  const found: number[] = [];
  while (found.length < count) {
    const port = randomInt(12_000, 30_000);
    if (handedOut.has(port) || !(await isFree(port, addresses))) continue;
    handedOut.add(port);
    found.push(port);
  }
  return found;
};
const freePort = async (addresses?: readonly string[]): Promise<number> => (await freePorts(1, addresses))[0] ?? 0;

interface Running {
  readonly port: number;
  readonly reflector: Reflector;
  readonly warnings: readonly string[];
}
/** A reflector on one free port of each address, over UDP and TCP. */
const start = async (
  listen: readonly string[] = ['127.0.0.1'],
  reach: readonly string[] = listen,
): Promise<Running> => {
  const port = await freePort(reach);
  const warnings: string[] = [];
  const reflector = await startReflector({
    listeners: listen.map((address) => ({ address, publicAddress: address })),
    ports: { udp: [port], tcp: [port] },
    tokens: [{ name: 'test', token: TOKEN }],
    credentials: CREDENTIALS,
    version: '0.1.0',
    warn: (message) => warnings.push(message),
  });
  return { port, reflector, warnings };
};

const ask = async (message: Uint8Array, port: number, address = '127.0.0.1'): Promise<Uint8Array> => {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.send(message, port, address);
  const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(5000) })) as [Buffer];
  socket.close();
  return answer;
};

const opened = async (port: number, options: { host?: string; localAddress?: string } = {}): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1', ...options });
  // What ends a connection is judged by when it ends; a reset is an end like another.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
};
const secured = async (port: number, version?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<TLSSocket> => {
  const socket = connectTls({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    // Without the client's own scruples, so that it is the reflector that refuses.
    ...(version && { minVersion: version, maxVersion: version, ciphers: 'ALL@SECLEVEL=0' }),
  });
  await once(socket, 'secureConnect');
  socket.on('error', () => undefined);
  return socket;
};
/** Everything until the far end closes. */
const toTheEnd = async (socket: Socket): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};
const closed = (socket: Socket): Promise<void> =>
  socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));

const hasTool = (name: string): boolean =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin'].some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
/** Where CI runs, a missing tool is a failure: the test runs, and cannot. */
const needs = (name: string, debian: string): { skip?: string; timeout: number } => ({
  timeout: 30_000,
  ...(!hasTool(name) && !process.env.CI && { skip: `needs ${name} (Debian: ${debian})` }),
});
const tool = async (name: string, ...options: readonly string[]): Promise<string> => {
  const { stdout, stderr } = await run(name, [...options], { timeout: 20_000 });
  return stdout + stderr;
};

const WITH_IPV6 = {
  skip:
    !Object.values(networkInterfaces())
      .flat()
      .some((own) => own?.address === '::1') && 'this host has no ::1',
};
const WITH_MANY_LOOPBACKS = {
  timeout: 60_000,
  skip: process.platform !== 'linux' && 'all of 127.0.0.0/8 is this host on Linux only',
};

/** Runs beside all the others, because the time that a connection may hold still is fifteen seconds. */
const slowLoris = (async () => {
  const { port, reflector } = await start();
  const startedAt = performance.now();
  const secondsUntilClosed = async (socket: Socket): Promise<number> => {
    socket.resume();
    await closed(socket);
    return (performance.now() - startedAt) / 1000;
  };
  const timers: NodeJS.Timeout[] = [];
  const trickling = async (first: Uint8Array, then: Uint8Array, everyMs: number): Promise<Socket> => {
    const socket = await opened(port);
    socket.write(first);
    const timer = setInterval(() => socket.writable && socket.write(then), everyMs);
    timers.push(timer);
    return socket;
  };
  const silent = await opened(port);
  const headTrickler = await trickling(latin1('GET / HTTP/1.1\r\n'), latin1('X'), 500);
  const sipTrickler = await trickling(latin1('OPTIONS sip:a SIP/2.0\r\nX: '), latin1('x'), 500);
  const handshakeTrickler = await trickling(Uint8Array.of(0x16, 0x03, 0x01), Uint8Array.of(0x02), 2000);
  const halfHello = await opened(port);
  halfHello.write(Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01));
  const secure = await secured(port);
  const phone = await trickling(latin1('\r\n\r\n'), latin1('\r\n\r\n'), 3000);
  let pongs = 0;
  phone.on('data', (bytes) => {
    pongs += bytes.length / 2;
  });
  const ends = await Promise.all(
    [silent, headTrickler, sipTrickler, handshakeTrickler, halfHello, secure].map(secondsUntilClosed),
  );
  const phoneLives = !phone.closed && pongs >= 4;
  for (const timer of timers) clearInterval(timer);
  phone.destroy();
  await reflector.close();
  return { ends, phoneLives };
})();

sendInRealTime();

t.test('ordinary tools get standard answers', async (t) => {
  const { port, reflector, warnings } = await start();
  const at = `127.0.0.1:${port}`;
  t.teardown(() => reflector.close());
  t.same(warnings, []);
  t.same([reflector.udp, reflector.tcp], [[port], [port]]);

  for (const transport of ['udp', 'tcp']) {
    await t.test(`sipsak over ${transport}`, needs('sipsak', 'sipsak'), async (t) => {
      const text = await tool('sipsak', '-vv', '-E', transport, '-s', `sip:probe@${at}`);
      t.match(text, /SIP\/2\.0 200 OK/);
      t.match(text, /final received/);
    });
  }
  await t.test("coturn's turnutils_stunclient", needs('turnutils_stunclient', 'coturn'), async (t) => {
    t.match(
      await tool('turnutils_stunclient', '-p', String(port), '127.0.0.1'),
      /UDP reflexive addr: 127\.0\.0\.1:\d+/,
    );
  });
  await t.test('ike-scan in both versions', needs('ike-scan', 'ike-scan'), async (t) => {
    const scan = (...options: readonly string[]) =>
      tool('ike-scan', ...options, '--sport=0', `--dport=${port}`, '--retry=2', '127.0.0.1');
    const noReturn = /0 returned handshake; 1 returned notify/;
    for (const options of [['--ikev2'], ['--ikev2', '--nat-t']]) {
      const text = await scan(...options);
      t.match(text, /NO_PROPOSAL_CHOSEN/, options.join(' '));
      t.match(text, noReturn);
    }
    const text = await scan();
    t.match(text, /INVALID-MAJOR-VERSION/, 'IKEv1');
    t.match(text, noReturn);
  });
  for (const way of ['+notcp', '+tcp', '+noedns']) {
    await t.test(`dig ${way}`, needs('dig', 'bind9-dnsutils'), async (t) => {
      const text = await tool('dig', '@127.0.0.1', '-p', String(port), 'example.com', way, '+tries=1', '+timeout=5');
      t.match(text, /status: REFUSED/);
      t.notMatch(text, /malformed|extra bytes|mismatch|FORMERR/i);
    });
  }
  await t.test('curl', needs('curl', 'curl'), async (t) => {
    for (const url of [`http://${at}/`, `https://${at}/some/path?and=query`]) {
      t.match(
        await tool('curl', '-sS', '-i', '-k', url),
        /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\ncallpath reflector 0\.1\.0\n$/,
      );
    }
    t.match(await tool('curl', '-sS', '-I', `http://${at}/`), /^HTTP\/1\.1 200 OK/, 'HEAD');
    const upload = join(t.testdir({ body: 'x'.repeat(300_000) }), 'body');
    t.match(
      await tool('curl', '-sS', '--data-binary', `@${upload}`, `http://${at}/`),
      'callpath reflector',
      'a body behind the head that is answered already does not lose the answer',
    );
  });
  for (const [option, version] of [
    ['-tls1_2', 'TLSv1.2'],
    ['-tls1_3', 'TLSv1.3'],
  ] as const) {
    await t.test(`openssl s_client ${option}`, needs('openssl', 'openssl'), async (t) => {
      const child = spawn('openssl', ['s_client', '-connect', at, option], { stdio: ['pipe', 'pipe', 'ignore'] });
      child.stdin.end();
      const text = String(Buffer.concat(await child.stdout.toArray()));
      t.match(text, new RegExp(`New, ${version}, Cipher is `));
      t.match(text, /subject=CN = callpath reflector/);
    });
  }
});

/** The part of node-stun 0.1.2 that is used here; it brings no types. */
interface NodeStun {
  createClient(): {
    setLocalAddr(address: string): void;
    setServerAddr(address: string, port: number): void;
    start(done: (result: number) => void): void;
    close(done: () => void): void;
    getMappedAddr(): { address: string; port: number };
  };
}

t.test("node-stun's client of RFC 3489 reads its address from the answer", { timeout: 20_000 }, async (t) => {
  const { port, reflector } = await start();
  const nodeStun = createRequire(import.meta.url)('node-stun') as NodeStun;
  const client = nodeStun.createClient();
  // The discovery ends there, because one address cannot be two: the client wants CHANGED-ADDRESS and says so.
  const reported = new Promise<string>((resolve) => {
    t.intercept(console, 'log', { value: (line: string) => resolve(line) });
  });
  client.setLocalAddr('127.0.0.1');
  client.setServerAddr('127.0.0.1', port);
  client.start(() => undefined);
  t.equal(await reported, 'Error: CHANGED-ADDRESS not present');
  t.equal(client.getMappedAddr().address, '127.0.0.1');
  t.ok(client.getMappedAddr().port > 0);
  await new Promise<void>((resolve) => client.close(resolve));
  await reflector.close();
});

t.test('TLS 1.2 and 1.3, and a tag that proves the very session', async (t) => {
  const { port, reflector } = await start();
  t.teardown(() => reflector.close());
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await secured(port, version);
    t.equal(socket.getProtocol(), version);
    t.equal(socket.getPeerCertificate().fingerprint256, CREDENTIALS.sha256, 'the certificate that info answers name');
    const binding = socket.exportKeyingMaterial(32, LABEL, Buffer.alloc(0));
    const request = requestTag(1, { binding });
    socket.write(request);
    const answer = await toTheEnd(socket);
    const proof = expectProof({ session: sessionOf(1), sequence: 1, sentAtMicros: NOW_MICROS, binding }, request);
    t.ok(proof && judgeTag(answer, proof, 1000).authentic, `${version}: proven`);
    t.notOk(proof && judgeTag(answer, { ...proof, binding: null }, 1000).authentic, 'not without the binding');

    const another = await secured(port, version);
    another.write(request);
    t.equal((await toTheEnd(another)).length, 0, 'in another TLS session the same tag is nobody’s');
  }
  await t.rejects(secured(port, 'TLSv1.1'), 'TLS 1.1 is history (RFC 8996)');
});

t.test('nobody gets a second handshake on one connection', async (t) => {
  const { port, reflector } = await start();
  t.teardown(() => reflector.close());
  const socket = await secured(port, 'TLSv1.2');
  socket.on('error', () => undefined);
  const error = await new Promise<Error | null>((resolve) => {
    socket.once('close', () => resolve(new Error('hung up')));
    socket.renegotiate({ rejectUnauthorized: false }, resolve);
  });
  t.ok(error, String(error));
  socket.destroy();
});

t.test('several messages over one TLS connection, in records of any size', async (t) => {
  const { port, reflector } = await start();
  t.teardown(() => reflector.close());
  const socket = await secured(port);
  const request = sipRequest('OPTIONS');
  const received: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => received.push(bytes));
  const answers = (): number => String(Buffer.concat(received)).split('SIP/2.0 200 OK').length - 1;
  for (const octet of request) socket.write(Uint8Array.of(octet));
  socket.write(Buffer.concat([request, request, latin1('\r\n\r\n')]));
  const until = performance.now() + 5000;
  while (!String(Buffer.concat(received)).endsWith('\r\n\r\n\r\n') && performance.now() < until)
    await once(socket, 'data');
  t.equal(answers(), 3);
  socket.destroy();
});

t.test('an IPv4 client of a dual-stack socket is told its IPv4 address', WITH_IPV6, async (t) => {
  const { port, reflector, warnings } = await start(['::'], ['::']);
  t.teardown(() => reflector.close());
  t.same(warnings, []);
  for (const address of ['127.0.0.1', '::1']) {
    const mapped = (bytes: Uint8Array) => {
      const parsed = parseStun(bytes);
      return parsed.ok ? mappedAddressOf(parsed.value)?.address : null;
    };
    t.equal(mapped(await ask(stunRequest(), port, address)), address, 'STUN');
    t.equal(mapped(await ask(oldStunRequest(), port, address)), address, 'STUN of RFC 3489');
    const sip = parseSip(await ask(sipRequest('OPTIONS'), port, address));
    t.equal(sip.ok && topVia(sip.value).received, address, 'SIP');
    // A number of its own: the same request from another address is a replay.
    const sequence = address.length;
    const request = requestTag(sequence, { body: new Uint8Array(52) });
    const proof = expectProof({ session: sessionOf(1), sequence, sentAtMicros: NOW_MICROS, binding: null }, request);
    if (!proof) throw new Error('no proof to expect');
    const seen = (answer: Uint8Array): string | null => {
      const judged = judgeTag(answer, proof, 1000);
      return judged.authentic ? judged.attestation.seenAddress : null;
    };
    t.equal(seen(await ask(request, port, address)), address, 'the tag');
    const stream = await opened(port, { host: address });
    stream.write(request);
    t.equal(seen(await toTheEnd(stream)), address, 'the tag over TCP');
  }
});

t.test('IPv6 alone, beside IPv4 on the same port', WITH_IPV6, async (t) => {
  const { port, reflector, warnings } = await start(['127.0.0.1', '::1']);
  t.teardown(() => reflector.close());
  t.same(warnings, []);
  for (const address of ['127.0.0.1', '::1']) t.equal((await ask(sipRequest('OPTIONS'), port, address))[0], 0x53);
});

t.test('a port that is taken is one warning, and the rest goes on', async (t) => {
  const [taken = 0, takenUdp = 0, free = 0] = await freePorts(3);
  const squatter = createServer().listen(taken, '127.0.0.1');
  const udpSquatter = createSocket('udp4').bind(takenUdp, '127.0.0.1');
  await Promise.all([once(squatter, 'listening'), once(udpSquatter, 'listening')]);
  const warnings: string[] = [];
  const reflector = await startReflector({
    listeners: [{ address: '127.0.0.1', publicAddress: '127.0.0.1' }],
    ports: { udp: [taken, takenUdp, free], tcp: [taken, takenUdp, free] },
    tokens: [{ name: 'test', token: TOKEN }],
    credentials: CREDENTIALS,
    version: '0.1.0',
    warn: (message) => warnings.push(message),
  });
  const sorted = (...ports: readonly number[]): number[] => [...ports].sort((a, b) => a - b);
  t.same(warnings.sort(), [
    `tcp ${taken} on 127.0.0.1: cannot be bound (EADDRINUSE)`,
    `udp ${takenUdp} on 127.0.0.1: cannot be bound (EADDRINUSE)`,
  ]);
  t.same(reflector.udp, sorted(taken, free));
  t.same(reflector.tcp, sorted(takenUdp, free));
  t.equal((await ask(stunRequest(), free)).length, 32);
  await reflector.close();
  squatter.close();
  udpSquatter.close();
  await once(squatter, 'close');
});

t.test('close() ends connections, frees every port and leaves nothing behind', async (t) => {
  const before = process.getActiveResourcesInfo().length;
  const ports = await freePorts(20);
  for (let round = 0; round < 2; round += 1) {
    const warnings: string[] = [];
    const reflector = await startReflector({
      listeners: [{ address: '127.0.0.1', publicAddress: '127.0.0.1' }],
      ports: { udp: ports, tcp: ports },
      tokens: [{ name: 'test', token: TOKEN }],
      credentials: CREDENTIALS,
      version: '0.1.0',
      warn: (message) => warnings.push(message),
    });
    t.same(warnings, [], round === 0 ? 'bound' : 'bound again at once');
    const [port = 0] = ports;
    const connections = [await opened(port), await opened(port), await secured(port)];
    connections[0]?.write(latin1('\r\n\r\n'));
    connections[1]?.write(latin1('GET / HT'));
    const ends = Promise.all(connections.map(closed));
    for (const connection of connections) connection.resume();
    await reflector.close();
    await ends;
    for (const free of ports) t.ok(await isFree(free, ['127.0.0.1']), `${free} is free again`);
  }
  // The closed sockets of this test's own end leave in the next turns of the event loop.
  const until = performance.now() + 5000;
  while (process.getActiveResourcesInfo().length > before && performance.now() < until) await sleep(20);
  t.ok(process.getActiveResourcesInfo().length <= before, 'no handle is left');
});

t.test('connections have a ceiling, for each network and for all', WITH_MANY_LOOPBACKS, async (t) => {
  const { port, reflector } = await start(['0.0.0.0'], ['0.0.0.0']);
  t.teardown(() => reflector.close());
  const held: Socket[] = [];
  t.teardown(() => {
    for (const socket of held) socket.destroy();
  });
  /** A ping is answered by a reflector that has taken the connection, and by nothing else. */
  const pinged = async (localAddress: string): Promise<Socket | null> => {
    const socket = await opened(port, { localAddress });
    socket.write(latin1('\r\n\r\n'));
    const heard = await Promise.race([
      new Promise<boolean>((resolve) => socket.once('data', () => resolve(true))),
      closed(socket).then(() => false),
    ]);
    return heard ? socket : null;
  };
  const hold = async (localAddress: string, count: number): Promise<void> => {
    // Fewer at a time than the system queues for a listener.
    for (let left = count; left > 0; ) {
      const sockets = await Promise.all(Array.from({ length: Math.min(left, 100) }, () => pinged(localAddress)));
      const taken = sockets.filter((socket) => socket !== null);
      held.push(...taken);
      // A network's strangers get 400 answers at once, and 200 a second after that.
      left -= taken.length;
      if (taken.length < sockets.length) await sleep(200);
    }
  };
  /** Whether a newcomer from there is served. */
  const served = async (localAddress: string): Promise<boolean> => {
    const socket = await pinged(localAddress);
    socket?.destroy();
    if (socket) await closed(socket);
    return socket !== null;
  };
  const proven = await opened(port, { localAddress: '127.0.1.1' });
  const tag = tagToText(requestTag(1, { body: new Uint8Array(52) }));
  proven.write(sipRequest('OPTIONS', [{ name: TAG_HEADER, value: tag }]));
  await once(proven, 'data');
  await hold('127.0.1.1', 499);
  const [oldest, second] = held;
  if (!oldest || !second) throw new Error('nothing is held');
  t.ok(await served('127.0.1.2'), 'a newcomer is served');
  await closed(oldest);
  t.ok(oldest.destroyed, 'at the cost of who stood longest in its network without a token');
  t.ok(await served('127.0.2.1'), 'another network has room of its own');
  t.notOk(second.destroyed || proven.destroyed, 'and costs nobody anything');
  await hold('127.0.1.1', 1);
  for (const network of [2, 3, 4]) await hold(`127.0.${network}.1`, 500);
  t.ok(await served('127.0.9.1'), 'where all room is taken, a newcomer is served as well');
  await closed(second);
  t.equal(reflector.counters().openConnections <= 2000, true, 'two thousand is all');
  t.notOk(proven.destroyed, 'who has shown a token stays');
  t.equal((await ask(stunRequest(), port)).length, 32, 'UDP goes on');
  const told = await ask(requestTag(2, { body: new Uint8Array(52) }), port);
  const read = readTag(told);
  t.ok(read.ok && isAnswer(read.value.tag), 'and answers');
  proven.destroy();
});

t.test('who asks without reading is not listened to, and does not fill the memory', { timeout: 60_000 }, async (t) => {
  const { port, reflector } = await start();
  t.teardown(() => reflector.close());
  const block = Buffer.concat(new Array<Uint8Array>(500).fill(sipRequest('OPTIONS')));
  const limit = 128 * 1024 * 1024;
  for (const socket of [await opened(port), await secured(port)]) {
    socket.pause();
    let taken = 0;
    let stalledAt = performance.now();
    const push = (): void => {
      socket.write(block, (error) => {
        if (error) return;
        taken += block.length;
        stalledAt = performance.now();
        if (taken < limit) push();
      });
    };
    push();
    while (taken < limit && performance.now() - stalledAt < 1500 && !socket.destroyed) await sleep(50);
    t.ok(taken < limit, `${Math.round(taken / 1024 / 1024)} MiB were taken before it stopped reading`);
    socket.destroy();
  }
  t.equal((await ask(stunRequest(), port)).length, 32, 'others are served');
});

t.test(
  'connections that say nothing, or never finish, are closed; a phone that pings is not',
  { timeout: 40_000 },
  async (t) => {
    const { ends, phoneLives } = await slowLoris;
    const names = [
      'silence',
      'an HTTP head in drops',
      'a SIP head in drops',
      'a handshake in drops',
      'half a ClientHello',
      'silence over TLS',
    ];
    for (const [index, seconds] of ends.entries()) {
      t.ok(seconds < 18, `${names[index]}: closed after ${seconds.toFixed(1)} s`);
    }
    t.ok(phoneLives, 'a connection that is answered lives on');
  },
);

const CLI = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'src', 'cli', 'reflector.js');
/** Without the user's own token or settings. */
const ENVIRONMENT = { PATH: process.env.PATH ?? '', HOME: '/nonexistent' };

/** Runs the command to its end. */
const command = async (...options: readonly string[]) => {
  const child = spawn(process.execPath, [CLI, ...options], { env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [code, signal]] = await Promise.all([
    child.stdout.toArray(),
    child.stderr.toArray(),
    once(child, 'close') as Promise<[number | null, string | null]>,
  ]);
  return { stdout: String(Buffer.concat(out)), stderr: String(Buffer.concat(err)), code, signal };
};

/** Starts the command; resolves when its log has the line that says so. */
const launched = async (env: NodeJS.ProcessEnv, ...options: readonly string[]) => {
  const child: ChildProcess = spawn(process.execPath, [CLI, ...options], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'close') as Promise<[number | null, string | null]>;
  const lines: Record<string, unknown>[] = [];
  let rest = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts.map((line) => JSON.parse(line) as Record<string, unknown>));
      if (lines.some(({ msg }) => msg === 'reflector ready')) resolve();
    });
    void ended.then(([code]) => reject(new Error(`ended with ${code}: ${JSON.stringify(lines)}`)));
  });
  return { child, lines, ended };
};

t.test('the command makes what it needs, says when it is ready, and ends when told', { timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'callpath-reflector-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const tokenFile = join(folder, 'state', 'token');
  const [port = 0, control = 0] = await freePorts(2);
  const options = [
    '--listen',
    '127.0.0.1',
    '--token-file',
    tokenFile,
    '--udp',
    `${port}`,
    '--control-port',
    `${control}`,
  ];
  const fingerprints: string[] = [];
  const tokens: string[] = [];
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { child, lines, ended } = await launched(ENVIRONMENT, ...options);
    t.match(lines.at(-1), { msg: 'reflector ready', udp: 1, tcp: 1, listen: ['127.0.0.1'] });
    t.equal(
      lines.some(({ msg }) => String(msg).startsWith('made a token')),
      tokens.length === 0,
      'a token is made once',
    );
    tokens.push(readFileSync(tokenFile, 'utf8'));
    t.match(tokens.at(-1), /^[A-Za-z0-9_-]{43}\n$/, '256 bits');
    t.equal(statSync(tokenFile).mode & 0o777, 0o600);
    t.equal(statSync(`${tokenFile}.key.pem`).mode & 0o777, 0o600);
    t.equal(statSync(join(folder, 'state')).mode & 0o777, 0o700);
    t.ok(existsSync(`${tokenFile}.cert.pem`));
    t.equal((await ask(stunRequest(), port)).length, 32, 'it answers');
    const socket = await secured(control);
    fingerprints.push(socket.getPeerCertificate().fingerprint256);
    // An open connection does not keep it from ending.
    child.kill(signal);
    t.same(await ended, [0, null], `${signal} ends it with 0`);
    t.notMatch(JSON.stringify(lines), tokens.at(-1)?.trim() ?? '-', 'the token is not in the log');
    socket.destroy();
  }
  t.equal(tokens[0], tokens[1]);
  t.equal(fingerprints[0], fingerprints[1], 'the certificate is kept');
});

t.test(
  'the command takes a token from the environment and a certificate from files',
  { timeout: 30_000 },
  async (t) => {
    const folder = t.testdir({ 'cert.pem': CREDENTIALS.cert, 'key.pem': CREDENTIALS.key });
    const control = await freePort();
    const { child, lines, ended } = await launched(
      { ...ENVIRONMENT, CALLPATH_TOKEN: String(TOKEN) },
      ...['--listen', '127.0.0.1', '--tls', `${control}`, '--control-port', `${control}`],
      ...['--cert', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem')],
    );
    t.match(lines.at(-1), { msg: 'reflector ready', udp: 0, tcp: 1 });
    const socket = await secured(control);
    t.equal(socket.getPeerCertificate().fingerprint256, CREDENTIALS.sha256);
    socket.write(requestTag(1, { binding: socket.exportKeyingMaterial(32, LABEL, Buffer.alloc(0)) }));
    t.equal((await toTheEnd(socket)).length, 100, 'the token is the one of the environment');
    child.kill('SIGTERM');
    t.same(await ended, [0, null]);
  },
);

t.test(
  'a port that is taken is a warning; when none is left, the command ends with 2',
  { timeout: 60_000 },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'callpath-reflector-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const tokenFile = join(folder, 'token');
    const [taken = 0, free = 0] = await freePorts(2);
    const squatter = createServer().listen(taken, '127.0.0.1');
    await once(squatter, 'listening');
    const options = ['--listen', '127.0.0.1', '--token-file', tokenFile, '--control-port', `${taken}`];
    const { child, lines, ended } = await launched(ENVIRONMENT, ...options, '--tcp', `${taken},${free}`);
    t.equal(lines.filter(({ msg }) => msg === `tcp ${taken} on 127.0.0.1: cannot be bound (EADDRINUSE)`).length, 1);
    t.match(lines.at(-1), { msg: 'reflector ready', tcp: 1 });
    child.kill('SIGTERM');
    t.same(await ended, [0, null]);

    const nothing = await command(...options, '--tcp', `${taken}`);
    t.equal(nothing.code, 2);
    t.equal(nothing.stdout, '');
    t.match(nothing.stderr.trimEnd().split('\n').at(-1), /^reflector: --listen: not a single port could be bound/);
    squatter.close();
    await once(squatter, 'close');

    // 192.0.2.0/24 is for documentation, and no host has it.
    const elsewhere = await command('--listen', '192.0.2.1', '--token-file', tokenFile, '--udp', `${free}`);
    t.equal(elsewhere.code, 2);
    t.match(elsewhere.stderr, '--listen: 192.0.2.1 is not an address of this host; it has');
    t.equal(elsewhere.stderr.trimEnd().split('\n').length, 1, 'and not once for each port');
  },
);

t.test('a mistake is one line that names the option, and exit code 2', { timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'callpath-reflector-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const other = await makeCredentials();
  const cert = file('cert.pem', CREDENTIALS.cert);
  const key = file('key.pem', CREDENTIALS.key);
  const text = file('text', 'neither a key nor a certificate');
  const token = file('token', String(TOKEN));
  const missing = join(folder, 'missing');
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--listne', '127.0.0.1'], /--listne/],
    [['--listen', 'localhost'], /--listen: "localhost" is not an address/],
    [['stray'], /stray/],
    [['--udp'], /--udp/],
    [['--udp', '5060-'], /--udp: "5060-"/],
    [['--udp', '0'], /--udp: "0"/],
    [['--tcp', '65536'], /--tcp: "65536"/],
    [['--tls', '2-1'], /--tls: "2-1"/],
    [['--udp', '5060,,5061'], /--udp: ""/],
    [['--control-port', '0'], /--control-port: "0"/],
    [['--control-port', 'https'], /--control-port: "https"/],
    [['--cert', cert], /--cert and --key/],
    [['--key', key], /--cert and --key/],
    [['--cert', missing, '--key', key], /--cert .*missing.*ENOENT/],
    [['--cert', cert, '--key', missing], /--key .*missing.*ENOENT/],
    [['--cert', text, '--key', key], /--cert .*text.*certificate/],
    [['--cert', cert, '--key', text], /--key .*text.*key/],
    [['--cert', cert, '--key', file('other.pem', other.key)], /--key .*other\.pem.*certificate/],
    [['--token-file', file('short', 'fifteen octets!')], /--token-file .*short.*16/],
    [['--token-file', file('large', 'x'.repeat(5000))], /--token-file .*large.*too large/],
    [['--token-file', folder], /--token-file .*EISDIR/],
    [['--token-file', join(text, 'below', 'token')], /--token-file .*cannot be made \(ENOTDIR\)/],
    [['--profile', 'no-such-profile'], /no-such-profile/],
  ];
  const results = await Promise.all(
    cases.map(([options]) =>
      command(
        ...(options.includes('--token-file') ? [] : ['--token-file', token]),
        '--listen',
        '127.0.0.1',
        ...options,
      ),
    ),
  );
  for (const [index, { stdout, stderr, code }] of results.entries()) {
    const [options = [], expected = /./] = cases[index] ?? [];
    const name = options.map((option) => option.replace(folder, '')).join(' ');
    t.equal(code, 2, name);
    t.equal(stdout, '', name);
    t.match(stderr, expected, name);
    t.equal(stderr.trimEnd().split('\n').length, 1, `${name}: one line`);
    t.match(stderr, /^reflector: /, name);
  }
});

t.test('a certificate that cannot be kept beside the token is a mistake that names the file', async (t) => {
  const file = join(t.testdir({ file: 'a file, and no folder' }), 'file', 'token');
  await t.rejects(keptCredentials(file), {
    name: 'UserError',
    message: `--token-file ${file}: no certificate can be kept beside it (ENOTDIR); make its folder writable, or give --cert and --key`,
  });
});

t.test('--help and --version', async (t) => {
  const help = await command('--help');
  t.equal(help.code, 0);
  t.match(help.stdout, /--listen/);
  t.equal(help.stderr, '');
  const version = await command('--version');
  t.equal(version.code, 0);
  t.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

t.test('tokens and certificates change while it runs', { timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'callpath-reflector-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [tokenFile, certFile, keyFile] = ['token', 'cert.pem', 'key.pem'].map((name) => join(folder, name));
  if (!tokenFile || !certFile || !keyFile) throw new Error('no names');
  const write = (credentials: Credentials): void => {
    writeFileSync(certFile, credentials.cert);
    writeFileSync(keyFile, credentials.key);
  };
  const others = '# two customers\nacme-berlin a-token-of-acme-in-berlin\n\nacme-bonn   a-token-of-acme-in-bonn\n';
  writeFileSync(tokenFile, others);
  write(CREDENTIALS);
  const [port = 0, control = 0, metrics = 0] = await freePorts(3);
  const { child, lines, ended } = await launched(
    ENVIRONMENT,
    ...['--listen', '127.0.0.1', '--udp', `${port}`, '--control-port', `${control}`, '--token-file', tokenFile],
    ...['--cert', certFile, '--key', keyFile, '--metrics', `127.0.0.1:${metrics}`],
  );
  t.match(lines.at(-1), { msg: 'reflector ready', tokens: 2, processes: 1 });

  let sequence = 0;
  const typeFor = async (token: string): Promise<string> => {
    sequence += 1;
    const read = readTag(
      await ask(requestTag(sequence, { token: Buffer.from(token), body: new Uint8Array(52) }), port),
    );
    return read.ok ? read.value.tag.type : read.refusal;
  };
  const fingerprint = async (): Promise<string> => {
    const socket = await secured(control);
    const shown = (socket as TLSSocket).getPeerX509Certificate()?.fingerprint256 ?? '';
    socket.destroy();
    return shown;
  };
  const reloaded = async (said: RegExp): Promise<void> => {
    const before = lines.length;
    child.kill('SIGHUP');
    const until = performance.now() + 20_000;
    while (!lines.slice(before).some(({ msg }) => said.test(String(msg))) && performance.now() < until) await sleep(20);
  };
  t.equal(await typeFor('a-token-of-acme-in-berlin'), 'echoAnswer');
  t.equal(await typeFor('a-token-of-acme-in-bonn'), 'echoAnswer');
  t.equal(await typeFor('a-token-of-somebody-else'), 'refusal');
  t.equal(await fingerprint(), CREDENTIALS.sha256);

  const renewed = await makeCredentials();
  write(renewed);
  writeFileSync(tokenFile, 'acme-bonn a-token-of-acme-in-bonn\nnewcomer a-token-of-somebody-else\n');
  await reloaded(/^reloaded$/);
  t.equal(await typeFor('a-token-of-acme-in-berlin'), 'refusal', 'revoked');
  t.equal(await typeFor('a-token-of-acme-in-bonn'), 'echoAnswer', 'and nobody else notices');
  t.equal(await typeFor('a-token-of-somebody-else'), 'echoAnswer');
  t.equal(await fingerprint(), renewed.sha256);

  writeFileSync(tokenFile, 'acme-bonn a-token-of-acme-in-bonn\nacme-bonn another-token-of-acme\n');
  await reloaded(/nothing was reloaded: .*:2: there is a token called acme-bonn already/);
  t.ok(
    lines.some(({ msg }) => /:2: there is a token called acme-bonn already/.test(String(msg))),
    'a mistake is said',
  );
  t.equal(await typeFor('a-token-of-acme-in-bonn'), 'echoAnswer', 'and changes nothing');

  const exposition = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
  t.match(exposition, /callpath_reflector_admitted_requests_total\{token="acme-bonn"\} 3\n/);
  t.match(exposition, /callpath_reflector_admitted_requests_total\{token="newcomer"\} 1\n/);
  t.match(exposition, /callpath_reflector_sessions [1-9]/);
  t.notMatch(exposition, /a-token-of/, 'no token is ever shown');
  t.notMatch(JSON.stringify(lines), /a-token-of/, 'nor logged');
  child.kill('SIGTERM');
  t.same(await ended, [0, null]);
});

t.test('an agent of another version is told so', async (t) => {
  const { port, reflector } = await start();
  t.teardown(() => reflector.close());
  const request = Buffer.from(requestTag(1, { body: new Uint8Array(52) }));
  request.writeUInt8(2, 2);
  const read = readTag(await ask(request, port));
  t.match(read.ok && read.value.tag, { type: 'refusal', because: 2 });
});

const NATDISCOVERY = 'turnutils_natdiscovery';
t.test(
  'a STUN tool of RFC 5780 finds both addresses',
  { ...needs(NATDISCOVERY, 'coturn'), timeout: 60_000 },
  async (t) => {
    const addresses = ['127.0.54.1', '127.0.54.2'];
    const warnings: string[] = [];
    const reflector = await startReflector({
      listeners: addresses.map((address) => ({ address, publicAddress: address })),
      ports: { udp: [3478, 3479], tcp: [] },
      tokens: [{ name: 'test', token: TOKEN }],
      credentials: CREDENTIALS,
      version: '0.1.0',
      warn: (message) => warnings.push(message),
    });
    t.teardown(() => reflector.close());
    t.same(warnings, []);
    // -P pads its requests, which pays for what RFC 5780 adds to the answers.
    const { stdout } = await run(NATDISCOVERY, ['-m', '-f', '-P', '127.0.54.1'], { timeout: 30_000 });
    t.match(stdout, /Other addr: : 127\.0\.54\.2:3479/);
    t.match(stdout, /Response origin: : 127\.0\.54\.2:3478/, 'asked at the other address');
    t.match(stdout, /Response origin: : 127\.0\.54\.2:3479/, 'answered from the other address and port');
    t.match(stdout, /NAT with Endpoint Independent Mapping!/);
    t.match(stdout, /NAT with Endpoint Independent Filtering!/);
    t.match(stdout, /No ALG: Mapped == XOR-Mapped/);
    const { stdout: plain } = await run('turnutils_stunclient', ['127.0.54.1'], { timeout: 30_000 });
    t.match(plain, /UDP reflexive addr: 127\.0\.0\.1:\d+/, 'and who does not pay is answered all the same');
  },
);
