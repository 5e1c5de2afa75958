/** The SIP codec against RFC 4475's torture, hostile messages, mutations, and streams cut at every place. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import t from 'tap';
import { printable } from '../../src/wire/printable.js';
import {
  buildRequest,
  buildResponse,
  callId,
  cseq,
  fromTag,
  header,
  headers,
  isFinal,
  isKeepAlive,
  isProvisional,
  looksLikeSip,
  MAX_FIELD_BYTES,
  MAX_FIELDS,
  MAX_SIP_BYTES,
  matchesTransaction,
  parseSip,
  type RequestToSend,
  SIP_REFUSALS,
  type SipMessage,
  type SipRefusal,
  type SipRequest,
  type SipResponse,
  sipHost,
  topVia,
  toTag,
} from '../../src/wire/sip.js';
import { type SipStreamItem, sipStream } from '../../src/wire/sip-stream.js';

const packageRoot = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
};
const FIXTURES = join(packageRoot(), 'fixtures', 'sip');
const fixture = (name: string): Buffer => readFileSync(join(FIXTURES, `${name}.dat`));
const fixtureNames = (folder: string): string[] =>
  readdirSync(join(FIXTURES, folder))
    .filter((file) => file.endsWith('.dat'))
    .map((file) => file.slice(0, -4))
    .sort();

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const text = (message: Uint8Array): string => Buffer.from(message).toString('latin1');

const parsed = (message: Uint8Array): SipMessage => {
  const result = parseSip(message);
  if (!result.ok) throw new Error(`refused: ${result.refusal}`);
  return result.value;
};
const request = (message: Uint8Array): SipRequest => {
  const value = parsed(message);
  if (value.kind !== 'request') throw new Error('is a response');
  return value;
};
const response = (message: Uint8Array): SipResponse => {
  const value = parsed(message);
  if (value.kind !== 'response') throw new Error('is a request');
  return value;
};
const outcome = (message: Uint8Array): 'parsed' | SipRefusal => {
  const result = parseSip(message);
  return result.ok ? 'parsed' : result.refusal;
};

const OPTIONS: RequestToSend = {
  method: 'OPTIONS',
  requestUri: 'sip:probe@192.0.2.1',
  via: { transport: 'udp', host: '192.0.2.9', port: 5060, branch: 'z9hG4bKabc' },
  from: { uri: 'sip:agent@192.0.2.9', tag: 'f1' },
  to: { uri: 'sip:probe@192.0.2.1' },
  callId: 'c1@192.0.2.9',
  cseq: 7,
  contact: 'sip:agent@192.0.2.9:5060',
  userAgent: 'phone/1',
};

/** A valid OPTIONS with one line exchanged or added. */
const optionsWith = (changes: { start?: string; via?: string; from?: string; cseq?: string; extra?: string }): Buffer =>
  bytes(
    [
      changes.start ?? 'OPTIONS sip:probe@192.0.2.1 SIP/2.0',
      changes.via ?? 'Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKabc',
      changes.from ?? 'From: <sip:a@192.0.2.9>;tag=f1',
      'To: <sip:probe@192.0.2.1>',
      'Call-ID: c1',
      changes.cseq ?? 'CSeq: 7 OPTIONS',
      ...(changes.extra === undefined ? [] : [changes.extra]),
      '',
      '',
    ].join('\r\n'),
  );

/** Best of three: the machine's other work must not count against the parser. */
const fastestMs = (work: () => void): number =>
  Math.min(
    ...[1, 2, 3].map(() => {
      const start = performance.now();
      work();
      return performance.now() - start;
    }),
  );

t.test('RFC 4475: every torture message parses or is refused for its own fault', async (t) => {
  const expected: Record<string, 'parsed' | SipRefusal> = {
    // §3.1.1 valid messages
    wsinv: 'parsed',
    intmeth: 'parsed',
    esc01: 'parsed',
    escnull: 'parsed',
    esc02: 'parsed',
    lwsdisp: 'parsed',
    longreq: 'parsed',
    dblreq: 'parsed',
    semiuri: 'parsed',
    transports: 'parsed',
    mpart01: 'parsed',
    unreason: 'parsed',
    noreason: 'parsed',
    // §3.1.2 invalid messages
    badinv01: 'bad-via',
    clerr: 'body-cut-short',
    ncl: 'bad-content-length',
    scalar02: 'bad-cseq',
    scalarlg: 'bad-cseq',
    quotbal: 'bad-address',
    ltgtruri: 'bad-start-line',
    lwsruri: 'bad-start-line',
    lwsstart: 'bad-start-line',
    trws: 'bad-start-line',
    badaspec: 'bad-address',
    baddn: 'bad-address',
    badvers: 'unsupported-version',
    mismatch01: 'cseq-mismatch',
    mismatch02: 'cseq-mismatch',
    bigcode: 'bad-start-line',
    // …whose fault is in what a probe does not read
    escruri: 'parsed',
    baddate: 'parsed',
    regbadct: 'parsed',
    // §3.2 and §3.3: well-formed, for the layers above
    badbranch: 'parsed',
    unkscm: 'parsed',
    novelsc: 'parsed',
    unksm2: 'parsed',
    bext01: 'parsed',
    invut: 'parsed',
    regaut01: 'parsed',
    bcast: 'parsed',
    zeromf: 'parsed',
    cparam01: 'parsed',
    cparam02: 'parsed',
    regescrt: 'parsed',
    sdp01: 'parsed',
    insuf: 'missing-header',
    multi01: 'repeated-header',
    mcl01: 'repeated-header',
    // §3.4 backward compatibility
    inv2543: 'parsed',
  };
  const actual = Object.fromEntries(
    fixtureNames('rfc4475').map((name) => [name, outcome(fixture(`rfc4475/${name}`))] as const),
  );
  t.strictSame(actual, expected);
});

