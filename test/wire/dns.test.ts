/** DNS messages, tags in names, and the TCP framing: tables, hostile input, and Debian's dig as an independent client. */
import { execFile, execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { promisify } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import {
  answersQuestion,
  buildQuery,
  buildResponse,
  type DnsMessage,
  type DnsRecord,
  parseDns,
  RCODES,
} from '../../src/wire/dns.js';
import { labelsToTag, tagToLabels } from '../../src/wire/dns-labels.js';
import { type DnsRefusal, looksLikeDnsQuery } from '../../src/wire/dns-layout.js';
import { type DnsStreamItem, dnsStream, frameDnsTcp } from '../../src/wire/dns-stream.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

const parsed = (bytes: Uint8Array): DnsMessage => {
  const result = parseDns(bytes);
  if (!result.ok) throw new Error(`refused: ${result.refusal}`);
  return result.value;
};

const refusalOf = (bytes: Uint8Array): DnsRefusal | null => {
  const result = parseDns(bytes);
  return result.ok ? null : result.refusal;
};

// Written out by hand from RFC 1035 §4, so that nothing here rests on the library under test.
const QUESTION_EXAMPLE = '07 6578616d706c65 03 636f6d 00'; // example.com
const HEADER_QUERY = '1234 0100 0001 0000 0000 0000';
const QUERY_A = `${HEADER_QUERY} ${QUESTION_EXAMPLE} 0001 0001`;

/** A response to `example.com` with these records in the answer section; names point to the question at offset 12. */
const response = (type: string, ...records: string[]): Buffer =>
  hex(
    `1234 8180 0001 ${records.length.toString(16).padStart(4, '0')} 0000 0000 ${QUESTION_EXAMPLE} ${type} 0001 ${records.join('')}`,
  );

t.test('a query is built byte for byte as RFC 1035 lays it out', async (t) => {
  const query = buildQuery({ id: 0x1234, name: 'example.com', type: 'A', recursionDesired: true });
  t.equal(Buffer.from(query).toString('hex'), hex(QUERY_A).toString('hex'));
  t.match(parsed(query), {
    id: 0x1234,
    opcode: 0,
    rcode: 0,
    flags: { response: false, recursionDesired: true, truncated: false },
    question: { name: 'example.com', type: 1, class: 1 },
    answers: [],
    edns: null,
  });
  t.notOk(parsed(buildQuery({ id: 1, name: '.', type: 'NS', recursionDesired: false })).flags.recursionDesired);
  for (const name of ['', 'a..b', 'ü.example', 'a b', `${'a'.repeat(64)}.example`, `${'a.'.repeat(130)}b`]) {
    t.throws(() => buildQuery({ id: 1, name, type: 'A', recursionDesired: true }), RangeError, `no name: ${name}`);
  }
});

t.test('padding makes a query exactly as long as asked for', async (t) => {
  for (const padTo of [128, 512, 1232]) {
    const query = buildQuery({ id: 7, name: 'example.com', type: 'TXT', recursionDesired: false, padTo });
    t.equal(query.length, padTo);
    t.match(parsed(query), { question: { name: 'example.com' }, edns: { version: 0, udpPayloadBytes: 1232 } });
    // OPT's option 12 fills the rest with zeros (RFC 7830 §3).
    const fill = padTo - hex(QUERY_A).length - 15;
    t.equal(Buffer.from(query).readUInt16BE(padTo - fill - 4), 12);
    t.equal(Buffer.from(query).readUInt16BE(padTo - fill - 2), fill);
    t.ok(query.subarray(padTo - fill).every((byte) => byte === 0));
  }
  const short = buildQuery({ id: 7, name: 'example.com', type: 'TXT', recursionDesired: false, padTo: 1 });
  t.ok(parsed(short).edns, 'one that is longer already keeps its empty padding option');
});

t.test('every record type that is read, compressed as servers do', async (t) => {
  const cases: readonly [string, Buffer, DnsRecord][] = [
    [
      'A',
      response('0001', 'c00c 0001 0001 0000003c 0004 c0000201'),
      { name: 'example.com', ttl: 60, type: 'A', address: '192.0.2.1' },
    ],
    [
      'AAAA',
      response('001c', 'c00c 001c 0001 0000003c 0010 20010db8000000000000000000000001'),
      { name: 'example.com', ttl: 60, type: 'AAAA', address: '2001:db8::1' },
    ],
    [
      'CNAME',
      response('0001', 'c00c 0005 0001 00000001 0006 03 736970 c00c'),
      { name: 'example.com', ttl: 1, type: 'CNAME', target: 'sip.example.com' },
    ],
    [
      'NS',
      response('0002', 'c00c 0002 0001 00000001 0005 02 6e73 c00c'),
      { name: 'example.com', ttl: 1, type: 'NS', target: 'ns.example.com' },
    ],
    [
      'SRV',
      response('0021', 'c00c 0021 0001 00000001 000c 000a 003c 13c4 03 736970 c00c'),
      { name: 'example.com', ttl: 1, type: 'SRV', priority: 10, weight: 60, port: 5060, target: 'sip.example.com' },
    ],
    [
      'SRV that is decidedly not there',
      response('0021', 'c00c 0021 0001 00000001 0007 0000 0000 0000 00'),
      { name: 'example.com', ttl: 1, type: 'SRV', priority: 0, weight: 0, port: 0, target: '.' },
    ],
    [
      'NAPTR',
      response(
        '0023',
        'c00c 0023 0001 00000001 001b 0032 0033 01 73 07 5349502b443255 00 04 5f736970 04 5f756470 c00c',
      ),
      {
        name: 'example.com',
        ttl: 1,
        type: 'NAPTR',
        order: 50,
        preference: 51,
        flags: 's',
        service: 'SIP+D2U',
        regexp: '',
        replacement: '_sip._udp.example.com',
      },
    ],
    [
      'TXT in two strings',
      response('0010', 'c00c 0010 0001 00000000 0006 02 6162 02 6364'),
      { name: 'example.com', ttl: 0, type: 'TXT', bytes: Buffer.from('abcd') },
    ],
  ];
  for (const [what, bytes, record] of cases) t.strictSame(parsed(bytes).answers, [record], what);
});

t.test('records that are not read do no harm', async (t) => {
  const dnskey = 'c00c 0030 0001 00000001 0004 0100 09 05'; // protocol 9, on which the library throws
  const chaos = 'c00c 0001 0003 00000001 0004 c0000202';
  const a = 'c00c 0001 0001 0000003c 0004 c0000201';
  t.strictSame(
    parsed(response('0001', dnskey, chaos, a)).answers.map((record) => record.type),
    ['A'],
  );
  // The same odd key in the authority section.
  const authority = hex(`1234 8180 0001 0001 0001 0000 ${QUESTION_EXAMPLE} 0001 0001 ${a} ${dnskey}`);
  t.equal(parsed(authority).answers.length, 1);
});

t.test('response codes and flags', async (t) => {
  const nxdomain = hex(`1234 8583 0001 0000 0000 0000 ${QUESTION_EXAMPLE} 0001 0001`);
  t.match(parsed(nxdomain), {
    rcode: RCODES.nameError,
    flags: { response: true, authoritative: true, recursionAvailable: true },
  });
  t.ok(parsed(hex(`1234 8380 0001 0000 0000 0000 ${QUESTION_EXAMPLE} 0001 0001`)).flags.truncated);
  const badVersion = hex(`1234 8180 0001 0000 0000 0001 ${QUESTION_EXAMPLE} 0001 0001 00 0029 04d0 01 00 8000 0000`);
  t.match(parsed(badVersion), {
    rcode: RCODES.badVersion,
    edns: { version: 0, dnssecOk: true, udpPayloadBytes: 1232 },
  });
  t.equal(parsed(hex('1234 8181 0000 0000 0000 0000')).question, null, 'an error may come without the question');
});

t.test('what is refused, and why', async (t) => {
  const opt = '00 0029 04d0 00000000 0000';
  const cases: readonly [string, Buffer, DnsRefusal][] = [
    ['nothing', hex(''), 'truncated'],
    ['half a header', hex('1234 0100 0001'), 'truncated'],
    [
      'two questions',
      hex(`1234 0100 0002 0000 0000 0000 ${QUESTION_EXAMPLE} 0001 0001 ${QUESTION_EXAMPLE} 0001 0001`),
      'question-count',
    ],
    ['more records than bytes', hex(`1234 8180 0001 ffff ffff ffff ${QUESTION_EXAMPLE} 0001 0001`), 'too-many-records'],
    ['a record that is missing', hex(`1234 8180 0001 0001 0000 0000 ${QUESTION_EXAMPLE} 0001 0001`), 'truncated'],
    ['bytes behind the end', hex(`${QUERY_A} 00`), 'trailing-bytes'],
    ['more than TCP can carry', Buffer.alloc(65_536), 'too-long'],
    ['a pointer in the question', hex(`${HEADER_QUERY} c00c 0001 0001`), 'bad-name'],
    ['a label type that does not exist', hex(`${HEADER_QUERY} 41 61 00 0001 0001`), 'bad-name'],
    ['a dot inside a label', hex(`${HEADER_QUERY} 03 612e62 00 0001 0001`), 'bad-name'],
    ['a line feed inside a label', hex(`${HEADER_QUERY} 03 610a62 00 0001 0001`), 'bad-name'],
    ['a name of 256 octets', hex(`${HEADER_QUERY} ${`3f${'61'.repeat(63)}`.repeat(4)} 00 0001 0001`), 'bad-name'],
    ['a name that points at itself', response('0001', 'c01d 0001 0001 00000001 0004 c0000201'), 'bad-name'],
    ['a name that points forward', response('0001', 'c02b 0001 0001 00000001 0004 c0000201'), 'bad-name'],
    ['two names that point at each other', response('0005', 'c00c 0005 0001 00000001 0002 c029'), 'bad-name'],
    ['a target with a terminal escape', response('0005', 'c00c 0005 0001 00000001 0004 02 1b5b 00'), 'bad-name'],
    ['an A of five bytes', response('0001', 'c00c 0001 0001 00000001 0005 c000020100'), 'bad-record'],
    ['an AAAA of four bytes', response('001c', 'c00c 001c 0001 00000001 0004 c0000201'), 'bad-record'],
    ['an SRV without a target', response('0021', 'c00c 0021 0001 00000001 0006 000a 003c 13c4'), 'bad-record'],
    ['a TXT whose string overruns', response('0010', 'c00c 0010 0001 00000001 0002 ff61'), 'bad-record'],
    ['a NAPTR whose strings overrun', response('0023', 'c00c 0023 0001 00000001 0006 0032 0033 ff73'), 'bad-record'],
    ['data that ends after the message', response('0001', 'c00c 0001 0001 00000001 0400 c0000201'), 'truncated'],
    ['two OPT records', hex(`1234 0100 0001 0000 0000 0002 ${QUESTION_EXAMPLE} 0001 0001 ${opt} ${opt}`), 'bad-record'],
    [
      'an OPT that is not at the root',
      hex(`1234 0100 0001 0000 0000 0001 ${QUESTION_EXAMPLE} 0001 0001 c00c${opt.slice(2)}`),
      'bad-record',
    ],
    ['an OPT as an answer', response('0001', opt), 'bad-record'],
  ];
  for (const [what, bytes, refusal] of cases) t.equal(refusalOf(bytes), refusal, what);
});

const SAMPLES: readonly Buffer[] = [
  hex(QUERY_A),
  Buffer.from(buildQuery({ id: 9, name: 'a.example', type: 'TXT', recursionDesired: true, padTo: 128 })),
  response('0010', 'c00c 0010 0001 00000000 0006 02 6162 02 6364'),
  response(
    '0023',
    'c00c 0023 0001 00000001 001b 0032 0033 01 73 07 5349502b443255 00 04 5f736970 04 5f756470 c00c',
    'c00c 0021 0001 00000001 000c 000a 003c 13c4 03 736970 c00c',
    'c00c 001c 0001 0000003c 0010 20010db8000000000000000000000001',
  ),
];

t.test('no prefix of a message is a message', async (t) => {
  for (const sample of SAMPLES) {
    for (let length = 0; length < sample.length; length += 1) {
      if (parseDns(sample.subarray(0, length)).ok) t.fail(`accepted ${length} of ${sample.length} bytes`);
    }
    t.ok(parseDns(sample).ok);
  }
});

t.test('mutated and random bytes are read or refused, and never throw', async () => {
  const mutation = fc.record({ at: fc.nat(200), byte: fc.integer({ min: 0, max: 255 }) });
  fc.assert(
    fc.property(
      fc.constantFrom(...SAMPLES),
      fc.array(mutation, { minLength: 1, maxLength: 6 }),
      (sample, mutations) => {
        const bytes = Buffer.from(sample);
        for (const { at, byte } of mutations) bytes[at % bytes.length] = byte;
        const result = parseDns(bytes);
        if (!result.ok) return;
        for (const record of result.value.answers) {
          if ('target' in record && !/^[\x21-\x7e]{1,253}$/.test(record.target))
            throw new Error('a target that no name is');
        }
        buildResponse(result.value, { rcode: 0, txt: Buffer.from('x') });
      },
    ),
    { numRuns: 5_000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      parseDns(bytes);
      looksLikeDnsQuery(bytes);
    }),
    { numRuns: 2_000 },
  );
});

