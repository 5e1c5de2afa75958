/** The codecs of calls: digest against the RFC's own numbers, descriptions, dialogs, keys, and what hostile peers make of them. */
import fc from 'fast-check';
import t from 'tap';
import {
  encodeTelephoneEvent,
  keyOf,
  pressedKey,
  readRelay,
  readTelephoneEvent,
  relayOf,
} from '../../src/wire/dtmf.js';
import {
  answeredDirection,
  audioOf,
  buildSdp,
  commonFormats,
  DIRECTIONS,
  EVENTS,
  eventsOf,
  hasVoice,
  MAX_SDP_BYTES,
  OUR_FORMATS,
  parseSdp,
  SDP_REFUSALS,
} from '../../src/wire/sdp.js';
import { buildRequest, buildResponse, parseSip, type SipRequest, type SipResponse } from '../../src/wire/sip.js';
import {
  afterRequest,
  afterResponse,
  dialogOfRequest,
  dialogOfResponse,
  isInOrder,
  isWithin,
  nextRequest,
} from '../../src/wire/sip-dialog.js';
import {
  authorize,
  type Challenge,
  challengeText,
  isAuthorized,
  readChallenges,
  readCredentials,
} from '../../src/wire/sip-digest.js';
import {
  fragmentOf,
  readAddress,
  readAddresses,
  readFragmentStatus,
  readReplaces,
  readSeconds,
  readSessionExpires,
  replacesText,
  sessionExpiresText,
} from '../../src/wire/sip-parameters.js';
import { plain, spoiled, timed } from './support/bytes.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const lines = (...all: string[]): Buffer => bytes(`${all.join('\r\n')}\r\n`);

// RFC 7616 §3.9.1, with the errata's quotes; its password has a small "of".
const MUFASA = { username: 'Mufasa', password: 'Circle of Life' };
const CHALLENGES = (['SHA-256', 'MD5'] as const).map(
  (algorithm) =>
    `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, ` +
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
);
const ASKED = {
  method: 'GET',
  uri: '/dir/index.html',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  count: 1,
};

t.test('digest: the numbers of RFC 7616 and of RFC 2617', async (t) => {
  const [sha256, md5] = readChallenges(CHALLENGES.toReversed());
  t.equal(sha256?.algorithm, 'SHA-256', 'the stronger one first, in whatever order they stand (RFC 8760)');
  const responseTo = (challenge: Challenge | undefined): string | undefined =>
    challenge && readCredentials(authorize(challenge, MUFASA, ASKED))?.response;
  t.equal(responseTo(md5), '8ca523f5e9506fed4657c9700eebdbec');
  t.equal(responseTo(sha256), '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1');
  const [old] = readChallenges([
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"',
  ]);
  const given = authorize(
    { ...(old as Challenge) },
    { username: 'Mufasa', password: 'Circle Of Life' },
    { method: 'GET', uri: '/dir/index.html', cnonce: '0a4f113b', count: 1 },
  );
  t.equal(readCredentials(given)?.response, '6629fae49393a05397450978507c4ef1');
});

t.test('digest: a challenge without qop is answered as RFC 2069 wants', async (t) => {
  // RFC 2069 §2.4 with the erratum of its response.
  const [challenge] = readChallenges([
    'digest realm="testrealm@host.com",nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",opaque="5ccc069c403ebaf9f0171e9517f40e41"',
  ]);
  t.match(challenge, { isWithQop: false, algorithm: 'MD5', isStale: false });
  const text = authorize(challenge as Challenge, { username: 'Mufasa', password: 'CircleOfLife' }, ASKED);
  t.equal(readCredentials(text)?.response, '1949323746fe6a43ef61f9606e7febea');
  t.notMatch(text, /cnonce|nc=/);
});

t.test('digest: what cannot be answered is no challenge', async (t) => {
  for (const value of [
    'Basic realm="x"',
    'Digest realm="x"',
    'Digest nonce="x"',
    'Digest realm="x", nonce="y", algorithm=SHA-512-256',
    'Digest realm="x", nonce="y", qop="auth-int"',
    'Digest realm="x, nonce="y"',
    `Digest realm="x", nonce="${'n'.repeat(600)}"`,
    '',
  ])
    t.same(readChallenges([value]), [], value.slice(0, 60));
});

