/** Fetches from a reflector what stood on its wire, piece by piece, over any way that passes. */
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import {
  type CapturePiece,
  type CaptureQuery,
  type CaptureSide,
  encodeCaptureQuery,
  MAX_PIECE_BYTES,
  readCapturePiece,
  SMALL_PIECE_BYTES,
} from '../../wire/capture.js';
import { askFor } from '../ask/ask.js';
import { wordProbe } from '../ask/word.js';
import type { Tools } from '../tools.js';

/** With RETRY_AFTER_MS this waits out a burst of loss. */
const ATTEMPTS = 6;
const MAX_WAYS = 3;
/** Ours is the longest message that can come back; a far end that claims more is not followed. */
const MAX_CAPTURE_BYTES = 8192;

/** What came of earlier queries over a way. */
interface Sizes {
  /** Short pieces came where long ones did not: they are asked for first. */
  isShort: boolean;
}

/** Asks for long pieces and short ones in turn. */
const captureProbe = (query: CaptureQuery, sizes: Sizes): Probe<CapturePiece> => {
  let asked = 0;
  return wordProbe({
    request: 'captureRequest',
    body: (turn) => {
      asked = turn;
      const isShort = (turn % 2 === 0) !== sizes.isShort;
      return encodeCaptureQuery({ ...query, pieceBytes: isShort ? SMALL_PIECE_BYTES : MAX_PIECE_BYTES });
    },
    value: ({ tag }) => {
      const piece = readCapturePiece(tag.body);
      if (piece && asked > 1) sizes.isShort = piece.bytes.length <= SMALL_PIECE_BYTES;
      return piece;
    },
  });
};

/** The whole of one side of an exchange, or null if the far end has it no more or cannot be heard. */
export const fetchCapture = async (
  sequence: number,
  side: CaptureSide,
  ways: readonly Check[],
  tools: Tools,
): Promise<Uint8Array | null> => {
  for (const way of tools.ways.inOrder(ways).slice(0, MAX_WAYS)) {
    const sizes: Sizes = { isShort: false };
    const pieces: Uint8Array[] = [];
    let length = 0;
    let whole = Number.POSITIVE_INFINITY;
    while (length < whole && !tools.signal.aborted) {
      const probe = captureProbe({ sequence, side, offset: length, isTurned: true }, sizes);
      const { values } = await askFor(way, probe, { samples: 1, doubt: 0, atMost: ATTEMPTS }, tools);
      const [told] = values;
      if (!told && !tools.signal.aborted) tools.ways.deaf(way);
      if (!told || told.bytes.length === 0 || told.wholeLength > MAX_CAPTURE_BYTES) break;
      whole = told.wholeLength;
      pieces.push(Uint8Array.from(told.bytes));
      length += told.bytes.length;
    }
    if (length === whole) return Buffer.concat(pieces);
  }
  return null;
};