t.test('the worst message that fits into TCP costs little', async (t) => {
  // Pointers each to the one before, 8,000 deep, and as many records as are allowed with their names at its end.
  const depth = 8_000;
  const head = hex(`1234 8180 0001 0040 0000 0000 ${QUESTION_EXAMPLE} 0001 0001`);
  const chain = Buffer.alloc(2 * depth);
  const chainAt = head.length + 12;
  for (let index = 0; index < depth; index += 1) {
    chain.writeUInt16BE(0xc000 | (index === 0 ? 12 : chainAt + 2 * (index - 1)), 2 * index);
  }
  const unread = hex('c00c 00ff 0001 00000000 0000');
  unread.writeUInt16BE(chain.length, 10);
  const record = hex('0000 0005 0001 00000000 0002 0000');
  const last = 0xc000 | (chainAt + chain.length - 2);
  record.writeUInt16BE(last, 0);
  record.writeUInt16BE(last, 12);
  const message = Buffer.concat([head, unread, chain, ...Array.from({ length: 63 }, () => record)]);
  const begin = process.cpuUsage();
  t.equal(parsed(message).answers.length, 63);
  const { user } = process.cpuUsage(begin);
  // 63 records x 2 names x 8,000 jumps are a million steps: some 20 ms. Unbounded records would make it seconds.
  t.ok(user < 1_000_000, `${user} µs`);
});

