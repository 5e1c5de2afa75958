/** Ethernet frames that carry IPv4, as a wire sees them: what is inside, and the same frame with another payload. Pure. */

/** Ethernet II: two addresses, then the type. */
const ETHERNET_BYTES = 14;
const TYPE_AT = 12;
const TYPE_IPV4 = 0x0800;
/** RFC 791 §3.1, from the start of the IP header. */
const TOTAL_LENGTH_AT = 2;
const FRAGMENT_AT = 6;
const PROTOCOL_AT = 9;
const CHECKSUM_AT = 10;
const ADDRESSES_AT = 12;
/** More fragments follow, or this is not the first. */
const FRAGMENT_MASK = 0x3fff;
const PROTOCOL = { udp: 17, tcp: 6 } as const;
const UDP_HEADER_BYTES = 8;

export const isIpv4 = (frame: Buffer): boolean =>
  frame.length >= ETHERNET_BYTES + 20 && frame.readUInt16BE(TYPE_AT) === TYPE_IPV4;

const headerBytes = (frame: Buffer): number => ((frame[ETHERNET_BYTES] ?? 0) & 0x0f) * 4;
const isFragment = (frame: Buffer): boolean => (frame.readUInt16BE(ETHERNET_BYTES + FRAGMENT_AT) & FRAGMENT_MASK) !== 0;

interface UdpInside {
  /** Addresses and ports, for telling flows apart. */
  readonly flow: string;
  readonly sourcePort: number;
  readonly port: number;
  readonly payload: Buffer;
}

/** The UDP datagram of a frame; null for anything else and for fragments. */
export const udpInside = (frame: Buffer): UdpInside | null => {
  if (!isIpv4(frame) || frame[ETHERNET_BYTES + PROTOCOL_AT] !== PROTOCOL.udp || isFragment(frame)) return null;
  const at = ETHERNET_BYTES + headerBytes(frame);
  if (frame.length < at + UDP_HEADER_BYTES) return null;
  const addresses = frame.toString('hex', ETHERNET_BYTES + ADDRESSES_AT, ETHERNET_BYTES + ADDRESSES_AT + 8);
  const [sourcePort, port] = [frame.readUInt16BE(at), frame.readUInt16BE(at + 2)];
  const payload = frame.subarray(at + UDP_HEADER_BYTES, at + frame.readUInt16BE(at + 4));
  return { flow: `${addresses} ${sourcePort} ${port}`, sourcePort, port, payload };
};

/** RFC 1071: the ones' complement of the ones' complement sum of 16-bit words. */
const checksum = (...parts: readonly Buffer[]): number => {
  const bytes = Buffer.concat(parts);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
};

/**
 * The same frame with checksums that hold. Interfaces that are pairs leave them to a card that there is not, so each
 * frame needs it, changed or not; fragments have theirs, because the kernel had to compute them before it cut.
 */
export const withChecksums = (frame: Buffer): Buffer => {
  if (!isIpv4(frame) || isFragment(frame)) return frame;
  const copy = Buffer.from(frame);
  const bytes = headerBytes(copy);
  const ip = copy.subarray(ETHERNET_BYTES, ETHERNET_BYTES + bytes);
  ip.writeUInt16BE(0, CHECKSUM_AT);
  ip.writeUInt16BE(checksum(ip), CHECKSUM_AT);
  const inside = copy.subarray(ETHERNET_BYTES + bytes, ETHERNET_BYTES + ip.readUInt16BE(TOTAL_LENGTH_AT));
  const protocol = ip[PROTOCOL_AT] ?? 0;
  const at = protocol === PROTOCOL.udp ? 6 : protocol === PROTOCOL.tcp ? 16 : null;
  if (at === null || inside.length < at + 2) return copy;
  const pseudo = Buffer.alloc(12);
  ip.copy(pseudo, 0, ADDRESSES_AT, ADDRESSES_AT + 8);
  pseudo.writeUInt16BE(protocol, 8);
  pseudo.writeUInt16BE(inside.length, 10);
  inside.writeUInt16BE(0, at);
  // Of UDP a zero would say that there is none (RFC 768).
  inside.writeUInt16BE(checksum(pseudo, inside) || 0xffff, at);
  return copy;
};

/** The frame of a UDP datagram with another payload; its checksums are still to be made. */
export const withPayload = (frame: Buffer, payload: Buffer): Buffer => {
  const bytes = headerBytes(frame);
  const copy = Buffer.concat([frame.subarray(0, ETHERNET_BYTES + bytes + UDP_HEADER_BYTES), payload]);
  copy.writeUInt16BE(bytes + UDP_HEADER_BYTES + payload.length, ETHERNET_BYTES + TOTAL_LENGTH_AT);
  copy.writeUInt16BE(UDP_HEADER_BYTES + payload.length, ETHERNET_BYTES + bytes + 4);
  return copy;
};
