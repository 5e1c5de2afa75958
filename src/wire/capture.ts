/**
 * Evidence: what of one SIP exchange stood on the far end's wire. The agent names the request by its sequence number
 * and asks for a piece of the bytes that arrived, or of those that were answered. They travel inside a bare, sealed tag
 * and over any way that passes, where no ALG looks for SIP and none can undo on the way back what it did on the way out.
 *
 *     query: sequence (4)   side (1)   form (1)   reserved (2)   offset (4)   then padding that pays for the piece
 *     piece: whole length (4), 0 if nothing is kept   then the bytes from the offset on
 *
 * The bytes of a piece go with every bit turned over, and the length's highest bit says so: a device that replaces an
 * address wherever it stands, in letters or in octets, finds none. A reflector that does not know the form sends them as
 * they are, and so does one that is asked without it.
 */

import { NOTHING } from './octets.js';
import { ANSWER_TAG_BYTES, answerRoom, REQUEST_TAG_BYTES } from './tag.js';

/** `request`: as it arrived at the reflector; `response`: as the reflector sent it. */
const EVIDENCE_SIDES = ['request', 'response'] as const;
export type CaptureSide = (typeof EVIDENCE_SIDES)[number];

export interface CaptureQuery {
  /** The longest piece that is wanted, in bytes, at most `MAX_PIECE_BYTES`; the query is as long. */
  readonly pieceBytes?: number;
  readonly sequence: number;
  readonly side: CaptureSide;
  readonly offset: number;
  /** The piece's bits are to be turned over. */
  readonly isTurned: boolean;
}

export interface CapturePiece {
  readonly wholeLength: number;
  readonly bytes: Uint8Array;
}

/** Of a query: the agent understands pieces whose bits are turned over. */
const FORM_AT = 5;
const TURNED = 1;
/** Of a piece's length. No message is as long. */
const TURNED_BIT = 0x8000_0000;
const ALL_BITS = 0xff;

const turned = (bytes: Uint8Array): Uint8Array => bytes.map((octet) => octet ^ ALL_BITS);

const QUERY_BYTES = 12;
const PIECE_HEADER_BYTES = 4;
/** With tag, UDP and IPv6 headers 1,156 bytes: fits the smallest link that IPv6 allows (RFC 8200 §5: 1280). */
export const MAX_PIECE_BYTES = 1000;
/** For a path that loses longer packets. */
export const SMALL_PIECE_BYTES = 400;
/** By how much an answer's fixed fields outweigh a request's, which the query's padding makes up for. */
const OVERHEAD = ANSWER_TAG_BYTES - REQUEST_TAG_BYTES + PIECE_HEADER_BYTES;

/** The body of a query, padded so that a whole piece is not larger than it. */
export const encodeCaptureQuery = ({
  sequence,
  side,
  offset,
  isTurned,
  pieceBytes = MAX_PIECE_BYTES,
}: CaptureQuery): Uint8Array => {
  const body = Buffer.alloc(OVERHEAD + pieceBytes);
  body.writeUInt32BE(sequence, 0);
  body.writeUInt8(EVIDENCE_SIDES.indexOf(side), 4);
  body.writeUInt8(isTurned ? TURNED : 0, FORM_AT);
  body.writeUInt32BE(offset, 8);
  return body;
};

/** Null for a body that names no side, or is cut off. */
export const readCaptureQuery = (body: Uint8Array): CaptureQuery | null => {
  if (body.length < QUERY_BYTES) return null;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const side = EVIDENCE_SIDES[bytes.readUInt8(4)];
  if (!side) return null;
  return {
    sequence: bytes.readUInt32BE(0),
    side,
    offset: bytes.readUInt32BE(8),
    isTurned: bytes.readUInt8(FORM_AT) === TURNED,
  };
};

/** The body of an answer: as much from the offset on as a query of `queryLength` bytes has paid for. */
export const encodeEvidencePiece = (
  whole: Uint8Array | null,
  { offset, isTurned }: Pick<CaptureQuery, 'offset' | 'isTurned'>,
  queryLength: number,
): Uint8Array => {
  const room = Math.max(0, Math.min(MAX_PIECE_BYTES, answerRoom(queryLength) - PIECE_HEADER_BYTES));
  const piece = whole?.subarray(offset, offset + room) ?? NOTHING;
  const body = Buffer.alloc(PIECE_HEADER_BYTES + piece.length);
  body.writeUInt32BE(((whole?.length ?? 0) | (isTurned ? TURNED_BIT : 0)) >>> 0, 0);
  body.set(isTurned ? turned(piece) : piece, PIECE_HEADER_BYTES);
  return body;
};

/** Null for what is too short to be a piece. */
export const readCapturePiece = (body: Uint8Array): CapturePiece | null => {
  if (body.length < PIECE_HEADER_BYTES) return null;
  const length = Buffer.from(body.buffer, body.byteOffset, body.byteLength).readUInt32BE(0);
  const isTurned = (length & TURNED_BIT) !== 0;
  const bytes = body.subarray(PIECE_HEADER_BYTES);
  return { wholeLength: (length & ~TURNED_BIT) >>> 0, bytes: isTurned ? turned(bytes) : bytes };
};
