/** Facts that the stages after the checks bring home: no opinion, plain data, as it crosses from the probing thread. */
import type { Family, Transport } from './check.js';

/** One SIP exchange, as both of its ends saw it. */
export interface SipExchange {
  readonly transport: Transport;
  readonly port: number;
  readonly address: string;
  readonly method: string;
  /** Asked on a port that is not SIP's, where an ALG has no reason to look. */
  readonly isControl: boolean;
  /** The source port: SIP's own, or any other. */
  readonly fromSipPort: boolean;
  /** Smallest size asked for, in bytes; null where size is not the question. */
  readonly padded: number | null;
  readonly packets: number;
  readonly answers: number;
  /** Errors from sockets or from the path, by their code. */
  readonly errors: readonly string[];
  /** Packets that arrived at the far end; null if it could not be asked. */
  readonly seen: number | null;
  /** An answer came, and it did not prove itself. */
  readonly unproven: boolean;
  /** The request as sent, and as it arrived; null where no proven answer came or the far end kept nothing. */
  readonly request: Passage | null;
  /** The response as the far end sent it, and as it arrived here. */
  readonly response: Passage | null;
}

export interface Passage {
  readonly sent: Uint8Array;
  readonly received: Uint8Array;
}

/** Whether something that is no SIP request passes on SIP's own port. Null: not asked. */
export interface OtherTraffic {
  readonly transport: Transport;
  readonly port: number;
  readonly address: string;
  readonly stun: boolean | null;
  readonly bareTag: boolean | null;
}

/** What one reflector's address was asked about SIP. */
export interface SipFacts {
  readonly address: string;
  readonly family: Family;
  readonly exchanges: readonly SipExchange[];
  readonly otherTraffic: readonly OtherTraffic[];
}

/** What all stages found. */
export interface StageFacts {
  readonly sip: readonly SipFacts[];
}

export const NO_FACTS: StageFacts = { sip: [] };
