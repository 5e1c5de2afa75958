/**
 * A process that lives to be killed: appends records to a spool as fast as it can and delivers them to a file, saying
 * on stdout what it was promised. `FOLDER START`: records are numbered from START.
 */
import { appendFileSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { deliverFrom, newDeliveryState } from '../../../src/agent/deliver.js';
import type { Exporter } from '../../../src/agent/exporters/contract.js';
import { systemClock } from '../../../src/agent/schedule/clock.js';
import { openSpool } from '../../../src/agent/spool/spool.js';
import { newId } from '../../../src/model/uuid.js';

const [folder = '', start = '0', mode = 'append'] = process.argv.slice(2);
const say = (line: string): void => {
  // To the pipe before anything else happens: what the parent has read was promised before the kill.
  writeSync(1, `${line}\n`);
};

const sink = openSync(join(folder, 'delivered'), 'a');
const exporter: Exporter = {
  name: 'file',
  deliver: async (records) => {
    // A kill may tear a write: the newline before and the dot behind show which lines are whole.
    writeSync(sink, `\n${records.map(({ id, body }) => `${id} ${body.number} .\n`).join('')}`);
    fdatasyncSync(sink);
    return { outcome: 'delivered' };
  },
  close: async () => undefined,
};

const spool = await openSpool({
  folder: join(folder, 'spool'),
  policy: { maxBytes: 64 * 1024 * 1024, maxAgeMs: 86_400_000 },
  exporters: ['file'],
  now: () => Date.now(),
  say: (message, details) => appendFileSync(join(folder, 'said'), `${message} ${JSON.stringify(details ?? {})}\n`),
});
const end = new AbortController();
const delivering = deliverFrom({
  exporter,
  spool,
  clock: systemClock(),
  random: Math.random,
  lanes: { light: [], full: [] },
  say: () => undefined,
  signal: end.signal,
  state: newDeliveryState(),
});
say('open');

const filler = 'x'.repeat(2000);
for (let number = Number(start); mode === 'append'; number += 1) {
  const at = new Date();
  const lane = number % 7 === 0 ? 'change' : number % 3 === 0 ? 'full' : 'light';
  const record = {
    id: newId(at.getTime()),
    kind: 'report',
    at: at.toISOString(),
    target: 't',
    body: { number, filler },
  } as const;
  if ((await spool.append(record, lane)) === 'stored') say(`stored ${number} ${record.id}`);
}
// mode `drain`: delivers what is there, and ends.
while ((spool.stats().waiting.file ?? 0) > 0) await new Promise((resolve) => setTimeout(resolve, 5));
end.abort();
await delivering;
await spool.close();
say('drained');