t.test('a response is recognised by id, question and direction', async (t) => {
  const query = parsed(buildQuery({ id: 7, name: 'MiXed.Example', type: 'TXT', recursionDesired: true }));
  const good = parsed(buildResponse(query, { rcode: 0 }));
  t.ok(answersQuestion(query, good));
  t.equal(good.question?.name, 'MiXed.Example', 'the letters come back in their case');
  t.ok(answersQuestion(query, { ...good, question: { name: 'mixed.example', type: 16, class: 1 } }));
  t.notOk(answersQuestion(query, query), 'its own query come back');
  t.notOk(answersQuestion(query, { ...good, id: 8 }));
  t.notOk(answersQuestion(query, { ...good, opcode: 4 }));
  t.notOk(answersQuestion(query, { ...good, question: null }));
  for (const other of [
    { name: 'mixed.examples', type: 16, class: 1 },
    { name: 'MiXed.Example', type: 1, class: 1 },
    { name: 'MiXed.Example', type: 16, class: 3 },
  ]) {
    t.notOk(answersQuestion(query, { ...good, question: other }));
  }
});

t.test('a response is never longer than its query unless it carries something', async (t) => {
  for (const padTo of [undefined, 1, 128]) {
    const bytes = buildQuery({
      id: 7,
      name: 'a.example',
      type: 'TXT',
      recursionDesired: true,
      ...(padTo && { padTo }),
    });
    const answer = buildResponse(parsed(bytes), { rcode: RCODES.refused });
    t.ok(answer.length <= bytes.length, `${answer.length} of ${bytes.length}`);
    t.notOk(looksLikeDnsQuery(answer), 'and nobody takes it for a query');
    t.equal(parsed(answer).edns !== null, padTo !== undefined, 'OPT only where there was one');
  }
  const query = parsed(buildQuery({ id: 7, name: 'a.example', type: 'TXT', recursionDesired: true }));
  const bare = buildResponse(query, { rcode: 0 }).length;
  for (const length of [0, 1, 255, 256, 600]) {
    const txt = Buffer.alloc(length, 0xa5);
    const answer = buildResponse(query, { rcode: 0, txt });
    t.equal(answer.length, bare + 12 + length + Math.max(1, Math.ceil(length / 255)));
    t.match(parsed(answer), {
      answers: [{ type: 'TXT', name: 'a.example', bytes: txt, ttl: 0 }],
      flags: { authoritative: true },
    });
  }
  const chaos = { ...query, opcode: 2, question: { name: 'version.bind', type: 65_280, class: 3 } };
  const echoed = parsed(buildResponse(chaos, { rcode: RCODES.notImplemented }));
  t.strictSame([echoed.question, echoed.opcode, echoed.rcode], [chaos.question, 2, 4], 'whatever was asked is echoed');
  const withEdns = parsed(buildQuery({ id: 7, name: 'a.example', type: 'TXT', recursionDesired: true, padTo: 1 }));
  t.equal(parsed(buildResponse(withEdns, { rcode: RCODES.badVersion })).rcode, RCODES.badVersion);
});

