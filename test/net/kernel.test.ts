/** What the kernel tells of datagrams, on loopback; and that nothing depends on it where it is absent or broken. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import {
  type Heard,
  type HeardError,
  hasKernel,
  type Kernel,
  kernelView,
  viewOf,
} from '../../src/net/kernel/kernel.js';
import { decodeAddress, encodeAddress, readControl } from '../../src/net/kernel/layout.js';
import { loadLibrary } from '../../src/net/kernel/library.js';

const view = await kernelView();
/** Why what needs it is left out, where optional packages are. */
const absent = hasKernel(view) ? false : view.why;
const kernel = view as Kernel;

const LOOPBACK = { 4: '127.0.0.1', 6: '::1' } as const;
type Family = keyof typeof LOOPBACK;

const openFiles = (): number => readdirSync('/proc/self/fd').length;

/** A socket of Node's on loopback; closed with the test. */
const peerOf = async (t: Test, family: Family): Promise<{ readonly socket: Socket; readonly port: number }> => {
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  socket.bind(0, LOOPBACK[family]);
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return { socket, port: socket.address().port };
};

/** A port on which nobody listens. */
const freePort = async (family: Family): Promise<number> => {
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  socket.bind(0, LOOPBACK[family]);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
};

/** The first of what comes. */
const first = <T>(): { readonly come: Promise<T>; readonly tell: (value: T) => void } => {
  let tell: (value: T) => void = () => undefined;
  const come = new Promise<T>((resolve) => {
    tell = resolve;
  });
  return { come, tell };
};
const nothing = { message: () => undefined, error: () => undefined };

for (const family of [4, 6] as const) {
  const address = LOOPBACK[family];

  t.test(`IPv${family}: the marks of what arrives, and the kernel's own time`, { skip: absent }, async (t) => {
    const { come, tell } = first<Heard>();
    const { socket, port } = await peerOf(t, family);
    socket.setTTL(77);
    socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address));
    const flow = kernel.openFlow({ address, port, family }, { message: tell, error: () => t.fail('no error comes') });
    t.teardown(flow.close);
    t.equal(flow.local.address, address);
    const sentAtMs = flow.send(Buffer.from('a mark'));
    const heard = await come;
    t.equal(Buffer.from(heard.bytes).toString(), 'a mark');
    t.equal(heard.hopLimit, 77);
    t.equal(heard.trafficClass, 0);
    t.ok(heard.isKernelTime);
    t.ok(heard.atMs >= sentAtMs - 1 && heard.atMs <= performance.now(), 'a moment between sending and now');
  });

  t.test(`IPv${family}: what one marks the other sees, packet by packet`, { skip: absent }, async (t) => {
    const port = await freePort(family);
    const sender = kernel.openFlow({ address, port, family }, nothing);
    t.teardown(sender.close);
    const heard: Heard[] = [];
    const { come, tell } = first<true>();
    const message = (one: Heard): void => {
      heard.push(one);
      if (heard.length === 3) tell(true);
    };
    const from = { address, port };
    const receiver = kernel.openFlow({ address, port: sender.local.port, family }, { ...nothing, message }, from);
    t.teardown(receiver.close);
    t.same(receiver.local, from);
    sender.send(Buffer.from('1'), { hopLimit: 9, trafficClass: 46 << 2 });
    sender.send(Buffer.from('2'), { hopLimit: 200 });
    sender.send(Buffer.from('3'), { trafficClass: 0 });
    await come;
    t.same(
      heard.map(({ hopLimit, trafficClass }) => [hopLimit, trafficClass]),
      [
        [9, 46 << 2],
        [200, 46 << 2],
        [200, 0],
      ],
      'a mark stays until it is changed',
    );
  });

  t.test(`IPv${family}: an error comes with its type, its code and who sent it`, { skip: absent }, async (t) => {
    const port = await freePort(family);
    const { come, tell } = first<HeardError>();
    const flow = kernel.openFlow({ address, port, family }, { ...nothing, error: tell });
    t.teardown(flow.close);
    flow.send(Buffer.from('nobody hears this'));
    const { origin, type, code, from, errno, quoted } = await come;
    t.same(
      { origin, type, code, from, errno },
      family === 4
        ? { origin: 'icmp', type: 3, code: 3, from: address, errno: 'ECONNREFUSED' }
        : { origin: 'icmp6', type: 1, code: 4, from: address, errno: 'ECONNREFUSED' },
    );
    t.equal(Buffer.from(quoted).toString(), 'nobody hears this');
    t.doesNotThrow(() => flow.send(Buffer.from('again')), 'what was pending does not take the next one`s place');
  });

  t.test(`IPv${family}: a connection stands, or is reset by nobody's ICMP`, { skip: absent }, async (t) => {
    const server = createServer((socket) => socket.destroy());
    server.listen(0, address);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const options = { timeoutMs: 5000, signal: new AbortController().signal };
    t.same(await kernel.tryConnection({ address, port, family }, options), { outcome: 'open' });
    server.close();
    await once(server, 'close');
    const refused = await kernel.tryConnection({ address, port, family }, options);
    t.same(refused, { outcome: 'error', code: 'ECONNREFUSED', icmp: null });
  });
}

