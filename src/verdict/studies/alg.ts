/**
 * What changed between a SIP message as it was sent and as it arrived, and what that means. Pure. Sorted by what it does
 * to a call: `semantic` changes where something goes or who it is, `proxy` is what a proxy may do (RFC 3261 §16.6) and
 * still shows that one stands here, `cosmetic` says the same in other letters, for which nobody is accused.
 */
import { TAG_HEADER } from '../../wire/carriers.js';
import { parseSip, type RawHeader, type SipMessage, unfolded } from '../../wire/sip.js';

const ALG_CLASSES = ['semantic', 'proxy', 'cosmetic'] as const;
export type AlgClass = (typeof ALG_CLASSES)[number];

export interface Difference {
  readonly class: AlgClass;
  /** A header's usual name, `Request-URI`, `Status`, `SDP c=` … */
  readonly field: string;
  readonly sent: string;
  readonly received: string;
}

/** A header can be as long as a hostile box likes; a finding keeps this much. */
const MAX_TEXT = 200;

/** How headers are written in reports; others keep the name that they came with. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['via', 'Via'],
  ['from', 'From'],
  ['to', 'To'],
  ['contact', 'Contact'],
  ['call-id', 'Call-ID'],
  ['cseq', 'CSeq'],
  ['route', 'Route'],
  ['record-route', 'Record-Route'],
  ['max-forwards', 'Max-Forwards'],
  ['content-length', 'Content-Length'],
  ['content-type', 'Content-Type'],
]);

/** Where something goes, and who it is: a change of these is what breaks calls. */
const SEMANTIC: ReadonlySet<string> = new Set([
  'via',
  'from',
  'to',
  'contact',
  'call-id',
  'cseq',
  'content-type',
  'expires',
  'route',
  'record-route',
  'event',
  'subscription-state',
]);
/** What a proxy on the way adds by right. */
const ADDED_BY_PROXIES: ReadonlySet<string> = new Set(['via', 'record-route']);
/** Follow from other changes, are proven otherwise, or are compared on their own. */
const APART: ReadonlySet<string> = new Set([TAG_HEADER.toLowerCase(), 'content-length']);

const clip = (text: string): string => text.slice(0, MAX_TEXT);

const difference = (kind: AlgClass, field: string, sent: string, received: string): Difference => ({
  class: kind,
  field,
  sent: clip(sent),
  received: clip(received),
});

/** White space where the grammar leaves it free (RFC 3261 §7.3.1), and letters where case means nothing. */
const plain = (value: string): string =>
  value
    .replace(/[ \t]+/g, ' ')
    .replace(/ ?([;,=<>]) ?/g, '$1')
    .toLowerCase();

/** Cuts at commas outside of quotes and angle brackets: `Via: a, b` is two Vias in one line (RFC 3261 §7.3.1). */
const split = (value: string): readonly string[] => {
  const parts: string[] = [];
  let part = '';
  let quoted = false;
  let angled = false;
  for (const letter of value) {
    if (letter === '"') quoted = !quoted;
    else if (!quoted && letter === '<') angled = true;
    else if (!quoted && letter === '>') angled = false;
    if (letter === ',' && !quoted && !angled) {
      parts.push(part.trim());
      part = '';
    } else part += letter;
  }
  return [...parts, part.trim()];
};

/** Headers that are lists, so that one field with commas is the same as several. */
const LISTS: ReadonlySet<string> = new Set([
  'via',
  'route',
  'record-route',
  'contact',
  'allow',
  'supported',
  'accept',
  'require',
]);

interface Values {
  readonly name: string;
  readonly values: readonly string[];
  readonly fields: readonly RawHeader[];
}

const grouped = (message: SipMessage): ReadonlyMap<string, Values> => {
  const groups = new Map<string, Values>();
  for (const field of message.headers) {
    const value = unfolded(field.raw);
    const known = groups.get(field.canonical);
    groups.set(field.canonical, {
      name: NAMES.get(field.canonical) ?? known?.name ?? field.name,
      values: [...(known?.values ?? []), ...(LISTS.has(field.canonical) ? split(value) : [value])],
      fields: [...(known?.fields ?? []), field],
    });
  }
  return groups;
};

