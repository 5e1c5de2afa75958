/**
 * The command line against hostile peers on loopback: nothing that they say may become a `pass`, an exception or a hang.
 * All of them are asked in the same run, as in life.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Report } from '../../src/model/report.js';
import { packageRoot } from '../../src/plan/package-root.js';
import { makeCredentials } from '../../src/reflector/certificate.js';
import { probe } from '../cli/command.js';
import { EVERYWHERE, pureReflector, TOKEN } from '../support/pure-reflector.js';
import { closedPort, forever, HOST, type Peer, tcpPeer, tlsPeer, udpPeer } from './support/hostile-peers.js';
import { profileText, type Row, testFolder } from './support/profile-file.js';

const ELSEWHERE = '127.0.0.2';
const folder = testFolder();
const peers: Peer[] = [];
t.teardown(() => {
  for (const peer of peers) peer.close();
  folder.remove();
});
const kept = async (opening: Promise<Peer>): Promise<Peer> => {
  const peer = await opening;
  peers.push(peer);
  return peer;
};

const tokenFile = folder.file('token', TOKEN.toString());
const foreign = await makeCredentials();

const nowMicros = (): bigint => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
/** Honest answers, to be spoilt; it does not know our token. */
const honest = pureReflector(nowMicros, EVERYWHERE, Buffer.from('a token of somebody else entirely'));
const honestAnswer = (message: Buffer, localPort = 5060): Buffer => {
  const answer = honest.datagram(message, { address: HOST, port: 40_000, localPort });
  return Buffer.from(answer ?? new Uint8Array(0));
};
const replaced = (bytes: Buffer, what: RegExp, into: string): Buffer =>
  Buffer.from(bytes.toString('latin1').replace(what, into), 'latin1');

const torture = readdirSync(join(packageRoot(), 'fixtures/sip/rfc4475')).map((file) =>
  readFileSync(join(packageRoot(), 'fixtures/sip/rfc4475', file)),
);

const stray = await kept(udpPeer(() => undefined, HOST));
/** A socket elsewhere, through which answers with the right id are sent from the wrong place. */
const sendFrom = async (address: string): Promise<(bytes: Buffer, port: number) => void> => {
  let send: (bytes: Buffer, port: number) => void = () => undefined;
  const peer = await kept(
    udpPeer((_message, _from, socket) => {
      send = (bytes, port) => socket.send(bytes, port, HOST);
    }, address),
  );
  // The socket is handed out with its first datagram.
  const { createSocket } = await import('node:dgram');
  const starter = createSocket('udp4');
  starter.send('go', peer.port, address, () => starter.close());
  while (peer.reached() === 0) await new Promise((resolve) => setImmediate(resolve));
  return send;
};
const fromOtherPort = await sendFrom(HOST);
const fromOtherAddress = await sendFrom(ELSEWHERE);

interface Case {
  readonly story: string;
  readonly question: string;
  readonly peer: Peer | { readonly port: number };
  readonly says: string;
}

const closed = { tcp: await closedPort(() => tcpPeer()), udp: await closedPort(() => udpPeer()) };

