/**
 * IKE_SA_INIT (RFC 7296 §1.2), the one exchange that anybody may begin: the request that a handset sends to its
 * carrier's ePDG, the answer of a reflector that keeps no state, and how an answer is read.
 */
import { createHash } from 'node:crypto';
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { groupName, publicValueBytes } from './ike-groups.js';
import { isZero, NO_SPI } from './ike-header.js';
import {
  encodeIke,
  IKE_REFUSALS,
  type IkePayload,
  type KePayload,
  type NotifyPayload,
  notify,
  parseIke,
} from './ike-message.js';
import {
  FIRST_STATUS_NOTIFY,
  IKE_EXCHANGES,
  IKE_PROTOCOLS,
  KEY_LENGTH_ATTRIBUTE,
  NOTIFY_TYPES,
  TRANSFORM_TYPES,
  TRANSFORMS,
} from './ike-names.js';
import type { IkeProposal, IkeTransform } from './ike-sa-payload.js';

/** RFC 7296 §2.6: a COOKIE notification carries 1–64 octets. */
const MAX_COOKIE_BYTES = 64;
/** INVALID_KE_PAYLOAD names the wanted group in two octets (RFC 7296 §1.3). */
const GROUP_NUMBER_BYTES = 2;

const isCookie = (data: Uint8Array): boolean => data.length > 0 && data.length <= MAX_COOKIE_BYTES;

/**
 * What NAT_DETECTION_*_IP carries: SHA-1 over both SPIs, address and port (RFC 7296 §2.23). Not a secret and not a
 * signature, so SHA-1's age does not matter.
 * @param address 4 or 16 octets.
 */
export const natDetectionHash = (spiI: Uint8Array, spiR: Uint8Array, address: Uint8Array, port: number): Uint8Array => {
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  return createHash('sha1').update(spiI).update(spiR).update(address).update(portBytes).digest();
};

