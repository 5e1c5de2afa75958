/** Every probe against the reflector's own answers, and against answers that somebody has spoilt or made up. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import {
  type Arrival,
  loadProbe,
  type Probe,
  type Question,
  type Reading,
  type Session,
} from '../../probes/contract.js';
import type { Check } from '../../src/model/check.js';
import { ASKED_KINDS, isReflectorOnly } from '../../src/model/kinds.js';
import type { Evidence } from '../../src/model/observation.js';
import { packageRoot } from '../../src/plan/package-root.js';
import { deriveKeys } from '../../src/wire/keys.js';
import { EVERYWHERE, pureReflector, TOKEN } from '../support/pure-reflector.js';
import { check } from '../verdict/support/facts.js';
import { fixture, plain, spoiled, timed } from '../wire/support/bytes.js';

const SESSION_ID = Buffer.from('0123456789abcdef', 'hex');
const AGENT: Session = { id: SESSION_ID, keys: deriveKeys(TOKEN, SESSION_ID) };
const STRANGER: Session = { id: SESSION_ID, keys: null };
const LOCAL = { address: '192.0.2.7', port: 40_000 };
const SENT_AT = 1_700_000_000_000_000n;
const RTT_MICROS = 20_000;
/** What both ends of one TLS session export. */
const BINDING = Buffer.alloc(32, 7);

const NAMES = [
  'sip-options/udp/5060',
  'sip-options/tcp/5060',
  'sip-options/tls/5061',
  'stun-binding/udp/3478',
  'rtp-echo/udp/16384',
  'rtcp-echo/udp/16385',
  'udp-echo/udp/9',
  'ike-sa-init/udp/500',
  'ike-sa-init/udp/4500',
  'nat-t-keepalive/udp/4500',
  'esp-in-udp/udp/4500',
  'tcp-connect/tcp/5223',
  'tls-handshake/tls/443',
  'http/tcp/80',
  'dns/udp/53',
  'dns/tcp/53',
] as const;
type Name = (typeof NAMES)[number];

interface Asked {
  readonly of: Check;
  readonly probe: Probe;
  readonly question: Question;
}

const PROBES = new Map(await Promise.all(ASKED_KINDS.map(async (kind) => [kind, await loadProbe(kind)] as const)));

const put = (
  name: Name,
  session: Session,
  fields: { readonly sequence?: number; readonly seed?: number } = {},
): Asked => {
  const of = check(name, { natT: name.endsWith('/4500') });
  const probe = PROBES.get(of.probe);
  if (!probe) throw new RangeError(name);
  const question = probe.ask({
    check: of,
    local: LOCAL,
    session,
    sequence: fields.sequence ?? 7,
    seed: Buffer.alloc(32, fields.seed ?? 0xa5),
    sentAtMicros: SENT_AT,
    binding: of.transport === 'tls' ? BINDING : null,
  });
  return { of, probe, question };
};

/** What the reflector answers, or null. */
const reflect = ({ of, question }: Asked, token = TOKEN): Uint8Array | null => {
  const reflector = pureReflector(() => SENT_AT + 10_000n, EVERYWHERE, token);
  const binding = of.transport === 'tls' ? BINDING : null;
  const from = { ...LOCAL, localPort: of.port, binding };
  if (of.transport === 'udp') {
    return (
      question.messages.map((message) => reflector.datagram(message, from)).findLast((answer) => answer !== null) ??
      null
    );
  }
  const conversation = reflector.conversation();
  const said = question.messages.flatMap((message) => conversation.push(message, reflector.arrival(from)).send);
  return said.length > 0 ? Buffer.concat(said.map(({ bytes }) => bytes)) : null;
};

const read = ({ of, probe, question }: Asked, bytes: Uint8Array): Reading => {
  const arrival: Arrival = {
    check: of,
    question,
    receivedAtMicros: SENT_AT + BigInt(RTT_MICROS),
    elapsedMicros: RTT_MICROS,
  };
  return probe.read(bytes, arrival);
};

const isAuthentic = (reading: Reading): boolean => reading.kind === 'answer' && reading.authentic === true;
const said = (reading: Reading): string => (reading.kind === 'refused' ? reading.why : reading.kind);