/** `;received=…` and `;rport[=…]` of a Via: for a server to fill in (RFC 3581 §4). */
const withoutReceived = (via: string): string => via.replace(/;\s*(received|rport)(\s*=\s*[^;,\s]*)?/gi, '');

/** What a Via says of where it came from; undefined for what it does not, null for a parameter without a value. */
const originIn = (via: string): Readonly<Record<'received' | 'rport', string | null | undefined>> => {
  const read = (name: string): string | null | undefined => {
    const found = new RegExp(`;\\s*${name}(?:\\s*=\\s*([^;,\\s]*))?(?=[;,\\s]|$)`, 'i').exec(via);
    return found ? (found[1]?.toLowerCase() ?? null) : undefined;
  };
  return { received: read('received'), rport: read('rport') };
};

/**
 * What a change of `received` and `rport` alone means. In an answer they are how a phone behind NAT learns its public
 * address (RFC 3581 §4, RFC 5626 §4.2.1), so every change is one of an address. In a request they are for the next server to
 * fill in, and only a lost `rport` matters: the answer then goes to a port at which nobody listens.
 */
const classOfOrigin = (sent: string, received: string, isResponse: boolean): AlgClass => {
  const [before, after] = [originIn(sent), originIn(received)];
  const lost = before.rport !== undefined && after.rport === undefined;
  const same = before.received === after.received && before.rport === after.rport;
  return lost || (isResponse && !same) ? 'semantic' : 'cosmetic';
};

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index]);

const compareVias = (sent: Values, received: Values, isResponse: boolean): readonly Difference[] => {
  const extra = received.values.length - sent.values.length;
  // Each hop puts its own on top (RFC 3261 §16.6): what we sent are the last ones.
  const own = extra > 0 ? received.values.slice(extra) : received.values;
  return [
    ...(extra > 0 ? [difference('proxy', 'Via', '', received.values.slice(0, extra).join(', '))] : []),
    ...(extra < 0 ? [difference('semantic', 'Via', sent.values.join(', '), received.values.join(', '))] : []),
    ...own.flatMap((via, index): Difference[] => {
      const before = sent.values[index];
      if (before === undefined || extra < 0 || before === via) return [];
      const same = plain(withoutReceived(before)) === plain(withoutReceived(via));
      return [difference(same ? classOfOrigin(before, via, isResponse) : 'semantic', 'Via', before, via)];
    }),
  ];
};

const compareHeader = (
  canonical: string,
  sent: Values | undefined,
  received: Values | undefined,
  isResponse: boolean,
): readonly Difference[] => {
  const name = sent?.name ?? received?.name ?? canonical;
  if (!sent) {
    const kind = ADDED_BY_PROXIES.has(canonical) || !SEMANTIC.has(canonical) ? 'proxy' : 'semantic';
    return [difference(kind, name, '', received?.values.join(', ') ?? '')];
  }
  if (!received) {
    return [difference(SEMANTIC.has(canonical) ? 'semantic' : 'proxy', name, sent.values.join(', '), '')];
  }
  if (canonical === 'via') return compareVias(sent, received, isResponse);
  if (sameList(sent.values, received.values)) return [];
  const before = sent.values.join(', ');
  const after = received.values.join(', ');
  // A proxy puts its own on top (RFC 3261 §16.6): what stood there before must stand there still.
  const onTop = received.values.slice(received.values.length - sent.values.length);
  if (canonical === 'record-route' && received.values.length > sent.values.length && sameList(onTop, sent.values)) {
    return [difference('proxy', name, before, after)];
  }
  // Call-ID is compared to the letter (RFC 3261 §8.1.1.4); elsewhere case and blanks may change and nothing with them.
  const same = canonical !== 'call-id' && sameList(sent.values.map(plain), received.values.map(plain));
  if (same) return [difference('cosmetic', name, before, after)];
  return [difference(SEMANTIC.has(canonical) ? 'semantic' : 'proxy', name, before, after)];
};

const linesOf = (body: Uint8Array): readonly string[] =>
  Buffer.from(body)
    .toString('latin1')
    .split(/\r?\n/)
    .filter((line) => line !== '');

