/** The thread in which a run happens, so that a busy event loop in the main thread does not become a round-trip time. */
import { parentPort, workerData } from 'node:worker_threads';
import { type RunInput, run } from './run.js';
import { packOutput } from './transfer.js';

if (parentPort === null) throw new Error('worker.ts runs only as a worker thread');
const port = parentPort;
const controller = new AbortController();
port.on('message', (message: unknown) => {
  if (message === 'abort') controller.abort(new Error('interrupted'));
});
const input = workerData as RunInput;
const output = await run(input, controller.signal, (done, marks) => port.postMessage({ done, marks }));
port.postMessage({ packed: packOutput(output, input.questions) });
port.close();
