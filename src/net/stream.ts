/** A TCP or TLS connection with one owner: opened, its bytes delivered, its end and its errors told once. */
import { connect as connectTcp, isIP } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { Family } from '../model/check.js';
import type { Evidence } from '../model/observation.js';
import { type SocketError, socketError } from './errno.js';

export interface StreamPeer {
  readonly address: string;
  readonly port: number;
  readonly family: Family;
  /** The name for SNI (RFC 6066 §3 allows no address literals there). */
  readonly host: string;
}

export interface StreamEvents {
  /** TCP is open; under TLS the handshake is still to come. */
  connected(): void;
  /** TCP is open, and TLS too where it was asked for. */
  open(stream: Stream, atMs: number): void;
  data(bytes: Uint8Array, atMs: number): void;
  /**
   * The peer has closed, or an error ended it; called at most once, `tcpOpen` says how far it came, `shown` which
   * certificate a handshake brought that failed after it.
   */
  end(error: SocketError | null, tcpOpen: boolean, shown?: Evidence | null): void;
}

export interface Stream {
  readonly local: { readonly address: string; readonly port: number };
  /** What TLS agreed on and which certificate was shown, or null on plain TCP. */
  readonly tls: Evidence | null;
  /** The TLS exporter's output (RFC 5705, RFC 8446 §7.5), or null on plain TCP. */
  readonly binding: Uint8Array | null;
  write(bytes: Uint8Array): void;
}

/** The label under which both ends export keying material; docs/protocol.md. */
export const EXPORTER_LABEL = 'EXPORTER-callpath-1';
export const EXPORTER_BYTES = 32;

/** A certificate's names can be as long as a hostile server likes; evidence keeps this many characters. */
const MAX_NAME = 200;

const nameOf = (name: unknown): string | null => {
  if (typeof name !== 'object' || name === null) return null;
  const parts = name as { CN?: unknown; O?: unknown };
  const first = [parts.CN, parts.O].flat().find((part) => typeof part === 'string');
  return typeof first === 'string' ? first.slice(0, MAX_NAME) : null;
};

/** A certificate for a whole platform names hundreds of hosts; evidence keeps the first. */
const MAX_NAMES = 16;

/**
 * The names of a subjectAltName as Node prints it: `DNS:a.example, URI:sip:a.example, IP Address:192.0.2.1`; what has a
 * comma or a quote in it is written as a JSON string.
 */
const alternativeNames = (text: string | undefined): readonly string[] => {
  const names = [...(text ?? '').matchAll(/(DNS|URI|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g)];
  return names.slice(0, MAX_NAMES).map(([, type, value = '']) => `${type}:${value}`.slice(0, MAX_NAME));
};

const describeTls = (socket: TLSSocket): Evidence => {
  const certificate = socket.getPeerCertificate();
  return {
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().name,
    certificateSubject: nameOf(certificate.subject),
    certificateIssuer: nameOf(certificate.issuer),
    certificateSha256: certificate.fingerprint256 ?? null,
    certificateValidFrom: certificate.valid_from ?? null,
    certificateValidTo: certificate.valid_to ?? null,
    certificateNames: alternativeNames(certificate.subjectaltname),
    certificateTrusted: socket.authorized,
    certificateProblem: socket.authorizationError ? String(socket.authorizationError).slice(0, MAX_NAME) : null,
  };
};

/** The same of a handshake that failed after the certificate had come; null where none had. */
const shownBefore = (socket: TLSSocket): Evidence | null => {
  try {
    return socket.getPeerCertificate()?.fingerprint256 ? describeTls(socket) : null;
  } catch {
    // The handle is gone with the connection.
    return null;
  }
};

let context: SecureContext | null = null;
/** One for all connections: making it parses every certificate authority, which takes longer than a handshake. */
const clientContext = (): SecureContext => {
  // Desk phones in the field still speak TLS 1.2.
  context ??= createSecureContext({ minVersion: 'TLSv1.2' });
  return context;
};

const servername = (host: string) => (isIP(host) === 0 && host !== '' ? { servername: host } : {});

/** How long the first message of a TLS handshake with this name is: what goes out before the other side has said anything. */
export const clientHelloBytes = (host: string): number => {
  let bytes = 0;
  const wire = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      done();
    },
  });
  const tls = connectTls({ socket: wire, secureContext: clientContext(), ...servername(host) });
  // It ends before anybody could have answered.
  tls.on('error', () => undefined);
  tls.destroy();
  return bytes;
};

/**
 * Opens a connection; the certificate is recorded and never a reason to refuse, because the question is whether the
 * path passes. Returns the function that closes it, whatever state it is in.
 */
export const openStream = (
  peer: StreamPeer,
  secure: boolean,
  events: StreamEvents,
  localAddress?: string,
): (() => void) => {
  let tcpOpen = false;
  let ended = false;
  const end = (error: SocketError | null, shown: Evidence | null = null): void => {
    if (ended) return;
    ended = true;
    events.end(error, tcpOpen, shown);
  };
  const tcp = connectTcp({
    host: peer.address,
    port: peer.port,
    family: peer.family,
    ...(localAddress && { localAddress }),
  });
  tcp.setNoDelay(true);
  const listen = (socket: typeof tcp, opened: () => Stream): void => {
    socket.on(secure ? 'secureConnect' : 'connect', () => {
      if (!ended) events.open(opened(), performance.now());
    });
    socket.on('data', (bytes) => {
      if (!ended) events.data(bytes, performance.now());
    });
  };
  // OpenSSL's alerts come with codes of their own, and a reset in the middle of a handshake is TLS's failure too.
  const failed = (error: unknown): void => end(socketError(error));
  tcp.on('connect', () => {
    tcpOpen = true;
    if (!ended) events.connected();
  });
  tcp.on('error', failed);
  tcp.on('close', () => end(null));
  const local = (): Stream['local'] => ({ address: tcp.localAddress ?? '', port: tcp.localPort ?? 0 });
  const write = (socket: typeof tcp) => (bytes: Uint8Array) => {
    if (!ended) socket.write(bytes);
  };
  if (!secure) {
    listen(tcp, () => ({ local: local(), tls: null, binding: null, write: write(tcp) }));
    return () => {
      ended = true;
      tcp.destroy();
    };
  }
  const tls = connectTls({
    socket: tcp,
    rejectUnauthorized: false,
    // Node would compare with the address; whose name it has to show is SIP's own matter (RFC 5922 §7.2), judged later.
    checkServerIdentity: () => undefined,
    secureContext: clientContext(),
    ...servername(peer.host),
  });
  listen(tls, () => ({
    local: local(),
    tls: describeTls(tls),
    binding: tls.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)),
    write: write(tls),
  }));
  tls.on('error', (error) => end(socketError(error), shownBefore(tls)));
  tls.on('close', () => end(null));
  return () => {
    ended = true;
    tls.destroy();
    tcp.destroy();
  };
};
