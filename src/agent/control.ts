/**
 * The agent's own door: a local socket on which it says how it is. Whoever gets through is told one line of JSON, and
 * that a second agent gets through tells it that it is the second.
 */
import { createHash } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** sun_path holds 108 bytes on Linux and 104 elsewhere. */
const MAX_SOCKET_PATH = 100;
/** The answer is a few kilobytes; who sends more is not our agent. */
const MAX_ANSWER = 1024 * 1024;
const ANSWER_WITHIN_MS = 5000;

/** Where an agent with this state folder can be asked. */
export const controlPath = (stateDirectory: string): string => {
  const short = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\callpath-${short}`;
  const path = join(stateDirectory, 'agent.sock');
  return Buffer.byteLength(path) <= MAX_SOCKET_PATH ? path : join(tmpdir(), `callpath-${short}.sock`);
};

/** What the agent says, or null if none is there. */
export const askControl = (path: string): Promise<unknown> =>
  new Promise((resolve) => {
    const socket = connect(path);
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (answer: unknown): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ANSWER_WITHIN_MS, () => finish(null));
    socket.on('error', () => finish(null));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_ANSWER) finish(null);
    });
    socket.on('end', () => {
      try {
        finish(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      } catch {
        finish(null);
      }
    });
  });

const listen = (path: string, answer: () => unknown, guests: Set<Socket>): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      guests.add(socket);
      socket.on('close', () => guests.delete(socket));
      socket.on('error', () => socket.destroy());
      // A guest that was told and does not leave is shown out.
      socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy());
      socket.resume();
      socket.end(`${JSON.stringify(answer())}\n`);
    });
    server.on('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      resolve(server);
    });
  });

/** Opens the door. Rejects with EADDRINUSE if another agent stands behind it. */
export const openControl = async (path: string, answer: () => unknown): Promise<() => Promise<void>> => {
  const guests = new Set<Socket>();
  const server = await listen(path, answer, guests).catch(async (error: unknown) => {
    if ((error as { code?: string }).code !== 'EADDRINUSE' || (await askControl(path)) !== null) throw error;
    // A killed agent leaves its socket behind.
    await unlink(path);
    return listen(path, answer, guests);
  });
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of guests) socket.destroy();
    });
};
