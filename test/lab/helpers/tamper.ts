/**
 * A man in the middle of UDP: `tamper MODE ADDRESS TARGET PORTS` stands where the firewall redirects to, relays, and
 * does to each exchange what MODE says. It holds no token, reads everything, and dresses what it sends as the answer to
 * the very question: transaction ids, SPIs and SIP's copied fields are the question's own.
 *
 * `rewrite-questions` changes an octet on the way out · `rewrite-answers` an octet of the proof on the way back ·
 * `rewrite-carriers` an octet beside the proof: the address in STUN, the end of RTP ·
 * `replay` keeps the first answer of each protocol and gives it to other sessions, whose questions go nowhere ·
 * `splice` swaps the answers of sessions that go on at the same time.
 */
import { createSocket, type Socket } from 'node:dgram';

const MODES = ['rewrite-questions', 'rewrite-answers', 'rewrite-carriers', 'replay', 'splice'] as const;
type Mode = (typeof MODES)[number];

const [mode = '', address = '', target = '', ports = ''] = process.argv.slice(2);

const SIP_ENDS = /\bSIP\/2\.0\b/;
/** What a server copies from the question (RFC 3261 §8.2.6.2). */
const COPIED = ['Via', 'From', 'Call-ID', 'CSeq'] as const;
const STUN_COOKIE = Buffer.from('2112a442', 'hex');
const MAGIC = Buffer.from('ca1101', 'hex');
/** The same octets in base64url, as SIP carries them. */
const MAGIC_TEXT = Buffer.from('yhEB');
/** Into the answer's digest, which the MAC covers. */
const INSIDE = 60;

const isSip = (bytes: Buffer): boolean => SIP_ENDS.test(bytes.toString('latin1', 0, 200));
const isStun = (bytes: Buffer): boolean => bytes.subarray(4, 8).equals(STUN_COOKIE);
const isRtp = (bytes: Buffer): boolean => ((bytes[0] ?? 0) & 0xc0) === 0x80;

const protocolOf = (bytes: Buffer): string =>
  isSip(bytes) ? 'sip' : isStun(bytes) ? 'stun' : isRtp(bytes) ? `media ${(bytes[1] ?? 0) & 0x7f}` : 'other';

const lineOf = (text: string, name: string): RegExpExecArray | null => new RegExp(`^${name}:.*$`, 'mi').exec(text);

/** An answer to another question as if it were the one to this. */
const dressed = (answer: Buffer, question: Buffer): Buffer => {
  if (isSip(answer) && isSip(question)) {
    const asked = question.toString('latin1');
    const text = COPIED.reduce((told, name) => {
      const [now] = lineOf(asked, name) ?? [];
      const [then] = lineOf(told, name) ?? [];
      return now !== undefined && then !== undefined ? told.replace(then, () => now) : told;
    }, answer.toString('latin1'));
    return Buffer.from(text, 'latin1');
  }
  const copy = Buffer.from(answer);
  if (isStun(answer) && isStun(question)) question.copy(copy, 8, 8, 20);
  else if (isRtp(answer) && isRtp(question)) question.copy(copy, 2, 2, 12);
  return copy;
};

const flipped = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

/** SIP stays SIP, media stays media: what an ALG or a gateway with a mind of its own would do. */
const rewrittenQuestion = (bytes: Buffer): Buffer => {
  if (!isSip(bytes)) return flipped(bytes, bytes.length - 1);
  return Buffer.from(bytes.toString('latin1').replace(/^(Max-Forwards: \d*)\d/im, '$19'), 'latin1');
};

const rewrittenAnswer = (bytes: Buffer): Buffer => {
  const text = bytes.indexOf(MAGIC_TEXT);
  if (text < 0) return flipped(bytes, Math.max(0, bytes.indexOf(MAGIC)) + INSIDE);
  const copy = Buffer.from(bytes);
  const at = text + INSIDE;
  copy[at] = copy[at] === 0x41 ? 0x42 : 0x41;
  return copy;
};