t.test('RFC 4475: valid messages read right', async (t) => {
  t.test('wsinv: white space, folding and compact forms everywhere', async (t) => {
    const message = request(fixture('rfc4475/wsinv'));
    t.equal(message.method, 'INVITE');
    t.equal(message.uri, 'sip:vivekg@chair-dnrc.example.com;unknownparam');
    t.equal(toTag(message), '1918181833n');
    t.equal(fromTag(message), '98asjd8');
    t.strictSame(cseq(message), { sequence: 9, method: 'INVITE' });
    t.equal(callId(message), 'wsinv.ndaksdj@192.0.2.1');
    t.equal(header(message, 'subject'), '');
    t.equal(header(message, 'Max-Forwards'), '0068');
    t.equal(header(message, 'NewFangledHeader'), 'newfangled value continued newfangled value');
    t.equal(header(message, 'unknownheaderwithunusualvalue'), ';;,,;;,;');
    t.strictSame(topVia(message), {
      transport: 'UDP',
      host: '192.0.2.2',
      port: null,
      branch: '390skdjuw',
      received: null,
      rport: null,
      maddr: null,
    });
    t.equal(headers(message, 'v').length, 2);
    t.equal(message.body.length, 150);
    const via = message.headers.find((field) => field.canonical === 'via');
    t.strictSame(via, {
      name: 'Via',
      canonical: 'via',
      raw: ' SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw',
    });
  });

  t.test('intmeth: all that a token may hold, and controls in a quoted name', async (t) => {
    const message = request(fixture('rfc4475/intmeth'));
    t.equal(message.method, "!interesting-Method0123456789_*+`.%indeed'~");
    t.equal(cseq(message).method, message.method);
    t.equal(topVia(message).branch, "z9hG4bK-.!%66*_+`'~");
    t.equal(fromTag(message), "_token~1'+`*%!-.");
    t.equal(callId(message), 'intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{');
    t.equal(Buffer.from(header(message, "extensionHeader-!.%*+_`'~") ?? '', 'latin1').toString('utf8'), '\ufeff大停電');
  });

  t.test('esc02: % in a method or a header name is no escape', async (t) => {
    const message = request(fixture('rfc4475/esc02'));
    t.equal(message.method, 'RE%47IST%45R');
    t.equal(headers(message, 'contact').length, 2);
    t.equal(header(message, 'C%6Fntact'), '<sip:alias2@host2.example.com>');
    t.equal(topVia(message).branch, 'z9hG4bK209%fzsnel234');
  });

  t.test('the others', async (t) => {
    t.equal(header(parsed(fixture('rfc4475/esc01')), 'content-type'), 'application/sdp');
    t.equal(fromTag(parsed(fixture('rfc4475/lwsdisp'))), '323');
    const semicolons = request(fixture('rfc4475/semiuri'));
    t.equal(semicolons.uri, 'sip:user;par=u%40example.net@example.com');
    t.match(
      header(semicolons, 'accept'),
      /^application\/sdp, application\/pkcs7-mime, multipart\/mixed, .*, message\/sip, message\/sipfrag$/,
    );
    t.strictSame(
      headers(parsed(fixture('rfc4475/transports')), 'via').map((via) => via.split(' ')[0]),
      ['SIP/2.0/UDP', 'SIP/2.0/SCTP', 'SIP/2.0/TLS', 'SIP/2.0/UNKNOWN', 'SIP/2.0/TCP'],
    );
    const long = parsed(fixture('rfc4475/longreq'));
    t.equal(headers(long, 'via').length, 34);
    t.equal(topVia(long).host, 'sip33.example.com');
    t.match(fromTag(long), /^1(2982)*/);
    const first = request(fixture('rfc4475/dblreq'));
    t.equal(first.method, 'REGISTER');
    t.equal(first.body.length, 0, 'what follows the first message is not its body');
    t.equal(parsed(fixture('rfc4475/mpart01')).body.length, 553);
    const reason = response(fixture('rfc4475/unreason'));
    t.equal(reason.status, 200);
    t.match(Buffer.from(reason.reason, 'latin1').toString('utf8'), /^= 2\*\*3 \* 5\*\*2 .*девяносто/);
    const bare = response(fixture('rfc4475/noreason'));
    t.strictSame([bare.status, bare.reason], [100, '']);
    const old = parsed(fixture('rfc4475/inv2543'));
    t.strictSame([topVia(old).branch, fromTag(old), old.body.length], [null, null, 105]);
  });
});