t.test('digest: the right password passes, and nothing else', async (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom('SHA-256' as const, 'MD5' as const),
      fc.boolean(),
      fc.string({ minLength: 1, maxLength: 20 }).filter((text) => /^[ -~]+$/.test(text)),
      fc.string({ minLength: 1, maxLength: 20 }).filter((text) => /^[ -~]+$/.test(text)),
      (algorithm, isWithQop, realm, password) => {
        const own: Challenge = { realm, nonce: 'a"b\\c', algorithm, opaque: null, isWithQop, isStale: false };
        const [challenge] = readChallenges([challengeText(own)]);
        t.same(challenge, own, 'what is written is read');
        const value = authorize(own, { username: 'al"ice', password }, { ...ASKED, method: 'REGISTER', uri: 'sip:x' });
        const read = readCredentials(value);
        if (!read) throw new Error('our own credentials can be read');
        t.ok(isAuthorized(read, password, 'REGISTER'));
        t.notOk(isAuthorized(read, `${password}.`, 'REGISTER'));
        t.notOk(isAuthorized(read, password, 'INVITE'));
        t.notOk(isAuthorized({ ...read, uri: 'sip:y' }, password, 'REGISTER'));
      },
    ),
    { numRuns: 50 },
  );
});

const OFFER = lines(
  'v=0',
  'o=alice 2890844526 2890844526 IN IP4 host.anywhere.com',
  's=',
  'c=IN IP4 host.anywhere.com',
  't=0 0',
  'm=audio 49170 RTP/AVP 0 97',
  'a=rtpmap:97 iLBC/8000',
  'a=rtcp:53020',
  'm=video 51372 RTP/AVP 31 32',
  'a=inactive',
);

t.test('SDP: an offer as RFC 3264 prints it', async (t) => {
  const read = parseSdp(OFFER);
  if (!read.ok) throw new Error(read.refusal);
  t.match(read.value.origin, { sessionId: '2890844526', address: 'host.anywhere.com' });
  const [audio, video] = read.value.media;
  t.match(audio, {
    ...{ kind: 'audio', port: 49170, protocol: 'RTP/AVP', address: 'host.anywhere.com', direction: 'sendrecv' },
    rtcpPort: 53020,
    formats: [
      { payloadType: 0, encoding: 'PCMU/8000' },
      { payloadType: 97, encoding: 'ILBC/8000' },
    ],
  });
  t.match(video, { kind: 'video', direction: 'inactive' });
  t.same(audio && commonFormats(audio).map(({ payloadType }) => payloadType), [0], 'iLBC is not spoken, PCMU is');
});