/** `c=`, or `a=rtcp` for the attributes: lines are compared with those of their own kind. */
const kindOfLine = (line: string): string => /^a=[A-Za-z-]+/.exec(line)?.[0] ?? line.slice(0, 2);

const compareSdp = (sent: Uint8Array, received: Uint8Array): readonly Difference[] => {
  const before = linesOf(sent);
  const after = linesOf(received);
  if (sameList(before, after)) {
    return Buffer.compare(sent, received) === 0 ? [] : [difference('cosmetic', 'SDP', 'CRLF', 'other line ends')];
  }
  const kinds = [...new Set([...before, ...after].map(kindOfLine))];
  const changed = kinds.flatMap((kind): Difference[] => {
    const own = before.filter((line) => kindOfLine(line) === kind);
    const theirs = after.filter((line) => kindOfLine(line) === kind);
    return sameList(own, theirs) ? [] : [difference('semantic', `SDP ${kind}`, own.join(', '), theirs.join(', '))];
  });
  return changed.length > 0 ? changed : [difference('cosmetic', 'SDP', before.join(', '), after.join(', '))];
};

const namesInOrder = (message: SipMessage): readonly string[] => message.headers.map(({ canonical }) => canonical);

/** Nothing else differs: then how it is written may still, which shows that something took the message apart. */
const compareForm = (sent: SipMessage, received: SipMessage): readonly Difference[] => {
  const before = namesInOrder(sent);
  const after = namesInOrder(received);
  const names = (message: SipMessage): string => message.headers.map(({ name }) => name).join(', ');
  if (!sameList(before, after)) {
    return sameList([...before].sort(), [...after].sort())
      ? [difference('cosmetic', 'header order', names(sent), names(received))]
      : [];
  }
  return sent.headers.flatMap((field, index): Difference[] => {
    const other = received.headers[index];
    if (!other || APART.has(field.canonical)) return [];
    const same = field.name === other.name && field.raw === other.raw;
    const alike = unfolded(field.raw) === unfolded(other.raw);
    return same || !alike
      ? []
      : [
          difference(
            'cosmetic',
            `${field.name} as written`,
            `${field.name}:${field.raw}`,
            `${other.name}:${other.raw}`,
          ),
        ];
  });
};

/** A length that does not say how long the body is cuts or stretches the message (RFC 3261 §18.3). */
const compareLength = (sent: SipMessage, received: SipMessage): readonly Difference[] => {
  const lengthOf = (message: SipMessage): string =>
    unfolded(message.headers.find(({ canonical }) => canonical === 'content-length')?.raw ?? '');
  const told = lengthOf(received);
  return told === '' || told === lengthOf(sent) || Number(told) === received.body.length
    ? []
    : [difference('semantic', 'Content-Length', lengthOf(sent), told)];
};

const compareStart = (sent: SipMessage, received: SipMessage): readonly Difference[] => {
  if (sent.startLine === received.startLine) return [];
  const field = sent.kind === 'request' ? 'Request-URI' : 'Status';
  // A reason in words is for people (RFC 3261 §7.2).
  const sameStatus = sent.kind === 'response' && received.kind === 'response' && sent.status === received.status;
  const same = sameStatus || sent.startLine.toLowerCase() === received.startLine.toLowerCase();
  return [difference(same ? 'cosmetic' : 'semantic', field, sent.startLine, received.startLine)];
};

/** All differences of a message as sent and as received; empty for the same bytes. */
export const compareSip = (sent: Uint8Array, received: Uint8Array): readonly Difference[] => {
  if (Buffer.compare(sent, received) === 0) return [];
  const before = parseSip(sent);
  const after = parseSip(received);
  if (!before.ok || !after.ok) {
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
    return [difference('semantic', 'message', text(sent), text(received))];
  }
  const [own, theirs] = [grouped(before.value), grouped(after.value)];
  const names = [...new Set([...own.keys(), ...theirs.keys()])].filter((name) => !APART.has(name));
  const found = [
    ...compareStart(before.value, after.value),
    ...names.flatMap((name) => compareHeader(name, own.get(name), theirs.get(name), before.value.kind === 'response')),
    ...compareSdp(before.value.body, after.value.body),
    ...compareLength(before.value, after.value),
  ];
  return found.length > 0 ? found : compareForm(before.value, after.value);
};