const THIRD_PARTY: readonly Case[] = [
  {
    story: 'a mute UDP socket',
    question: 'sip-options/udp',
    peer: await kept(udpPeer()),
    says: 'unknown/no-answer',
  },
  { story: 'a closed UDP port', question: 'sip-options/udp', peer: { port: closed.udp }, says: 'unknown/closed' },
  { story: 'a closed TCP port', question: 'tcp-connect/tcp', peer: { port: closed.tcp }, says: 'unknown/closed' },
  {
    story: 'the right id from another port',
    question: 'sip-options/udp',
    peer: await kept(udpPeer((message, from) => fromOtherPort(honestAnswer(message), from.port))),
    says: 'unknown/no-answer',
  },
  {
    story: 'the right id from another address',
    question: 'stun-binding/udp',
    peer: await kept(udpPeer((message, from) => fromOtherAddress(honestAnswer(message), from.port))),
    says: 'unknown/no-answer',
  },
  {
    story: 'our own request come back, over UDP',
    question: 'sip-options/udp',
    peer: await kept(udpPeer((message, from, socket) => socket.send(message, from.port, from.address))),
    says: 'unknown/unreadable',
  },
  {
    story: 'our own request come back, over TCP',
    question: 'sip-options/tcp',
    peer: await kept(tcpPeer((socket) => socket.pipe(socket))),
    says: 'unknown/unreadable',
  },
  {
    story: 'a SIP answer with another branch',
    question: 'sip-options/udp',
    peer: await kept(
      udpPeer((message, from, socket) =>
        socket.send(replaced(honestAnswer(message), /z9hG4bK\w{6}/, 'z9hG4bKwrong0'), from.port, from.address),
      ),
    ),
    says: 'unknown/unreadable',
  },
  {
    story: 'a STUN answer with another transaction id',
    question: 'stun-binding/udp',
    peer: await kept(
      udpPeer((message, from, socket) => {
        const answer = honestAnswer(message);
        answer[19] = (answer[19] ?? 0) ^ 1;
        socket.send(answer, from.port, from.address);
      }),
    ),
    says: 'unknown/unreadable',
  },
  {
    story: 'an IKE answer with another SPI',
    question: 'ike-sa-init/udp',
    peer: await kept(
      udpPeer((message, from, socket) => {
        const answer = honestAnswer(message, 500);
        answer[7] = (answer[7] ?? 0) ^ 1;
        socket.send(answer, from.port, from.address);
      }),
    ),
    says: 'unknown/unreadable',
  },
  {
    story: 'truncated answers of every length',
    question: 'sip-options/udp',
    peer: await kept(
      udpPeer((message, from, socket) => {
        const answer = honestAnswer(message);
        for (let length = 0; length < answer.length; length += 7) {
          socket.send(answer.subarray(0, length), from.port, from.address);
        }
      }),
    ),
    says: 'unknown/unreadable',
  },
  {
    story: 'an answer as long as a datagram can be',
    question: 'sip-options/udp',
    peer: await kept(
      udpPeer((message, from, socket) => {
        const body = Buffer.alloc(64_000, 'x');
        const head = replaced(honestAnswer(message), /Content-Length: 0/i, `Content-Length: ${body.length}`);
        socket.send(Buffer.concat([head, body]), from.port, from.address);
      }),
    ),
    says: 'unknown/unreadable',
  },
  {
    story: 'the torture messages of RFC 4475, all of them',
    question: 'sip-options/udp',
    peer: await kept(
      udpPeer((_message, from, socket) => {
        for (const bytes of torture) socket.send(bytes, from.port, from.address);
      }),
    ),
    says: 'unknown/unreadable',
  },
  {
    story: 'a flood of random bytes',
    question: 'dns/udp',
    peer: await kept(
      udpPeer((message, from, socket) => {
        for (let index = 0; index < 300; index += 1) {
          socket.send(Buffer.alloc(1 + 4 * index, message[index % message.length]), from.port, from.address);
        }
      }),
    ),
    says: 'unknown/unreadable',
  },
  {
    story: 'provisional responses and never a final one',
    question: 'sip-options/udp',
    peer: await kept(
      udpPeer((message, from, socket) =>
        socket.send(replaced(honestAnswer(message), /200 OK/, '100 Trying'), from.port, from.address),
      ),
    ),
    says: 'unknown/unreadable',
  },
  {
    story: 'accepts TCP and says nothing',
    question: 'sip-options/tcp',
    peer: await kept(tcpPeer()),
    says: 'unknown/no-answer',
  },
  {
    story: 'accepts TCP and never answers the TLS handshake',
    question: 'tls-handshake/tls',
    peer: await kept(tcpPeer()),
    says: 'unknown/no-answer',
  },
  {
    story: 'accepts TLS and says nothing',
    question: 'sip-options/tls',
    peer: await kept(tlsPeer(foreign)),
    says: 'unknown/no-answer',
  },
  {
    story: 'answers a TLS handshake with HTTP',
    question: 'tls-handshake/tls',
    peer: await kept(tcpPeer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))),
    says: 'unknown/tls-refused',
  },
  {
    story: 'resets after the first bytes',
    question: 'sip-options/tcp',
    peer: await kept(tcpPeer((socket) => socket.once('data', () => socket.resetAndDestroy()))),
    says: 'unknown/tls-refused',
  },
  {
    story: 'an endless stream instead of SIP',
    question: 'sip-options/tcp',
    peer: await kept(tcpPeer((socket) => socket.once('data', () => forever(socket, Buffer.alloc(8192, 'a'))))),
    says: 'unknown/unreadable',
  },
  {
    story: 'an endless head of HTTP',
    question: 'http/tcp',
    peer: await kept(
      tcpPeer((socket) =>
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\n');
          forever(socket, Buffer.alloc(8192, 'X-More: of the same\r\n'));
        }),
      ),
    ),
    says: 'unknown/unreadable',
  },
  {
    story: 'endless SIP messages that are none of ours',
    question: 'sip-options/tls',
    peer: await kept(
      tlsPeer(foreign, (socket) =>
        socket.once('data', () =>
          forever(
            socket,
            Buffer.from(
              'SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n',
            ),
          ),
        ),
      ),
    ),
    says: 'unknown/unreadable',
  },
  {
    story: 'DNS over TCP that promises more than comes',
    question: 'dns/tcp',
    peer: await kept(
      tcpPeer((socket) => socket.once('data', () => socket.write(Buffer.from('ffff000080000001', 'hex')))),
    ),
    says: 'unknown/no-answer',
  },
  {
    story: 'one octet at a time, without an end',
    question: 'http/tcp',
    peer: await kept(
      tcpPeer((socket) => {
        const timer = setInterval(() => socket.write('H'), 5);
        socket.on('close', () => clearInterval(timer));
      }),
    ),
    says: 'unknown/unreadable',
  },
];

