/** The Security Association payload (RFC 7296 §3.3): proposals of transforms, the innermost of IKE's nested lengths. */
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { KEY_LENGTH_ATTRIBUTE } from './ike-names.js';

/** "Another one follows" and "this is the last" (RFC 7296 §3.3.1, §3.3.2). */
const LAST = 0;
const MORE_PROPOSALS = 2;
const MORE_TRANSFORMS = 3;

const PROPOSAL_HEADER_BYTES = 8;
const TRANSFORM_HEADER_BYTES = 8;
const ATTRIBUTE_HEADER_BYTES = 4;
/** Attribute format bit: the value sits in the length's place (RFC 7296 §3.3.5). */
const FIXED_VALUE_BIT = 0x8000;

/** Clients offer one to ten; the number field would allow 255. Transforms need no bound: their count is one octet. */
export const MAX_PROPOSALS = 32;
/** One is defined; a few leave room for what is to come. */
export const MAX_ATTRIBUTES = 8;

/** A number in the fixed-length form, bytes in the variable-length form. */
export interface TransformAttribute {
  /** 15 bits. */
  readonly type: number;
  readonly value: number | Uint8Array;
}

export interface IkeTransform {
  readonly type: number;
  readonly id: number;
  readonly attributes: readonly TransformAttribute[];
}

export interface IkeProposal {
  /** 1 for the first; an answer repeats the number of the chosen one. */
  readonly number: number;
  readonly protocol: number;
  /** Empty in IKE_SA_INIT. */
  readonly spi: Uint8Array;
  readonly transforms: readonly IkeTransform[];
}

/** A transform's key length in bits, or null where the algorithm has but one. */
export const keyLengthOf = (transform: IkeTransform): number | null => {
  const attribute = transform.attributes.find(({ type }) => type === KEY_LENGTH_ATTRIBUTE);
  return typeof attribute?.value === 'number' ? attribute.value : null;
};

const readAttributes = (bytes: Buffer): Parsed<TransformAttribute[], 'sa'> => {
  const attributes: TransformAttribute[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (attributes.length === MAX_ATTRIBUTES || at + ATTRIBUTE_HEADER_BYTES > bytes.length) return refuse('sa');
    const typeField = bytes.readUInt16BE(at);
    const second = bytes.readUInt16BE(at + 2);
    const type = typeField & ~FIXED_VALUE_BIT;
    at += ATTRIBUTE_HEADER_BYTES;
    if (typeField & FIXED_VALUE_BIT) {
      attributes.push({ type, value: second });
      continue;
    }
    if (at + second > bytes.length) return refuse('sa');
    attributes.push({ type, value: bytes.subarray(at, at + second) });
    at += second;
  }
  return accept(attributes);
};

/** Transforms fill `bytes` exactly, are as many as the proposal says, and only the last is marked so. */
const readTransforms = (bytes: Buffer, count: number): Parsed<IkeTransform[], 'sa'> => {
  const transforms: IkeTransform[] = [];
  let at = 0;
  while (transforms.length < count) {
    if (at + TRANSFORM_HEADER_BYTES > bytes.length) return refuse('sa');
    const length = bytes.readUInt16BE(at + 2);
    const isLast = transforms.length === count - 1;
    if (bytes.readUInt8(at) !== (isLast ? LAST : MORE_TRANSFORMS)) return refuse('sa');
    if (length < TRANSFORM_HEADER_BYTES || at + length > bytes.length) return refuse('sa');
    const attributes = readAttributes(bytes.subarray(at + TRANSFORM_HEADER_BYTES, at + length));
    if (!attributes.ok) return attributes;
    transforms.push({ type: bytes.readUInt8(at + 4), id: bytes.readUInt16BE(at + 6), attributes: attributes.value });
    at += length;
  }
  return at === bytes.length ? accept(transforms) : refuse('sa');
};

