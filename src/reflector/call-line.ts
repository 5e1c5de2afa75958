/**
 * One telephone line of a window, seen from the far end: takes registrations and calls of the agent's, calls it, and does what
 * it is told. Everything goes to the address that proved the window, and nowhere else.
 */
import { randomBytes, randomInt } from 'node:crypto';
import type { Call, Request } from '../dialog/call.js';
import type { Clock } from '../dialog/clock.js';
import { type Called, createPhone, type Exchange, type Phone, type Respond } from '../dialog/phone.js';
import { createEar, createMouth, type Ear, type Mouth, PACKET_MS } from '../dialog/sound.js';
import { type CallOrder, type CallState, messageDigest, userOf } from '../wire/call.js';
import { readRelay } from '../wire/dtmf.js';
import {
  answeredDirection,
  audioOf,
  buildSdp,
  commonFormats,
  EVENTS,
  eventsOf,
  hasVoice,
  OUR_FORMATS,
  parseSdp,
} from '../wire/sdp.js';
import { header, headers, type SipRequest } from '../wire/sip.js';
import { challengeText, isAuthorized, readCredentials } from '../wire/sip-digest.js';
import { readAddresses, readSeconds, readSessionExpires, sessionExpiresText } from '../wire/sip-parameters.js';
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
  /** Sends sound from there; false where the window has had its share. */
  readonly speak: (bytes: Uint8Array, to: Source) => void;
}