t.test('hostile messages', async (t) => {
  const expected: Record<string, 'parsed' | SipRefusal> = {
    'content-length-bytes': 'parsed',
    'content-length-hex': 'bad-content-length',
    'empty-tag': 'bad-address',
    'escaped-method': 'cseq-mismatch',
    'folded-start-line': 'bad-start-line',
    ipv6: 'parsed',
    'lone-cr': 'bad-line-break',
    'lone-lf': 'bad-line-break',
    'missing-colon': 'bad-field',
    'nul-in-call-id': 'bad-call-id',
    'port-too-large': 'bad-via',
    'port-zero': 'bad-via',
    'prototype-header': 'parsed',
    'prototype-parameter': 'bad-address',
    'quoted-branch': 'bad-via',
    'quoted-separators': 'parsed',
    'space-in-name': 'bad-field',
    'terminal-escape': 'parsed',
    'two-branches': 'bad-via',
    'two-content-lengths': 'repeated-header',
    'two-vias-one-line': 'parsed',
  };
  const actual = Object.fromEntries(
    fixtureNames('hostile').map((name) => [name, outcome(fixture(`hostile/${name}`))] as const),
  );
  t.strictSame(actual, expected);

  t.equal(
    Buffer.from(parsed(fixture('hostile/content-length-bytes')).body).toString('utf8'),
    'Grüße',
    'Content-Length counts bytes',
  );
  t.strictSame(topVia(parsed(fixture('hostile/ipv6'))), {
    transport: 'UDP',
    host: '2001:db8::9',
    port: 5070,
    branch: 'z9hG4bKsix',
    received: '2001:db8::a',
    rport: 5072,
    maddr: 'ff02::1',
  });
  const polluting = parsed(fixture('hostile/prototype-header'));
  t.equal(header(polluting, '__proto__'), 'polluted');
  t.equal(header(polluting, 'valueOf'), null, 'a name that only JavaScript knows is no header');
  t.equal(Reflect.get({}, 'polluted'), undefined);
  t.equal(fromTag(parsed(fixture('hostile/quoted-separators'))), 'f1', 'a tag inside quotes is none');
  t.match(topVia(parsed(fixture('hostile/two-vias-one-line'))), { transport: 'TCP', branch: 'z9hG4bKfirst' });
  t.equal(
    printable(header(parsed(fixture('hostile/terminal-escape')), 'user-agent') ?? '', 200),
    '\\x1b[2J\\x1b[1;31mowned\\x07\\x9b31m â\\x80®exe.gpj',
  );
});

t.test('bounds', async (t) => {
  const withField = (length: number): Buffer => optionsWith({ extra: `X: ${'a'.repeat(length - 3)}` });
  t.equal(outcome(withField(MAX_FIELD_BYTES)), 'parsed');
  t.equal(outcome(withField(MAX_FIELD_BYTES + 1)), 'field-too-long');
  const withFields = (count: number): Buffer => optionsWith({ extra: Array(count).fill('X: a').join('\r\n') });
  t.equal(outcome(withFields(MAX_FIELDS - 5)), 'parsed');
  t.equal(outcome(withFields(MAX_FIELDS - 4)), 'too-many-fields');
  const head = optionsWith({});
  const filled = (length: number): Buffer => Buffer.concat([head, Buffer.alloc(length - head.length)]);
  t.equal(outcome(filled(MAX_SIP_BYTES)), 'parsed');
  t.equal(outcome(filled(MAX_SIP_BYTES + 1)), 'too-long');
  t.equal(outcome(optionsWith({ cseq: 'CSeq: 2147483647 OPTIONS' })), 'parsed');
  t.equal(outcome(optionsWith({ cseq: 'CSeq: 2147483648 OPTIONS' })), 'bad-cseq');
  t.equal(outcome(bytes('')), 'empty');
  t.equal(outcome(bytes('\r\n\r\n')), 'empty');
  t.equal(outcome(bytes('\r\n\r')), 'no-header-end');
  t.equal(outcome(Buffer.concat([bytes('\r\n\r\n'), head])), 'parsed', 'CRLFs before a message are skipped');
});

