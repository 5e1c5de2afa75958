/** One attempt to reach a port that an agent named at its own address: from a fresh port, with one message, and no more. */
import { createSocket } from 'node:dgram';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Transport } from '../model/kinds.js';
import { EXPORTER_BYTES, EXPORTER_LABEL } from '../net/stream.js';
import type { InboundState } from '../wire/inbound.js';

export interface Called {
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
  readonly transport: Transport;
  /** From which of our addresses; null for the one that the route prefers. */
  readonly from: string | null;
}

export interface Dialled {
  readonly over: Promise<InboundState>;
  close(): void;
}

/**
 * Starts an attempt.
 * @param knock the message, made for the channel that carries it: TLS has a binding, the others have null
 */
export type Dial = (called: Called, knock: (binding: Uint8Array | null) => Uint8Array) => Dialled;

/** The system sends its SYN at 0, 1 and 3 s in this time (RFC 6298 §2.1, §5.5): no more packets than the request took to come. */
const OPEN_WITHIN_MS = 4000;
/** An open connection has shown its address; TLS needs two round trips more, of a slow line perhaps. */
const SECURE_WITHIN_MS = 6000;
/** How long the knock may take to be read before the connection ends. */
const LINGER_MS = 1000;

const stateOf = (code: string | undefined, isOpen: boolean): InboundState => {
  if (isOpen) return 'tls-failed';
  if (code === 'ECONNREFUSED' || code === 'ECONNRESET') return 'refused';
  if (code === 'ETIMEDOUT') return 'silent';
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'EACCES') return 'unreachable';
  return 'failed';
};

const dialUdp: Dial = ({ address, family, port, from }, knock) => {
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  let isClosed = false;
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    socket.close();
  };
  const over = new Promise<InboundState>((resolve) => {
    socket.on('error', () => {
      close();
      resolve('failed');
    });
    socket.bind({ port: 0, ...(from !== null && { address: from }) }, () => {
      if (isClosed) return resolve('failed');
      socket.send(knock(null), port, address, (error) => {
        close();
        resolve(error ? stateOf((error as NodeJS.ErrnoException).code, false) : 'sent');
      });
    });
  });
  return { over, close };
};

const dialStream: Dial = ({ address, family, port, from, transport }, knock) => {
  const tcp = connectTcp({ host: address, port, family, ...(from !== null && { localAddress: from }) });
  tcp.setNoDelay(true);
  let isOpen = false;
  let timer: NodeJS.Timeout | null = null;
  const destroy = (): void => {
    if (timer) clearTimeout(timer);
    tcp.destroy();
  };
  const over = new Promise<InboundState>((resolve) => {
    const endIn = (ms: number, state: InboundState): void => {
      if (timer) clearTimeout(timer);
      timer = setTimeout(() => {
        resolve(state);
        destroy();
      }, ms);
    };
    endIn(OPEN_WITHIN_MS, 'silent');
    const failed = (error: NodeJS.ErrnoException): void => {
      resolve(stateOf(error.code, isOpen));
      destroy();
    };
    /** What the agent says is not read: it is no conversation. */
    const say = (socket: typeof tcp, binding: Uint8Array | null): void => {
      endIn(LINGER_MS, 'connected');
      socket.resume();
      socket.end(knock(binding), () => resolve('connected'));
    };
    tcp.on('error', failed);
    tcp.on('close', () => {
      if (timer) clearTimeout(timer);
      resolve(isOpen ? 'tls-failed' : 'silent');
    });
    tcp.on('connect', () => {
      isOpen = true;
      if (transport === 'tcp') return say(tcp, null);
      endIn(SECURE_WITHIN_MS, 'tls-failed');
      // Whoever answers proves nothing by a certificate: the agent has one that it made for this run.
      const tls = connectTls({ socket: tcp, rejectUnauthorized: false, minVersion: 'TLSv1.2' });
      tls.on('error', failed);
      tls.on('secureConnect', () =>
        say(tls, tls.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0))),
      );
    });
  });
  return { over, close: destroy };
};

export const dial: Dial = (called, knock) => (called.transport === 'udp' ? dialUdp : dialStream)(called, knock);