t.test('SDP: keys in the description, and a stream held for the whole session', async (t) => {
  const read = parseSdp(
    lines(
      'v=0',
      'o=- 1 2 IN IP6 2001:db8::1',
      's=-',
      'a=sendonly',
      't=0 0',
      'm=audio 5004/2 RTP/SAVP 8 101',
      'c=IN IP6 2001:db8::2',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:32',
      'a=rtpmap:101 telephone-event/8000',
      'a=ssrc:4294967295 cname:x',
    ),
  );
  if (!read.ok) throw new Error(read.refusal);
  const audio = audioOf(read.value);
  t.match(audio, { port: 5004, address: '2001:db8::2', direction: 'sendonly', ssrc: 4294967295 });
  t.match(audio?.crypto, [{ tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80' }]);
  t.equal(audio && eventsOf(audio.formats), 101);
  t.ok(audio && hasVoice(commonFormats(audio)));
  t.notOk(hasVoice([EVENTS]), 'events alone carry no voice');
});

t.test('SDP: what is none is refused by its reason', async (t) => {
  const head = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0'];
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['nothing', bytes(''), 'no-version'],
    ['another version', lines('v=1'), 'no-version'],
    ['no origin', lines('v=0', 's=-'), 'bad-origin'],
    ['an origin without an address', lines('v=0', 'o=- 1 1'), 'bad-origin'],
    ['a connection that is none', lines(...head.slice(0, 3), 'c=IN IP4'), 'bad-connection'],
    ['a port beyond all', lines(...head, 'm=audio 70000 RTP/AVP 0'), 'bad-media'],
    ['a format beyond all', lines(...head, 'm=audio 7000 RTP/AVP 200'), 'bad-media'],
    ['no format', lines(...head, 'm=audio 7000 RTP/AVP'), 'bad-media'],
    ['a line without its sign', lines(...head, 'hello'), 'bad-line'],
    [
      'too many streams',
      lines(...head, ...Array.from({ length: 17 }, () => 'm=audio 7000 RTP/AVP 0')),
      'too-many-media',
    ],
    ['too many lines', lines(...head, ...Array.from({ length: 600 }, () => 'a=x')), 'too-many-lines'],
    ['too long', Buffer.alloc(MAX_SDP_BYTES + 1, 0x61), 'too-long'],
  ];
  for (const [name, message, refusal] of cases) {
    const read = parseSdp(message);
    t.equal(read.ok ? null : read.refusal, refusal, name);
  }
});

t.test('SDP: what we write is read as it was meant, and answers turn directions round', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 65_535 }),
      fc.constantFrom(...DIRECTIONS),
      fc.boolean(),
      (port, direction, isSecure) => {
        const keys = { tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80', keys: `inline:${'A'.repeat(40)}` };
        const read = parseSdp(
          buildSdp({
            ...{ address: '192.0.2.1', port, sessionId: 7, version: 8, direction, ssrc: 9, formats: OUR_FORMATS },
            ...(isSecure && { crypto: [keys] }),
            declined: [{ kind: 'video', protocol: 'RTP/AVP', formats: [{ payloadType: 31, encoding: null }] }],
          }),
        );
        if (!read.ok) throw new Error(read.refusal);
        const [audio, video] = read.value.media;
        t.match(audio, { port, direction, ssrc: 9, address: '192.0.2.1', protocol: isSecure ? 'RTP/SAVP' : 'RTP/AVP' });
        t.same(audio?.formats, OUR_FORMATS);
        t.same(audio?.crypto, isSecure ? [keys] : []);
        t.equal(video?.port, 0);
        t.same(read.value.origin, { sessionId: '7', version: '8', address: '192.0.2.1' });
      },
    ),
    { numRuns: 30 },
  );
  t.same(DIRECTIONS.map(answeredDirection), ['sendrecv', 'recvonly', 'sendonly', 'inactive']);
});

const invite = (extra: readonly { name: string; value: string }[] = []): SipRequest => {
  const built = buildRequest({
    method: 'INVITE',
    requestUri: 'sip:bob@biloxi.example.com',
    via: { transport: 'UDP', host: '192.0.2.9', port: 5060, branch: 'z9hG4bKa' },
    from: { uri: 'sip:alice@atlanta.example.com', tag: 'from' },
    to: { uri: 'sip:bob@biloxi.example.com' },
    callId: 'call@192.0.2.9',
    cseq: 314159,
    contact: 'sip:alice@192.0.2.9:5060',
    extraHeaders: extra,
  });
  const read = parseSip(built);
  if (!read.ok || read.value.kind !== 'request') throw new Error('an INVITE');
  return read.value;
};
const okTo = (request: SipRequest, extra: readonly { name: string; value: string }[] = []): SipResponse => {
  const read = parseSip(
    buildResponse(request, {
      ...{ status: 200, reason: 'OK', toTag: 'to' },
      extraHeaders: [{ name: 'Contact', value: '<sip:bob@192.0.2.4:5060>' }, ...extra],
    }),
  );
  if (!read.ok || read.value.kind !== 'response') throw new Error('a 200');
  return read.value;
};

