/** What a phone remembers: every message that it sent and that came, byte for byte, under a name that both ends give it. */
import type { SipMessage } from '../wire/sip-message.js';
import { parseSip } from '../wire/sip-parse.js';
import type { Clock } from './clock.js';

export interface Message {
  readonly direction: 'sent' | 'heard';
  readonly atMs: number;
  /** `INVITE 2`, `200 INVITE 2`: the same at both ends, whatever is changed on the way. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

interface Journal {
  readonly messages: readonly Message[];
  note(direction: Message['direction'], bytes: Uint8Array, name: string): void;
}

/** A call with all its repetitions has some forty, of a kilobyte each. What goes beyond these is not remembered. */
const MAX_MESSAGES = 400;
const MAX_MESSAGES_BYTES = 160 * 1024;

/** Of a message: what it is, and its CSeq. */
export const nameOf = (message: SipMessage): string => {
  const { sequence, method } = message.essentials.cseq;
  return `${message.kind === 'response' ? `${message.status} ` : ''}${method} ${sequence}`;
};

/** The same of a request's bytes. @throws Error for bytes that are none: the caller's mistake */
export const nameOfBytes = (bytes: Uint8Array): string => {
  const parsed = parseSip(bytes);
  if (!parsed.ok) throw new Error('a message of ours can be read');
  return nameOf(parsed.value);
};

/** An empty one. */
export const createJournal = (clock: Clock): Journal => {
  const messages: Message[] = [];
  let remembered = 0;
  return {
    messages,
    note: (direction, bytes, name) => {
      if (messages.length >= MAX_MESSAGES || remembered + bytes.length > MAX_MESSAGES_BYTES) return;
      remembered += bytes.length;
      messages.push({ direction, atMs: clock.now(), name, bytes });
    },
  };
};
