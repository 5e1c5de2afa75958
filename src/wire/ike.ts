/** The IKEv2 codec (RFC 7296): what probes and the reflector use. NAT-T framing is nat-t.ts's. */
export { groupName, IKE_GROUPS, type IkeGroup, isIkeGroup, makeKeyExchange, publicValueBytes } from './ike-groups.js';
export {
  encodeIkeHeader,
  IKE_HEADER_BYTES,
  IKE_HEADER_REFUSALS,
  IKE_SPI_BYTES,
  type IkeHeader,
  type IkeHeaderRefusal,
  looksLikeIke,
  MAX_IKE_BYTES,
  NO_SPI,
  parseIkeHeader,
} from './ike-header.js';
export {
  type EncryptedPayload,
  encodeIke,
  IKE_MAJOR_VERSION,
  IKE_REFUSALS,
  type IkeMessage,
  type IkePayload,
  type IkeRefusal,
  type KePayload,
  MAX_IKE_PAYLOADS,
  MAX_NONCE_BYTES,
  MIN_NONCE_BYTES,
  type NoncePayload,
  type NotifyPayload,
  notify,
  parseIke,
  type RawPayload,
  type SaPayload,
  type VendorIdPayload,
} from './ike-message.js';
export {
  FIRST_STATUS_NOTIFY,
  IKE_EXCHANGES,
  IKE_PAYLOADS,
  IKE_PROTOCOLS,
  NOTIFY_TYPES,
  type NotifyName,
  notifyName,
  TRANSFORM_TYPES,
  TRANSFORMS,
} from './ike-names.js';
export {
  buildSaInitRequest,
  buildSaInitResponse,
  findNotify,
  type NatDetection,
  natDetectionHash,
  readSaInitResponse,
  SA_INIT_RESPONSE_REFUSALS,
  type SaInitErrorAnswer,
  type SaInitRequest,
  type SaInitResponse,
  type SaInitResponseRefusal,
  vendorIdsOf,
} from './ike-sa-init.js';
export {
  type IkeProposal,
  type IkeTransform,
  keyLengthOf,
  MAX_ATTRIBUTES,
  MAX_PROPOSALS,
  type TransformAttribute,
} from './ike-sa-payload.js';
export { buildVersionRefusal } from './ike-version.js';
