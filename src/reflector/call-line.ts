/**
 * One telephone line of a window, seen from the far end: takes registrations and calls of the agent's, calls it, and does what
 * it is told. Everything goes to the address that proved the window, and nowhere else.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../dialog/clock.js';
import { createPhone, type Phone } from '../dialog/phone.js';
import { type CallOrder, type CallState, messageDigest, userOf } from '../wire/call.js';
import { createAnswering, type Manner } from './call-answering.js';
import { createOrders } from './call-orders.js';
import { createRegistrar } from './call-registrar.js';
import { createLineSound, type LineSound } from './call-sound.js';
import type { Source } from './udp.js';

/** How its messages leave. */
export interface LineWay {
  readonly transport: 'UDP' | 'TCP' | 'TLS';
  /** Of ours, to which the agent sends. */
  readonly port: number;
  /** From where the agent's latest message came. */
  readonly from: Source;
  send(bytes: Uint8Array): void;
}

interface LineRules {
  readonly clock: Clock;
  readonly user: string;
  readonly password: string;
  /** The reflector's address as the agent knows it. */
  readonly host: string;
  /** The agent's address, which proved itself. */
  readonly proven: string;
  /** Where the sound of this line is to be sent to; null where no port was to be had. */
  readonly mediaPort: number | null;
  /** Told of a defect that came to light later. */
  readonly failed: (error: unknown) => void;
  /** Sends sound from there; nothing once the window has had its share. */
  readonly speak: (bytes: Uint8Array, to: Source) => void;
}

export interface CallLine {
  readonly phone: Phone;
  hear(bytes: Uint8Array, way: LineWay): void;
  hearSound(bytes: Uint8Array, from: Source): boolean;
  /** Does it once so much later. Held back while too much is under way, and `nothing` where there is nothing to do it with. */
  order(order: CallOrder, number: number, afterMs: number, argument: number): CallState;
  record(): Uint8Array;
  close(): void;
}

/** At the same time on a line: sound, a key, a hold and a hang-up wait for each other, and as many again. */
const MAX_UNDER_WAY = 8;
/** An order that comes again is known by its number for at least as long as it may be sent again. */
const MAX_NUMBERS = 1024;
/** By the argument of the order. */
const MANNERS: readonly Manner[] = ['answer', 'ring', 'early'];

/** Timers that end with the line. */
const createTimers = (clock: Clock) => {
  const timers = new Set<() => void>();
  return {
    timers: timers as ReadonlySet<unknown>,
    later: (ms: number, run: () => void): void => {
      const cancel = clock.after(ms, () => {
        timers.delete(cancel);
        run();
      });
      timers.add(cancel);
    },
    close: (): void => {
      for (const cancel of timers) cancel();
      timers.clear();
    },
  };
};

/** Of the latest call, for the record. */
const callTold = (sound: LineSound, mediaPort: number | null) => {
  const one = sound.current();
  return (
    one && {
      ...{ isOurs: one.isOurs, acknowledged: one.acknowledged, stands: one.call !== null && !one.call.isOver() },
      answers: one.call?.answers() ?? 0,
      ssrc: one.mouth.ssrc,
      ...{ soundSent: one.sent, soundHeard: one.ear.all(), keys: one.ear.keys(), relayed: one.relayed },
      port: mediaPort,
    }
  );
};

const messagesTold = (phone: Phone | null) =>
  (phone?.messages ?? []).map(({ direction, name, bytes, atMs }) => [
    direction === 'heard' ? 0 : 1,
    Math.round(atMs),
    name,
    messageDigest(bytes),
  ]);

export const createCallLine = (rules: LineRules): CallLine => {
  const { clock, user, host, mediaPort, failed } = rules;
  const numbers = new Set<number>();
  const { timers, later, close } = createTimers(clock);
  const counts = { calls: 0, cancelled: 0, refers: 0 };
  let manner: Manner = 'answer';
  let way: LineWay | null = null;
  let phone: Phone | null = null;
  const uriHost = host.includes(':') ? `[${host}]` : host;
  const contact = (): string => `sip:${user}@${uriHost}:${way?.port ?? 5060}`;
  const registrar = createRegistrar(user, rules.password);
  const sound = createLineSound({ ...rules, later });
  const answering = createAnswering({
    ...{ sound, contact, later, failed, manner: () => manner, callBack: (headers) => orders.call(headers) },
    counted: (what) => {
      counts[what] += 1;
    },
  });
  /** Made with the first message, which shows over what and to which port the agent speaks. */
  const thePhone = (): Phone => {
    phone ??= createPhone({
      clock,
      random: (bytes) => randomBytes(bytes),
      self: {
        ...{ transport: way?.transport ?? 'UDP', host, port: way?.port ?? 5060, contact: contact() },
        uri: `sip:${user}@${uriHost}`,
      },
      peer: () => way?.from ?? null,
      wire: { isReliable: way !== null && way.transport !== 'UDP', send: (bytes) => way?.send(bytes) },
      called: answering.called,
      asked: (request, respond) =>
        request.method === 'REGISTER' ? registrar.answer(request, respond) : respond(200, 'OK'),
    });
    return phone;
  };
  const orders = createOrders({
    ...{ phone: thePhone, sound, answering, failed },
    contact: () => registrar.registration()?.contact ?? null,
  });
  const perform = (order: CallOrder, number: number, argument: number): void => {
    if (order === 'manner') manner = MANNERS[argument] ?? 'answer';
    else orders.perform(order, number, argument);
  };
  /** Whether there is something on the line to do it with. */
  const isPossible = (order: CallOrder): boolean =>
    order === 'manner' || (order === 'call' ? registrar.registration() !== null : sound.current() !== null);

  return {
    get phone() {
      return thePhone();
    },
    hear: (bytes, from) => {
      way = from;
      thePhone().hear(bytes);
    },
    hearSound: sound.hear,
    order: (order, number, afterMs, argument) => {
      if (numbers.has(number)) return 'ok';
      if (!isPossible(order)) return 'nothing';
      if (timers.size >= MAX_UNDER_WAY || (order === 'call' && orders.isBusy())) return 'held-back';
      numbers.add(number);
      const [oldest] = numbers;
      if (numbers.size > MAX_NUMBERS && oldest !== undefined) numbers.delete(oldest);
      if (afterMs === 0) perform(order, number, argument);
      else later(afterMs, () => perform(order, number, argument));
      return 'ok';
    },
    record: () =>
      Buffer.from(
        JSON.stringify({
          nowMs: Math.round(clock.now()),
          ...{ registration: registrar.registration(), source: way?.from ?? null },
          ...{ ...counts, ...registrar.counts(), done: orders.done },
          ...{ call: callTold(sound, mediaPort), messages: messagesTold(phone) },
        }),
      ),
    close: () => {
      close();
      phone?.close();
    },
  };
};

/** Whose line a message of the agent's belongs to, by the user that it names; null for anybody else's. */
export const userNamed = (uris: readonly (string | null)[], matches: (user: string) => boolean): string | null =>
  uris.flatMap((uri) => (uri === null ? [] : (userOf(uri) ?? []))).find(matches) ?? null;