const rowsOf = (cases: readonly Case[]): readonly Row[] =>
  cases.map(({ question, peer }) => ({ question: `${question}/${peer.port}` }));

const judge = (
  t: { equal: (a: unknown, b: unknown, text: string) => unknown },
  report: Report,
  cases: readonly Case[],
) => {
  for (const { story, question, peer, says } of cases) {
    const found = report.checks.find(({ id }) => id === `${question}/${peer.port}`);
    t.equal(found && `${found.verdict}/${found.reason}`, says, story);
  }
};

// They wait for silence most of the time, so they wait together.
t.jobs = 3;

t.test('hostile third parties', { buffered: true }, async (t) => {
  const profile = folder.file('third-party.yaml', profileText('hostile', rowsOf(THIRD_PARTY)));
  const finished = await probe(['--target', HOST, '--profile', profile, '--json']);
  t.equal(finished.stderr, '', 'no exception, no warning');
  const report = JSON.parse(finished.stdout) as Report;
  judge(t, report, THIRD_PARTY);
  t.equal(finished.code, 3, 'nothing could be measured');
  t.notMatch(report.notes.join(' '), /time limit/, `it came to its own end, after ${finished.seconds.toFixed(1)} s`);
  t.ok(
    THIRD_PARTY.every(({ peer }) => !('reached' in peer) || peer.reached() > 0),
    'each of them was really asked',
  );
  t.match(report.target, { role: 'third-party' });
  const evidence = (story: string): unknown => {
    const peer = THIRD_PARTY.find((one) => one.story.startsWith(story))?.peer;
    return report.checks.find(({ port }) => port === peer?.port)?.evidence.refused;
  };
  t.match(evidence('a SIP answer with another branch'), { 'wrong-id': 6 }, 'what came is told');
  t.match(evidence('our own request come back, over UDP'), { 'not-an-answer': 6 });
  t.match(evidence('provisional responses'), { provisional: 6 });
  t.match(evidence('an endless stream'), { oversized: 3 });
  t.ok(stray.reached() === 0, 'and nothing went anywhere else');
});

