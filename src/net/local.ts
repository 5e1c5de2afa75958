/** This host's own addresses: which of them leads to a destination, and whether one is its own. Sends no packet. */
import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { Family } from '../model/check.js';
import { openUdp } from './udp.js';

/** The discard port; nothing is sent to it. */
const ANY_PORT = 9;

/** The source address that packets to `address` would carry, or null if there is no route. */
export const localAddressFor = async (address: string, family: Family): Promise<string | null> => {
  const ignore = { message: () => undefined, error: () => undefined };
  try {
    const flow = await openUdp({ address, family, port: ANY_PORT }, ignore);
    flow.close();
    return flow.local.address;
  } catch {
    return null;
  }
};

/** Whether a socket may have this address: it is one of this host's, or the system lets others be used. */
export const isOwnAddress = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      socket.close();
      resolve(code !== 'EADDRNOTAVAIL' && code !== 'EINVAL');
    });
    socket.bind({ address, port: 0 }, () => socket.close(() => resolve(true)));
  });

/** More than these are a list for another tool. */
const MAX_SHOWN = 6;

/** This host's addresses, for a message: `10.0.0.2, 2001:db8::2`. */
export const ownAddresses = (): string => {
  const all = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
  const shown = all.filter(({ internal, scopeid }) => !internal && !scopeid).map(({ address }) => address);
  return shown.length === 0 ? 'none but loopback' : shown.slice(0, MAX_SHOWN).join(', ');
};