const answerTo = (asked: Asked): Uint8Array => {
  const answer = reflect(asked);
  if (!answer) throw new Error(`no answer to ${asked.of.id}`);
  return answer;
};
const overUdp = (name: string): boolean => name.includes('/udp/');
const needsReflector = (name: Name): boolean => isReflectorOnly(check(name).probe);
/** The open connection is all that is asked of a third party. */
const byOpening = (name: Name): boolean => name.startsWith('tcp-connect') || name.startsWith('tls-handshake');
/** Whose answers a stranger gets from the reflector, as from anyone who speaks the protocol. */
const PUBLIC = NAMES.filter((name) => !needsReflector(name) && !byOpening(name));

t.test('every kind that can be asked is in this table', async (t) => {
  t.strictSame([...new Set(NAMES.map((name) => check(name).probe))].sort(), [...ASKED_KINDS].sort());
});

t.test('a reflector proves every answer, and tells what it saw', async (t) => {
  for (const name of NAMES) {
    const asked = put(name, AGENT);
    const reading = read(asked, answerTo(asked));
    if (reading.kind !== 'answer') {
      t.fail(`${name}: ${said(reading)}`);
      continue;
    }
    t.equal(reading.authentic, true, name);
    t.strictSame(
      reading.attestation,
      {
        intact: true,
        seenAddress: LOCAL.address,
        seenPort: LOCAL.port,
        arrivalPort: asked.of.port,
        clockSkewMs: 0,
        keepalives: name === 'nat-t-keepalive/udp/4500' ? 1 : 0,
        heldBack: 0,
      },
      `${name}: what it attests`,
    );
  }
});

t.test('the same asking gives the same bytes, another seed or sequence other ones', async (t) => {
  const bytes = (asked: Asked): unknown => plain(asked.question.messages);
  for (const name of NAMES) {
    t.strictSame(bytes(put(name, AGENT)), bytes(put(name, AGENT)), name);
    t.notSame(bytes(put(name, AGENT, { sequence: 8 })), bytes(put(name, AGENT)), `${name}: the tag counts`);
    if (!needsReflector(name) && !byOpening(name) && !name.startsWith('http')) {
      t.notSame(bytes(put(name, STRANGER, { seed: 1 })), bytes(put(name, STRANGER)), `${name}: fresh ids`);
    }
  }
});

t.test('of a third party the answer of its protocol is enough', async (t) => {
  const details: Partial<Record<Name, Evidence>> = {
    'sip-options/udp/5060': { status: 200, received: LOCAL.address, rport: LOCAL.port },
    'sip-options/tcp/5060': { status: 200 },
    'sip-options/tls/5061': { status: 200 },
    'stun-binding/udp/3478': { mappedAddress: LOCAL.address, mappedPort: LOCAL.port, error: null },
    'ike-sa-init/udp/500': { result: 'notify', notify: 'NO_PROPOSAL_CHOSEN' },
    'ike-sa-init/udp/4500': { result: 'notify', notify: 'NO_PROPOSAL_CHOSEN' },
    'http/tcp/80': { status: 200 },
    'dns/udp/53': { rcode: 5 },
    'dns/tcp/53': { rcode: 5 },
  };
  for (const name of PUBLIC) {
    const asked = put(name, STRANGER);
    t.match(
      read(asked, answerTo(asked)),
      { kind: 'answer', authentic: null, attestation: null, detail: details[name] ?? {} },
      name,
    );
    t.notOk(
      asked.question.messages.some((message) => Buffer.from(message).includes(SESSION_ID)),
      `${name}: nothing of ours is in the question`,
    );
  }
  for (const name of NAMES.filter(byOpening)) {
    const { question } = put(name, STRANGER);
    t.strictSame(question, { messages: [], proof: null, answeredByOpening: true }, `${name}: says nothing at all`);
  }
  for (const name of NAMES.filter(needsReflector)) {
    const asked = put(name, STRANGER);
    t.equal(reflect(asked), null, `${name}: a reflector does not answer strangers`);
    const stolen = answerTo(put(name, AGENT));
    t.equal(read(asked, stolen).kind, 'refused', `${name}: without a proof nothing is an answer`);
  }
});

t.test('answers without the proof that was asked for', async (t) => {
  for (const name of PUBLIC) {
    const asked = put(name, AGENT);
    const byStranger = reflect(asked, Buffer.from('another token of at least sixteen'));
    if (!byStranger) throw new Error(name);
    t.match(
      read(asked, byStranger),
      { kind: 'answer', authentic: false, attestation: null },
      `${name}: a reflector with another token answers as anyone does`,
    );
  }
  for (const name of NAMES.filter((one) => !PUBLIC.includes(one))) {
    const asked = put(name, AGENT);
    const hint = reflect(asked, Buffer.from('another token of at least sixteen'));
    t.notOk(hint && isAuthentic(read(asked, hint)), `${name}: its hint proves nothing`);
    if (overUdp(name) && hint) t.equal(said(read(asked, hint)), 'bad-proof', name);
  }
  for (const name of NAMES.filter(byOpening)) {
    t.match(
      read(put(name, AGENT), Buffer.from('SSH-2.0-OpenSSH_9.2p1\r\n')),
      { kind: 'answer', authentic: false },
      `${name}: whoever speaks over the connection is an impostor`,
    );
  }
});