t.test('a dialog: both ends know the same call, each from its side', async (t) => {
  // As RFC 3261 §16.12.1.1: the proxy next to the called side wrote itself in last, hence first in the list.
  const routes = { name: 'Record-Route', value: '<sip:p2.example.com;lr>, <sip:p1.example.com;lr>;x="a,b"' };
  const request = invite([routes]);
  const caller = dialogOfResponse(request, okTo(request, [routes]));
  const called = dialogOfRequest(request, 'to');
  if (!caller || !called) throw new Error('two dialogs');
  t.match(caller, { localTag: 'from', remoteTag: 'to', remoteTarget: 'sip:bob@192.0.2.4:5060', localSequence: 314159 });
  t.match(called, {
    localTag: 'to',
    remoteTag: 'from',
    remoteTarget: 'sip:alice@192.0.2.9:5060',
    remoteSequence: 314159,
  });
  t.same(caller.routeSet, ['<sip:p1.example.com;lr>;x="a,b"', '<sip:p2.example.com;lr>']);
  t.same(called.routeSet, ['<sip:p2.example.com;lr>', '<sip:p1.example.com;lr>;x="a,b"']);

  const bye = nextRequest(caller, 'BYE');
  t.match(bye.fields, { cseq: 314160, requestUri: 'sip:bob@192.0.2.4:5060', from: { tag: 'from' }, to: { tag: 'to' } });
  t.match(bye.fields.routes, [{ name: 'Route', value: '<sip:p1.example.com;lr>;x="a,b", <sip:p2.example.com;lr>' }]);
  t.equal(bye.dialog.localSequence, 314160);
  const ack = nextRequest(caller, 'ACK', 314159);
  t.equal(ack.fields.cseq, 314159, "an ACK has its INVITE's number (RFC 3261 §13.2.2.4)");
  t.equal(ack.dialog.localSequence, 314159);

  const { routes: _, ...fields } = bye.fields;
  const arrived = parseSip(buildRequest({ ...fields, via: { transport: 'UDP', host: 'a', branch: 'z9hG4bKb' } }));
  if (!arrived.ok || arrived.value.kind !== 'request') throw new Error('a BYE');
  t.ok(isWithin(called, arrived.value));
  t.notOk(isWithin({ ...called, localTag: 'other' }, arrived.value));
  t.ok(isInOrder(called, arrived.value));
  t.notOk(isInOrder(afterRequest(called, arrived.value), arrived.value), 'the same number again is late');
});

t.test('a dialog: strict routers, targets that move, and ends that name no way back', async (t) => {
  const request = invite();
  const dialog = dialogOfResponse(request, okTo(request));
  if (!dialog) throw new Error('a dialog');
  const strict = nextRequest({ ...dialog, routeSet: ['<sip:old.example.com>', '<sip:p;lr>'] }, 'BYE').fields;
  t.equal(strict.requestUri, 'sip:old.example.com');
  t.match(strict.routes, [{ value: '<sip:p;lr>, <sip:bob@192.0.2.4:5060>' }]);
  const moved = parseSip(
    buildResponse(request, {
      ...{ status: 200, reason: 'OK', toTag: 'to' },
      extraHeaders: [{ name: 'Contact', value: '<sip:bob@192.0.2.5>' }],
    }),
  );
  if (!moved.ok || moved.value.kind !== 'response') throw new Error('a 200');
  t.equal(afterResponse(dialog, moved.value).remoteTarget, 'sip:bob@192.0.2.5');
  const bare = parseSip(buildResponse(request, { status: 200, reason: 'OK', toTag: 'to' }));
  if (!bare.ok || bare.value.kind !== 'response') throw new Error('a 200');
  t.equal(dialogOfResponse(request, bare.value), null, 'an answer without Contact leads nowhere');
});

t.test('values: addresses, seconds, timers, replaced calls, fragments', async (t) => {
  t.same(plain(readAddress('"A, \\"B\\" <x>" <sip:a@b;lr>;tag=1;q="x;y"')?.uri), 'sip:a@b;lr');
  t.equal(readAddress('"A" <sip:a@b>;tag=1;Q="x;y"')?.params.get('q'), 'x;y');
  t.equal(readAddress('sip:a@b;tag=1')?.params.get('tag'), '1', 'without brackets parameters are the header’s');
  t.equal(readAddress('*'), null);
  t.equal(readAddress('<sip:a@b'), null);
  t.same(
    readAddresses(['<sip:a@b>, "x,y" <sip:c@d>', '<sip:e@f>'])?.map(({ uri }) => uri),
    ['sip:a@b', 'sip:c@d', 'sip:e@f'],
  );
  t.equal(readAddresses([Array.from({ length: 80 }, () => '<sip:a@b>').join(',')]), null, 'more than any way has');
  t.equal(readSeconds(' 3600 ;x'), 3600);
  t.equal(readSeconds('9999999999'), 4294967295);
  t.equal(readSeconds('-1'), null);
  t.same(readSessionExpires('1800;refresher=UAS'), { seconds: 1800, refresher: 'uas' });
  t.same(readSessionExpires('90'), { seconds: 90, refresher: null });
  t.equal(readSessionExpires('90;refresher=me'), null);
  t.equal(readSessionExpires(null), null);
  t.equal(sessionExpiresText({ seconds: 90, refresher: 'uac' }), '90;refresher=uac');
  const replaced = { callId: '98732@sip.example.com', toTag: 'r33th4x0r', fromTag: 'ff87ff' };
  t.same(readReplaces('98732@sip.example.com\r\n ;from-tag=r33th4x0r'), null);
  t.same(readReplaces(replacesText(replaced)), replaced, 'RFC 3891 §6.1');
  t.equal(readFragmentStatus(fragmentOf(180, 'Ringing')), 180);
  t.equal(readFragmentStatus(bytes('SIP/2.0 603 Declined\r\nTo: x\r\n')), 603);
  t.equal(readFragmentStatus(bytes('HTTP/1.1 200 OK')), null);
});