export interface NatDetection {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

export interface SaInitRequest {
  /** 8 octets, not all zero. */
  readonly spiI: Uint8Array;
  /** Offered groups, the preferred one first; must hold `ke.group`. */
  readonly groups: readonly number[];
  readonly ke: { readonly group: number; readonly value: Uint8Array };
  /** 16–256 octets. */
  readonly nonce: Uint8Array;
  /** Two `natDetectionHash` values, or null to leave NAT detection out. */
  readonly natDetection: NatDetection | null;
  /** What a responder's COOKIE notification carried, or null in the first request. */
  readonly cookie: Uint8Array | null;
  readonly vendorIds: readonly Uint8Array[];
  /** Announces RFC 7383, as handsets do. */
  readonly fragmentationSupported: boolean;
}

const transform = (type: number, id: number, keyLength: number | null = null): IkeTransform => ({
  type,
  id,
  attributes: keyLength === null ? [] : [{ type: KEY_LENGTH_ATTRIBUTE, value: keyLength }],
});

/**
 * One proposal, the stronger of each kind first: AES-CBC with 256 and 128 bits, HMAC-SHA2-256 and HMAC-SHA1. RFC 8247
 * §2 obliges every implementation to have these, so a gateway that declines declines the stranger, not the offer.
 */
const proposalFor = (groups: readonly number[]): IkeProposal => ({
  number: 1,
  protocol: IKE_PROTOCOLS.ike,
  spi: new Uint8Array(0),
  transforms: [
    transform(TRANSFORM_TYPES.encryption, TRANSFORMS.ENCR_AES_CBC, 256),
    transform(TRANSFORM_TYPES.encryption, TRANSFORMS.ENCR_AES_CBC, 128),
    transform(TRANSFORM_TYPES.prf, TRANSFORMS.PRF_HMAC_SHA2_256),
    transform(TRANSFORM_TYPES.prf, TRANSFORMS.PRF_HMAC_SHA1),
    transform(TRANSFORM_TYPES.integrity, TRANSFORMS.AUTH_HMAC_SHA2_256_128),
    transform(TRANSFORM_TYPES.integrity, TRANSFORMS.AUTH_HMAC_SHA1_96),
    ...groups.map((group) => transform(TRANSFORM_TYPES.keyExchange, group)),
  ],
});

/**
 * Builds a request: [COOKIE], SA, KE, Nonce, NAT detection, fragmentation, vendor IDs. COOKIE comes first because a
 * responder under load must find it without reading on (RFC 7296 §2.6).
 * @throws RangeError when the SPI is zero, `ke.group` is not offered, the cookie is not of 1–64 octets, or a field does
 * not fit its place.
 */
export const buildSaInitRequest = (request: SaInitRequest): Uint8Array => {
  const { spiI, groups, ke, cookie, natDetection } = request;
  if (isZero(spiI)) throw new RangeError("an IKE initiator's SPI is not zero (RFC 7296 §3.1)");
  if (!groups.includes(ke.group))
    throw new RangeError(`the KE payload is of ${groupName(ke.group)}, which is not offered`);
  const wantedBytes = publicValueBytes(ke.group);
  if (wantedBytes !== null && ke.value.length !== wantedBytes)
    throw new RangeError(`a ${groupName(ke.group)} value has ${wantedBytes} octets, not ${ke.value.length}`);
  if (cookie && !isCookie(cookie))
    throw new RangeError(`a COOKIE has 1–${MAX_COOKIE_BYTES} octets, not ${cookie.length}`);
  const payloads: IkePayload[] = [
    ...(cookie ? [notify(NOTIFY_TYPES.COOKIE, cookie)] : []),
    { kind: 'sa', proposals: [proposalFor(groups)] },
    { kind: 'ke', group: ke.group, value: ke.value },
    { kind: 'nonce', value: request.nonce },
    ...(natDetection
      ? [
          notify(NOTIFY_TYPES.NAT_DETECTION_SOURCE_IP, natDetection.source),
          notify(NOTIFY_TYPES.NAT_DETECTION_DESTINATION_IP, natDetection.destination),
        ]
      : []),
    ...(request.fragmentationSupported ? [notify(NOTIFY_TYPES.IKEV2_FRAGMENTATION_SUPPORTED)] : []),
    ...request.vendorIds.map((value): IkePayload => ({ kind: 'vendor-id', value })),
  ];
  return encodeIke(
    {
      spiI,
      spiR: NO_SPI,
      exchange: IKE_EXCHANGES.saInit,
      initiator: true,
      higherVersion: false,
      response: false,
      messageId: 0,
    },
    payloads,
  );
};

export interface SaInitErrorAnswer {
  /** Copied from the request. */
  readonly spiI: Uint8Array;
  /** Zero (NO_SPI) is what RFC 7296 §2.6 expects where no IKE SA comes of the request. */
  readonly spiR: Uint8Array;
  readonly notifies: readonly NotifyPayload[];
  readonly vendorIds: readonly Uint8Array[];
}

/**
 * Builds an answer that refuses: notifications and vendor IDs, which needs neither keys nor state and is smaller than
 * any request that offers proposals. 28 octets, and 8 for a notification without data.
 * @throws RangeError when a field does not fit its place.
 */
export const buildSaInitResponse = ({ spiI, spiR, notifies, vendorIds }: SaInitErrorAnswer): Uint8Array =>
  encodeIke(
    {
      spiI,
      spiR,
      exchange: IKE_EXCHANGES.saInit,
      initiator: false,
      higherVersion: false,
      response: true,
      messageId: 0,
    },
    [...notifies, ...vendorIds.map((value): IkePayload => ({ kind: 'vendor-id', value }))],
  );

export const SA_INIT_RESPONSE_REFUSALS = [
  ...IKE_REFUSALS,
  'wrong-exchange', // not IKE_SA_INIT
  'not-a-response', // a request, e.g. our own come back, or one that claims to be the initiator's
  'wrong-spi', // answers another request than ours
  'message-id', // not 0
  'incomplete', // neither a notification nor SA, KE, Nonce and a responder SPI
  'notify-data', // COOKIE or INVALID_KE_PAYLOAD with data that they cannot have
] as const;
export type SaInitResponseRefusal = (typeof SA_INIT_RESPONSE_REFUSALS)[number];

interface Answered {
  readonly spiR: Uint8Array;
  readonly notifies: readonly NotifyPayload[];
  readonly vendorIds: readonly Uint8Array[];
}

export type SaInitResponse = Answered &
  (
    | {
        readonly kind: 'accepted';
        readonly proposal: IkeProposal;
        readonly ke: { readonly group: number; readonly value: Uint8Array };
        readonly nonce: Uint8Array;
      }
    /** Ask again with this cookie in front. */
    | { readonly kind: 'cookie'; readonly cookie: Uint8Array }
    /** Ask again with a public value of this group. */
    | { readonly kind: 'invalid-ke'; readonly group: number }
    /** Declined: the first error, or the first status where there is none, e.g. REDIRECT (RFC 5685). */
    | { readonly kind: 'notify'; readonly type: number }
  );

/** The first notification of this type, or null. */
export const findNotify = (payloads: readonly IkePayload[], type: number): NotifyPayload | null =>
  payloads.find((payload): payload is NotifyPayload => payload.kind === 'notify' && payload.type === type) ?? null;

/** The vendor IDs of a message, in order. */
export const vendorIdsOf = (payloads: readonly IkePayload[]): Uint8Array[] =>
  payloads.flatMap((payload) => (payload.kind === 'vendor-id' ? [payload.value] : []));

const isPlausibleKe = ({ group, value }: KePayload): boolean => {
  const expected = publicValueBytes(group);
  return value.length > 0 && (expected === null || value.length === expected);
};

const readAccepted = (
  payloads: readonly IkePayload[],
  answered: Answered,
): Parsed<SaInitResponse, SaInitResponseRefusal> => {
  const sa = payloads.find((payload) => payload.kind === 'sa');
  const ke = payloads.find((payload) => payload.kind === 'ke');
  const nonce = payloads.find((payload) => payload.kind === 'nonce');
  // A responder chooses exactly one proposal (RFC 7296 §2.7).
  const [proposal, ...others] = sa?.proposals ?? [];
  if (!proposal || others.length > 0 || !ke || !nonce || isZero(answered.spiR)) return refuse('incomplete');
  if (!isPlausibleKe(ke)) return refuse('ke');
  return accept({
    ...answered,
    kind: 'accepted',
    proposal,
    ke: { group: ke.group, value: ke.value },
    nonce: nonce.value,
  });
};

/**
 * Reads what came back to a request with this SPI. Never throws. Nothing in IKE_SA_INIT is authenticated: whoever sees
 * the request can answer it, so the result says that an IKE speaker answered, not which. INVALID_KE_PAYLOAD and COOKIE
 * are told apart because the caller should ask again.
 */
export const readSaInitResponse = (
  bytes: Uint8Array,
  { spiI }: { readonly spiI: Uint8Array },
): Parsed<SaInitResponse, SaInitResponseRefusal> => {
  const parsed = parseIke(bytes);
  if (!parsed.ok) return parsed;
  const { header, payloads } = parsed.value;
  if (header.exchange !== IKE_EXCHANGES.saInit) return refuse('wrong-exchange');
  if (!header.response || header.initiator) return refuse('not-a-response');
  if (Buffer.compare(header.spiI, spiI) !== 0) return refuse('wrong-spi');
  if (header.messageId !== 0) return refuse('message-id');

  const notifies = payloads.filter((payload) => payload.kind === 'notify');
  const answered: Answered = { spiR: header.spiR, notifies, vendorIds: vendorIdsOf(payloads) };
  const error = notifies.find(({ type }) => type < FIRST_STATUS_NOTIFY);
  if (error?.type === NOTIFY_TYPES.INVALID_KE_PAYLOAD) {
    if (error.data.length !== GROUP_NUMBER_BYTES) return refuse('notify-data');
    return accept({ ...answered, kind: 'invalid-ke', group: Buffer.from(error.data).readUInt16BE(0) });
  }
  if (error) return accept({ ...answered, kind: 'notify', type: error.type });
  if (payloads.some(({ kind }) => kind === 'sa')) return readAccepted(payloads, answered);
  const cookie = findNotify(payloads, NOTIFY_TYPES.COOKIE);
  if (cookie) {
    if (!isCookie(cookie.data)) return refuse('notify-data');
    return accept({ ...answered, kind: 'cookie', cookie: cookie.data });
  }
  const [status] = notifies;
  return status ? accept({ ...answered, kind: 'notify', type: status.type }) : refuse('incomplete');
};
