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

/** Sessions that are remembered; of the token that has most, the stalest is forgotten first. With 64 KiB each, 16 MiB. */
const MAX_SESSIONS = 256;
/** Some forty exchanges with SDP; a run makes thirty. The oldest of the session is forgotten first. */
const MAX_SESSION_BYTES = 64 * 1024;

type Exchange = Readonly<Record<CaptureSide, Uint8Array>>;

interface Session {
  readonly exchanges: Map<number, Exchange>;
  bytes: number;
}

const sizeOf = ({ request, response }: Exchange): number => request.length + response.length;

/** An empty book. */
export const createEvidenceBook = (): EvidenceBook => {
  const sessions = new Map<string, Session>();
  const ledger = createLedger({ entries: MAX_SESSIONS, bytes: MAX_SESSIONS * MAX_SESSION_BYTES });
  return {
    keep: (name, sequence, request, response) => {
      // Copies: what is handed in are views into buffers of the network's, which are larger and used again.
      const exchange: Exchange = { request: new Uint8Array(request), response: new Uint8Array(response) };
      if (sizeOf(exchange) > MAX_SESSION_BYTES) return;
      const session = sessions.get(name) ?? { exchanges: new Map(), bytes: 0 };
      sessions.set(name, session);
      ledger.touch(name, 0);
      // Of a retransmission the first is kept: it is what the answer that came first was about.
      if (session.exchanges.has(sequence)) return;
      session.exchanges.set(sequence, exchange);
      session.bytes += sizeOf(exchange);
      for (const [oldest, held] of session.exchanges) {
        if (session.bytes <= MAX_SESSION_BYTES) break;
        session.exchanges.delete(oldest);
        session.bytes -= sizeOf(held);
      }
      const stalest = ledger.overflow(name);
      if (stalest !== null) sessions.delete(stalest);
    },
    find: (name, sequence, side) => sessions.get(name)?.exchanges.get(sequence)?.[side] ?? null,
  };
};
