/** The reflector's UDP sockets: what arrives goes to the responders, what they answer goes out from where it should. */
import { createSocket, type Socket } from 'node:dgram';
import type { Place, Surroundings } from './alternates.js';
import type { Answer, Arrival } from './exchange.js';

/** The default holds 256 small packets, which a sweep's burst overruns; the system grants what it allows. */
const RECEIVE_BUFFER = 1024 * 1024;

export interface Source {
  readonly address: string;
  readonly port: number;
}

interface UdpRules {
  readonly listeners: readonly { readonly address: string }[];
  readonly surroundingsOf: (place: Place) => Surroundings;
  readonly arrivalOf: (source: Source, place: Place, surroundings: Surroundings) => Arrival | null;
  /** Takes what belongs to a call; false leaves it to `respond`. Absent where no calls are made. */
  readonly hear?: ((message: Uint8Array, from: Source, address: string, place: Place) => boolean) | undefined;
  readonly respond: (message: Uint8Array, arrival: Arrival) => Answer | null;
  /** Resolves when what other processes saw is known here, with whether all have told; absent where there are none. */
  readonly consult?: (() => Promise<boolean>) | undefined;
  /** Runs `send` later; false if too much is pending. */
  readonly defer: (arrival: Arrival, owner: string, afterMs: number, send: () => void) => boolean;
  /** Sends from a socket of another process; false if no process has it. */
  readonly sendElsewhere: (place: Place, bytes: Uint8Array, to: Source) => boolean;
  /** An answer could not be given after all. */
  readonly failed: (answer: Answer) => void;
  readonly counted: (what: 'datagrams' | 'answers') => void;
  readonly warn: (message: string) => void;
}

interface UdpSide {
  bind(place: Place): Promise<void>;
  isBound(place: Place): boolean;
  places(): readonly Place[];
  /** Sends from one of the sockets here; false if it is not here. */
  send(place: Place, bytes: Uint8Array, to: Source): boolean;
  close(): Promise<void>;
}

const MAX_PORTS = 65_536;
const keyOf = ({ listener, port }: Place): number => listener * MAX_PORTS + port;

export const createUdpSide = (rules: UdpRules): UdpSide => {
  const sockets = new Map<number, Socket>();

  const send = (place: Place, bytes: Uint8Array, to: Source): boolean => {
    const socket = sockets.get(keyOf(place));
    if (!socket) return false;
    rules.counted('answers');
    // What cannot be sent is lost like any datagram, and the agent asks again: without a callback, which would cost a turn
    // of the event loop's queue, the socket's own listener hears of it.
    socket.send(bytes, to.port, to.address);
    return true;
  };

  const deliver = (answer: Answer, arrival: Arrival, place: Place, to: Source): void => {
    const { bytes, delivery } = answer;
    if (!delivery) {
      if (!send(place, bytes, to)) rules.failed(answer);
      return;
    }
    const { changeIp, changePort, afterMs, toPort } = delivery;
    const from = changeIp || changePort ? arrival.surroundings?.change(changeIp, changePort) : place;
    if (!from) return void rules.failed(answer);
    const target = { address: to.address, port: toPort ?? to.port };
    const go = (): void => {
      if (!send(from, bytes, target) && !rules.sendElsewhere(from, bytes, target)) rules.failed(answer);
    };
    if (afterMs === 0) go();
    else if (!rules.defer(arrival, delivery.owner ?? '', afterMs, go)) rules.failed(answer);
  };

  const bind = (place: Place): Promise<void> =>
    new Promise((resolve) => {
      const { port } = place;
      const address = rules.listeners[place.listener]?.address ?? '';
      const family = address.includes(':') ? 6 : 4;
      const surroundings = rules.surroundingsOf(place);
      const socket = createSocket({
        type: family === 6 ? 'udp6' : 'udp4',
        // Answers go to literals; the default lookup would cost a getaddrinfo per packet.
        lookup: (hostname, _options, done) => done(null, hostname, family),
      });
      let isBound = false;
      socket.on('error', (error) => {
        if (isBound) return;
        const code = (error as { code?: string }).code ?? 'unknown error';
        rules.warn(`udp ${port} on ${address}: cannot be bound (${code})`);
        socket.close();
        resolve();
      });
      socket.on('message', (message, from) => {
        rules.counted('datagrams');
        const arrival = rules.arrivalOf(from, place, surroundings);
        if (arrival && rules.hear?.(message, from, arrival.sourceAddress, place)) return;
        const answer = arrival && rules.respond(message, arrival);
        if (!answer) return;
        if (!answer.consults || !rules.consult) return deliver(answer, arrival, place, from);
        // Answered again with what the others know; to a session its own request is a retransmission then.
        void rules.consult().then((haveAllTold) => {
          const informed = rules.respond(message, { ...arrival, isPartlyBlind: !haveAllTold });
          if (informed) deliver(informed, arrival, place, from);
        });
      });
      socket.bind({ port, address, exclusive: true }, () => {
        isBound = true;
        sockets.set(keyOf(place), socket);
        try {
          socket.setRecvBufferSize(RECEIVE_BUFFER);
        } catch {
          rules.warn(`udp ${port} on ${address}: keeps the system's default receive buffer`);
        }
        resolve();
      });
    });

  return {
    bind,
    send,
    isBound: (place) => sockets.has(keyOf(place)),
    places: () => [...sockets.keys()].map((key) => ({ listener: Math.floor(key / MAX_PORTS), port: key % MAX_PORTS })),
    close: async () => {
      const all = [...sockets.values()];
      sockets.clear();
      await Promise.all(all.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
    },
  };
};