t.test('no descriptor is left, whatever becomes of a flow', { skip: absent }, async (t) => {
  const { port } = await peerOf(t, 4);
  const before = openFiles();
  const peer = { address: '127.0.0.1', port, family: 4 } as const;
  for (let i = 0; i < 50; i += 1) {
    const flow = kernel.openFlow(peer, nothing);
    flow.send(Buffer.from('x'));
    flow.close();
    flow.close();
    t.throws(() => flow.send(Buffer.from('x')), { code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' });
    t.throws(() => kernel.openFlow(peer, nothing, { address: '192.0.2.1' }), { code: 'EADDRNOTAVAIL' });
    t.throws(() => kernel.openFlow({ ...peer, address: 'fe80::1%lo', family: 6 }, nothing), { code: 'EINVAL' });
  }
  const aborted = AbortSignal.abort();
  const given = await kernel.tryConnection({ ...peer, address: '127.0.0.1' }, { timeoutMs: 5000, signal: aborted });
  t.not(given.outcome, 'open');
  t.equal(openFiles(), before);
});

t.test('a library that is absent, broken or of another kind is a reason and no error', async (t) => {
  const here = { platform: 'linux', arch: 'x64' } as const;
  const gone = Object.assign(new Error("Cannot find package 'koffi'"), { code: 'ERR_MODULE_NOT_FOUND' });
  const cases: readonly (readonly [() => Promise<unknown>, Parameters<typeof loadLibrary>[1], string])[] = [
    [() => Promise.reject(gone), here, 'the optional package koffi is not installed'],
    [
      () => Promise.reject(new Error('invalid ELF header\nat somewhere')),
      here,
      'the optional package koffi does not load: invalid ELF header',
    ],
    [() => Promise.resolve({ default: {} }), here, 'the optional package koffi is of another version'],
    [
      () =>
        Promise.resolve({
          ...{ errno: () => 0, address: () => 0n, os: { errno: {} } },
          load: () => ({
            func: () => {
              throw new Error('Cannot find function `socket`');
            },
          }),
        }),
      here,
      'the optional package koffi does not load: Cannot find function `socket`',
    ],
    [() => Promise.reject(gone), { platform: 'darwin', arch: 'arm64' }, 'it is not read on this system (darwin)'],
    [() => Promise.reject(gone), { platform: 'linux', arch: 's390x' }, 'it is not read on this architecture (s390x)'],
  ];
  for (const [load, where, why] of cases) {
    const seen = viewOf(await loadLibrary(load, where));
    t.notOk(hasKernel(seen));
    t.same(seen, { why });
  }
});

t.test('addresses as the kernel writes them', async (t) => {
  for (const [family, address] of [
    [4, '198.51.100.10'],
    [6, '2001:db8:77::2'],
    [6, '::'],
    [6, '::1'],
    [6, '2001:db8::'],
    [6, '1:2:3:4:5:6:7:8'],
    [6, '1:0:0:2::3'],
  ] as const) {
    const bytes = encodeAddress(family, address, 5060);
    t.ok(bytes);
    t.same(bytes && decodeAddress(bytes), { address, port: 5060 });
  }
  t.equal(encodeAddress(6, '::ffff:10.0.0.1', 1)?.subarray(8, 24).toString('hex'), '00000000000000000000ffff0a000001');
  for (const bad of ['', '1.2.3', '1.2.3.256', '1.2.3.4.5', 'example.com']) t.equal(encodeAddress(4, bad, 1), null);
  for (const bad of ['', '1:2', ':::', '1::2::3', '12345::', 'fe80::1%eth0', '1:2:3:4:5:6:7:8::'])
    t.equal(encodeAddress(6, bad, 1), null, bad);
  t.equal(decodeAddress(Buffer.alloc(28)), null);
  t.equal(decodeAddress(Buffer.alloc(3)), null);
});

t.test('control messages that are cut off or unknown end nothing but themselves', async (t) => {
  const message = (level: number, type: number, data: Buffer): Buffer => {
    const bytes = Buffer.alloc(16 + Math.ceil(data.length / 8) * 8);
    bytes.writeBigUInt64LE(BigInt(16 + data.length), 0);
    bytes.writeInt32LE(level, 8);
    bytes.writeInt32LE(type, 12);
    data.copy(bytes, 16);
    return bytes;
  };
  const ttl = message(0, 2, Buffer.from([64, 0, 0, 0]));
  const unknown = message(7, 7, Buffer.from('whatever it is'));
  const none = { hopLimit: null, trafficClass: null, atNanos: null, error: null };
  t.same(readControl(Buffer.concat([unknown, ttl])), { ...none, hopLimit: 64 });
  t.same(readControl(Buffer.concat([ttl, unknown]).subarray(0, 30)), { ...none, hopLimit: 64 });
  t.same(readControl(message(0, 11, Buffer.alloc(3))), none, 'an error that is too short is none');
  t.same(readControl(Buffer.alloc(64)), none, 'lengths of 0 do not go on for ever');
});