t.test('truncation at every byte is a parse or a refusal', async (t) => {
  for (const folder of ['rfc4475', 'hostile']) {
    for (const name of fixtureNames(folder)) {
      const whole = fixture(`${folder}/${name}`);
      for (let length = 0; length < whole.length; length += 1) {
        const result = outcome(whole.subarray(0, length));
        if (result !== 'parsed' && !SIP_REFUSALS.includes(result)) t.fail(`${name} cut at ${length}: ${result}`);
      }
    }
  }
  const whole = fixture('rfc4475/wsinv');
  const cuts = Array.from({ length: whole.length }, (_, length) => outcome(whole.subarray(0, length)));
  t.notOk(cuts.includes('parsed'), 'a message with Content-Length parses only whole');
});

t.test('mutations neither throw nor take long', async (t) => {
  const seeds = ['rfc4475', 'hostile'].flatMap((folder) =>
    fixtureNames(folder).map((name) => fixture(`${folder}/${name}`)),
  );
  const interesting = [...'\r\n \t";,<>=:/\\%[]()*0aA\0\x7f\xff'].map((character) => character.charCodeAt(0));
  const edit = fc.record({
    at: fc.nat(),
    byte: fc.oneof(fc.constantFrom(...interesting), fc.integer({ min: 0, max: 255 })),
    repeat: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 400 })),
  });
  let parses = 0;
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 4 }), (seed, edits) => {
      let mutated: Buffer = seed;
      for (const { at, byte, repeat } of edits) {
        const place = at % mutated.length;
        mutated = Buffer.concat([mutated.subarray(0, place), Buffer.alloc(repeat, byte), mutated.subarray(place + 1)]);
      }
      const result = parseSip(mutated);
      if (!result.ok) return SIP_REFUSALS.includes(result.refusal);
      parses += 1;
      if (result.value.kind === 'request') {
        const answer = buildResponse(result.value, {
          status: 200,
          reason: 'OK',
          toTag: 't1',
          received: { address: '198.51.100.1', port: 40000 },
        });
        return parseSip(answer).ok;
      }
      return true;
    }),
    { numRuns: 4000 },
  );
  t.ok(parses > 100, `${parses} of them still parsed, and their answers too`);
});

t.test('64 KB made to make patterns backtrack', async (t) => {
  const pieces: Record<string, string> = {
    'words and spaces': 'a ',
    spaces: ' ',
    tabs: '\t',
    quotes: '"',
    'escaped quotes': '\\"',
    'opening brackets': '<',
    'bracket and spaces': '<   ',
    semicolons: ';',
    'half parameters': ';a=',
    parameters: ';a=b',
    'quoted parameters': ';a="',
    commas: ',',
    slashes: 'SIP/2.0/',
    colons: '[::',
    percent: '%25',
    folds: '\r\n ',
    'non-breaking spaces': '\xa0',
    'long name': 'x',
  };
  const slow: string[] = [];
  const tried = (name: string, message: Uint8Array): void => {
    const ms = fastestMs(() => parseSip(message));
    if (ms >= 50) slow.push(`${name}: ${ms.toFixed(0)} ms`);
  };
  for (const [name, piece] of Object.entries(pieces)) {
    const longest = piece.repeat(Math.floor(60_000 / piece.length));
    const within = piece.repeat(Math.floor(8_000 / piece.length));
    tried(`${name}, alone`, bytes(`${longest}\r\n\r\n`));
    tried(`${name}, in the start line`, optionsWith({ start: `OPTIONS sip:${within} SIP/2.0` }));
    for (const size of [within, longest]) {
      tried(`${name}, in Via`, optionsWith({ via: `Via: SIP/2.0/UDP host${size}` }));
      tried(`${name}, in Via's parameters`, optionsWith({ via: `Via: SIP/2.0/UDP host;branch=a${size}x"` }));
      tried(`${name}, in From`, optionsWith({ from: `From: ${size}` }));
      tried(`${name}, after From's address`, optionsWith({ from: `From: <sip:a@b>${size}x` }));
      tried(`${name}, inside From's address`, optionsWith({ from: `From: a <sip:${size}` }));
      tried(`${name}, in CSeq`, optionsWith({ cseq: `CSeq: 1${size}` }));
      tried(`${name}, in a header`, optionsWith({ extra: `X: ${size}x` }));
      tried(`${name}, in a header's name`, optionsWith({ extra: `X${size}` }));
    }
    tried(`${name}, in eight headers`, optionsWith({ extra: Array(7).fill(`X: ${within}x`).join('\r\n') }));
  }
  t.strictSame(slow, []);
});

