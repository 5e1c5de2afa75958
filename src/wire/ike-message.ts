/** IKEv2 messages (RFC 7296 §3): the header and its chain of payloads. Bytes ⇄ messages, nothing else. */
import { accept, type Parsed, refuse } from '../model/refusal.js';
import {
  encodeIkeHeader,
  IKE_HEADER_BYTES,
  IKE_HEADER_REFUSALS,
  type IkeHeader,
  parseIkeHeader,
} from './ike-header.js';
import { IKE_PAYLOADS, IKE_PROTOCOLS } from './ike-names.js';
import { encodeProposals, type IkeProposal, parseProposals } from './ike-sa-payload.js';

export const IKE_MAJOR_VERSION = 2;

/** Next payload, critical bit, length (RFC 7296 §3.2). */
const PAYLOAD_HEADER_BYTES = 4;
const CRITICAL_BIT = 0x80;
const KE_HEADER_BYTES = 4;
const NOTIFY_HEADER_BYTES = 4;

/** An IKE_SA_INIT of a talkative client has about twenty, most of them notifies and vendor IDs. */
export const MAX_IKE_PAYLOADS = 64;
/** RFC 7296 §3.9. */
export const MIN_NONCE_BYTES = 16;
export const MAX_NONCE_BYTES = 256;

export const IKE_REFUSALS = [
  ...IKE_HEADER_REFUSALS,
  'version', // another major version than 2; `parseIkeHeader` tells which
  'payload-length', // a payload is shorter than its own header or runs past the message
  'too-many-payloads',
  'trailing', // bytes follow the last payload
  'critical-payload', // an unknown payload that must not be skipped (RFC 7296 §2.5)
  'sa', // proposals, transforms or attributes that do not fit their lengths, or too many
  'ke', // too short for its group number
  'nonce', // not of 16–256 octets
  'notify', // too short for its SPI
] as const;
export type IkeRefusal = (typeof IKE_REFUSALS)[number];

export interface SaPayload {
  readonly kind: 'sa';
  readonly proposals: readonly IkeProposal[];
}

export interface KePayload {
  readonly kind: 'ke';
  /** Key exchange method (Diffie-Hellman group); ike-groups.ts has the names. */
  readonly group: number;
  readonly value: Uint8Array;
}

export interface NoncePayload {
  readonly kind: 'nonce';
  /** 16–256 octets. */
  readonly value: Uint8Array;
}

export interface NotifyPayload {
  readonly kind: 'notify';
  /** 0 unless the notification is about the SA of `spi`. */
  readonly protocol: number;
  readonly spi: Uint8Array;
  /** See NOTIFY_TYPES; below 16384 an error. */
  readonly type: number;
  readonly data: Uint8Array;
}

export interface VendorIdPayload {
  readonly kind: 'vendor-id';
  readonly value: Uint8Array;
}

/** SK or SKF: always the last; its next-payload field names the first payload inside (RFC 7296 §3.14). */
export interface EncryptedPayload {
  readonly kind: 'encrypted';
  readonly payloadType: typeof IKE_PAYLOADS.encrypted | typeof IKE_PAYLOADS.encryptedFragment;
  readonly firstInside: number;
  readonly body: Uint8Array;
}

/** Any other payload, unread. */
export interface RawPayload {
  readonly kind: 'raw';
  readonly payloadType: number;
  readonly body: Uint8Array;
}

/** Without the critical bit: RFC 7296 §3.2 has senders clear it, and receivers ignore it, on all types that it defines. */
export type IkePayload =
  | SaPayload
  | KePayload
  | NoncePayload
  | NotifyPayload
  | VendorIdPayload
  | EncryptedPayload
  | RawPayload;

export interface IkeMessage {
  readonly header: IkeHeader;
  readonly payloads: readonly IkePayload[];
}

/** What RFC 7296 §3.2 itself defines; the critical bit is ignored on these and obeyed on all others. */
const isDefined = (payloadType: number): boolean =>
  (payloadType >= IKE_PAYLOADS.sa && payloadType <= IKE_PAYLOADS.eap) || payloadType === IKE_PAYLOADS.encryptedFragment;

const readNotify = (body: Buffer): Parsed<NotifyPayload, 'notify'> => {
  if (body.length < NOTIFY_HEADER_BYTES) return refuse('notify');
  const dataStart = NOTIFY_HEADER_BYTES + body.readUInt8(1);
  if (dataStart > body.length) return refuse('notify');
  return accept({
    kind: 'notify',
    protocol: body.readUInt8(0),
    spi: body.subarray(NOTIFY_HEADER_BYTES, dataStart),
    type: body.readUInt16BE(2),
    data: body.subarray(dataStart),
  });
};

const readPayload = (payloadType: number, body: Buffer): Parsed<IkePayload, IkeRefusal> => {
  switch (payloadType) {
    case IKE_PAYLOADS.sa: {
      const proposals = parseProposals(body);
      return proposals.ok ? accept({ kind: 'sa', proposals: proposals.value }) : proposals;
    }
    case IKE_PAYLOADS.ke:
      if (body.length < KE_HEADER_BYTES) return refuse('ke');
      return accept({ kind: 'ke', group: body.readUInt16BE(0), value: body.subarray(KE_HEADER_BYTES) });
    case IKE_PAYLOADS.nonce:
      if (body.length < MIN_NONCE_BYTES || body.length > MAX_NONCE_BYTES) return refuse('nonce');
      return accept({ kind: 'nonce', value: body });
    case IKE_PAYLOADS.notify:
      return readNotify(body);
    case IKE_PAYLOADS.vendorId:
      return accept({ kind: 'vendor-id', value: body });
    default:
      return accept({ kind: 'raw', payloadType, body });
  }
};

