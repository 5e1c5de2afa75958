/** What an ALG did to a message, in the manner of known boxes; and what is nobody's doing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../src/plan/package-root.js';
import { compareSip } from '../../src/verdict/studies/alg.js';

const MANGLED = join(packageRoot(), 'fixtures', 'sip', 'mangled');

const SDP = [
  'v=0',
  'o=probe 1 1 IN IP4 10.77.0.2',
  's=callpath',
  'c=IN IP4 10.77.0.2',
  't=0 0',
  'm=audio 40000 RTP/AVP 0',
  'a=rtcp:40001',
  '',
].join('\r\n');

interface Parts {
  readonly start?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly length?: number;
}

const HEADERS = [
  'Via: SIP/2.0/UDP 10.77.0.2:40123;branch=z9hG4bKabc;rport',
  'Max-Forwards: 70',
  'From: <sip:probe@10.77.0.2:40123>;tag=a1',
  'To: <sip:probe@198.51.100.10>',
  'Call-ID: 0123456789abcdef',
  'CSeq: 1 INVITE',
  'Contact: <sip:probe@10.77.0.2:40123>',
  'Allow: INVITE, ACK, BYE',
  'X-Callpath: dGFn',
  'Content-Type: application/sdp',
] as const;

const message = ({ start, headers = HEADERS, body = SDP, length }: Parts = {}): Uint8Array =>
  Buffer.from(
    [
      start ?? 'INVITE sip:probe@198.51.100.10:5060 SIP/2.0',
      ...headers,
      `Content-Length: ${length ?? body.length}`,
      '',
      body,
    ].join('\r\n'),
    'latin1',
  );

/** The headers with some lines replaced, by what they begin with. */
const changed = (lines: Readonly<Record<string, string>>): readonly string[] =>
  HEADERS.map((line) => Object.entries(lines).find(([name]) => line.startsWith(`${name}:`))?.[1] ?? line);

const told = (received: Uint8Array, sent = message()): readonly string[] =>
  compareSip(sent, received).map(({ class: kind, field }) => `${kind} ${field}`);

const recorded = (name: string): Uint8Array => readFileSync(join(MANGLED, `${name}.sip`));

/** What each box is known for, as fixtures/sip/mangled has it. */
const BOXES: Readonly<Record<string, readonly string[]>> = {
  'linux-router': ['semantic Via', 'semantic From', 'semantic Contact', 'semantic SDP o=', 'semantic SDP c='],
  'proxy-router': ['proxy Via', 'proxy Max-Forwards', 'proxy Record-Route'],
  juniper: [
    ...['semantic Via', 'semantic Route', 'semantic Call-ID', 'semantic Contact'],
    ...['semantic SDP o=', 'semantic SDP c=', 'semantic SDP m='],
  ],
  'fortigate-twice': ['semantic SDP c=', 'semantic SDP m=', 'semantic SDP a=rtcp'],
  // Read as far as the length says.
  'length-left-alone': ['semantic SDP o=', 'semantic SDP c=', 'semantic SDP a=rtcp'],
};

t.test('boxes that are known for it', async (t) => {
  for (const [box, expected] of Object.entries(BOXES)) t.same(told(recorded(box), recorded('sent')), expected, box);
  t.same(told(Buffer.from('garbage')), ['semantic message']);
  t.same(told(message({ start: 'INVITE sip:probe@10.0.0.5:5060 SIP/2.0' })), ['semantic Request-URI']);
});

