/**
 * The C library's socket calls, by way of koffi: an optional dependency, so every reason for which it may not work is an
 * answer and no error. Loaded when somebody asks, once per thread.
 */
import { createInbox, type Inbox } from './layout.js';

/** The calls that are needed, under their own names; each returns -1 where it fails, and `errno` says why. */
export interface Calls {
  socket(domain: number, type: number, protocol: number): number;
  close(fd: number): number;
  bind(fd: number, address: Buffer, length: number): number;
  connect(fd: number, address: Buffer, length: number): number;
  getsockname(fd: number, address: Buffer, length: Buffer): number;
  setsockopt(fd: number, level: number, name: number, value: Buffer, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Buffer, length: Buffer): number;
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  recvmsg(fd: number, header: Buffer, flags: number): number;
  poll(entries: Buffer, count: number, timeoutMs: number): number;
  clock_gettime(clock: number, time: Buffer): number;
}

export interface Library extends Calls {
  errno(): number;
  /** `ECONNREFUSED` of 111; `ERRNO_n` of a number that has no name. */
  errnoName(errno: number): string;
  readonly inbox: Inbox;
}

/** Why this host shows no more than Node's sockets do. */
export type NoLibrary = { readonly why: string };

/** koffi knows no ssize_t; int64 is the same on the systems that are served here. */
const SIGNATURES = [
  'int socket(int, int, int)',
  'int close(int)',
  'int bind(int, void*, uint32)',
  'int connect(int, void*, uint32)',
  'int getsockname(int, void*, void*)',
  'int setsockopt(int, int, int, void*, uint32)',
  'int getsockopt(int, int, int, void*, void*)',
  'int64 send(int, void*, uint64, int)',
  'int64 recvmsg(int, void*, int)',
  'int poll(void*, uint64, int)',
  'int clock_gettime(int, void*)',
] as const;

/** The part of koffi that is used. Its types are not imported: they would have to be installed wherever ours are read. */
interface Koffi {
  load(path: null): { func(signature: string): (...values: unknown[]) => unknown };
  errno(): number;
  address(value: Buffer): bigint;
  readonly os: { readonly errno: Readonly<Record<string, number>> };
}

/** Where the layouts of layout.ts hold: 64 bits, little-endian, and Linux's own numbers of socket options. */
const ARCHITECTURES: ReadonlySet<string> = new Set(['x64', 'arm64', 'riscv64', 'loong64']);

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';

/** The name as a variable, so that the compiler does not ask for a package that may be absent. */
const OPTIONAL: string = 'koffi';

const isKoffi = (loaded: unknown): loaded is Koffi =>
  typeof loaded === 'object' && loaded !== null && 'load' in loaded && 'errno' in loaded && 'address' in loaded;

/** What a loaded module brings, whether it says so itself or by its default. */
const koffiOf = (loaded: { readonly default?: unknown }): Koffi | null => {
  if (isKoffi(loaded.default)) return loaded.default;
  return isKoffi(loaded) ? loaded : null;
};

const bind = (koffi: Koffi): Library => {
  const library = koffi.load(null);
  const calls = Object.fromEntries(
    SIGNATURES.map((signature) => {
      const [, name = ''] = /(\w+)\(/.exec(signature) ?? [];
      return [name, library.func(signature)];
    }),
  ) as unknown as Calls;
  const names = new Map(Object.entries(koffi.os.errno).map(([name, value]) => [value, name]));
  // Two names of one number: the one that Node uses.
  names.set(11, 'EAGAIN');
  return {
    ...calls,
    // koffi returns what fits into a number as one.
    send: (...values) => Number(calls.send(...values)),
    recvmsg: (...values) => Number(calls.recvmsg(...values)),
    errno: () => koffi.errno(),
    errnoName: (errno) => names.get(errno) ?? `ERRNO_${errno}`,
    inbox: createInbox((buffer) => BigInt(koffi.address(buffer))),
  };
};

/**
 * Loads it; never throws. `load` is how the optional module is had, and stands here for tests.
 */
export const loadLibrary = async (
  load: () => Promise<unknown> = () => import(OPTIONAL),
  { platform, arch }: Pick<NodeJS.Process, 'platform' | 'arch'> = process,
): Promise<Library | NoLibrary> => {
  if (platform !== 'linux') return { why: `it is not read on this system (${platform})` };
  if (!ARCHITECTURES.has(arch)) return { why: `it is not read on this architecture (${arch})` };
  try {
    const loaded = (await load()) as { readonly default?: unknown };
    const koffi = koffiOf(loaded);
    if (koffi === null) return { why: 'the optional package koffi is of another version' };
    return bind(koffi);
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code;
    const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
    return {
      why: isMissing
        ? 'the optional package koffi is not installed'
        : `the optional package koffi does not load: ${firstLine(error)}`,
    };
  }
};
