/** Numbers and names of IKEv2 that this product speaks of (RFC 7296 §3, IANA "IKEv2 Parameters"). */

/** RFC 7296 §3.1. */
export const IKE_EXCHANGES = {
  saInit: 34,
  auth: 35,
  createChildSa: 36,
  informational: 37,
} as const;

/** RFC 7296 §3.2; 53 is RFC 7383's encrypted fragment. */
export const IKE_PAYLOADS = {
  none: 0,
  sa: 33,
  ke: 34,
  nonce: 40,
  notify: 41,
  vendorId: 43,
  encrypted: 46,
  eap: 48,
  encryptedFragment: 53,
} as const;

/** Security protocol identifiers (RFC 7296 §3.3.1). */
export const IKE_PROTOCOLS = { none: 0, ike: 1, ah: 2, esp: 3 } as const;

/** Transform types (RFC 7296 §3.3.2). */
export const TRANSFORM_TYPES = { encryption: 1, prf: 2, integrity: 3, keyExchange: 4 } as const;

/** The transforms that requests offer, by their IANA names. */
export const TRANSFORMS = {
  ENCR_AES_CBC: 12,
  PRF_HMAC_SHA1: 2,
  PRF_HMAC_SHA2_256: 5,
  AUTH_HMAC_SHA1_96: 2,
  AUTH_HMAC_SHA2_256_128: 12,
} as const;

/** The only transform attribute in use: the key length in bits (RFC 7296 §3.3.5). */
export const KEY_LENGTH_ATTRIBUTE = 14;

/** Notify types: errors of RFC 7296 §3.10.1, and the status types that IKE_SA_INIT may carry. */
export const NOTIFY_TYPES = {
  UNSUPPORTED_CRITICAL_PAYLOAD: 1,
  INVALID_IKE_SPI: 4,
  INVALID_MAJOR_VERSION: 5,
  INVALID_SYNTAX: 7,
  INVALID_MESSAGE_ID: 9,
  INVALID_SPI: 11,
  NO_PROPOSAL_CHOSEN: 14,
  INVALID_KE_PAYLOAD: 17,
  AUTHENTICATION_FAILED: 24,
  SINGLE_PAIR_REQUIRED: 34,
  NO_ADDITIONAL_SAS: 35,
  INTERNAL_ADDRESS_FAILURE: 36,
  FAILED_CP_REQUIRED: 37,
  TS_UNACCEPTABLE: 38,
  INVALID_SELECTORS: 39,
  TEMPORARY_FAILURE: 43,
  CHILD_SA_NOT_FOUND: 44,
  NAT_DETECTION_SOURCE_IP: 16388,
  NAT_DETECTION_DESTINATION_IP: 16389,
  COOKIE: 16390,
  HTTP_CERT_LOOKUP_SUPPORTED: 16392,
  MULTIPLE_AUTH_SUPPORTED: 16404, // RFC 4739
  REDIRECT_SUPPORTED: 16406, // RFC 5685
  REDIRECT: 16407, // RFC 5685
  REDIRECTED_FROM: 16408, // RFC 5685
  CHILDLESS_IKEV2_SUPPORTED: 16418, // RFC 6023
  IKEV2_FRAGMENTATION_SUPPORTED: 16430, // RFC 7383
  SIGNATURE_HASH_ALGORITHMS: 16431, // RFC 7427
  INTERMEDIATE_EXCHANGE_SUPPORTED: 16438, // RFC 9242
} as const;
export type NotifyName = keyof typeof NOTIFY_TYPES;

/** Types below this are errors, from it on status (RFC 7296 §3.10.1). */
export const FIRST_STATUS_NOTIFY = 16384;

const NOTIFY_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(NOTIFY_TYPES).map(([name, type]) => [type, name]),
);

/** A notify type's IANA name, or `notify N` for one that is not in the table. */
export const notifyName = (type: number): string => NOTIFY_NAMES.get(type) ?? `notify ${type}`;
