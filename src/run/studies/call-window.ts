/** The agent's side of a window: opens it over a connection, tells the far end of a call what to do, and fetches what it saw. */
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import {
  type CallOrder,
  type CallQuery,
  type CallRecord,
  type CallState,
  encodeCallQuery,
  readCallAnswer,
  readCallRecord,
  THE_RECORD,
} from '../../wire/call.js';
import type { CapturePiece } from '../../wire/capture.js';
import { parseIp, toMappedBytes } from '../../wire/ip.js';
import { askFor } from '../ask/ask.js';
import { wordProbe } from '../ask/word.js';
import type { Tools } from '../tools.js';
import type { StudiedFarEnd } from './study.js';

/** A question over a way that passes is lost to chance only. */
const ATTEMPTS = 4;
/** Ours is the longest record that can come back; a far end that claims more is not followed. */
const MAX_WHOLE_BYTES = 64 * 1024;

interface Word {
  readonly state: CallState;
  readonly piece: CapturePiece;
  /** Our address as the far end sees it on this way. */
  readonly seen: string;
}

const callProbe = (query: Partial<CallQuery> & Pick<CallQuery, 'action'>): Probe<Word> =>
  wordProbe({
    request: 'callRequest',
    body: () => encodeCallQuery(query),
    value: ({ tag, attestation }) => {
      const answer = readCallAnswer(tag.body);
      return answer && { ...answer, seen: attestation.seenAddress };
    },
  });

export interface CallWindow {
  /** What became of opening it; `null` where no word came. */
  readonly state: CallState | null;
  /** Our address as the far end sees it. */
  readonly seen: string | null;
  /** Null where no word came. */
  order(
    line: number,
    order: CallOrder,
    how?: { readonly argument?: number; readonly afterMs?: number },
  ): Promise<{ readonly number: number; readonly state: CallState } | null>;
  record(line: number): Promise<CallRecord | null>;
  message(line: number, index: number): Promise<Uint8Array | null>;
}

export const openWindow = async (
  { ways, address }: Pick<StudiedFarEnd, 'ways' | 'address'>,
  ports: readonly number[],
  tools: Tools,
): Promise<CallWindow> => {
  const ask = async (
    query: Partial<CallQuery> & Pick<CallQuery, 'action'>,
    over: readonly Check[],
  ): Promise<Word | null> => {
    for (const way of tools.ways.inOrder(over)) {
      if (tools.signal.aborted) return null;
      const { values } = await askFor(way, callProbe(query), { samples: 1, doubt: 0, atMost: ATTEMPTS }, tools);
      const [word] = values;
      if (word) return word;
      tools.ways.deaf(way);
    }
    return null;
  };
  const whole = async (line: number, index: number): Promise<Uint8Array | null> => {
    const pieces: Uint8Array[] = [];
    let length = 0;
    let total = Number.POSITIVE_INFINITY;
    while (length < total) {
      const word = await ask({ action: 'tell', line, index, offset: length }, ways);
      if (word?.state !== 'ok' || word.piece.bytes.length === 0 || word.piece.wholeLength > MAX_WHOLE_BYTES)
        return null;
      // What is asked for while a call goes on may have grown since its first piece came.
      if (length > 0 && word.piece.wholeLength !== total) return whole(line, index);
      total = word.piece.wholeLength;
      pieces.push(Uint8Array.from(word.piece.bytes));
      length += word.piece.bytes.length;
    }
    return Buffer.concat(pieces);
  };
  const ip = parseIp(address);
  const as = ip ? toMappedBytes(ip.bytes) : new Uint8Array(16);
  const overConnections = ways.filter(({ transport }) => transport !== 'udp');
  const opened = await ask({ action: 'open', as, ports }, overConnections);
  return {
    state: overConnections.length === 0 ? 'needs-connection' : (opened?.state ?? null),
    seen: opened?.seen ?? null,
    order: async (line, order, { argument = 0, afterMs = 0 } = {}) => {
      const number = tools.nextSequence();
      const word = await ask({ action: 'do', line, order, number, argument, afterMs }, ways);
      return word && { number, state: word.state };
    },
    record: async (line) => {
      const bytes = await whole(line, THE_RECORD);
      return bytes && readCallRecord(bytes);
    },
    message: whole,
  };
};