/** Reads the body of an SA payload: at least one proposal, every nested length exact. Never throws. */
export const parseProposals = (bytes: Buffer): Parsed<readonly IkeProposal[], 'sa'> => {
  const proposals: IkeProposal[] = [];
  let at = 0;
  for (let more = true; more; ) {
    if (proposals.length === MAX_PROPOSALS || at + PROPOSAL_HEADER_BYTES > bytes.length) return refuse('sa');
    const marker = bytes.readUInt8(at);
    if (marker !== LAST && marker !== MORE_PROPOSALS) return refuse('sa');
    const end = at + bytes.readUInt16BE(at + 2);
    const transformsStart = at + PROPOSAL_HEADER_BYTES + bytes.readUInt8(at + 6);
    if (transformsStart > end || end > bytes.length) return refuse('sa');
    const transforms = readTransforms(bytes.subarray(transformsStart, end), bytes.readUInt8(at + 7));
    if (!transforms.ok) return transforms;
    proposals.push({
      number: bytes.readUInt8(at + 4),
      protocol: bytes.readUInt8(at + 5),
      spi: bytes.subarray(at + PROPOSAL_HEADER_BYTES, transformsStart),
      transforms: transforms.value,
    });
    at = end;
    more = marker === MORE_PROPOSALS;
  }
  return at === bytes.length ? accept(proposals) : refuse('sa');
};

const writeAttribute = ({ type, value }: TransformAttribute): Buffer => {
  if (type >= FIXED_VALUE_BIT) throw new RangeError(`an IKE transform attribute type has 15 bits, unlike ${type}`);
  const isFixed = typeof value === 'number';
  const header = Buffer.alloc(ATTRIBUTE_HEADER_BYTES);
  header.writeUInt16BE(isFixed ? type | FIXED_VALUE_BIT : type, 0);
  header.writeUInt16BE(isFixed ? value : value.length, 2);
  return isFixed ? header : Buffer.concat([header, value]);
};

const writeTransform = (transform: IkeTransform, isLast: boolean): Buffer => {
  if (transform.attributes.length > MAX_ATTRIBUTES) throw new RangeError('too many attributes in an IKE transform');
  const attributes = Buffer.concat(transform.attributes.map(writeAttribute));
  const header = Buffer.alloc(TRANSFORM_HEADER_BYTES);
  header.writeUInt8(isLast ? LAST : MORE_TRANSFORMS, 0);
  header.writeUInt16BE(TRANSFORM_HEADER_BYTES + attributes.length, 2);
  header.writeUInt8(transform.type, 4);
  header.writeUInt16BE(transform.id, 6);
  return Buffer.concat([header, attributes]);
};

const writeProposal = (proposal: IkeProposal, isLast: boolean): Buffer => {
  const { transforms, spi } = proposal;
  const body = Buffer.concat(
    transforms.map((transform, index) => writeTransform(transform, index === transforms.length - 1)),
  );
  const header = Buffer.alloc(PROPOSAL_HEADER_BYTES);
  header.writeUInt8(isLast ? LAST : MORE_PROPOSALS, 0);
  header.writeUInt16BE(PROPOSAL_HEADER_BYTES + spi.length + body.length, 2);
  header.writeUInt8(proposal.number, 4);
  header.writeUInt8(proposal.protocol, 5);
  header.writeUInt8(spi.length, 6);
  header.writeUInt8(transforms.length, 7);
  return Buffer.concat([header, spi, body]);
};

/**
 * Writes the body of an SA payload.
 * @throws RangeError when there is no proposal, too many, or a field does not fit its place.
 */
export const encodeProposals = (proposals: readonly IkeProposal[]): Uint8Array => {
  if (proposals.length === 0 || proposals.length > MAX_PROPOSALS)
    throw new RangeError(`an SA payload has 1–${MAX_PROPOSALS} proposals, not ${proposals.length}`);
  return Buffer.concat(proposals.map((proposal, index) => writeProposal(proposal, index === proposals.length - 1)));
};