/**
 * Reads one IKEv2 message that fills `input`. Never throws. Every payload moves at least four bytes ahead, so a chain
 * cannot loop. Byte fields are views, not copies.
 */
export const parseIke = (input: Uint8Array): Parsed<IkeMessage, IkeRefusal> => {
  const header = parseIkeHeader(input);
  if (!header.ok) return header;
  if (header.value.major !== IKE_MAJOR_VERSION) return refuse('version');
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  const payloads: IkePayload[] = [];
  let payloadType = header.value.nextPayload;
  let at = IKE_HEADER_BYTES;
  while (payloadType !== IKE_PAYLOADS.none) {
    if (payloads.length === MAX_IKE_PAYLOADS) return refuse('too-many-payloads');
    if (at + PAYLOAD_HEADER_BYTES > bytes.length) return refuse('payload-length');
    const next = bytes.readUInt8(at);
    const critical = (bytes.readUInt8(at + 1) & CRITICAL_BIT) !== 0;
    const length = bytes.readUInt16BE(at + 2);
    const end = at + length;
    if (length < PAYLOAD_HEADER_BYTES || end > bytes.length) return refuse('payload-length');
    const body = bytes.subarray(at + PAYLOAD_HEADER_BYTES, end);
    at = end;
    if (payloadType === IKE_PAYLOADS.encrypted || payloadType === IKE_PAYLOADS.encryptedFragment) {
      payloads.push({ kind: 'encrypted', payloadType, firstInside: next, body });
      break;
    }
    if (critical && !isDefined(payloadType)) return refuse('critical-payload');
    const payload = readPayload(payloadType, body);
    if (!payload.ok) return payload;
    payloads.push(payload.value);
    payloadType = next;
  }
  return at === bytes.length ? accept({ header: header.value, payloads }) : refuse('trailing');
};

interface WrittenPayload {
  readonly payloadType: number;
  readonly body: Uint8Array;
}

const writeKe = (payload: KePayload): Buffer => {
  const head = Buffer.alloc(KE_HEADER_BYTES);
  head.writeUInt16BE(payload.group, 0);
  return Buffer.concat([head, payload.value]);
};

const writeNotify = (payload: NotifyPayload): Buffer => {
  const head = Buffer.alloc(NOTIFY_HEADER_BYTES);
  head.writeUInt8(payload.protocol, 0);
  head.writeUInt8(payload.spi.length, 1);
  head.writeUInt16BE(payload.type, 2);
  return Buffer.concat([head, payload.spi, payload.data]);
};

const writePayload = (payload: IkePayload): WrittenPayload => {
  switch (payload.kind) {
    case 'sa':
      return { payloadType: IKE_PAYLOADS.sa, body: encodeProposals(payload.proposals) };
    case 'ke':
      return { payloadType: IKE_PAYLOADS.ke, body: writeKe(payload) };
    case 'nonce':
      if (payload.value.length < MIN_NONCE_BYTES || payload.value.length > MAX_NONCE_BYTES)
        throw new RangeError(`an IKE nonce has ${MIN_NONCE_BYTES}–${MAX_NONCE_BYTES} octets`);
      return { payloadType: IKE_PAYLOADS.nonce, body: payload.value };
    case 'notify':
      return { payloadType: IKE_PAYLOADS.notify, body: writeNotify(payload) };
    case 'vendor-id':
      return { payloadType: IKE_PAYLOADS.vendorId, body: payload.value };
    case 'encrypted':
    case 'raw':
      return payload;
  }
};

/**
 * Writes an IKEv2 message; version 2.0, the payload chain and the length are filled in here.
 * @throws RangeError when a field does not fit its place, there are too many payloads, or an encrypted one is not last.
 */
export const encodeIke = (
  header: Omit<IkeHeader, 'length' | 'nextPayload' | 'major' | 'minor'>,
  payloads: readonly IkePayload[],
): Uint8Array => {
  if (payloads.length > MAX_IKE_PAYLOADS) throw new RangeError(`at most ${MAX_IKE_PAYLOADS} IKE payloads`);
  const written = payloads.map(writePayload);
  const parts = written.flatMap(({ body }, index) => {
    const payload = payloads[index];
    const following = written[index + 1]?.payloadType;
    if (payload?.kind === 'encrypted' && following !== undefined)
      throw new RangeError('an encrypted IKE payload is the last (RFC 7296 §3.14)');
    const head = Buffer.alloc(PAYLOAD_HEADER_BYTES);
    head.writeUInt8(payload?.kind === 'encrypted' ? payload.firstInside : (following ?? IKE_PAYLOADS.none), 0);
    head.writeUInt16BE(PAYLOAD_HEADER_BYTES + body.length, 2);
    return [head, body];
  });
  return encodeIkeHeader(
    { ...header, nextPayload: written[0]?.payloadType ?? IKE_PAYLOADS.none, major: IKE_MAJOR_VERSION, minor: 0 },
    Buffer.concat(parts),
  );
};

/** A notification that concerns no SA in particular, as all of IKE_SA_INIT's do (RFC 7296 §3.10). */
export const notify = (type: number, data: Uint8Array = new Uint8Array(0)): NotifyPayload => ({
  kind: 'notify',
  protocol: IKE_PROTOCOLS.none,
  spi: new Uint8Array(0),
  type,
  data,
});