t.test('hostile peers in the place of a reflector', { buffered: true }, async (t) => {
  const own = await makeCredentials();
  const reflector = pureReflector(nowMicros, { ...EVERYWHERE, certificateSha256: own.sha256 });
  /** The only true one; it says that it listens everywhere, so what answers elsewhere stands in between. */
  const trueOne = await kept(
    udpPeer((message, from, socket) => {
      const answer = reflector.datagram(message, { address: HOST, port: from.port, localPort: trueOne.port });
      if (answer) socket.send(answer, from.port, from.address);
    }),
  );
  /** Its answers to what was sent to another port: somebody redirects. */
  const redirecting = await kept(
    udpPeer((message, from, socket) => {
      const answer = reflector.datagram(message, { address: HOST, port: from.port, localPort: 5999 });
      if (answer) socket.send(answer, from.port, from.address);
    }),
  );
  /** Lets everything through and changes a letter on the way in. */
  const rewriting = await kept(
    udpPeer((message, from, socket) => {
      const changed = replaced(message, /Max-Forwards: 70/i, 'Max-Forwards: 69');
      const answer = reflector.datagram(changed, { address: HOST, port: from.port, localPort: rewriting.port });
      if (answer) socket.send(answer, from.port, from.address);
    }),
  );
  let old: { readonly answer: Uint8Array; readonly to: number } | null = null;
  /** Keeps the first answer, and gives it to every other source port that asks. */
  const replaying = await kept(
    udpPeer((message, from, socket) => {
      const answer = reflector.datagram(message, { address: HOST, port: from.port, localPort: replaying.port });
      if (answer) old ??= { answer, to: from.port };
      if (old && old.to !== from.port) socket.send(old.answer, from.port, from.address);
    }),
  );

  const cases: readonly Case[] = [
    { story: 'the reflector itself', question: 'udp-echo/udp', peer: trueOne, says: 'pass/answered' },
    {
      story: 'a mute socket: nothing of ours arrived at the reflector',
      question: 'sip-options/udp',
      peer: await kept(udpPeer()),
      says: 'blocked/dropped-outbound',
    },
    { story: 'a closed UDP port', question: 'rtp-echo/udp', peer: { port: closed.udp }, says: 'blocked/rejected' },
    { story: 'a closed TCP port', question: 'tcp-connect/tcp', peer: { port: closed.tcp }, says: 'blocked/rejected' },
    {
      story: 'an honest SIP server without our token',
      question: 'sip-options/udp',
      peer: await kept(udpPeer((message, from, socket) => socket.send(honestAnswer(message), from.port, from.address))),
      says: 'altered/answered-by-other',
    },
    {
      story: 'the right proof from another port',
      question: 'rtp-echo/udp',
      peer: await kept(
        udpPeer((message, from) => {
          const answer = reflector.datagram(message, { address: HOST, port: from.port, localPort: 16_384 });
          if (answer) fromOtherPort(Buffer.from(answer), from.port);
        }),
      ),
      says: 'blocked/dropped-inbound',
    },
    {
      story: 'a proof that names another port',
      question: 'rtp-echo/udp',
      peer: redirecting,
      says: 'altered/answered-by-other',
    },
    { story: 'a request that was changed', question: 'sip-options/udp', peer: rewriting, says: 'altered/sip-alg' },
    {
      story: 'an old proof, again and again',
      question: 'rtp-echo/udp',
      peer: replaying,
      says: 'blocked/dropped-inbound',
    },
    {
      story: 'our own RTP come back',
      question: 'rtp-echo/udp',
      peer: await kept(udpPeer((message, from, socket) => socket.send(message, from.port, from.address))),
      says: 'blocked/dropped-outbound',
    },
    {
      story: 'a DNS server that refuses',
      question: 'dns/udp',
      peer: await kept(
        udpPeer((message, from, socket) => socket.send(honestAnswer(message, 53), from.port, from.address)),
      ),
      says: 'altered/dns-intercepted',
    },
    {
      story: 'a captive portal',
      question: 'http/tcp',
      peer: await kept(
        tcpPeer((socket) =>
          socket.once('data', () => socket.end('HTTP/1.1 302 Found\r\nLocation: http://login/\r\n\r\n')),
        ),
      ),
      says: 'altered/http-intercepted',
    },
    {
      story: 'an SSH server',
      question: 'tcp-connect/tcp',
      peer: await kept(tcpPeer((socket) => socket.write('SSH-2.0-OpenSSH_9.2p1\r\n'))),
      says: 'altered/answered-by-other',
    },
    {
      story: 'TLS with a foreign certificate, and silence',
      question: 'tls-handshake/tls',
      peer: await kept(tlsPeer(foreign)),
      says: 'altered/tls-intercepted',
    },
    {
      story: 'TLS with a foreign certificate that hangs up',
      question: 'sip-options/tls',
      peer: await kept(tlsPeer(foreign, (socket) => socket.once('data', () => socket.end()))),
      says: 'altered/tls-intercepted',
    },
    {
      story: 'accepts TCP and says nothing',
      question: 'tcp-connect/tcp',
      peer: await kept(tcpPeer()),
      says: 'blocked/payload-filtered',
    },
  ];
  const profile = folder.file('reflector.yaml', profileText('impostors', rowsOf(cases)));
  const finished = await probe(['--target', HOST, '--profile', profile, '--token-file', tokenFile, '--json']);
  t.equal(finished.stderr, '', 'no exception, no warning');
  const report = JSON.parse(finished.stdout) as Report;
  judge(t, report, cases);
  t.equal(finished.code, 1);
  t.notMatch(report.notes.join(' '), /time limit/, `it came to its own end, after ${finished.seconds.toFixed(1)} s`);
  t.match(report.target, { role: 'reflector' });
});

