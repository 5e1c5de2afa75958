/** What a socket error means for the path. One place, because the same errno says different things on different calls. */
import type { Failure } from '../model/observation.js';

/** The fields of Node's system errors that carry meaning. */
export interface SocketError {
  readonly code: string;
  readonly syscall: string;
}

/** Node's errors are plain Errors with extra fields; TLS ones have a code and no syscall. */
export const socketError = (error: unknown): SocketError => {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown; syscall?: unknown };
  return {
    code: typeof fields.code === 'string' ? fields.code : 'UNKNOWN',
    syscall: typeof fields.syscall === 'string' ? fields.syscall : '',
  };
};

/** Whether this was thrown where a socket could not be had; anything else is a defect of ours. */
export const isSocketError = (error: unknown): error is SocketError =>
  typeof error === 'object' && error !== null && !(error instanceof Error) && 'code' in error && 'syscall' in error;

/**
 * Measured on Linux: ICMP reaches a connected UDP socket as an error of `recvmsg` or, if it is still pending, of the
 * next `send`; port unreachable as ECONNREFUSED, host unreachable, host- and admin-prohibited as EHOSTUNREACH,
 * net-prohibited as ENETUNREACH, and ICMPv6's administrative, policy and reject-route codes as EACCES. A `connect`
 * of UDP or a `bind` asks nobody but this host, so the same codes there mean that this host has no way out.
 */
export const failureOf = ({ code, syscall }: SocketError, transport: 'udp' | 'stream'): Failure => {
  const askedNetwork = transport === 'stream' ? syscall !== 'bind' : syscall === 'recvmsg' || syscall === 'read';
  switch (code) {
    case 'ECONNREFUSED':
      return 'refused';
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
      return 'reset';
    case 'EHOSTUNREACH':
    case 'EHOSTDOWN':
      return 'host-unreachable';
    case 'ENETUNREACH':
      // A stream's connect() gets this code from ICMP and from a missing route alike; without a route it fails at
      // once, and both mean that the question could not be put, so the milder reading is taken.
      return transport === 'udp' && askedNetwork ? 'net-unreachable' : 'no-route';
    case 'EACCES':
    case 'EPERM':
      return askedNetwork && code === 'EACCES' && transport === 'udp' ? 'prohibited' : 'local-denied';
    case 'EADDRNOTAVAIL':
    case 'EADDRINUSE':
    case 'EINVAL':
      return 'address-unavailable';
    case 'EAFNOSUPPORT':
      return 'no-route';
    case 'EMSGSIZE':
      return 'too-large';
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'ENOMEM':
    case 'EAGAIN':
      return 'exhausted';
    default:
      return code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') || code === 'EPROTO' ? 'tls-failed' : 'other';
  }
};
