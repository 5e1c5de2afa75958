/**
 * The last SIP exchanges of each session, byte for byte: what an agent needs to show which field an ALG rewrote. Only
 * requests under a valid tag are kept, so strangers cost nothing.
 */
import type { CaptureSide } from '../wire/capture.js';
import { createLedger } from './quotas.js';

export interface EvidenceBook {
  /** Keeps one exchange; `name` is the session's. */
  keep(name: string, sequence: number, request: Uint8Array, response: Uint8Array): void;
  /** The bytes of one side, or null for what is forgotten or never came. */
  find(name: string, sequence: number, side: CaptureSide): Uint8Array | null;
}

/** Sessions that are remembered; of the token that has most, the stalest is forgotten first. */
const MAX_SESSIONS = 256;
/** What all sessions together keep: 256 runs of the usual 64 KiB. */
const MAX_BYTES = 16 * 1024 * 1024;
/**
 * A run makes some forty exchanges with SDP, 64 KiB. Where many answers are lost it asks each several times before it asks what
 * arrived, and those that were answered first must still be there. The oldest of the session is forgotten first.
 */
const MAX_SESSION_BYTES = 256 * 1024;

/**
 * As Latin-1 text, an octet a character: thousands of small arrays, each with memory of its own, cost the garbage collector three
 * times as much, and every SIP answer waits for it.
 */
type Exchange = Readonly<Record<CaptureSide, string>>;

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

interface Session {
  readonly exchanges: Map<number, Exchange>;
  bytes: number;
}

const sizeOf = ({ request, response }: Exchange): number => request.length + response.length;

/** An empty book. */
export const createEvidenceBook = (): EvidenceBook => {
  const sessions = new Map<string, Session>();
  const ledger = createLedger({ entries: MAX_SESSIONS, bytes: MAX_BYTES });
  return {
    keep: (name, sequence, request, response) => {
      const known = sessions.get(name);
      // Of a retransmission the first is kept: it is what the answer that came first was about.
      if (known?.exchanges.has(sequence)) return ledger.touch(name, known.bytes);
      if (request.length + response.length > MAX_SESSION_BYTES) return;
      const exchange: Exchange = { request: textOf(request), response: textOf(response) };
      const session = known ?? { exchanges: new Map(), bytes: 0 };
      sessions.set(name, session);
      session.exchanges.set(sequence, exchange);
      session.bytes += sizeOf(exchange);
      for (const [oldest, held] of session.exchanges) {
        if (session.bytes <= MAX_SESSION_BYTES) break;
        session.exchanges.delete(oldest);
        session.bytes -= sizeOf(held);
      }
      ledger.touch(name, session.bytes);
      for (let stalest = ledger.overflow(name); stalest !== null; stalest = ledger.overflow(name))
        sessions.delete(stalest);
    },
    find: (name, sequence, side) => {
      const text = sessions.get(name)?.exchanges.get(sequence)?.[side];
      return text === undefined ? null : new Uint8Array(Buffer.from(text, 'latin1'));
    },
  };
};
