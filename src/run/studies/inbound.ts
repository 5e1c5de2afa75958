/**
 * The way in: ports that the user named are listened on while the far end connects to them, or sends there, at the address
 * under which it sees this host. Nothing of this run has left such a port before, so that only what lets strangers in lets
 * this in.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Check, Family, InboundPort } from '../../model/check.js';
import type { InboundFacts, InboundTry } from '../../model/study-facts.js';
import type { SocketError } from '../../net/errno.js';
import { listen } from '../../net/listener.js';
import { selfSigned } from '../../net/self-signed.js';
import { openSocket } from '../../net/udp-open.js';
import { packetsNeeded, SINGLE_CHECK_DOUBT } from '../../verdict/silence.js';
import { encodeInboundQuery, type InboundQuery, type InboundState, readInboundState } from '../../wire/inbound.js';
import { formatIp, parseIp, unmapIp } from '../../wire/ip.js';
import { ANSWER_TAG_BYTES, isAnswer, REQUEST_TAG_BYTES, readTag, verifyTag } from '../../wire/tag.js';
import { askFor } from '../ask/ask.js';
import { wordProbe } from '../ask/word.js';
import type { Tools } from '../tools.js';
import type { StudiedFarEnd, Study } from './study.js';

/** A silent port is tried this often at least, however little the path loses, and no more often than this. */
const MIN_TRIES = 3;
const MAX_TRIES = 6;
/** The far end gives up a connection after 4 s, and TLS after another 6 s; it is asked this often what became of it. */
const LOOK_EVERY_MS = 700;
const LOOKS = 16;
/** Between two attempts over UDP, so that a burst of loss does not swallow all of them. */
const SPACING_MS = 600;
/** A connection to the far end that takes longer to answer leaves a SYN of its own no time. */
const SLOW_MS = 1500;
/** A question over a way that passes is lost to chance only. */
const ATTEMPTS = 3;
/** Pays for the answer and for what comes to the port, both of which are tags of the larger form. */
const PADDING = ANSWER_TAG_BYTES - REQUEST_TAG_BYTES;
const CERTIFICATE_DAYS = 1;

interface Word {
  readonly state: InboundState | null;
  readonly local: string | null;
  readonly seen: string;
}

const inboundProbe = (query: InboundQuery): Probe<Word> =>
  wordProbe({
    request: 'inboundRequest',
    body: () => encodeInboundQuery(query, PADDING),
    value: ({ attestation, tag }, _turn, { local }) => ({
      state: readInboundState(tag.body),
      local: local?.address ?? null,
      seen: attestation.seenAddress,
    }),
  });

const askWord = async (query: InboundQuery, ways: readonly Check[], tools: Tools): Promise<Word | null> => {
  for (const way of ways) {
    const { values } = await askFor(way, inboundProbe(query), { samples: 1, doubt: 0, atMost: ATTEMPTS }, tools);
    const [word] = values;
    if (word) return word;
  }
  return null;
};

/** What came to the port of the far end's: knocks in this very session, with and without their proof, and connections. */
interface Heard {
  knocks: number;
  altered: number;
  opened: number;
}

/** A knock of this very session, and whether its proof holds; null for anything else. */
const knockOf = (
  bytes: Uint8Array,
  binding: Uint8Array | null,
  port: number,
  { session }: Tools,
): { readonly proven: boolean } | null => {
  const read = readTag(bytes);
  if (!read.ok || session.keys === null || !isAnswer(read.value.tag)) return null;
  const { type, arrivalPort, session: id } = read.value.tag;
  if (type !== 'inboundKnock' || arrivalPort !== port || !Buffer.from(id).equals(session.id)) return null;
  return { proven: verifyTag(read.value, session.keys.toAgent, binding) };
};

/** A dual-stack socket reports IPv4 as ::ffff:192.0.2.1, and an IPv6 address has many spellings. */
const spelt = (address: string): string | null => {
  const ip = parseIp(address);
  return ip && formatIp(unmapIp(ip.bytes));
};

const openPort = async (
  { transport, port }: InboundPort,
  family: Family,
  farEnd: string,
  heard: Heard,
  tools: Tools,
): Promise<{ close(): void }> => {
  const { source } = tools.net;
  // Phones and scanners come to an open port too: what they do is no word about the far end's attempts.
  const isFarEnd = (from: string): boolean => spelt(from) !== null && spelt(from) === spelt(farEnd);
  const hear = (bytes: Uint8Array, from: string, binding: Uint8Array | null): void => {
    const knock = knockOf(bytes, binding, port, tools);
    if (knock || isFarEnd(from)) tools.totals.packetsReceived += 1;
    if (knock?.proven) heard.knocks += 1;
    // Who opens TLS on the way may come from an address of its own; the number of the session is known on the way only.
    else if (knock && (transport === 'tls' || isFarEnd(from))) heard.altered += 1;
  };
  if (transport === 'udp') return openSocket(family, source, (bytes, { address }) => hear(bytes, address, null), port);
  const credentials = transport === 'tls' ? await selfSigned('callpath', CERTIFICATE_DAYS) : null;
  return listen(family, source, port, credentials, {
    opened: (from) => {
      if (isFarEnd(from)) heard.opened += 1;
    },
    heard: hear,
  });
};

