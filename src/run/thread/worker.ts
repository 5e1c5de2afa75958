/**
 * The thread in which runs happen, so that a busy event loop in the main thread does not become a round-trip time. An
 * agent that runs for years keeps it: modules are loaded once.
 */
import { parentPort } from 'node:worker_threads';
import type { OnProgress, RunInput } from '../../model/run.js';
import { run } from '../run.js';
import type { FromThread } from './thread.js';
import { packOutput } from './transfer.js';

export type ToThread =
  | { readonly start: number; readonly input: RunInput; readonly isWatched: boolean }
  | { readonly abort: number };

if (parentPort === null) throw new Error('worker.ts runs only as a worker thread');
const port = parentPort;
const running = new Map<number, AbortController>();
const tell = (message: FromThread): void => port.postMessage(message);

port.on('message', async (message: ToThread) => {
  if ('abort' in message) {
    running.get(message.abort)?.abort(new Error('interrupted'));
    return;
  }
  const { start: id, input, isWatched } = message;
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const report: OnProgress = (done, marks) => tell({ id, done, ...(marks && { marks }) });
    const output = await run(input, controller.signal, isWatched ? report : undefined);
    tell({ id, packed: packOutput(output, input.questions) });
  } catch (error) {
    tell({ id, defect: (error as Error)?.stack ?? String(error) });
  } finally {
    running.delete(id);
  }
});
