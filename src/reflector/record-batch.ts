/** What one process saw on its way to the others: gathered, so that a packet does not cost a message. */
import type { SessionRecord } from './sessions.js';

/** Each process knows of these what any of them has seen. */
export type SharedRecord =
  | SessionRecord
  /** A token was shown from this address. */
  | { readonly say: 'proved'; readonly address: string }
  /** Something came from this agent's address to this UDP port that carried no valid token. */
  | { readonly say: 'unreadable'; readonly address: string; readonly port: number };

/** A replay at another process's port may pass within this time, and gains nothing by it. */
const EVERY_MS = 50;
/** A message of some tens of kilobytes. */
const MAX_GATHERED = 512;

interface RecordBatch {
  readonly tell: (record: SharedRecord) => void;
  /** Sends what has been gathered, now. */
  flush(): void;
  close(): void;
}

export const createRecordBatch = (send: (records: readonly SharedRecord[]) => void): RecordBatch => {
  let gathered: SharedRecord[] = [];
  const flush = (): void => {
    const records = gathered;
    gathered = [];
    send(records);
  };
  const timer = setInterval(() => {
    if (gathered.length > 0) flush();
  }, EVERY_MS);
  timer.unref();
  return {
    tell: (record) => {
      gathered.push(record);
      if (gathered.length >= MAX_GATHERED) flush();
    },
    flush,
    close: () => clearInterval(timer),
  };
};