/** The last octet of the first attribute's port: XOR-MAPPED-ADDRESS comes first. */
const STUN_PORT_AT = 27;
const rewrittenCarrier = (bytes: Buffer): Buffer => flipped(bytes, isStun(bytes) ? STUN_PORT_AT : bytes.length - 1);

interface Exchange {
  readonly question: Buffer;
  readonly back: (answer: Buffer) => void;
}
/** What came back and is still to be given to somebody else. */
interface Held extends Exchange {
  readonly answer: Buffer;
  readonly session: string;
}
const MAX_HELD = 64;

/** The session id goes in the clear: at octet 12 of the tag, for 8. Empty where there is no tag. */
const sessionOf = (question: Buffer): string => {
  const text = question.indexOf(MAGIC_TEXT);
  const tag = text < 0 ? question : Buffer.from(question.toString('latin1', text, text + 40), 'base64url');
  const at = tag.indexOf(MAGIC);
  return at < 0 ? '' : tag.toString('hex', at + 12, at + 20);
};

/** Exchanges of one port. */
const createPort = (tampering: Mode) => {
  const captured = new Map<string, { readonly answer: Buffer; readonly session: string }>();
  const held: Held[] = [];
  return {
    /** True if the question is to go on. */
    asked: ({ question, back }: Exchange): boolean => {
      const known = tampering === 'replay' ? captured.get(protocolOf(question)) : undefined;
      if (!known) return true;
      // An answer that only comes late would be no forgery: to its own session it is not given.
      if (known.session !== sessionOf(question)) back(dressed(known.answer, question));
      return false;
    },
    answered: (exchange: Exchange, answer: Buffer): void => {
      switch (tampering) {
        case 'rewrite-questions':
          exchange.back(answer);
          return;
        case 'rewrite-answers':
          exchange.back(rewrittenAnswer(answer));
          return;
        case 'rewrite-carriers':
          exchange.back(rewrittenCarrier(answer));
          return;
        case 'replay':
          captured.set(protocolOf(exchange.question), { answer, session: sessionOf(exchange.question) });
          return;
        case 'splice': {
          const session = sessionOf(exchange.question);
          const other = held.find((one) => one.session !== session);
          if (!other) {
            if (held.length < MAX_HELD) held.push({ ...exchange, answer, session });
            return;
          }
          held.splice(held.indexOf(other), 1);
          exchange.back(dressed(other.answer, exchange.question));
          other.back(dressed(answer, other.question));
        }
      }
    },
  };
};

const bound = (at: string, port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = createSocket({ type: 'udp4', lookup: (name, _options, done) => done(null, name, 4) });
    socket.once('error', reject);
    socket.bind(port, at, () => resolve(socket.on('error', () => undefined)));
  });

const serve = async (port: number, tampering: Mode): Promise<void> => {
  const listener = await bound(address, port);
  const rule = createPort(tampering);
  listener.on('message', async (question, client) => {
    const back = (answer: Buffer): void => listener.send(answer, client.port, client.address, () => undefined);
    const exchange: Exchange = { question, back };
    if (!rule.asked(exchange)) return;
    // A socket for each exchange: which answer belongs to which question is then beyond doubt.
    const onwards = await bound('0.0.0.0', 0);
    setTimeout(() => onwards.close(), 10_000);
    onwards.once('message', (answer) => rule.answered(exchange, answer));
    const sent = tampering === 'rewrite-questions' ? rewrittenQuestion(question) : question;
    onwards.send(sent, port, target, () => undefined);
  });
};

const known = MODES.find((one) => one === mode);
if (!known) throw new Error(`"${mode}" is not one of ${MODES.join(', ')}`);
const wanted = ports.split(',').flatMap((part) => {
  const [from = 0, to = from] = part.split('-').map(Number);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
});
await Promise.all(wanted.map((port) => serve(port, known)));
console.log('tamper ready');