t.test('a reflector that is not there makes nothing work', { buffered: true }, async (t) => {
  const carrier = await kept(
    udpPeer((message, from, socket) => socket.send(honestAnswer(message), from.port, from.address)),
  );
  const media: Row = { question: 'rtp-echo+rtcp-echo/udp/16384-16403', role: 'media' };
  const profile = folder.file(
    'carrier.yaml',
    profileText('carrier', [{ question: `sip-options/udp/${carrier.port}` }, media]),
  );
  const withReflector = async (signalling: string, ...args: readonly string[]) => {
    const common = ['--target', HOST, '--profile', profile, '--json'];
    const { code, stdout } = await probe([...common, ...args]);
    const { services, checks } = JSON.parse(stdout) as Report;
    t.equal(`${checks[0]?.verdict}/${checks[0]?.reason}`, signalling, 'signalling');
    return `${code} ${services[0]?.verdict}, ${services[0]?.untested.length} untested`;
  };
  const token = ['--token-file', tokenFile] as const;
  t.equal(
    await withReflector('pass/answered'),
    '0 works, 3 untested',
    'a carrier answers no media, and nobody tells whether an ALG is in between: that does not count',
  );
  t.equal(
    await withReflector('pass/answered', ...token, '--reflector', '127.0.0.9'),
    '3 unknown, 0 untested',
    'a reflector was named, and nothing listens there',
  );
  t.equal(
    await withReflector('pass/answered', ...token, '--reflector', 'nowhere.invalid'),
    '3 unknown, 0 untested',
    'a reflector was named, and its name does not resolve',
  );
  t.equal(
    await withReflector('unknown/unproven', ...token),
    '3 unknown, 0 untested',
    'nobody at the target proves to know the token',
  );
});