t.test('only standard queries look like queries', async (t) => {
  t.ok(looksLikeDnsQuery(hex(QUERY_A)));
  t.ok(looksLikeDnsQuery(buildQuery({ id: 0, name: '.', type: 'NS', recursionDesired: false })));
  t.ok(looksLikeDnsQuery(buildQuery({ id: 0, name: 'a.b', type: 'TXT', recursionDesired: false, padTo: 200 })));
  const others: readonly [string, Buffer][] = [
    ['a response', response('0001', 'c00c 0001 0001 0000003c 0004 c0000201')],
    ['a status request', hex(`1234 1000 0001 0000 0000 0000 ${QUESTION_EXAMPLE} 0001 0001`)],
    ['no question', hex('1234 0100 0000 0000 0000 0000 0000000000')],
    ['SIP', Buffer.from('OPTIONS sip:carrier.example SIP/2.0\r\n\r\n')],
    ['STUN', hex('0001 0000 2112a442 000102030405060708090a0b')],
    ['RTP', hex('8000 0001 00000000 00000001 0000000000')],
    ['a header alone', hex(HEADER_QUERY)],
  ];
  for (const [what, bytes] of others) t.notOk(looksLikeDnsQuery(bytes), what);
});

t.test('bytes travel in labels', async (t) => {
  // RFC 4648 §10.
  const vectors: readonly [string, string][] = [
    ['f', 'my'],
    ['fo', 'mzxq'],
    ['foo', 'mzxw6'],
    ['foob', 'mzxw6yq'],
    ['fooba', 'mzxw6ytb'],
    ['foobar', 'mzxw6ytboi'],
  ];
  for (const [text, base32] of vectors) t.equal(tagToLabels(Buffer.from(text), 't.example'), `${base32}.t.example`);
  const name = tagToLabels(Buffer.alloc(48, 0xff), 't.example');
  t.equal(name, `${'7'.repeat(63)}.${'7'.repeat(13)}6.t.example`);
  t.equal(tagToLabels(new Uint8Array(0), 't.example'), null, 'nothing to carry');
  t.equal(tagToLabels(Buffer.alloc(160), 't.example'), null, 'more than a name holds');

  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 145 }),
      fc.array(fc.boolean(), { minLength: 1 }),
      (bytes, cases) => {
        const plain = tagToLabels(bytes, 'T.Example');
        if (plain === null) throw new Error('145 bytes fit');
        const mixed = [...plain].map((c, i) => (cases[i % cases.length] ? c.toUpperCase() : c)).join('');
        const wire = parsed(buildQuery({ id: 1, name: mixed, type: 'TXT', recursionDesired: false }));
        const back = labelsToTag(wire.question?.name ?? '', 't.example');
        return back.ok && Buffer.compare(back.value, bytes) === 0;
      },
    ),
  );

  for (const name of [
    't.example',
    '.t.example',
    'myt.example',
    'my.u.example',
    'my',
    '',
    `${'a'.repeat(300)}.t.example`,
  ]) {
    t.match(labelsToTag(name, 't.example'), { ok: false, refusal: 'not-under-suffix' }, name);
  }
  for (const name of ['m.t.example', 'mz.t.example', 'm1.t.example', 'm-y.t.example', 'myy.t.example', 'ü.t.example']) {
    t.match(labelsToTag(name, 't.example'), { ok: false, refusal: 'not-base32' }, name);
  }
  t.ok(labelsToTag('my.t.example.', 't.example').ok, 'a trailing dot is fine');
});