const SAID: Readonly<Partial<Record<InboundState, InboundTry['said']>>> = {
  sent: 'sent',
  connected: 'connected',
  refused: 'refused',
  silent: 'silent',
  unreachable: 'unreachable',
  'tls-failed': 'tls-failed',
};
const REFUSED = ['not-offered', 'needs-connection', 'held-back', 'failed'] as const;
type Refused = (typeof REFUSED)[number];
const isRefused = (state: InboundState | null): state is Refused =>
  (REFUSED as readonly (string | null)[]).includes(state);

type Attempted =
  | { readonly kind: 'tried'; readonly one: InboundTry; readonly word: Word | null }
  | { readonly kind: 'refused'; readonly why: Refused };

/** One attempt, until it arrives or its end is told. */
const attempt = async (asked: InboundPort, heard: Heard, ways: readonly Check[], tools: Tools): Promise<Attempted> => {
  const { net, path, signal } = tools;
  const before = { ...heard };
  const query = { ...asked, attempt: tools.nextSequence() };
  const pause = (ms: number): Promise<void> => net.sleep(ms, signal).catch(() => undefined);
  let word = await askWord({ ...query, action: 'begin' }, ways, tools);
  const hasArrived = (): boolean => heard.knocks > before.knocks;
  for (let look = 0; look < LOOKS && !signal.aborted && !hasArrived(); look += 1) {
    if (word === null || word.state !== 'pending') break;
    await pause(asked.transport === 'udp' ? SPACING_MS / 2 : LOOK_EVERY_MS);
    if (!hasArrived())
      word = (await askWord({ ...query, action: 'tell' }, ways, tools)) ?? { ...word, state: 'pending' };
  }
  if (!hasArrived() && isRefused(word?.state ?? null)) return { kind: 'refused', why: word?.state as Refused };
  // What was sent at last is on its way as long as anything may be.
  if (!hasArrived()) await pause(Math.max(SPACING_MS, path.lateMs(asked.transport)));
  const arrived = hasArrived();
  // The connection that brought the proof is none of those without one; over UDP there are no connections.
  const opened = Math.max(0, heard.opened - before.opened - (arrived ? 1 : 0));
  const altered = heard.altered > before.altered;
  return { kind: 'tried', one: { arrived, opened, altered, said: SAID[word?.state ?? 'pending'] ?? null }, word };
};

const tryPort = async (asked: InboundPort, farEnd: StudiedFarEnd, tools: Tools): Promise<InboundFacts | null> => {
  const ways = farEnd.ways.filter(({ transport }) => transport !== 'udp');
  const family = farEnd.ways[0]?.family ?? (farEnd.address.includes(':') ? 6 : 4);
  const facts = (what: Partial<InboundFacts>): InboundFacts => ({
    ...{ address: farEnd.address, family, ...asked },
    ...{ notTried: null, tries: [], local: null, seen: null, isSlow: false },
    ...what,
  });
  const refused = (why: Refused): InboundFacts => facts({ notTried: { by: 'far-end', why } });
  // An older one does not know the question.
  if (farEnd.identity && farEnd.identity.info.inbound !== true) return refused('not-offered');
  if (ways.length === 0) return refused('needs-connection');
  const heard: Heard = { knocks: 0, altered: 0, opened: 0 };
  let port: { close(): void };
  try {
    port = await openPort(asked, family, farEnd.address, heard, tools);
  } catch (error) {
    return facts({ notTried: { by: 'this-host', code: (error as SocketError).code } });
  }
  try {
    const tries: InboundTry[] = [];
    let addresses: Pick<InboundFacts, 'local' | 'seen'> = { local: null, seen: null };
    const enough = Math.min(MAX_TRIES, Math.max(MIN_TRIES, packetsNeeded(tools.path.upperBound(), SINGLE_CHECK_DOUBT)));
    while (tries.length < enough && !tools.signal.aborted) {
      const attempted = await attempt(asked, heard, ways, tools);
      if (attempted.kind === 'refused') {
        if (tries.length === 0) return refused(attempted.why);
        break;
      }
      const { one, word } = attempted;
      if (word) addresses = { local: word.local, seen: word.seen };
      tries.push(one);
      if (one.arrived) break;
    }
    if (tools.signal.aborted && !tries.some(({ arrived }) => arrived)) return null;
    return facts({ tries, ...addresses, isSlow: tools.path.longestRttMs('tcp') > SLOW_MS });
  } finally {
    port.close();
  }
};

export const study = {
  kind: 'inbound',
  wanted: ({ inbound = [] }) => inbound.length > 0,
  cost: (_, { inbound = [] }) => {
    const packets = inbound.length * MIN_TRIES;
    return { packets, bytes: packets * (REQUEST_TAG_BYTES + PADDING) };
  },
  // What lets strangers in is the same for a second far end, unless the first one does not try at all.
  ask: async (farEnds, tools, { inbound = [] }) => {
    const [first = farEnds[0]] = farEnds.filter(({ identity }) => identity?.info.inbound === true);
    if (!first) return [];
    const all: InboundFacts[] = [];
    for (const asked of inbound) {
      const facts = tools.signal.aborted ? null : await tryPort(asked, first, tools);
      if (facts) all.push(facts);
    }
    return all;
  },
} as const satisfies Study<'inbound'>;
