/**
 * Key exchange groups that requests offer, and public values for them. `makeKeyExchange` is the one function among the
 * codecs that draws random numbers: a responder may check the value, so it has to be a true one of its group.
 */
import { createDiffieHellmanGroup, createECDH, generateKeyPairSync } from 'node:crypto';

/** RFC 3526 §3 (14), RFC 5903 §3.1 (19), RFC 8031 §2 (31); names of IANA's "Key Exchange Methods". */
export const IKE_GROUPS = { modp2048: 14, ecp256: 19, curve25519: 31 } as const;
export type IkeGroup = (typeof IKE_GROUPS)[keyof typeof IKE_GROUPS];

interface GroupFacts {
  readonly name: string;
  /** Of the value in a KE payload: both coordinates for ECP (RFC 5903 §7), the modulus' length for MODP. */
  readonly publicValueBytes: number;
}

const GROUP_FACTS: Readonly<Record<IkeGroup, GroupFacts>> = {
  14: { name: 'MODP-2048', publicValueBytes: 256 },
  19: { name: 'ECP-256', publicValueBytes: 64 },
  31: { name: 'Curve25519', publicValueBytes: 32 },
};

/** Is this a group that requests can offer? */
export const isIkeGroup = (group: number): group is IkeGroup => Object.hasOwn(GROUP_FACTS, group);

/** A group's name for people; `group N` for one that is not offered here. */
export const groupName = (group: number): string => (isIkeGroup(group) ? GROUP_FACTS[group].name : `group ${group}`);

/** The length of a group's public value in octets, or null for a group that is not offered here. */
export const publicValueBytes = (group: number): number | null =>
  isIkeGroup(group) ? GROUP_FACTS[group].publicValueBytes : null;

/** MODP values are padded in front to the modulus' length (RFC 7296 §3.4); one in 256 is shorter. */
const padFront = (value: Uint8Array, length: number): Uint8Array => {
  const padded = new Uint8Array(length);
  padded.set(value, length - value.length);
  return padded;
};

/**
 * A fresh public value, as a KE payload carries it. The private half is dropped, because a probe asks for IKE_SA_INIT
 * and never goes on. Takes microseconds on a curve and milliseconds for MODP-2048.
 */
export const makeKeyExchange = (group: IkeGroup): Uint8Array => {
  switch (group) {
    case IKE_GROUPS.modp2048:
      return padFront(createDiffieHellmanGroup('modp14').generateKeys(), GROUP_FACTS[group].publicValueBytes);
    case IKE_GROUPS.ecp256:
      // Without the octet 0x04 that marks an uncompressed point: IKE sends the bare coordinates (RFC 5903 §7).
      return createECDH('prime256v1').generateKeys().subarray(1);
    case IKE_GROUPS.curve25519:
      // A JWK's x is the raw value of RFC 7748 (RFC 8037 §2).
      return Buffer.from(generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  }
};