t.test('messages are found in a stream however it is cut', async (t) => {
  const messages = [hex(QUERY_A), Buffer.alloc(700, 1), Buffer.alloc(65_535, 2), Buffer.alloc(12, 3)];
  const wire = Buffer.concat(messages.map(frameDnsTcp));
  const read = (cut: (at: number) => number): readonly DnsStreamItem[] => {
    const stream = dnsStream();
    const items: DnsStreamItem[] = [];
    for (let at = 0; at < wire.length; ) {
      const next = at + Math.max(1, cut(at));
      items.push(...stream.push(wire.subarray(at, next)));
      at = next;
    }
    t.equal(stream.pendingBytes(), 0);
    return items;
  };
  for (const size of [1, 2, 3, 1_460, wire.length]) {
    const items = read(() => size);
    t.equal(items.length, messages.length);
    t.ok(
      items.every((item, i) => item.kind === 'message' && messages[i]?.equals(item.bytes)),
      `in pieces of ${size}`,
    );
  }
  const half = dnsStream();
  t.strictSame(half.push(hex('0010 0000')), []);
  t.equal(half.pendingBytes(), 4);
  t.throws(() => frameDnsTcp(Buffer.alloc(65_536)), RangeError);
});

t.test('a stream that cannot be DNS ends at once', async (t) => {
  const short = dnsStream();
  t.match(short.push(hex('0000 0000')), [{ kind: 'refusal', refusal: 'too-short' }]);
  t.strictSame(short.push(frameDnsTcp(hex(QUERY_A))), [], 'and nothing comes after it');
  t.equal(short.pendingBytes(), 0);
  const long = dnsStream(512);
  t.match(long.push(frameDnsTcp(hex(QUERY_A))), [{ kind: 'message' }]);
  t.match(long.push(hex('0201')), [{ kind: 'refusal', refusal: 'too-long' }]);
  t.match(dnsStream().push(Buffer.from('GET')), [], 'a length is believed until the bytes do not come');
});

