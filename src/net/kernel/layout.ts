/**
 * What Linux's socket calls read and write in memory, as bytes: addresses, message headers, control messages. Pure. The
 * numbers are those of include/uapi/linux/{in,in6,socket,errqueue}.h and asm-generic/socket.h, of 64-bit little-endian systems.
 */
import type { Family } from '../../model/check.js';
import { formatIp, parseIp } from '../../wire/ip.js';

/** Address families and the levels of options (sys/socket.h, netinet/in.h). */
export const AF = { 4: 2, 6: 10 } as const;
export const SOCK = { stream: 1, datagram: 2, nonBlocking: 0o4000, closeOnExec: 0o2000000 } as const;
const SOL_SOCKET = 1;
const SOL_IP = 0;
const SOL_IPV6 = 41;

/** Flags of recvmsg and sendto. */
export const MSG = { dontWait: 0x40, errorQueue: 0x2000, noSignal: 0x4000 } as const;

/** Errno values that are no trouble or that are told by name (asm-generic/errno.h). */
export const ERRNO = { EINTR: 4, EAGAIN: 11, EINPROGRESS: 115 } as const;

/** Options by family: the same question has another number in IPv6 (RFC 3542). */
export interface Option {
  readonly level: number;
  readonly name: number;
}
const ip = (name: number): Option => ({ level: SOL_IP, name });
const ip6 = (name: number): Option => ({ level: SOL_IPV6, name });
export const OPTIONS = {
  4: {
    hopLimit: ip(2),
    trafficClass: ip(1),
    receiveHopLimit: ip(12),
    receiveTrafficClass: ip(13),
    receiveErrors: ip(11),
    mtuDiscovery: ip(10),
  },
  6: {
    hopLimit: ip6(16),
    trafficClass: ip6(67),
    receiveHopLimit: ip6(51),
    receiveTrafficClass: ip6(66),
    receiveErrors: ip6(25),
    mtuDiscovery: ip6(23),
  },
} as const satisfies Record<Family, Record<string, Option>>;
export const TIMESTAMP_NS: Option = { level: SOL_SOCKET, name: 35 };
export const PENDING_ERROR: Option = { level: SOL_SOCKET, name: 4 };

/** Control messages that arrive: IP_TTL and IP_TOS, IPV6_HOPLIMIT and IPV6_TCLASS, and the error queue's. */
const IP_TTL = 2;
const IP_TOS = 1;
const IP_RECVERR = 11;
const IPV6_HOPLIMIT = 52;
const IPV6_TCLASS = 67;
const IPV6_RECVERR = 25;

/** `ee_origin` of an extended error: this host itself, ICMP, ICMPv6. */
const ORIGINS = { 1: 'local', 2: 'icmp', 3: 'icmp6' } as const;

/** struct sockaddr_in and sockaddr_in6. */
const SOCKADDR_BYTES = { 4: 16, 6: 28 } as const;
const MAX_SOCKADDR = 28;

/** struct msghdr: six words of a pointer's size, then flags; struct cmsghdr: a length, a level, a type. */
const MSGHDR_BYTES = 56;
const CMSGHDR_BYTES = 16;
/** struct sock_extended_err, before the address of who sent the error. */
const EXTENDED_ERROR_BYTES = 16;
/** Room for control messages: an extended error with an IPv6 address, and the times and marks, take less than 200. */
const CONTROL_BYTES = 512;
/** No datagram of ours is larger; of a larger one the beginning is read. */
const DATA_BYTES = 9216;