t.test('keys: as events and as INFO', async (t) => {
  // RFC 4733 §2.3: event, E and R bits with six of volume, duration.
  t.same(plain(encodeTelephoneEvent({ event: 9, isEnd: true, volume: 7, duration: 1600 })), '09870640');
  t.same(readTelephoneEvent(bytes('\x09\x87\x06\x40')), {
    ok: true,
    value: { event: 9, isEnd: true, volume: 7, duration: 1600 },
  });
  t.same(readTelephoneEvent(bytes('\x09\x87\x06')), { ok: false, refusal: 'truncated' });
  t.throws(() => encodeTelephoneEvent({ event: 1, isEnd: false, volume: 64, duration: 0 }), RangeError);
  const pressed = pressedKey('#', 4, 160).map((payload) => readTelephoneEvent(payload));
  t.equal(pressed.length, 7);
  t.ok(pressed.every((one) => one.ok && keyOf(one.value.event) === '#'));
  t.same(
    pressed.map((one) => one.ok && one.value.isEnd),
    [false, false, false, false, true, true, true],
  );
  t.throws(() => pressedKey('x', 1, 160), RangeError);
  t.equal(keyOf(16), null);
  t.equal(readRelay(relayOf('5')), '5');
  t.equal(readRelay(bytes('Signal= *\nDuration= 100')), '*');
  t.equal(readRelay(bytes('hello')), null);
});

t.test('whatever comes, nothing throws and nothing takes long', async (t) => {
  const texts = [
    CHALLENGES[0] ?? '',
    '"A, \\"B\\" <x>" <sip:a@b;lr>;tag=1;q="x;y", <sip:c@d>',
    '1800;refresher=uas',
    '98732@sip.example.com;from-tag=r33;to-tag=ff87',
  ];
  const readers = (value: string): void => {
    readChallenges([value]);
    readCredentials(value);
    readAddresses([value]);
    readSessionExpires(value);
    readReplaces(value);
    readSeconds(value);
  };
  for (const one of texts) {
    fc.assert(
      fc.property(spoiled(bytes(one)), (spoilt) => {
        readers(spoilt.toString('latin1'));
      }),
      { numRuns: 400 },
    );
  }
  fc.assert(
    fc.property(spoiled(OFFER), (spoilt) => {
      const read = parseSdp(spoilt);
      if (!read.ok && !SDP_REFUSALS.includes(read.refusal)) throw new Error(read.refusal);
      readRelay(spoilt);
      readFragmentStatus(spoilt);
    }),
    { numRuns: 1000 },
  );
  const LONG = 8192;
  for (const piece of [' ', ',', ';', '"', '\\', '<', '<sip:a@b>,', 'x=1;', 'Digest ', '"a",', '=']) {
    const value = piece.repeat(LONG / piece.length);
    const took = Math.max(
      timed(() => readers(value)),
      timed(() => readers(`Digest ${value}`)),
    );
    t.ok(took < 50, `${JSON.stringify(piece)} repeated took ${took.toFixed(1)} ms`);
  }
  for (const piece of ['a', 'm=audio 1 RTP/AVP 0\n', 'a=rtpmap:1 x\n', ' ', 'c=IN IP4 1.1.1.1\n']) {
    const body = bytes(`v=0\no=- 1 1 IN IP4 192.0.2.1\n${piece.repeat(16_000 / piece.length)}`);
    t.ok(timed(() => parseSdp(body)) < 50, JSON.stringify(piece));
  }
});