t.test('Via: what the grammar allows and the library does not', async (t) => {
  const via = (value: string): unknown => {
    const result = parseSip(optionsWith({ via: `Via: ${value}` }));
    return result.ok ? topVia(result.value) : result.refusal;
  };
  t.match(via('SIP/2.0/UDP [2001:db8::1];branch=b'), { host: '2001:db8::1', port: null });
  t.match(via('SIP/2.0/UDP [::1]:5070 ; rport ; branch=b'), { host: '::1', port: 5070, rport: 'present' });
  t.match(via('SIP/2.0/UDP h;received=[2001:db8::2];branch=b'), { received: '2001:db8::2', branch: 'b' });
  t.match(via('sip/2.0/tls h:5061;BRANCH=b;RPort=9'), { transport: 'TLS', port: 5061, branch: 'b', rport: 9 });
  for (const bad of [
    '',
    'SIP/2.0/UDP',
    'SIP/3.0/UDP h',
    'SIP/2.0/UDP h;rport=x',
    'SIP/2.0/UDP h;rport=0',
    'SIP/2.0/UDP h h',
    'SIP/2.0/UDP 2001:db8::1',
    'SIP/2.0/UDP [2001:db8::1',
    'SIP/2.0/UDP h;',
    'SIP/2.0/UDP h;branch=a b',
    ', SIP/2.0/UDP h',
  ]) {
    t.equal(via(bad), 'bad-via', bad);
  }
});

