/** The small HTTP server behind the status page and the scrape endpoints: GET only, guarded, bounded, closable. */
import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { UserError } from '../../model/user-error.js';
import { boundConnections, HTTP_LIMITS } from '../../net/http-guests.js';
import { isAuthorized, isLoopback, isOurHost } from './guard.js';

const MAX_HEADER_BYTES = 16 * 1024;
const MAX_URL = 2048;

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ServeOptions {
  /** What it is for, in error messages. */
  readonly purpose: string;
  readonly host: string;
  /** 0 takes any. */
  readonly port: number;
  /** Names besides addresses under which it may be asked. */
  readonly hosts: readonly string[];
  /** Null asks for none, which is for loopback only. */
  readonly secret: string | null;
  /** PEM. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
  /** Paths that are answered without the secret: they tell nothing but that we live. */
  readonly open: readonly string[];
  /** Resolves with the page. A rejection is a defect, and is told to `onError`. */
  readonly answer: (url: URL, request: IncomingMessage, signal: AbortSignal) => Promise<Page>;
  readonly onError: (error: unknown) => void;
}

export interface Serving {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

const PLAIN = 'text/plain; charset=utf-8';
export const plain = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Page => ({
  status,
  type: PLAIN,
  body,
  headers,
});

/** Everything that a browser could do with a page of ours and has no reason to. */
const HARDENING: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

const send = (request: IncomingMessage, response: ServerResponse, { status, type, body, headers }: Page): void => {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...HARDENING, 'content-type': type, 'content-length': bytes.length, ...headers });
  response.end(request.method === 'HEAD' ? undefined : bytes);
};

/** What a request gets without being looked into; null if it may be answered. */
const turnedAway = (request: IncomingMessage, path: string | null, options: ServeOptions): Page | null => {
  const { headers, method, socket } = request;
  if (path === null) return plain(400, 'malformed URL\n');
  if (!isOurHost(headers.host, options.hosts, socket.localAddress ?? ''))
    return plain(421, 'this host name is not configured here; add it to hosts\n');
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'GET only\n', { allow: 'GET, HEAD' });
  if (options.secret === null || options.open.includes(path) || isAuthorized(headers.authorization, options.secret))
    return null;
  return plain(401, 'the secret is needed\n', { 'www-authenticate': 'Basic realm="callpath", charset="UTF-8"' });
};

const urlOf = (text: string | undefined): URL | null =>
  text?.startsWith('/') && text.length <= MAX_URL && URL.canParse(`http://agent${text}`)
    ? new URL(`http://agent${text}`)
    : null;

const listening = (server: Server, { host, port, purpose }: ServeOptions): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(new UserError('usage', `${purpose}: ${host}:${port} cannot be bound (${cause.code})`, { cause })),
    );
    server.listen({ host, port }, () => resolve(server.address() as AddressInfo));
  });

/** OpenSSL judges certificate and key when the server is made. @throws UserError if they cannot be used */
const serverOf = (
  { purpose, tls }: ServeOptions,
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): Server => {
  const limits = { ...HTTP_LIMITS, maxHeaderSize: MAX_HEADER_BYTES };
  if (tls === null) return createServer(limits, listener);
  try {
    return createTlsServer({ ...limits, ...tls, minVersion: 'TLSv1.2' }, listener);
  } catch (cause) {
    const reason = (cause as { code?: string }).code ?? 'unknown error';
    throw new UserError(
      'config-invalid',
      `${purpose}: certFile and keyFile cannot be used (${reason}); name a certificate and its key, both PEM`,
      { cause },
    );
  }
};

/**
 * Starts it.
 * @throws UserError if the address cannot be bound, is not loopback and no secret is set, or if the certificate cannot be used
 */
export const serve = async (options: ServeOptions): Promise<Serving> => {
  const { host, purpose, secret } = options;
  if (!isLoopback(host) && secret === null)
    throw new UserError(
      'usage',
      `${purpose}: ${host} is reachable from other hosts; set secretFile, or bind 127.0.0.1 or ::1`,
    );
  const stopping = new AbortController();
  // One for each request that runs; connections have a ceiling of their own.
  setMaxListeners(0, stopping.signal);
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = urlOf(request.url);
    const away = turnedAway(request, url?.pathname ?? null, options);
    if (away !== null || url === null) return send(request, response, away ?? plain(400, 'malformed URL\n'));
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    response.once('close', leave);
    stopping.signal.addEventListener('abort', leave);
    try {
      send(request, response, await options.answer(url, request, gone.signal));
    } catch (error) {
      options.onError(error);
      if (!response.headersSent) send(request, response, plain(500, 'this page could not be made; the log says why\n'));
    } finally {
      stopping.signal.removeEventListener('abort', leave);
    }
  };
  const server = serverOf(options, (request, response) => {
    handle(request, response).catch(options.onError);
  });
  boundConnections(server);
  // An HTTP/1.1 request line or header that cannot be parsed; the connection has nothing more to say.
  server.on('clientError', (_error, socket) => socket.destroy());
  const address = await listening(server, options);
  server.on('error', options.onError);
  return {
    host: address.address,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        stopping.abort();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
