/** A thread in which one run after the other happens, for an agent that runs for years: modules are loaded once. */
import { parentPort } from 'node:worker_threads';
import { type RunInput, run } from './run.js';

export type ToThread = { readonly start: number; readonly input: RunInput } | { readonly abort: number };

if (parentPort === null) throw new Error('standing-worker.ts runs only as a worker thread');
const port = parentPort;
const running = new Map<number, AbortController>();
port.on('message', async (message: ToThread) => {
  if ('abort' in message) {
    running.get(message.abort)?.abort(new Error('interrupted'));
    return;
  }
  const { start: id, input } = message;
  const controller = new AbortController();
  running.set(id, controller);
  try {
    port.postMessage({ id, output: await run(input, controller.signal) });
  } catch (error) {
    port.postMessage({ id, defect: (error as Error)?.stack ?? String(error) });
  } finally {
    running.delete(id);
  }
});