t.test('an answer to another question is none', async (t) => {
  for (const name of NAMES) {
    const asked = put(name, AGENT);
    const others: readonly (readonly [string, Asked])[] = [
      ['of the same run', put(name, AGENT, { sequence: 8, seed: 0x5a })],
      ['with the same ids', put(name, AGENT, { sequence: 8 })],
      ['of another session', put(name, { id: Buffer.alloc(8, 1), keys: deriveKeys(TOKEN, Buffer.alloc(8, 1)) })],
      [
        'under another token',
        put(name, { id: SESSION_ID, keys: deriveKeys(Buffer.from('another token of at least sixteen'), SESSION_ID) }),
      ],
    ];
    for (const [whose, other] of others) {
      const answer = reflect(other);
      t.notOk(answer && isAuthentic(read(asked, answer)), `${name}: ${whose}`);
    }
  }
  for (const name of PUBLIC.filter((one) => !one.startsWith('http'))) {
    const other = answerTo(put(name, STRANGER, { seed: 0x5a }));
    t.equal(said(read(put(name, STRANGER), other)), 'wrong-id', `${name}: a third party's answer to another id`);
  }
});

t.test('a TLS answer proves nothing in another TLS session', async (t) => {
  for (const name of ['tls-handshake/tls/443', 'sip-options/tls/5061'] as const) {
    const asked = put(name, AGENT);
    const { proof } = asked.question;
    if (!proof) throw new Error('no proof');
    const elsewhere = { ...asked, question: { ...asked.question, proof: { ...proof, binding: Buffer.alloc(32, 8) } } };
    t.notOk(isAuthentic(read(elsewhere, answerTo(asked))), name);
    const reflector = pureReflector(() => SENT_AT);
    const from = { ...LOCAL, localPort: asked.of.port, binding: Buffer.alloc(32, 8) };
    const [message] = asked.question.messages;
    const relayed = message ? reflector.conversation().push(message, reflector.arrival(from)).send : [];
    t.notOk(
      relayed.some(({ bytes }) => isAuthentic(read(asked, bytes))),
      `${name}: relayed by a man in the middle`,
    );
  }
});

t.test('our own question come back is no answer', async (t) => {
  for (const session of [AGENT, STRANGER]) {
    for (const name of NAMES) {
      const asked = put(name, session);
      for (const message of asked.question.messages) {
        const reading = read(asked, message);
        t.not(reading.kind, 'answer', `${name}: ${said(reading)}`);
      }
    }
  }
});

/** How many octets of the answer suffice, where that is not all of them. */
const sufficient = (name: Name, answer: Uint8Array, session: Session): number => {
  // The tag lies in front of padding that nothing vouches for.
  if (session.keys && name === 'rtp-echo/udp/16384') return 12 + 100;
  if (session.keys && (name === 'nat-t-keepalive/udp/4500' || name === 'esp-in-udp/udp/4500')) return 8 + 100;
  // Of HTTP the head is read and no more.
  if (name === 'http/tcp/80') return Buffer.from(answer).indexOf('\r\n\r\n') + 4;
  return answer.length;
};

t.test('an answer cut at any octet', async (t) => {
  for (const session of [AGENT, STRANGER]) {
    for (const name of session.keys ? NAMES : PUBLIC) {
      const asked = put(name, session);
      const answer = answerTo(asked);
      const enough = sufficient(name, answer, session);
      const wrong = Array.from({ length: answer.length + 1 }, (_, kept) => kept).filter((kept) => {
        const reading = read(asked, answer.subarray(0, kept));
        if (kept >= enough) return reading.kind !== 'answer';
        return overUdp(name) ? reading.kind !== 'refused' : reading.kind !== 'partial';
      });
      t.strictSame(wrong, [], `${name}${session.keys ? ' with proof' : ''}, ${answer.length} octets`);
    }
  }
});