const hasDig = (() => {
  try {
    execFileSync('dig', ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

t.test('dig reads our answers', { skip: !hasDig && 'needs dig (Debian: bind9-dnsutils)' }, async (t) => {
  /** Answers TXT with the tag in the name, everything else with REFUSED. */
  const answer = (bytes: Uint8Array): Uint8Array | null => {
    const query = looksLikeDnsQuery(bytes) ? parseDns(bytes) : null;
    if (!query?.ok) return null;
    const tag = labelsToTag(query.value.question?.name ?? '', 'tag.example');
    return buildResponse(query.value, tag.ok ? { rcode: 0, txt: tag.value } : { rcode: RCODES.refused });
  };
  const udp = createSocket('udp4').bind(0, '127.0.0.1');
  await once(udp, 'listening');
  const { port } = udp.address();
  udp.on('message', (bytes, from) => {
    const reply = answer(bytes);
    if (reply) udp.send(reply, from.port, from.address);
  });
  const tcp = createServer((socket) => {
    const stream = dnsStream();
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      for (const item of stream.push(chunk)) {
        const reply = item.kind === 'message' ? answer(item.bytes) : null;
        if (reply) socket.write(frameDnsTcp(reply));
        else socket.destroy();
      }
    });
  }).listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const tcpPort = (tcp.address() as AddressInfo).port;
  t.teardown(() => {
    udp.close();
    tcp.close();
  });
  const dig = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('dig', ['@127.0.0.1', '+tries=1', '+time=3', ...args]);
    return stdout;
  };
  const long = tagToLabels(Buffer.from('The tag of this request is here and back again.'), 'tag.example') ?? '';
  for (const transport of [[`-p${port}`], [`-p${tcpPort}`, '+tcp']]) {
    const name = `dig ${transport.join(' ')}`;
    t.equal(
      (await dig(...transport, '+short', 'TXT', long)).trim(),
      '"The tag of this request is here and back again."',
      name,
    );
    const refused = await dig(...transport, '+norecurse', 'A', 'other.example');
    t.match(refused, /status: REFUSED/, name);
    t.match(refused, /EDNS: version: 0/, 'answers EDNS with EDNS');
    t.notMatch(refused, /malformed|Warning|extra bytes/i, 'nothing to complain about');
    t.match(
      await dig(...transport, '+noedns', 'TYPE65280', 'x.example'),
      /status: REFUSED/,
      `${name}, unknown type, no EDNS`,
    );
  }
});
