/** The standing thread, seen from the main one: started when needed, replaced before it could grow old. */
import { Worker } from 'node:worker_threads';
import type { RunInput, RunOutput } from './run.js';
import type { ToThread } from './standing-worker.js';

export interface ProbeThread {
  /** Like `runInWorker`, without a thread's start in each run's account. */
  run(input: RunInput, signal: AbortSignal): Promise<RunOutput>;
  close(): Promise<void>;
}

/** A day of light runs. What a thread might gather in that time goes with it. */
const RUNS_PER_THREAD = 1440;
/** A sweep of 16,384 ports stays far below; past it the thread ends, and not the agent. */
const MAX_HEAP_MEGABYTES = 192;
/** Room for a run's short-lived objects. V8 would take up to 48 MB before it looks; that is half of what an agent may take. */
const YOUNG_HEAP_MEGABYTES = 6;

interface Pending {
  readonly resolve: (output: RunOutput) => void;
  readonly reject: (error: Error) => void;
}

type FromThread =
  | { readonly id: number; readonly output: RunOutput }
  | { readonly id: number; readonly defect: string };

interface Thread {
  readonly worker: Worker;
  readonly pending: Map<number, Pending>;
  started: number;
}

const startThread = (onEnd: (thread: Thread) => void): Thread => {
  const worker = new Worker(new URL('./standing-worker.js', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MEGABYTES, maxYoungGenerationSizeMb: YOUNG_HEAP_MEGABYTES },
  });
  const thread: Thread = { worker, pending: new Map(), started: 0 };
  const end = (error: Error): void => {
    onEnd(thread);
    for (const { reject } of thread.pending.values()) reject(error);
    thread.pending.clear();
  };
  worker.on('message', (message: FromThread) => {
    const waiting = thread.pending.get(message.id);
    thread.pending.delete(message.id);
    if ('output' in message) waiting?.resolve(message.output);
    else waiting?.reject(new Error(message.defect));
    if (thread.started >= RUNS_PER_THREAD && thread.pending.size === 0) void worker.terminate();
  });
  worker.on('error', end);
  worker.on('exit', (code) => end(new Error(`the probing thread ended with code ${code} before its result`)));
  return thread;
};

/** A thread that is started with the first run. */
export const createProbeThread = (): ProbeThread => {
  let current: Thread | null = null;
  let lastId = 0;
  const forget = (thread: Thread): void => {
    if (current === thread) current = null;
  };
  return {
    run: (input, signal) =>
      new Promise((resolve, reject) => {
        const thread = current && current.started < RUNS_PER_THREAD ? current : startThread(forget);
        current = thread;
        thread.started += 1;
        lastId += 1;
        const id = lastId;
        const send = (message: ToThread): void => thread.worker.postMessage(message);
        const abort = (): void => send({ abort: id });
        const settle = <T>(finish: (value: T) => void) => {
          return (value: T): void => {
            signal.removeEventListener('abort', abort);
            finish(value);
          };
        };
        thread.pending.set(id, { resolve: settle(resolve), reject: settle(reject) });
        send({ start: id, input });
        if (signal.aborted) abort();
        else signal.addEventListener('abort', abort, { once: true });
      }),
    close: async () => {
      await current?.worker.terminate();
    },
  };
};
