/** The thread in which runs happen, seen from the main one: started when needed, replaced before it could grow old. */
import { type ResourceLimits, Worker } from 'node:worker_threads';
import type { Mark } from '../../model/observation.js';
import type { OnProgress, RunInput, RunOutput } from '../../model/run.js';
import type { StudyFacts } from '../../verdict/studies/registry.js';
import { type PackedOutput, unpackOutput } from './transfer.js';
import type { ToThread } from './worker.js';

export interface ProbeThread {
  /** Begins to load what a run needs, beside whatever its caller does meanwhile. */
  start(): void;
  /**
   * Resolves with the run's output; when `signal` fires, with what was known by then. Rejects only on a defect of ours.
   */
  run(input: RunInput, signal: AbortSignal, onProgress?: OnProgress | null): Promise<RunOutput<StudyFacts>>;
  close(): Promise<void>;
}

/** A day of light runs. What a thread might gather in that time goes with it. */
const RUNS_PER_THREAD = 1440;
/** What an agent's thread may take that runs for years. */
export const DAEMON_LIMITS: ResourceLimits = {
  // A sweep of 16,384 ports stays far below; past it the thread ends, and not the agent.
  maxOldGenerationSizeMb: 192,
  // Room for a run's short-lived objects. V8 would take up to 48 MB before it looks; that is half of what an agent may take.
  maxYoungGenerationSizeMb: 6,
};

interface Pending {
  readonly questions: RunInput['questions'];
  readonly onProgress: OnProgress | null;
  readonly resolve: (output: RunOutput<StudyFacts>) => void;
  readonly reject: (error: Error) => void;
}

export type FromThread =
  | { readonly id: number; readonly done: number; readonly marks?: readonly Mark[] }
  | { readonly id: number; readonly packed: PackedOutput }
  | { readonly id: number; readonly defect: string };

interface Thread {
  readonly worker: Worker;
  readonly pending: Map<number, Pending>;
  started: number;
}

const startThread = (limits: ResourceLimits, onEnd: (thread: Thread) => void): Thread => {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { resourceLimits: limits });
  const thread: Thread = { worker, pending: new Map(), started: 0 };
  const end = (error: Error): void => {
    onEnd(thread);
    for (const { reject } of thread.pending.values()) reject(error);
    thread.pending.clear();
  };
  worker.on('message', (message: FromThread) => {
    const waiting = thread.pending.get(message.id);
    if (!waiting) return;
    if ('done' in message) {
      waiting.onProgress?.(message.done, message.marks);
      return;
    }
    thread.pending.delete(message.id);
    if ('packed' in message) waiting.resolve(unpackOutput(message.packed, waiting.questions));
    else waiting.reject(new Error(message.defect));
    if (thread.started >= RUNS_PER_THREAD && thread.pending.size === 0) void worker.terminate();
  });
  worker.on('error', end);
  worker.on('exit', (code) => end(new Error(`the probing thread ended with code ${code} before its result`)));
  return thread;
};

/** A thread that is started with the first run, unless `start` is called before. */
export const createProbeThread = (limits: ResourceLimits = {}): ProbeThread => {
  let current: Thread | null = null;
  let lastId = 0;
  const forget = (thread: Thread): void => {
    if (current === thread) current = null;
  };
  const running = (): Thread => {
    const thread = current && current.started < RUNS_PER_THREAD ? current : startThread(limits, forget);
    current = thread;
    return thread;
  };
  return {
    start: () => {
      running();
    },
    run: (input, signal, onProgress = null) =>
      new Promise((resolve, reject) => {
        const thread = running();
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
        const { questions } = input;
        thread.pending.set(id, { questions, onProgress, resolve: settle(resolve), reject: settle(reject) });
        send({ start: id, input, isWatched: onProgress !== null });
        if (signal.aborted) abort();
        else signal.addEventListener('abort', abort, { once: true });
      }),
    close: async () => {
      await current?.worker.terminate();
    },
  };
};

/** One run in a thread of its own. */
export const runInThread: ProbeThread['run'] = async (input, signal, onProgress) => {
  const thread = createProbeThread();
  try {
    return await thread.run(input, signal, onProgress);
  } finally {
    await thread.close();
  }
};
