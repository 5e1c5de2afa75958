/** The way of one telephone's messages to the far end: a UDP flow, or a connection with messages cut out of its stream. */
import type { Check } from '../../model/check.js';
import { sipStream } from '../../wire/sip-stream.js';
import type { Tools } from '../tools.js';

export interface Signalling {
  /** As Via writes it. */
  readonly transport: 'UDP' | 'TCP' | 'TLS';
  readonly local: { readonly address: string; readonly port: number };
  send(bytes: Uint8Array): void;
  /** When the connection ended by itself; null as long as it stands, and over UDP. */
  endedAtMs(): number | null;
  close(): void;
}

/** A connection that stands already to the same port was opened in less. */
const OPEN_WITHIN_MS = 10_000;

const overUdp = async (sip: Check, { net }: Tools, hear: (bytes: Uint8Array) => void): Promise<Signalling> => {
  const flow = await net.openUdp(
    { address: sip.address ?? '', port: sip.port, family: sip.family ?? 4 },
    // A refusal by the network shows as silence, which is weighed.
    { message: hear, error: () => undefined },
    { address: net.source ?? undefined },
  );
  return {
    transport: 'UDP',
    local: flow.local,
    send: (bytes) => void flow.send(bytes).catch(() => undefined),
    endedAtMs: () => null,
    close: () => flow.close(),
  };
};

const overConnection = async (
  sip: Check,
  { net, signal }: Tools,
  hear: (bytes: Uint8Array) => void,
): Promise<Signalling | null> => {
  const isSecure = sip.transport === 'tls';
  const stream = sipStream();
  let endedAtMs: number | null = null;
  let close: () => void = () => undefined;
  const opened = new Promise<Parameters<Parameters<typeof net.openStream>[2]['open']>[0] | null>((resolve) => {
    close = net.openStream(
      { address: sip.address ?? '', port: sip.port, family: sip.family ?? 4, host: sip.host },
      isSecure,
      {
        connected: () => undefined,
        open: resolve,
        data: (bytes) => {
          for (const item of stream.push(bytes)) if (item.kind === 'message') hear(item.bytes);
        },
        end: () => {
          endedAtMs ??= net.now();
          resolve(null);
        },
      },
      net.source ?? undefined,
    );
    void net.sleep(OPEN_WITHIN_MS, signal).then(
      () => resolve(null),
      () => resolve(null),
    );
  });
  const connection = await opened;
  if (!connection) {
    close();
    return null;
  }
  return {
    transport: isSecure ? 'TLS' : 'TCP',
    local: connection.local,
    send: (bytes) => {
      if (endedAtMs === null) connection.write(bytes);
    },
    endedAtMs: () => endedAtMs,
    close,
  };
};

/** Opens it; null where no connection could be had. @throws SocketError if a UDP socket cannot be had */
export const openSignalling = (
  sip: Check,
  tools: Tools,
  hear: (bytes: Uint8Array) => void,
): Promise<Signalling | null> =>
  sip.transport === 'udp' ? overUdp(sip, tools, hear) : overConnection(sip, tools, hear);