t.test('a request as a phone would send it', async (t) => {
  t.equal(
    text(buildRequest(OPTIONS)),
    [
      'OPTIONS sip:probe@192.0.2.1 SIP/2.0',
      'Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKabc;rport',
      'Max-Forwards: 70',
      'From: <sip:agent@192.0.2.9>;tag=f1',
      'To: <sip:probe@192.0.2.1>',
      'Call-ID: c1@192.0.2.9',
      'CSeq: 7 OPTIONS',
      'Contact: <sip:agent@192.0.2.9:5060>',
      'User-Agent: phone/1',
      'Accept: application/sdp',
      'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, INFO, UPDATE, PRACK',
      'Supported: replaces, timer',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );

  const invite = buildRequest({
    ...OPTIONS,
    method: 'INVITE',
    via: { transport: 'TCP', host: '2001:db8::9', branch: 'z9hG4bKsix' },
    from: { uri: 'sip:a@[2001:db8::9]', tag: 'f2', displayName: 'Jürgen "J" \\' },
    extraHeaders: [
      { name: 'X-Callpath', value: 'tag' },
      { name: 'supported', value: 'path' },
      { name: '__proto__', value: 'sent' },
    ],
    body: { contentType: 'application/sdp', content: Buffer.from('s=Grüße\r\n', 'utf8') },
  });
  const message = request(invite);
  t.match(topVia(message), { transport: 'TCP', host: '2001:db8::9', port: null, rport: 'present' });
  t.equal(header(message, 'content-length'), '11', 'bytes, not characters');
  t.equal(Buffer.from(message.body).toString('utf8'), 's=Grüße\r\n');
  t.equal(
    Buffer.from(header(message, 'from') ?? '', 'latin1').toString('utf8'),
    '"Jürgen \\"J\\" \\\\" <sip:a@[2001:db8::9]>;tag=f2',
  );
  t.equal(header(message, 'x-callpath'), 'tag');
  t.equal(header(message, '__proto__'), 'sent');
  t.strictSame(headers(message, 'supported'), ['path'], 'a given header replaces the default');

  t.equal(sipHost('2001:db8::1'), '[2001:db8::1]');
  t.equal(sipHost('[::1]'), '[::1]');
  t.equal(sipHost('sip.example.net'), 'sip.example.net');
});

t.test('builders refuse what would make another message', async (t) => {
  const bad: Record<string, Partial<RequestToSend>> = {
    'a branch without the cookie': { via: { ...OPTIONS.via, branch: 'abc' } },
    'a line break in a URI': { requestUri: 'sip:a@b\r\nX: y' },
    'a space in a URI': { requestUri: 'sip:a@b SIP/2.0' },
    'a line break in a header': { extraHeaders: [{ name: 'X', value: 'a\r\nVia: b' }] },
    'a colon in a name': { extraHeaders: [{ name: 'X:', value: 'a' }] },
    'a header twice': {
      extraHeaders: [
        { name: 'X', value: 'a' },
        { name: 'x', value: 'b' },
      ],
    },
    'a second Via': { extraHeaders: [{ name: 'v', value: 'SIP/2.0/UDP h' }] },
    'a zone': { via: { ...OPTIONS.via, host: 'fe80::1%eth0' } },
    'port 0': { via: { ...OPTIONS.via, port: 0 } },
    'a broken display name': { from: { uri: 'sip:a@b', tag: 'f', displayName: 'a\nb' } },
    'a tag with parameters': { from: { uri: 'sip:a@b', tag: 'f;x=y' } },
    'CSeq 2^31': { cseq: 2 ** 31 },
  };
  for (const [what, change] of Object.entries(bad)) {
    t.throws(() => buildRequest({ ...OPTIONS, ...change }), RangeError, what);
  }
  const asked = request(buildRequest(OPTIONS));
  t.throws(() => buildResponse(asked, { status: 200, reason: 'a\r\nb', toTag: 't' }), RangeError);
  t.throws(() => buildResponse(asked, { status: 200, reason: 'OK', toTag: null }), RangeError);
  t.throws(() => buildResponse(asked, { status: 99, reason: '', toTag: 't' }), RangeError);
});

t.test('what is built parses to what was meant', async (t) => {
  const token = fc.stringMatching(/^[A-Za-z0-9\-.!%*_+`'~]{1,20}$/);
  const user = fc.stringMatching(/^[A-Za-z0-9\-_.!~*'();:&=+$,?/%]{1,16}$/);
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
  const meant = fc.record({
    method: token,
    branch: token,
    host,
    port: fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined }),
    user,
    tag: token,
    displayName: fc.option(fc.stringMatching(/^[^\p{C}]{0,20}$/u), { nil: undefined }),
    callId: fc.stringMatching(/^[!-~]{1,30}$/),
    cseq: fc.nat(2 ** 31 - 1),
    body: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(meant, (want) => {
      const uri = `sip:${want.user}@${sipHost(want.host)}`;
      const message = request(
        buildRequest({
          method: want.method,
          requestUri: uri,
          via: {
            transport: 'UDP',
            host: want.host,
            branch: `z9hG4bK${want.branch}`,
            ...(want.port === undefined ? {} : { port: want.port }),
          },
          from: { uri, tag: want.tag, ...(want.displayName === undefined ? {} : { displayName: want.displayName }) },
          to: { uri },
          callId: want.callId,
          cseq: want.cseq,
          ...(want.body === undefined ? {} : { body: { contentType: 'x/y', content: want.body } }),
        }),
      );
      t.strictSame(
        {
          method: message.method,
          uri: message.uri,
          host: topVia(message).host,
          port: topVia(message).port,
          branch: topVia(message).branch,
          cseq: cseq(message),
          callId: callId(message),
          tags: [fromTag(message), toTag(message)],
          body: Buffer.from(message.body).toString('hex'),
        },
        {
          method: want.method,
          uri,
          host: want.host,
          port: want.port ?? null,
          branch: `z9hG4bK${want.branch}`,
          cseq: { sequence: want.cseq, method: want.method },
          callId: want.callId,
          tags: [want.tag, null],
          body: Buffer.from(want.body ?? []).toString('hex'),
        },
      );
    }),
    { numRuns: 300 },
  );
});

t.test('a response copies what it must, byte for byte', async (t) => {
  const asked = bytes(
    [
      'OPTIONS sip:probe@192.0.2.1 SIP/2.0',
      'v:  SIP / 2.0/UDP  10.0.0.5:5060 ;  rport;x="a;received=1,2" ; branch=z9hG4bKtop ,\r\n SIP/2.0/UDP 10.0.0.6;received=10.0.0.7',
      'Route: <sip:elsewhere>',
      'VIA: SIP/2.0/TCP [2001:db8::5];branch=z9hG4bKlast',
      'f: "Gr\xc3\xbc\xc3\x9fe"  <sip:a@10.0.0.5>;\r\n\ttag=f1',
      't:<sip:probe@192.0.2.1>  ',
      'i:  c1 ',
      'CSeq: 007   OPTIONS',
      '',
      '',
    ].join('\r\n'),
  );
  const answer = buildResponse(request(asked), {
    status: 200,
    reason: 'OK',
    toTag: 't1',
    received: { address: '203.0.113.7', port: 61234 },
    extraHeaders: [{ name: 'Server', value: 'callpath' }],
  });
  t.equal(
    text(answer),
    [
      'SIP/2.0 200 OK',
      'v:  SIP / 2.0/UDP  10.0.0.5:5060 ;x="a;received=1,2" ; branch=z9hG4bKtop;received=203.0.113.7;rport=61234,\r\n SIP/2.0/UDP 10.0.0.6;received=10.0.0.7',
      'VIA: SIP/2.0/TCP [2001:db8::5];branch=z9hG4bKlast',
      'f: "Gr\xc3\xbc\xc3\x9fe"  <sip:a@10.0.0.5>;\r\n\ttag=f1',
      't:<sip:probe@192.0.2.1>;tag=t1',
      'i:  c1 ',
      'CSeq: 007   OPTIONS',
      'Server: callpath',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );

  const viaOf = (via: string, address: string): string | null => {
    const built = buildResponse(request(optionsWith({ via: `Via: ${via}` })), {
      status: 100,
      reason: 'Trying',
      toTag: null,
      received: { address, port: 9 },
    });
    return header(parsed(built), 'via');
  };
  t.equal(viaOf('SIP/2.0/UDP 192.0.2.9;branch=b', '192.0.2.9'), 'SIP/2.0/UDP 192.0.2.9;branch=b', 'nothing to add');
  t.equal(viaOf('SIP/2.0/UDP h;branch=b', '192.0.2.9'), 'SIP/2.0/UDP h;branch=b;received=192.0.2.9');
  t.equal(
    viaOf('SIP/2.0/UDP h;received=1.2.3.4;RPORT=1;branch=b', 'fe80::1%eth0'),
    'SIP/2.0/UDP h;branch=b;received=fe80::1;rport=9',
    'what the sender claims is replaced',
  );

  const tagged = buildRequest({ ...OPTIONS, to: { uri: 'sip:b@c', tag: 'theirs' } });
  t.equal(toTag(parsed(buildResponse(request(tagged), { status: 481, reason: 'No', toTag: 'ours' }))), 'theirs');

  const withBody = buildResponse(request(asked), {
    status: 200,
    reason: 'OK',
    toTag: 't1',
    body: { contentType: 'text/plain', content: Buffer.from('größer') },
  });
  t.equal(Buffer.from(parsed(withBody).body).toString('utf8'), 'größer');
});

t.test('a response belongs to one request', async (t) => {
  const sent = { branch: 'z9hG4bKabc', method: 'OPTIONS', cseq: 7, callId: 'c1@192.0.2.9', fromTag: 'f1' };
  const asked = request(buildRequest(OPTIONS));
  const answer = response(buildResponse(asked, { status: 200, reason: 'OK', toTag: 't1' }));
  t.ok(matchesTransaction(sent, answer));
  t.ok(matchesTransaction({ ...sent, sentBy: { host: '192.0.2.9', port: 5060 } }, answer));
  for (const other of [
    { branch: 'z9hG4bKABC' },
    { method: 'INVITE' },
    { cseq: 8 },
    { callId: 'c2@192.0.2.9' },
    { fromTag: 'F1' },
    { sentBy: { host: '192.0.2.10', port: 5060 } },
    { sentBy: { host: '192.0.2.9', port: null } },
  ]) {
    t.notOk(matchesTransaction({ ...sent, ...other }, answer), JSON.stringify(other));
  }
  const trying = response(buildResponse(asked, { status: 100, reason: 'Trying', toTag: null }));
  t.strictSame([isProvisional(trying), isFinal(trying)], [true, false]);
  t.strictSame([isProvisional(answer), isFinal(answer)], [false, true]);
});

/** What a stream gave, without the views that differ from feed to feed. */
const summary = (items: readonly SipStreamItem[]): unknown[] =>
  items.map((item) =>
    item.kind === 'message' ? [text(item.bytes), item.message.kind, text(item.message.body)] : item,
  );

const feed = (chunks: readonly Uint8Array[]): unknown[] => {
  const stream = sipStream();
  return summary(
    chunks.flatMap((chunk) => {
      // The framer must not keep what it was given: sockets reuse their buffers.
      const lent = Buffer.from(chunk);
      const items = stream.push(lent);
      lent.fill(0x21);
      return items;
    }),
  );
};

t.test('streams', async (t) => {
  const withBody = buildRequest({
    ...OPTIONS,
    body: { contentType: 'text/plain', content: Buffer.from('first\r\n\r\nOPTIONS sip:b SIP/2.0\r\n\r\n') },
  });
  const plain = buildRequest(OPTIONS);
  const answer = buildResponse(request(plain), { status: 200, reason: 'OK', toTag: 't1' });
  const pipelined = Buffer.concat([withBody, bytes('\r\n\r\n'), plain, bytes('\r\n'), answer, bytes('\r\n\r\n\r\n')]);
  const whole = feed([pipelined]);
  t.strictSame(
    whole.map((item) => (Array.isArray(item) ? item[1] : (item as SipStreamItem).kind)),
    ['request', 'ping', 'request', 'response', 'ping'],
  );

  t.test('byte by byte', async (t) => {
    t.strictSame(feed(Array.from(pipelined, (byte) => Uint8Array.of(byte))), whole);
  });

  t.test('cut at every place', async (t) => {
    for (let cut = 0; cut <= pipelined.length; cut += 1) {
      const halves = feed([pipelined.subarray(0, cut), pipelined.subarray(cut)]);
      if (JSON.stringify(halves) !== JSON.stringify(whole)) t.fail(`cut at ${cut}`);
    }
  });

  t.test('any chunks of any bytes give what the whole gives', async () => {
    const piece = fc.constantFrom(
      ...[withBody, plain, answer, bytes('\r\n'), bytes('\r'), bytes('x'), fixture('rfc4475/wsinv')],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 900 })), (pieces, sizes) => {
        const all = Buffer.concat(pieces);
        const chunks: Buffer[] = [];
        let at = 0;
        for (const size of sizes) {
          chunks.push(all.subarray(at, at + size));
          at += size;
        }
        chunks.push(all.subarray(at));
        return JSON.stringify(feed(chunks)) === JSON.stringify(feed([all]));
      }),
      { numRuns: 300 },
    );
  });

  t.test('refusals end the stream', async (t) => {
    const refusal = (code: SipRefusal): unknown[] => [{ kind: 'refusal', refusal: code }];
    t.strictSame(feed([optionsWith({}), plain]), refusal('missing-content-length'));
    t.strictSame(feed([optionsWith({ extra: 'Content-Length: -1' }), plain]), refusal('bad-content-length'));
    t.strictSame(feed([bytes('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), plain]), refusal('bad-start-line'));
    t.strictSame(feed([optionsWith({ extra: `Content-Length: ${MAX_SIP_BYTES}` })]), refusal('too-long'));
    t.strictSame(feed([Buffer.alloc(MAX_SIP_BYTES - 1, 'a')]), [], 'half a message may still become one');
    t.strictSame(feed([Buffer.alloc(10 * MAX_SIP_BYTES, 'a')]), refusal('too-long'));
  });

  t.test('the greatest message fits, and pendingBytes tells of half ones', async (t) => {
    const head = optionsWith({ extra: 'Content-Length: 00000' }).length;
    const length = MAX_SIP_BYTES - head;
    const greatest = Buffer.concat([optionsWith({ extra: `Content-Length: ${length}` }), Buffer.alloc(length, 'b')]);
    const stream = sipStream();
    t.strictSame(stream.push(greatest.subarray(0, -1)), []);
    t.equal(stream.pendingBytes(), MAX_SIP_BYTES - 1);
    t.equal(stream.push(Buffer.concat([greatest.subarray(-1), greatest, greatest])).length, 3);
    t.equal(stream.pendingBytes(), 0);
  });

  t.test('trickling and flooding cost linear time', async (t) => {
    const trickled = Buffer.alloc(60_000, 'a ');
    const trickle = fastestMs(() => {
      const stream = sipStream();
      for (let at = 0; at < trickled.length; at += 1) stream.push(trickled.subarray(at, at + 1));
    });
    t.ok(trickle < 500, `60,000 single bytes in ${trickle.toFixed(0)} ms`);
    const crlfs = Buffer.alloc(1_000_000, '\r\n');
    const flood = fastestMs(() => sipStream().push(crlfs));
    t.ok(flood < 1000, `500,000 CRLFs in ${flood.toFixed(0)} ms`);
    const messages = Buffer.concat(Array(500).fill(plain));
    const pipeline = fastestMs(() => sipStream().push(messages));
    t.ok(pipeline < 1000, `500 messages in one chunk in ${pipeline.toFixed(0)} ms`);
  });
});

t.test('telling SIP from what else arrives on the port', async (t) => {
  for (const name of ['rfc4475/wsinv', 'rfc4475/noreason', 'rfc4475/longreq', 'hostile/ipv6']) {
    t.ok(looksLikeSip(fixture(name)), name);
  }
  t.ok(looksLikeSip(Buffer.concat([bytes('\r\n\r\n'), buildRequest(OPTIONS)])));
  const others: Record<string, Uint8Array> = {
    nothing: bytes(''),
    'a keep-alive': bytes('\r\n\r\n'),
    HTTP: bytes('GET / HTTP/1.1\r\n\r\n'),
    STUN: Uint8Array.of(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
    'no line end': bytes('OPTIONS sip:a SIP/2.0'),
    'an endless line': bytes(`OPTIONS sip:${'a'.repeat(60_000)} SIP/2.0\r\n`),
  };
  for (const [name, datagram] of Object.entries(others)) t.notOk(looksLikeSip(datagram), name);

  t.ok(isKeepAlive(bytes('\r\n\r\n')), 'ping');
  t.ok(isKeepAlive(bytes('\r\n')), 'pong');
  for (const other of ['', '\r', '\n\n', '\r\n\r', '\r\n\r\n\r\n', 'ab']) t.notOk(isKeepAlive(bytes(other)));
});

t.test('printable', async (t) => {
  t.equal(printable('Asterisk PBX 18.1 — größer', 100), 'Asterisk PBX 18.1 — größer');
  t.equal(printable('a\r\nb\tc\\d', 100), 'a\\r\\nb\\tc\\\\d');
  t.equal(
    printable('\u001b[31m\u202egpj.exe\u2066\u200b\ud800\u{e0041}', 100),
    '\\x1b[31m\\u{202e}gpj.exe\\u{2066}\\u{200b}\\u{d800}\\u{e0041}',
  );
  t.equal(printable('abcdef', 6), 'abcdef');
  t.equal(printable('abcdefg', 6), 'abcde…');
  t.equal(printable('abc\u001bdef', 6), 'abc…', 'an escape is not cut in two');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 40 }), (hostile, maxLength) => {
      const shown = printable(hostile, maxLength);
      return shown.length <= maxLength && !/[\p{C}\p{Zl}\p{Zp}]/u.test(shown);
    }),
  );
  const huge = '\u202e'.repeat(5_000_000);
  t.ok(fastestMs(() => printable(huge, 80)) < 5, 'only what fits is looked at');
});