/** The same proof, or the same with the note that something around it was changed. */
const attestsNoMore = (reading: Reading, truth: Reading): boolean => {
  if (reading.kind !== 'answer' || truth.kind !== 'answer' || !reading.attestation || !truth.attestation) return false;
  const { intact, ...rest } = reading.attestation;
  const { intact: whole, ...all } = truth.attestation;
  return (whole || !intact) && JSON.stringify(plain(rest)) === JSON.stringify(plain(all));
};

t.test('an answer with any bit turned', async (t) => {
  for (const name of NAMES) {
    const asked = put(name, AGENT);
    const answer = answerTo(asked);
    const truth = read(asked, answer);
    const wrong: number[] = [];
    for (let bit = 0; bit < 8 * answer.length; bit += 1) {
      const spoilt = Buffer.from(answer);
      spoilt[bit >> 3] = (spoilt[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const reading = read(asked, spoilt);
      if (reading.kind !== 'answer' || reading.authentic !== true) continue;
      // What the far end attests is under its MAC, whatever became of the rest of the message.
      if (!attestsNoMore(reading, truth)) wrong.push(bit);
    }
    t.strictSame(wrong, [], `${name}: ${8 * answer.length} bits, none turned a proof into another`);
  }
});

/** Where in a third party's answer the ids lie that tie it to the request. */
const idsIn = (name: Name, answer: Uint8Array): readonly (readonly [from: number, to: number])[] => {
  const text = Buffer.from(answer).toString('latin1');
  const found = (...patterns: readonly RegExp[]): readonly (readonly [number, number])[] =>
    patterns.map((pattern) => {
      const match = pattern.exec(text);
      if (!match?.[1]) throw new Error(`${pattern} is not in the answer`);
      const from = match.index + match[0].indexOf(match[1]);
      return [from, from + match[1].length];
    });
  if (name.startsWith('sip-')) {
    return found(/branch=(z9hG4bK\w+)/, /Call-ID: (\S+)/i, /From: [^\r]*;tag=(\w+)/i, /CSeq: (\d+ OPTIONS)/i);
  }
  if (name.startsWith('stun-')) return [[4, 20]];
  if (name === 'ike-sa-init/udp/500')
    return [
      [0, 8],
      [20, 24],
    ];
  if (name === 'ike-sa-init/udp/4500')
    return [
      [0, 12],
      [24, 28],
    ];
  if (name === 'dns/udp/53')
    return [
      [0, 2],
      [12, 17],
    ];
  if (name === 'dns/tcp/53')
    return [
      [2, 4],
      [14, 19],
    ];
  return [];
};

t.test("one turned bit in a third party's ids, and it answers nothing of ours", async (t) => {
  for (const name of PUBLIC) {
    const asked = put(name, STRANGER);
    const answer = answerTo(asked);
    const wrong: number[] = [];
    for (const [from, to] of idsIn(name, answer)) {
      for (let bit = 8 * from; bit < 8 * to; bit += 1) {
        const spoilt = Buffer.from(answer);
        spoilt[bit >> 3] = (spoilt[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        if (read(asked, spoilt).kind === 'answer') wrong.push(bit);
      }
    }
    t.strictSame(wrong, [], name);
  }
});

t.test('whatever comes, no probe throws, and none takes it for a proof', async (t) => {
  for (const session of [AGENT, STRANGER]) {
    for (const name of session.keys ? NAMES : PUBLIC) {
      const asked = put(name, session);
      const answer = answerTo(asked);
      const truth = read(asked, answer);
      const harmless = fc.property(fc.oneof(spoiled(answer), fc.uint8Array({ maxLength: 1500 })), (bytes) => {
        const reading = read(asked, bytes);
        return !isAuthentic(reading) || attestsNoMore(reading, truth);
      });
      t.doesNotThrow(() => fc.assert(harmless, { numRuns: 400 }), `${name}${session.keys ? ' with proof' : ''}`);
    }
  }
});

const folder = join(packageRoot(), 'fixtures');
const STRANGE: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ...['sip/rfc4475', 'sip/hostile'].flatMap((place) =>
    readdirSync(join(folder, place)).map((file): [string, Uint8Array] => [
      `${place}/${file}`,
      readFileSync(join(folder, place, file)),
    ]),
  ),
  ...['stun', 'ike'].flatMap((place) =>
    readdirSync(join(folder, place))
      .filter((file) => file.endsWith('.hex'))
      .map((file): [string, Uint8Array] => [`${place}/${file}`, fixture(join(place, file))]),
  ),
];

t.test("torture messages of RFC 4475 and other people's packets", async (t) => {
  t.ok(STRANGE.length > 70, `${STRANGE.length} messages`);
  for (const session of [AGENT, STRANGER]) {
    for (const name of NAMES) {
      const asked = put(name, session);
      const taken = STRANGE.filter(([, bytes]) => read(asked, bytes).kind === 'answer').map(([file]) => file);
      // Over a connection without any protocol of its own, whoever speaks is an impostor.
      if (byOpening(name) && session.keys) {
        t.notOk(
          STRANGE.some(([, bytes]) => isAuthentic(read(asked, bytes))),
          name,
        );
      } else t.strictSame(taken, [], `${name}${session.keys ? ' with a token' : ''}`);
    }
  }
});

t.test('a SIP response that is ours in all but one thing', async (t) => {
  const asked = put('sip-options/udp/5060', STRANGER);
  const answer = Buffer.from(answerTo(asked)).toString('latin1');
  const changed = (what: string | RegExp, into: string): string => {
    const text = answer.replace(what, into);
    if (text === answer) throw new Error(`${what} is not in the answer`);
    return said(read(asked, Buffer.from(text, 'latin1')));
  };
  t.equal(said(read(asked, Buffer.from(answer, 'latin1'))), 'answer');
  t.equal(changed('SIP/2.0 200 OK', 'SIP/2.0 404 Not Found'), 'answer', 'any final response proves the path');
  t.equal(changed('SIP/2.0 200 OK', 'SIP/2.0 503 Service Unavailable'), 'answer');
  t.equal(changed('SIP/2.0 200 OK', 'SIP/2.0 100 Trying'), 'provisional');
  t.equal(changed('SIP/2.0 200 OK', 'SIP/2.0 183 Session Progress'), 'provisional');
  t.equal(changed('SIP/2.0 200 OK', 'SIP/2.0 099 No'), 'malformed');
  t.equal(changed('SIP/2.0 200 OK', 'SIP/2.0 4294967496 Overflow'), 'malformed');
  t.equal(changed('SIP/2.0 200 OK', 'SIP/7.0 200 OK'), 'malformed');
  t.equal(changed('SIP/2.0 200 OK', 'OPTIONS sip:probe@192.0.2.7 SIP/2.0'), 'not-an-answer');
  t.equal(changed(/branch=z9hG4bK\w+/, 'branch=z9hG4bKsomebodyelses'), 'wrong-id');
  t.equal(changed(/branch=z9hG4bK\w+/, 'branch=z9hG4bK'), 'wrong-id');
  t.equal(changed(/CSeq: 1 OPTIONS/i, 'CSeq: 2 OPTIONS'), 'wrong-id');
  t.equal(changed(/CSeq: 1 OPTIONS/i, 'CSeq: 1 INVITE'), 'wrong-id');
  t.equal(changed(/Call-ID: \S+/i, 'Call-ID: somebody@else'), 'wrong-id');
  t.equal(changed(/Via: /i, 'Via: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKfirst\r\nVia: '), 'wrong-id', 'the top Via');
  t.equal(changed(/Via: [^\r]*\r\n/i, ''), 'malformed');
  t.equal(changed(/Content-Length: 0/i, 'Content-Length: 5'), 'malformed', 'promises more than there is');
  t.equal(changed(/Content-Length: 0/i, 'Content-Length: -1'), 'malformed');
});

t.test('oversized messages cost no more than reading them', async (t) => {
  const LONG = 65_507;
  for (const name of NAMES) {
    const asked = put(name, AGENT);
    const answer = answerTo(asked);
    const long: readonly (readonly [string, Uint8Array])[] = [
      ['zeros', Buffer.alloc(LONG)],
      ['letters', Buffer.alloc(LONG, 'a')],
      ['line ends', Buffer.alloc(LONG, '\r\n')],
      ['fields', Buffer.alloc(LONG, 'Via: a\r\n')],
      ['a beginning of the answer, again and again', Buffer.alloc(LONG, answer.subarray(0, 40))],
      ['the answer and what follows', Buffer.concat([answer, Buffer.alloc(LONG - answer.length, ';')])],
    ];
    for (const [what, bytes] of long) {
      let reading: Reading | null = null;
      // The best of three, because other processes may take the processor in one of them.
      const tries = Array.from({ length: 3 }, () =>
        timed(() => {
          reading = read(asked, bytes);
        }),
      );
      const ms = Math.min(...tries);
      t.ok(ms < 100, `${name}: ${what} took ${ms.toFixed(1)} ms`);
      const proof = what === 'the answer and what follows';
      t.ok(proof || (reading !== null && !isAuthentic(reading)), `${name}: ${what}`);
    }
  }
});
