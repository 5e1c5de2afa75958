/** Source addresses as sockets name them, read once: a busy agent sends thousands of packets from the same one. */
import { formatIp, parseIp, toMappedBytes, unmapIp } from '../wire/ip.js';

interface Source {
  /** 16 octets, IPv4 mapped. */
  readonly bytes: Uint8Array;
  /** Text, IPv4 unmapped: a dual-stack socket reports IPv4 as ::ffff:192.0.2.1. */
  readonly text: string;
}

/** Addresses that are remembered. A scan from many costs no more than reading each, and all are forgotten at once. */
const MAX_REMEMBERED = 1024;

/** A reader of addresses with a memory; null for text that is no address. */
export const createSources = (): ((address: string) => Source | null) => {
  const known = new Map<string, Source>();
  return (address) => {
    const found = known.get(address);
    if (found) return found;
    const ip = parseIp(address);
    if (!ip) return null;
    const source = { bytes: toMappedBytes(ip.bytes), text: formatIp(unmapIp(ip.bytes)) };
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(address, source);
    return source;
  };
};
