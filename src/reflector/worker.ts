/** A further process of the reflector: binds its share of the ports, and lives as long as the one that started it. */
import { type Core, createCore } from './core.js';
import { createRecordBatch } from './record-batch.js';
import { TELLS_WITHIN_MS } from './self-report.js';
import type { FromWorker, Lately, ToWorker } from './worker-messages.js';

/** Counters are told this often even where nothing arrives. */
const COUNTERS_EVERY_MS = 1000;
/** The first process waits for all others before it answers; one that hangs holds up no answer of ours. */
const CONSULTED_WITHIN_MS = TELLS_WITHIN_MS + 500;
const MAX_PORTS = 65_536;

const say = (message: FromWorker): void => {
  // Without the other side there is nobody to tell; `disconnect` ends this process.
  if (process.connected) process.send?.(message, () => undefined);
};

let core: Core | null = null;
let bound: ReadonlySet<number> = new Set();
const waiting = new Map<number, (haveAllTold: boolean) => void>();
let questions = 0;
/** What all other processes lately did, as of the last time that they were asked. */
let lately: Lately = { lateMs: 0, overruns: [] };

const batch = createRecordBatch((records) => {
  if (core) say({ say: 'records', records, counters: core.counters(), lately: core.lately() });
});
const keyOf = ({ listener, port }: { readonly listener: number; readonly port: number }): number =>
  listener * MAX_PORTS + port;

const start = async (order: Extract<ToWorker, { say: 'start' }>): Promise<void> => {
  const started = createCore({
    ...order,
    warn: (message) => say({ say: 'warn', message }),
    siblings: {
      tell: batch.tell,
      consult: () =>
        new Promise((resolve) => {
          questions += 1;
          const id = questions;
          const settle = (haveAllTold: boolean): void => {
            clearTimeout(timer);
            waiting.delete(id);
            resolve(haveAllTold);
          };
          const timer = setTimeout(() => settle(false), CONSULTED_WITHIN_MS);
          waiting.set(id, settle);
          batch.flush();
          say({ say: 'consult', id });
        }),
      lately: () => lately,
      sendFrom: (place, bytes, to) => {
        say({ say: 'send', place, bytes, to });
        return true;
      },
      isBound: (place) => bound.has(keyOf(place)),
    },
  });
  core = started;
  for (const place of order.share.tcp) await started.bindTcp(place);
  await Promise.all(order.share.udp.map((place) => started.bindUdp(place)));
  say({ say: 'bound', udp: started.udpPlaces(), tcp: started.tcpPorts() });
  setInterval(batch.flush, COUNTERS_EVERY_MS).unref();
};

process.on('message', (message) => {
  const order = message as ToWorker;
  switch (order.say) {
    case 'start':
      void start(order);
      break;
    case 'all-bound':
      bound = new Set(order.bound.map(keyOf));
      core?.setInfo(order.info);
      break;
    case 'info':
      core?.setInfo(order.info);
      break;
    case 'tokens':
      core?.setTokens(order.tokens);
      break;
    case 'credentials':
      core?.setCredentials(order.credentials);
      break;
    case 'records':
      for (const record of order.records) core?.merge(record);
      break;
    case 'flush':
      batch.flush();
      say({ say: 'flushed', id: order.id });
      break;
    case 'consulted':
      lately = order.lately;
      waiting.get(order.id)?.(order.haveAllTold);
      break;
    case 'send':
      core?.sendFrom(order.place, order.bytes, order.to);
      break;
  }
});
// The terminal's Ctrl-C reaches all processes; the first one decides when to end.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => process.exit());
