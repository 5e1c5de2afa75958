/**
 * The agent's own door: a local socket on which it says how it is. Whoever gets through is told one line of JSON, and
 * that a second agent gets through tells it that it is the second.
 */
import { createHash } from 'node:crypto';
import { link, lstat, rename, stat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

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

/** What whoever holds the socket says, or null if nobody does. */
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

/** In a folder that everybody may write only a socket of the state folder's owner is the agent's, and any other a trap. */
const isOfOwner = async (path: string, stateDirectory: string): Promise<boolean> => {
  if (process.platform === 'win32' || dirname(path) === stateDirectory) return true;
  try {
    const [socket, folder] = await Promise.all([lstat(path), stat(stateDirectory)]);
    return socket.uid === folder.uid;
  } catch {
    return false;
  }
};

/** What the agent with this state folder says, or null if none is there. */
export const askAgent = async (stateDirectory: string): Promise<unknown> => {
  const path = controlPath(stateDirectory);
  return (await isOfOwner(path, stateDirectory)) ? askControl(path) : null;
};

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

/**
 * Whether a process holds this socket, by the kernel's word: a connection to one that nobody holds is refused at once. One that
 * is stopped, or too busy to answer, holds it all the same.
 */
const isHeld = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    const finish = (held: boolean): void => {
      socket.destroy();
      resolve(held);
    };
    socket.on('connect', () => finish(true));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => finish(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });

/**
 * Takes away a socket that a killed agent left behind. It is moved first, so that of two agents that start at once neither takes
 * away the other's new one: what turns out to be held is put back.
 * @returns false if it is held
 */
const clearAway = async (path: string): Promise<boolean> => {
  if (await isHeld(path)) return false;
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
  } catch {
    // Another one was quicker.
    return true;
  }
  const held = await isHeld(aside);
  if (held) await link(aside, path).catch(() => undefined);
  await unlink(aside).catch(() => undefined);
  return !held;
};

const inodeOf = async (path: string): Promise<number | null> => (await stat(path).catch(() => null))?.ino ?? null;

/** How often an agent looks whether the door is still its own. */
const LOOK_EVERY_MS = 10_000;

/**
 * Opens the door. Rejects with EADDRINUSE if another agent holds it, whether that one answers or not.
 * @param lost called once if the door is somebody else's, or gone: another agent may stand there then
 */
export const openControl = async (
  path: string,
  answer: () => unknown,
  lost: () => void = () => undefined,
): Promise<() => Promise<void>> => {
  const guests = new Set<Socket>();
  const server = await listen(path, answer, guests).catch(async (error: unknown) => {
    if ((error as { code?: string }).code !== 'EADDRINUSE' || !(await clearAway(path))) throw error;
    return listen(path, answer, guests);
  });
  // Windows's pipes have no place in a folder.
  const own = process.platform === 'win32' ? null : await inodeOf(path);
  const looking = setInterval(async () => {
    if (own === null || (await inodeOf(path)) === own) return;
    clearInterval(looking);
    lost();
  }, LOOK_EVERY_MS).unref();
  return () =>
    new Promise((resolve) => {
      clearInterval(looking);
      server.close(() => resolve());
      for (const socket of guests) socket.destroy();
    });
};
