/** Which local address leads to a destination: asked of the kernel's routes, without sending a packet. */
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