t.test('nobody is accused', async (t) => {
  const innocent = (received: Uint8Array, what: string): void => {
    t.same(
      compareSip(message(), received).filter(({ class: kind }) => kind !== 'cosmetic'),
      [],
      what,
    );
  };
  t.same(told(message()), [], 'the same bytes');
  innocent(
    message({
      headers: changed({
        Via: 'Via: SIP/2.0/UDP 10.77.0.2:40123;branch=z9hG4bKabc;received=198.51.100.1;rport=40123',
      }),
    }),
    'received and rport filled in',
  );
  innocent(message({ headers: changed({ Allow: 'Allow: INVITE,\r\n ACK,\r\n\tBYE' }) }), 'folded');
  innocent(
    message({
      headers: changed({
        Via: 'v: SIP/2.0/UDP 10.77.0.2:40123;branch=z9hG4bKabc;rport',
        From: 'f: <sip:probe@10.77.0.2:40123>;tag=a1',
      }),
    }),
    'compact forms',
  );
  innocent(message({ headers: HEADERS.toReversed() }), 'another order');
  innocent(
    message({ headers: HEADERS.map((line) => line.replace(/^[^:]+/, (name) => name.toUpperCase())) }),
    'capitals',
  );
  innocent(message({ headers: changed({ Allow: 'Allow: INVITE\r\nAllow: ACK, BYE' }) }), 'a list in two lines');
  t.ok(compareSip(message(), message({ headers: HEADERS.toReversed() })).length > 0, 'and it shows all the same');
});

const ANSWER = [
  'SIP/2.0 200 OK',
  'Via: SIP/2.0/UDP 10.77.0.2:40123;branch=z9hG4bKabc;received=198.51.100.1;rport=40123',
  'From: <sip:probe@10.77.0.2:40123>;tag=a1',
  'To: <sip:probe@198.51.100.10>;tag=b2',
  'Call-ID: 0123456789abcdef@10.77.0.2',
  'CSeq: 1 OPTIONS',
  'Record-Route: <sip:198.51.100.10:5060;lr>',
  'Contact: <sip:198.51.100.10:5060>',
  'Expires: 60',
  'Content-Length: 0',
  '',
  '',
].join('\r\n');

t.test('in answers', async (t) => {
  const answered = (from: string | RegExp, to: string): readonly string[] =>
    told(Buffer.from(ANSWER.replace(from, to)), Buffer.from(ANSWER));
  const cases: readonly (readonly [from: string | RegExp, to: string, expected: readonly string[]])[] = [
    ['received=198.51.100.1', 'received=10.77.0.2', ['semantic Via']],
    ['rport=40123', 'rport=5060', ['semantic Via']],
    [';received=198.51.100.1', '', ['semantic Via']],
    [';rport=40123', '', ['semantic Via']],
    ['Contact: <sip:198.51.100.10', 'Contact: <sip:10.0.0.1', ['semantic Contact']],
    ['<sip:198.51.100.10:5060;lr>', '<sip:10.0.0.1;lr>', ['semantic Record-Route']],
    [/Record-Route.*\r\n/, '', ['semantic Record-Route']],
    ['<sip:198.51.100.10:5060;lr>', '<sip:10.0.0.1;lr>, <sip:198.51.100.10:5060;lr>', ['proxy Record-Route']],
    ['Expires: 60', 'Expires: 1800', ['semantic Expires']],
    ['abcdef@10.77.0.2', 'abcdef@198.51.100.1', ['semantic Call-ID']],
    ['200 OK', '200 Fine', ['cosmetic Status']],
    ['200 OK', '403 OK', ['semantic Status']],
    ['Via: SIP/2.0/UDP', 'v: SIP/2.0/UDP', ['cosmetic Via as written']],
    ['received=198.51.100.1;rport=40123', 'rport=40123;received=198.51.100.1', ['cosmetic Via']],
  ];
  for (const [from, to, expected] of cases) t.same(answered(from, to), expected, `${from} → ${to}`);
});

t.test('a parameter of the Via alone, in a request', async (t) => {
  const via = (line: string): readonly string[] => told(message({ headers: changed({ Via: `Via: ${line}` }) }));
  t.same(via('SIP/2.0/UDP 10.77.0.2:40123;branch=z9hG4bKabc'), ['semantic Via'], 'no rport: the answer goes astray');
  t.same(via('SIP/2.0/UDP 10.77.0.2:40123;rport'), ['semantic Via'], 'no branch');
  t.same(via('SIP/2.0/UDP 10.77.0.2:40123;branch=z9hG4bKabc;rport=40123'), ['cosmetic Via'], 'filled in on the way');
});
