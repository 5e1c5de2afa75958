/** What the kernel dropped before the reflector read it: counted by socket, told for a while, then forgotten. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import t from 'tap';
import { createOverruns, readDrops } from '../../src/reflector/overruns.js';

const HEAD =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n';
const row = (address: string, port: number, drops: number): string =>
  ` 3641: ${address}:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 07 00000000:00000000 00:00000000 ` +
  `00000000     0        0 41575996 2 00000000b19986a1 ${drops}      \n`;
const snmp = (errors: number): string =>
  `Ip: Forwarding DefaultTTL\nIp: 1 64\nUdp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors\n` +
  `Udp: 100 0 ${errors} 90 ${errors} 0\n`;

t.test('reads the drops of our ports and of no others', async (t) => {
  const table = HEAD + row('0100007F', 5060, 7) + row('0100007F', 5061, 0) + row('0100007F', 53, 9);
  t.same([...readDrops(table, new Set([5060, 5061]))], [['0100007F:13C4', 7]]);
  t.same([...readDrops('', new Set([5060]))], []);
  t.same([...readDrops('nonsense: 1:2 3\n', new Set([2]))], []);
});

t.test('tells what was dropped lately, and forgets it', async (t) => {
  let at = 0;
  const files = new Map<string, string>();
  const reads: string[] = [];
  const read = async (path: string): Promise<string> => {
    reads.push(path);
    const text = files.get(path);
    if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
    return text;
  };
  const overruns = createOverruns(new Set([5060]), read, () => at);
  t.teardown(() => overruns.close());
  await overruns.look();
  t.same(overruns.recent(), [], 'a system without these files has none to tell');
  const says = async (drops: number): Promise<void> => {
    files.set('/proc/net/snmp', snmp(drops));
    files.set('/proc/net/udp', HEAD + row('0100007F', 5060, drops));
    await overruns.look();
  };
  await says(10);
  t.same([overruns.recent(), overruns.total()], [[5060], 10]);
  await says(15);
  t.same([overruns.recent(), overruns.total()], [[5060], 15], 'the kernel counts on; each is told once');
  reads.length = 0;
  await overruns.look();
  t.notOk(reads.includes('/proc/net/udp'), 'thousands of sockets are not listed while nothing is dropped');
  at = 90_000;
  t.same(overruns.recent(), [5060], 'a minute and a half later it is still told');
  at = 250_000;
  t.same(overruns.recent(), [], 'and then it is over');
  t.equal(overruns.total(), 15);
});

t.test('a real socket that nobody reads', { skip: process.platform !== 'linux' && 'needs Linux' }, async (t) => {
  // Bound and never read: Node reads a socket only while somebody listens for messages.
  const full = createSocket('udp4').bind(0, '127.0.0.1');
  await once(full, 'listening');
  const { port } = full.address();
  const overruns = createOverruns(new Set([port]));
  const sender = createSocket('udp4');
  t.teardown(() => {
    overruns.close();
    full.close();
    sender.close();
  });
  await overruns.look();
  t.equal(overruns.total(), 0);
  full.setRecvBufferSize(4096);
  // The event loop does not turn meanwhile, so nothing is read.
  const payload = Buffer.alloc(1000);
  sender.connect(port, '127.0.0.1');
  await once(sender, 'connect');
  for (let sent = 0; sent < 2000; sent += 1) sender.send(payload, () => undefined);
  await overruns.look();
  t.ok(overruns.total() > 0, `${overruns.total()} of 2000 were dropped, and that is known`);
});
