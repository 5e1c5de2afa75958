/** Arrivals on their way to the other processes: gathered, so that a packet does not cost a message. */
import type { SessionRecord } from './sessions.js';

/** A replay at another process's port may pass within this time, and gains nothing by it. */
const EVERY_MS = 50;
/** A message of some tens of kilobytes. */
const MAX_GATHERED = 512;

interface RecordBatch {
  readonly tell: (record: SessionRecord) => void;
  /** Sends what has been gathered, now. */
  flush(): void;
  close(): void;
}

export const createRecordBatch = (send: (records: readonly SessionRecord[]) => void): RecordBatch => {
  let gathered: SessionRecord[] = [];
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
