/** What arrived in time is no loss, although this process came late to read it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { sleep } from '../../src/net/pacing.js';
import { openUdp } from '../../src/net/udp.js';

/** In a process of its own, because this one does nothing while it is held up. */
const ECHO = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (message, from) => socket.send(message, from.port, from.address));
socket.bind(0, '127.0.0.1', () => process.send(socket.address().port));
`;
const PACKETS = 100;
const PATIENCE_MS = 200;
const HELD_UP_MS = 600;

t.test('a wait that ends late ends after what lies in the sockets was read', async (t) => {
  const file = join(t.testdir({}), 'echo.cjs');
  writeFileSync(file, ECHO);
  const echo = fork(file, [], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  t.teardown(() => echo.kill());
  const [port] = (await once(echo, 'message')) as [number];
  let heard = 0;
  const peer = { address: '127.0.0.1', port, family: 4 as const };
  const flow = await openUdp(peer, {
    message: () => {
      heard += 1;
    },
    error: () => undefined,
  });
  t.teardown(flow.close);
  await Promise.all(Array.from({ length: PACKETS }, () => flow.send(Buffer.from('anybody there?'))));
  const waiting = sleep(PATIENCE_MS, AbortSignal.timeout(60_000));
  const until = performance.now() + HELD_UP_MS;
  while (performance.now() < until);
  await waiting;
  t.equal(heard, PACKETS);
});