/** What an order came to. */
interface Done {
  readonly number: number;
  readonly order: CallOrder;
  readonly sent: number;
  readonly status: number | null;
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

const REALM = 'callpath';
const NONCE_BYTES = 16;
/** RFC 3261 §10.3 lets a registrar choose: phones of carriers get as much. */
const MAX_EXPIRES_S = 3600;
/** Somebody takes up the receiver. */
const ANSWER_AFTER_MS = 300;
/** Of one order: ten seconds of sound. */
const MAX_TALK = 500;
/** An order's exchange is remembered; of more the oldest goes first. */
const MAX_DONE = 32;
/** At the same time on a line: sound, a key, a hold and a hang-up wait for each other, and as many again. */
const MAX_UNDER_WAY = 8;
/** An order that comes again is known by its number for at least as long as it may be sent again. */
const MAX_NUMBERS = 1024;
/** Of the keys that a call relays (INFO). */
const MAX_RELAYED = 32;
const SESSION_S = 1800;
/** Sound before the answer: as long as a short announcement. */
const EARLY_PACKETS = 25;
const EARLY_MS = 800;

type Manner = 'answer' | 'ring' | 'early';
const MANNERS: readonly Manner[] = ['answer', 'ring', 'early'];

/** Of one call: who speaks on it, and what is heard. */
interface Spoken {
  readonly mouth: Mouth;
  readonly ear: Ear;
  call: Call | null;
  readonly isOurs: boolean;
  events: number | null;
  voice: number;
  version: number;
  acknowledged: boolean | null;
  sent: number;
  relayed: string;
  /** The speaker that the description names (RFC 5576); null where it names none, so that any may be it. */
  speaker: number | null;
  /** From where its sound comes; null before any came. */
  heardFrom: Source | null;
  /** Where the description says that it is; null where that is not the proven address. */
  named: Source | null;
}

/** Where RTP has its SSRC (RFC 3550 §5.1). */
const SSRC_AT = 8;
const speakerOf = (bytes: Uint8Array): number =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUInt32BE(SSRC_AT);

const sdpOf = (bytes: Uint8Array) => {
  const parsed = parseSdp(bytes);
  return parsed.ok ? parsed.value : null;
};

export const createCallLine = (rules: LineRules): CallLine => {
  const { clock, user, password, host, proven, mediaPort } = rules;
  const nonces = new Set<string>();
  const done: Done[] = [];
  const numbers = new Set<number>();
  const timers = new Set<() => void>();
  const sessionId = randomInt(2 ** 31);
  let manner: Manner = 'answer';
  let registration: { contact: string; expires: number; algorithm: string } | null = null;
  let way: LineWay | null = null;
  let spoken: Spoken | null = null;
  let calling: ReturnType<Phone['invite']> | null = null;
  const counts = { calls: 0, cancelled: 0, challenged: 0, wrong: 0, refers: 0 };

  const later = (ms: number, run: () => void): void => {
    const cancel = clock.after(ms, () => {
      timers.delete(cancel);
      run();
    });
    timers.add(cancel);
  };

  const describe = (
    one: Spoken,
    direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive',
    formats = OUR_FORMATS,
  ) => ({
    contentType: 'application/sdp',
    content: buildSdp({
      ...{ address: host, port: mediaPort ?? 0, sessionId, version: one.version, direction, formats },
      ssrc: one.mouth.ssrc,
    }),
  });

  const newSpoken = (isOurs: boolean): Spoken => {
    const one: Spoken = {
      ...{ isOurs, call: null, events: EVENTS.payloadType, voice: 0, version: 1, acknowledged: null },
      ...{ sent: 0, relayed: '', speaker: null, heardFrom: null, named: null },
      mouth: createMouth(randomBytes(4).readUInt32BE(0), 0),
      ear: createEar(() => one.events),
    };
    return one;
  };

  /** Takes in what the other side says of its sound; false for what cannot be spoken. */
  const agree = (one: Spoken, body: Uint8Array): readonly { payloadType: number; encoding: string | null }[] | null => {
    const described = sdpOf(body);
    const audio = described && audioOf(described);
    if (!audio) return null;
    const formats = commonFormats(audio);
    if (!hasVoice(formats)) return null;
    one.events = eventsOf(formats);
    one.speaker = audio.ssrc;
    // Never to an address that a message names, unless it is the one that proved itself.
    one.named = audio.address === proven ? { address: proven, port: audio.port } : null;
    return formats;
  };

  const talk = (one: Spoken, packets: readonly Uint8Array[] | number): void => {
    const many = typeof packets === 'number' ? Math.min(packets, MAX_TALK) : packets.length;
    const begunAtMs = clock.now();
    const say = (index: number): void => {
      const to = one.heardFrom ?? one.named;
      if (index >= many || one !== spoken) return;
      if (to) {
        rules.speak(typeof packets === 'number' ? one.mouth.next() : (packets[index] ?? new Uint8Array()), to);
        one.sent += 1;
      }
      later(Math.max(0, begunAtMs + (index + 1) * PACKET_MS - clock.now()), () => say(index + 1));
    };
    say(0);
  };

  const withinCall =
    (one: Spoken) =>
    ({ request, respond, acknowledged }: Request): void => {
      const session = readSessionExpires(header(request, 'session-expires'));
      const refreshed = session
        ? [
            { name: 'Require', value: 'timer' },
            {
              name: 'Session-Expires',
              value: sessionExpiresText({ ...session, refresher: session.refresher ?? 'uac' }),
            },
          ]
        : [];
      const contact = { name: 'Contact', value: `<sip:${user}@${uriHost()}>` };
      switch (request.method) {
        case 'INVITE': {
          const formats = agree(one, request.body);
          const offered = sdpOf(request.body);
          const audio = offered && audioOf(offered);
          if (!formats || !audio) return void respond(488, 'Not Acceptable Here');
          one.version += 1;
          one.acknowledged = null;
          void acknowledged.then((came) => {
            one.acknowledged = came;
          });
          return void respond(200, 'OK', {
            headers: [contact, ...refreshed],
            body: describe(one, answeredDirection(audio.direction), [...formats]),
          });
        }
        case 'UPDATE':
          return void respond(200, 'OK', { headers: [contact, ...refreshed] });
        case 'INFO':
          one.relayed = `${one.relayed}${readRelay(request.body) ?? ''}`.slice(0, MAX_RELAYED);
          return void respond(200, 'OK');
        case 'REFER':
          counts.refers += 1;
          respond(202, 'Accepted', { headers: [contact] });
          // What a phone that is transferred tells of the call that it makes (RFC 3515 §2.4.4).
          return void later(0, () => void notify(one));
        case 'BYE':
          return;
        default:
          respond(405, 'Method Not Allowed', {
            headers: [{ name: 'Allow', value: 'INVITE, ACK, CANCEL, BYE, INFO, UPDATE, REFER' }],
          });
      }
    };

  const notify = async (one: Spoken): Promise<void> => {
    const tell = (status: number, reason: string, state: string) =>
      one.call?.ask('NOTIFY', {
        headers: [
          { name: 'Event', value: 'refer' },
          { name: 'Subscription-State', value: state },
        ],
        body: { contentType: 'message/sipfrag;version=2.0', content: Buffer.from(`SIP/2.0 ${status} ${reason}\r\n`) },
      });
    await tell(100, 'Trying', 'active;expires=60');
    await tell(200, 'OK', 'terminated;reason=noresource');
  };

  const uriHost = (): string => `${host.includes(':') ? `[${host}]` : host}:${way?.port ?? 5060}`;

  const stand = (one: Spoken, call: Call): void => {
    one.call = call;
    call.onAsked(withinCall(one));
    void call.acknowledged.then((came) => {
      one.acknowledged = came;
    });
  };

  const called = (incoming: Called): void => {
    counts.calls += 1;
    const one = newSpoken(false);
    const formats = agree(one, incoming.request.body);
    if (!formats) return void incoming.refuse(488, 'Not Acceptable Here');
    spoken = one;
    incoming.onCancelled(() => {
      counts.cancelled += 1;
    });
    const session = readSessionExpires(header(incoming.request, 'session-expires'));
    const extra = session
      ? [
          { name: 'Require', value: 'timer' },
          { name: 'Session-Expires', value: sessionExpiresText({ ...session, refresher: 'uac' }) },
        ]
      : [];
    const answer = (): void => {
      const call = incoming.accept(describe(one, 'sendrecv', [...formats]), extra);
      if (call) stand(one, call);
    };
    if (manner === 'early') {
      incoming.ring(183, describe(one, 'sendrecv', [...formats]));
      talk(one, EARLY_PACKETS);
      return void later(EARLY_MS, answer);
    }
    incoming.ring(180);
    if (manner === 'answer') later(ANSWER_AFTER_MS, answer);
  };

  const registered = (request: SipRequest, respond: Respond): void => {
    const credentials = headers(request, 'authorization').flatMap((value) => readCredentials(value) ?? [])[0];
    const isRight =
      credentials !== undefined &&
      nonces.has(credentials.nonce) &&
      credentials.realm === REALM &&
      credentials.username === user &&
      isAuthorized(credentials, password, 'REGISTER');
    if (!isRight) {
      if (credentials) counts.wrong += 1;
      counts.challenged += 1;
      const nonce = randomBytes(NONCE_BYTES).toString('base64url');
      nonces.add(nonce);
      const [oldest] = nonces;
      if (nonces.size > MAX_DONE && oldest !== undefined) nonces.delete(oldest);
      // Both, the stronger first: who speaks both takes that one (RFC 8760 §2.3).
      const challenge = { realm: REALM, nonce, opaque: null, isWithQop: true, isStale: false };
      const name = 'WWW-Authenticate';
      const headersOf = (['SHA-256', 'MD5'] as const).map((algorithm) => ({
        name,
        value: challengeText({ ...challenge, algorithm }),
      }));
      return void respond(401, 'Unauthorized', { headers: headersOf });
    }
    const [contact] = readAddresses(headers(request, 'contact')) ?? [];
    if (!contact) return void respond(400, 'Bad Request');
    const wanted =
      readSeconds(contact.params.get('expires')) ?? readSeconds(header(request, 'expires')) ?? MAX_EXPIRES_S;
    const expires = Math.min(wanted, MAX_EXPIRES_S);
    registration = { contact: contact.uri, expires, algorithm: credentials.algorithm };
    respond(200, 'OK', { headers: [{ name: 'Contact', value: `<${contact.uri}>;expires=${expires}` }] });
  };

  const selfOf = (): Parameters<typeof createPhone>[0]['self'] => ({
    transport: way?.transport ?? 'UDP',
    host,
    port: way?.port ?? 5060,
    uri: `sip:${user}@${host.includes(':') ? `[${host}]` : host}`,
    contact: `sip:${user}@${uriHost()}`,
  });
  let phone: Phone | null = null;
  /** Made with the first message, which shows over what and to which port the agent speaks. */
  const thePhone = (): Phone => {
    phone ??= createPhone({
      clock,
      random: (bytes) => randomBytes(bytes),
      self: selfOf(),
      peer: () => way?.from ?? null,
      wire: { isReliable: way?.transport !== 'UDP', send: (bytes) => way?.send(bytes) },
      called,
      asked: (request, respond) => (request.method === 'REGISTER' ? registered(request, respond) : respond(200, 'OK')),
    });
    return phone;
  };

  const finish = (number: number, order: CallOrder, { sentAtMs, response }: Exchange): void => {
    done.push({ number, order, sent: sentAtMs.length, status: response?.status ?? null });
    if (done.length > MAX_DONE) done.shift();
  };

  const call = (number: number): void => {
    if (!registration) return;
    const one = newSpoken(true);
    spoken = one;
    calling = thePhone().invite(registration.contact, { body: describe(one, 'sendrecv') });
    const asked = calling;
    void asked.over.then((exchange) => {
      finish(number, 'call', exchange);
      if (exchange.response && exchange.response.status < 300) agree(one, exchange.response.body);
    });
    void asked.call.then((stands) => {
      if (stands) stand(one, stands);
    });
  };

  const perform = (order: CallOrder, number: number, argument: number): void => {
    if (order === 'manner') {
      manner = MANNERS[argument] ?? 'answer';
      return;
    }
    if (order === 'call') return void call(number);
    const one = spoken;
    const standing = one?.call;
    if (!one) return;
    if (order === 'talk') return void talk(one, argument);
    if (order === 'key') {
      const key = String.fromCharCode(argument);
      if (one.events !== null && /^[0-9*#A-D]$/.test(key)) talk(one, one.mouth.press(key, one.events));
      return;
    }
    if (!standing || standing.isOver()) return;
    const ended = (exchange: Exchange): void => finish(number, order, exchange);
    if (order === 'bye') void standing.ask('BYE').then(ended);
    if (order === 'refresh') {
      const timer = [
        { name: 'Session-Expires', value: sessionExpiresText({ seconds: SESSION_S, refresher: 'uac' }) },
        { name: 'Supported', value: 'timer' },
      ];
      void standing.ask('UPDATE', { headers: timer }).then(ended);
    }
    if (order === 'hold' || order === 'resume') {
      one.version += 1;
      const offer = describe(one, order === 'hold' ? 'sendonly' : 'sendrecv');
      void standing.reinvite(offer).then((exchange) => {
        ended(exchange);
        if (exchange.response && exchange.response.status < 300) agree(one, exchange.response.body);
      });
    }
  };

  return {
    get phone() {
      return thePhone();
    },
    hear: (bytes, from) => {
      way = from;
      thePhone().hear(bytes);
    },
    hearSound: (bytes, from) => {
      const one = spoken;
      // Several calls of one address may share a port: each knows its speaker.
      if (!one || (one.speaker !== null && speakerOf(bytes) !== one.speaker)) return false;
      if (!one.ear.hear(bytes)) return false;
      one.heardFrom = from;
      return true;
    },
    order: (order, number, afterMs, argument) => {
      if (numbers.has(number)) return 'ok';
      const needsRegistration = order === 'call' && !registration;
      if (needsRegistration || (order !== 'manner' && order !== 'call' && !spoken)) return 'nothing';
      if (timers.size >= MAX_UNDER_WAY) return 'held-back';
      numbers.add(number);
      const [oldest] = numbers;
      if (numbers.size > MAX_NUMBERS && oldest !== undefined) numbers.delete(oldest);
      if (afterMs === 0) perform(order, number, argument);
      else later(afterMs, () => perform(order, number, argument));
      return 'ok';
    },
    record: () => {
      const one = spoken;
      return Buffer.from(
        JSON.stringify({
          nowMs: Math.round(clock.now()),
          registration,
          source: way?.from ?? null,
          ...counts,
          done,
          call: one && {
            ...{ isOurs: one.isOurs, acknowledged: one.acknowledged, stands: one.call !== null && !one.call.isOver() },
            answers: one.call?.answers() ?? 0,
            ssrc: one.mouth.ssrc,
            ...{ soundSent: one.sent, soundHeard: one.ear.all(), keys: one.ear.keys(), relayed: one.relayed },
            port: mediaPort,
          },
          messages: (phone?.messages ?? []).map(({ direction, name, bytes, atMs }) => [
            direction === 'heard' ? 0 : 1,
            Math.round(atMs),
            name,
            messageDigest(bytes),
          ]),
        }),
      );
    },
    close: () => {
      for (const cancel of timers) cancel();
      timers.clear();
      phone?.close();
    },
  };
};

/** Whose line a message of the agent's belongs to, by the user that it names; null for anybody else's. */
export const userNamed = (uris: readonly (string | null)[], matches: (user: string) => boolean): string | null =>
  uris.flatMap((uri) => (uri === null ? [] : (userOf(uri) ?? []))).find(matches) ?? null;
