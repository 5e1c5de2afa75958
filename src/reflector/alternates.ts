/**
 * The other address and the other port from which an answer can come (RFC 5780 §6.1): with two addresses of a family
 * bound, each is the other's alternate; 3478 and 3479 are each other's alternate port, and 3478 that of all others.
 */
import type { StunEndpoint } from '../wire/stun.js';

/** RFC 5780 §7.4 leaves the choice free; these are what STUN servers have always used (RFC 3489 §6). */
const STUN_PORT = 3478;
const STUN_ALTERNATE_PORT = 3479;

/** An address that sockets are bound to, and by which agents know it: they differ where a cloud's NAT lies between. */
export interface Listener {
  readonly address: string;
  readonly publicAddress: string;
}

/** A socket by its place: which listener, which port. */
export interface Place {
  readonly listener: number;
  readonly port: number;
}

export interface Surroundings {
  /** What agents know this socket by; null where it stands for every address of the host. */
  readonly origin: StunEndpoint | null;
  /** Other address and other port; null where there is no second address. */
  other(): StunEndpoint | null;
  /** The socket with address, port or both changed; null where there is none. */
  change(changeIp: boolean, changePort: boolean): Place | null;
}

const familyOf = (address: string): 4 | 6 => (address.includes(':') ? 6 : 4);
const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::';

const alternatePort = (port: number): number => (port === STUN_PORT ? STUN_ALTERNATE_PORT : STUN_PORT);

/**
 * @param isBound whether a UDP socket stands at a place; asked when an answer is due, because sockets are bound one
 *   after the other
 */
export const createAlternates = (
  listeners: readonly Listener[],
  isBound: (place: Place) => boolean,
): ((place: Place) => Surroundings) => {
  const otherOf = listeners.map(({ address }, index) =>
    isWildcard(address)
      ? -1
      : listeners.findIndex(
          (one, at) => at !== index && !isWildcard(one.address) && familyOf(one.address) === familyOf(address),
        ),
  );
  return ({ listener, port }) => {
    const own = listeners[listener];
    const otherListener = otherOf[listener] ?? -1;
    const other = listeners[otherListener];
    const otherPort = alternatePort(port);
    const change = (changeIp: boolean, changePort: boolean): Place | null => {
      // One address with two ports is half of what RFC 5780 asks for, and it knows no half (§6.1).
      if (!other) return null;
      const place = { listener: changeIp ? otherListener : listener, port: changePort ? otherPort : port };
      return isBound(place) ? place : null;
    };
    return {
      origin: own && !isWildcard(own.address) ? { address: own.publicAddress, port } : null,
      other: () => (other && change(true, true) ? { address: other.publicAddress, port: otherPort } : null),
      change,
    };
  };
};
