/** Starts a run in its own thread and brings back what it found. */
import { Worker } from 'node:worker_threads';
import type { Mark } from '../model/observation.js';
import type { RunInput, RunOutput } from './run.js';
import { type PackedOutput, unpackOutput } from './transfer.js';

type Message = { readonly done: number; readonly marks?: readonly Mark[] } | { readonly packed: PackedOutput };

/**
 * Resolves with the run's output; when `signal` fires, with what was known by then. Rejects only on a defect of ours.
 */
export const runInWorker = (
  input: RunInput,
  signal: AbortSignal,
  onProgress: (done: number, marks?: readonly Mark[]) => void = () => undefined,
): Promise<RunOutput> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: input });
    const abort = (): void => worker.postMessage('abort');
    const settle = (): void => signal.removeEventListener('abort', abort);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    worker.on('message', (message: Message) => {
      if ('done' in message) return onProgress(message.done, message.marks);
      settle();
      resolve(unpackOutput(message.packed, input.questions));
    });
    worker.on('error', (error) => {
      settle();
      reject(error);
    });
    worker.on('exit', (code) => {
      settle();
      reject(new Error(`the probing thread ended with code ${code} before its result`));
    });
  });