/** An address and port as the kernel wants them; null if it is not one of this family, or has a scope. */
export const encodeAddress = (family: Family, address: string, port: number): Buffer | null => {
  const ip = address.includes('%') ? null : parseIp(address);
  if (ip?.family !== family) return null;
  const bytes = Buffer.alloc(SOCKADDR_BYTES[family]);
  bytes.writeUInt16LE(AF[family], 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(ip.bytes, family === 4 ? 4 : 8);
  return bytes;
};

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** An address as the kernel gives it; null if it is none: an error whose sender is not known has family 0. */
export const decodeAddress = (bytes: Buffer): Endpoint | null => {
  if (bytes.length < SOCKADDR_BYTES[4]) return null;
  const family = bytes.readUInt16LE(0);
  const port = bytes.readUInt16BE(2);
  if (family === AF[4]) return { address: formatIp(bytes.subarray(4, 8)), port };
  if (family !== AF[6] || bytes.length < SOCKADDR_BYTES[6] - 4) return null;
  return { address: formatIp(bytes.subarray(8, 24)), port };
};

/** An error that the kernel holds for a socket (struct sock_extended_err). */
export interface ExtendedError {
  /** `local`: this host itself says so, and nobody sent it. */
  readonly origin: 'local' | 'icmp' | 'icmp6';
  readonly errno: number;
  readonly type: number;
  readonly code: number;
  /** What goes with the error: of "fragmentation needed" and "packet too big" the MTU of the next link. */
  readonly info: number;
  /** Who sent the error; null where the kernel does not know. */
  readonly from: string | null;
}

/** What comes with a datagram; null where the kernel did not say. */
export interface Marks {
  readonly hopLimit: number | null;
  readonly trafficClass: number | null;
  /** When the kernel received it, in nanoseconds since 1970. */
  readonly atNanos: bigint | null;
  readonly error: ExtendedError | null;
}

const extendedError = (data: Buffer): ExtendedError | null => {
  if (data.length < EXTENDED_ERROR_BYTES) return null;
  const origin = ORIGINS[data.readUInt8(4) as keyof typeof ORIGINS];
  if (origin === undefined) return null;
  return {
    origin,
    errno: data.readUInt32LE(0),
    type: data.readUInt8(5),
    code: data.readUInt8(6),
    info: data.readUInt32LE(8),
    from: decodeAddress(data.subarray(EXTENDED_ERROR_BYTES))?.address ?? null,
  };
};

/** Reads the control messages of one datagram. What is not known is skipped; what is cut off ends it. */
export const readControl = (control: Buffer): Marks => {
  let marks: Marks = { hopLimit: null, trafficClass: null, atNanos: null, error: null };
  let at = 0;
  while (at + CMSGHDR_BYTES <= control.length) {
    const length = Number(control.readBigUInt64LE(at));
    if (length < CMSGHDR_BYTES || at + length > control.length) break;
    const level = control.readInt32LE(at + 8);
    const type = control.readInt32LE(at + 12);
    const data = control.subarray(at + CMSGHDR_BYTES, at + length);
    const isIp = level === SOL_IP;
    const isIp6 = level === SOL_IPV6;
    if (((isIp && type === IP_TTL) || (isIp6 && type === IPV6_HOPLIMIT)) && data.length >= 4) {
      marks = { ...marks, hopLimit: data.readInt32LE(0) };
    } else if (isIp && type === IP_TOS && data.length >= 1) {
      // One octet in IPv4, an int in IPv6.
      marks = { ...marks, trafficClass: data.readUInt8(0) };
    } else if (isIp6 && type === IPV6_TCLASS && data.length >= 4) {
      marks = { ...marks, trafficClass: data.readInt32LE(0) & 0xff };
    } else if (level === TIMESTAMP_NS.level && type === TIMESTAMP_NS.name && data.length >= 16) {
      marks = { ...marks, atNanos: data.readBigInt64LE(0) * 1_000_000_000n + data.readBigInt64LE(8) };
    } else if ((isIp && type === IP_RECVERR) || (isIp6 && type === IPV6_RECVERR)) {
      marks = { ...marks, error: extendedError(data) };
    }
    // Each begins at a multiple of a word (CMSG_ALIGN).
    at += (length + 7) & ~7;
  }
  return marks;
};

/** Memory for one receiving call, used again and again: calls are synchronous, so one at a time. */
export interface Inbox {
  readonly header: Buffer;
  /** Sets the lengths, which each call overwrites. */
  reset(): void;
  /** What the call left there, `received` octets of data. The data is a copy. */
  read(received: number): { readonly bytes: Uint8Array; readonly marks: Marks };
}

/** @param addressOf where a buffer of this process lies in memory */
export const createInbox = (addressOf: (buffer: Buffer) => bigint): Inbox => {
  // Not from the pool, so that they stay where they are for as long as they live.
  const header = Buffer.allocUnsafeSlow(MSGHDR_BYTES).fill(0);
  const vector = Buffer.allocUnsafeSlow(16).fill(0);
  const name = Buffer.allocUnsafeSlow(MAX_SOCKADDR).fill(0);
  const control = Buffer.allocUnsafeSlow(CONTROL_BYTES).fill(0);
  const data = Buffer.allocUnsafeSlow(DATA_BYTES).fill(0);
  vector.writeBigUInt64LE(addressOf(data), 0);
  vector.writeBigUInt64LE(BigInt(data.length), 8);
  header.writeBigUInt64LE(addressOf(name), 0);
  header.writeBigUInt64LE(addressOf(vector), 16);
  header.writeBigUInt64LE(addressOf(control), 32);
  // The kernel reaches these by their addresses alone; whoever holds the inbox keeps them from being collected.
  const kept = { vector, name, control, data };
  return {
    header,
    reset: () => {
      header.writeUInt32LE(kept.name.length, 8);
      header.writeBigUInt64LE(1n, 24);
      header.writeBigUInt64LE(BigInt(CONTROL_BYTES), 40);
      header.writeUInt32LE(0, 48);
    },
    read: (received) => {
      const length = Math.min(Number(header.readBigUInt64LE(40)), CONTROL_BYTES);
      return {
        bytes: Uint8Array.from(kept.data.subarray(0, Math.min(received, DATA_BYTES))),
        marks: readControl(kept.control.subarray(0, length)),
      };
    },
  };
};
