/**
 * Servers with the manners of real ones, for the tests of this folder: each behaviour on an address of its own, all in one
 * process inside the tests' network namespace. Run as `servers.js FOLDER-OF-CERTIFICATES`; prints `ready`.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTls, type SecureVersion } from 'node:tls';
import { ADDRESSES, RESOLVERS, type SipManner, ZONE } from './world.js';

const folder = process.argv[2] ?? '.';

const udp = async (address: string, port: number): Promise<Datagrams> => {
  const socket = createSocket('udp4').bind(port, address);
  await once(socket, 'listening');
  return socket;
};

// ---- SIP

const fieldOf = (request: string, name: string): string =>
  new RegExp(`^${name}\\s*:\\s*(.*?)\\r$`, 'im').exec(request)?.[1] ?? '';

const STATUS: Readonly<Partial<Record<SipManner, string>>> = {
  busy: '503 Service Unavailable',
  stranger: '403 Forbidden',
  digest: '401 Unauthorized',
  'not-allowed': '405 Method Not Allowed',
  trying: '100 Trying',
};

const sipAnswer = (request: string, manner: SipManner, from: { address: string; port: number }): Buffer => {
  const via = fieldOf(request, 'Via');
  const lines = [
    `SIP/2.0 ${STATUS[manner] ?? '200 OK'}`,
    `Via: ${manner === 'no-rport' ? via.replace(';rport', '') : via.replace(/;rport(?![=\w])/, `;rport=${from.port}`)};received=${from.address}`,
    `From: ${fieldOf(request, 'From')}`,
    `To: ${fieldOf(request, 'To')};tag=there`,
    ...(manner === 'no-call-id' ? [] : [`Call-ID: ${fieldOf(request, 'Call-ID')}`]),
    `CSeq: ${fieldOf(request, 'CSeq')}`,
    'Server: field-pbx 1.0',
    ...(manner === 'busy' ? ['Retry-After: 120'] : []),
    ...(manner === 'stranger' ? ['Warning: 399 sbc "From domain is not known here"'] : []),
    ...(manner === 'digest' ? ['WWW-Authenticate: Digest realm="carrier.example", nonce="0123"'] : []),
    ...(manner === 'not-allowed' ? ['Allow: INVITE, ACK, BYE'] : []),
    ...(manner === 'no-colon' ? ['this line has no colon at all'] : []),
    `Content-Length: ${manner === 'long-body' ? 205 : 5}`,
  ];
  const text = `${lines.join('\r\n')}\r\n\r\n`;
  const body = manner === 'huge' ? Buffer.alloc(9_000, 0x20) : Buffer.from('v=0\r\n');
  return Buffer.concat([Buffer.from(manner === 'lf' ? text.replaceAll('\r\n', '\n') : text), body]);
};

const HTTP = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n';

const sipOverUdp = async (address: string, manner: SipManner, port = 5060): Promise<void> => {
  const socket = await udp(address, port);
  const other = manner === 'other-port' ? await udp(address, 5099) : socket;
  const elsewhere = manner === 'other-address' ? await udp(ADDRESSES.second, 5060) : other;
  let lastAnswer = 0;
  const seen = new Set<string>();
  socket.on('message', (bytes, from) => {
    const request = bytes.toString('latin1');
    const reply = (): void => {
      if (manner === 'http') socket.send(HTTP, from.port, from.address);
      else elsewhere.send(sipAnswer(request, manner, from), from.port, from.address);
    };
    if (manner === 'silent') return;
    if (manner === 'once') {
      if (Date.now() - lastAnswer < 60_000) return;
      lastAnswer = Date.now();
    }
    if (manner === 'slow-400' || manner === 'slow-600') {
      // A server transaction absorbs what is repeated before its answer (RFC 3261 §17.2.2).
      const branch = /branch=([^;\s]+)/.exec(request)?.[1] ?? '';
      if (seen.has(branch)) return;
      seen.add(branch);
      setTimeout(reply, manner === 'slow-400' ? 400 : 600);
      return;
    }
    reply();
  });
};

const converse = (socket: Socket, manner: SipManner): void => {
  socket.on('error', () => undefined);
  if (manner === 'close-at-once') {
    socket.destroy();
    return;
  }
  if (manner === 'reset-at-once') {
    socket.resetAndDestroy();
    return;
  }
  let buffered = '';
  socket.on('data', (bytes: Buffer) => {
    buffered += bytes.toString('latin1');
    if (!buffered.includes('\r\n\r\n') || manner === 'silent') return;
    const request = buffered;
    buffered = '';
    if (manner === 'close-after-request') socket.destroy();
    else
      socket.write(sipAnswer(request, manner, { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }));
  });
};

const sipOverTcp = async (address: string, manner: SipManner): Promise<void> => {
  const server = createTcp((socket) => converse(socket, manner)).listen(5060, address);
  await once(server, 'listening');
};

interface TlsManner {
  readonly certificate: string;
  readonly manner?: SipManner;
  readonly wantsCertificate?: boolean;
  readonly versions?: readonly [SecureVersion, SecureVersion];
  readonly onlyName?: string;
}

const sipOverTls = async (
  address: string,
  { certificate, manner = 'ok', wantsCertificate = false, versions, onlyName }: TlsManner,
  port = 5061,
): Promise<void> => {
  const server = createTls(
    {
      cert: readFileSync(join(folder, `${certificate}.pem`)),
      key: readFileSync(join(folder, `${certificate}.key`)),
      requestCert: wantsCertificate,
      rejectUnauthorized: wantsCertificate,
      ...(versions && { minVersion: versions[0], maxVersion: versions[1], ciphers: 'ALL:@SECLEVEL=0' }),
      ...(onlyName !== undefined && {
        SNICallback: (name: string, done: (error: Error | null) => void) =>
          done(name === onlyName ? null : new Error('unrecognized name')),
      }),
    },
    (socket) => converse(socket, manner),
  ).listen(port, address);
  server.on('tlsClientError', () => undefined);
  await once(server, 'listening');
};

// ---- IKE

const IKE_MARKER = Buffer.alloc(4);

/** A message of IKE with one Notify payload. */
const ikeNotify = (request: Buffer, type: number, data: Buffer, exchange = 34): Buffer => {
  const payload = Buffer.concat([Buffer.of(0, 0, 0, 8 + data.length, 0, 0, type >> 8, type & 0xff), data]);
  const header = Buffer.alloc(28);
  request.copy(header, 0, 0, 8);
  header.set([41, 0x20, exchange, 0x20], 16);
  header.writeUInt32BE(28 + payload.length, 24);
  return Buffer.concat([header, payload]);
};

const ikeV1 = (request: Buffer): Buffer => {
  const payload = Buffer.from([0, 0, 0, 12, 0, 0, 0, 1, 1, 0, 0, 14]);
  const header = Buffer.alloc(28);
  request.copy(header, 0, 0, 8);
  header.set([11, 0x10, 5, 0], 16);
  header.writeUInt32BE(1, 20);
  header.writeUInt32BE(28 + payload.length, 24);
  return Buffer.concat([header, payload]);
};

const FIXED_COOKIE = createHash('sha1').update('cookie').digest();

const ikeAnswers: Readonly<Record<string, (request: Buffer) => Buffer>> = {
  'cookie-fresh': (request) => ikeNotify(request, 16390, randomBytes(20)),
  'cookie-same': (request) => ikeNotify(request, 16390, FIXED_COOKIE),
  'ke-31': (request) => ikeNotify(request, 17, Buffer.of(0, 31)),
  'no-proposal': (request) => ikeNotify(request, 14, Buffer.alloc(0)),
  'v1-informational': ikeV1,
  informational: (request) => ikeNotify(request, 5, Buffer.alloc(0), 37),
  'no-marker': (request) => ikeNotify(request, 14, Buffer.alloc(0)),
};

const ike = async (address: string, manner: string): Promise<void> => {
  for (const port of [500, 4500]) {
    const socket = await udp(address, port);
    socket.on('message', (bytes, from) => {
      const answer = ikeAnswers[manner]?.(port === 4500 ? bytes.subarray(4) : bytes);
      if (!answer) return;
      const framed = port === 4500 && manner !== 'no-marker' ? Buffer.concat([IKE_MARKER, answer]) : answer;
      socket.send(framed, from.port, from.address);
    });
  }
};

// ---- STUN: a success without an address

const stunWithoutAddress = async (address: string): Promise<void> => {
  const socket = await udp(address, 3478);
  socket.on('message', (bytes, from) => {
    const answer = Buffer.from(bytes.subarray(0, 20));
    answer.writeUInt16BE(0x0101, 0);
    answer.writeUInt16BE(0, 2);
    socket.send(answer, from.port, from.address);
  });
};

// ---- DNS

const TYPES: Readonly<Record<string, number>> = { A: 1, CNAME: 5, AAAA: 28, SRV: 33, NAPTR: 35 };

const nameBytes = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .replace(/\.$/, '')
      .split('.')
      .filter((label) => label !== '')
      .map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
    Buffer.of(0),
  ]);
const string = (text: string): Buffer => Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);
const words = (...values: readonly string[]): Buffer =>
  Buffer.concat(values.map((value) => Buffer.of(Number(value) >> 8, Number(value) & 0xff)));

const recordData = (type: string, fields: readonly string[]): Buffer => {
  const [a = '', b = '', c = '', d = '', e = '', f = ''] = fields;
  switch (type) {
    case 'A':
      return Buffer.from(a.split('.').map(Number));
    case 'AAAA':
      return Buffer.from(a.replaceAll(':', ''), 'hex');
    case 'CNAME':
      return nameBytes(a);
    case 'SRV':
      return Buffer.concat([words(a, b, c), nameBytes(d)]);
    default:
      return Buffer.concat([words(a, b), string(c), string(d), string(e), nameBytes(f)]);
  }
};

const dns = async (address: string): Promise<void> => {
  const socket = await udp(address, 53);
  socket.on('message', (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.subarray(at + 1, at + 1 + length).toString('latin1'));
      at += length + 1;
    }
    const name = labels.join('.').toLowerCase();
    const code = query.readUInt16BE(at + 1);
    const type = Object.keys(TYPES).find((key) => TYPES[key] === code) ?? '';
    const entries = ZONE[name];
    const records = entries?.[type] ?? [];
    if (records === 'drop') return;
    const rcode = records === 'servfail' ? 2 : records === 'refused' ? 5 : entries ? 0 : 3;
    const list = typeof records === 'string' ? [] : records;
    const isTruncated = entries?.TRUNCATED !== undefined && list.length > 0;
    const answers = (isTruncated ? [] : list).map((record) => {
      const data = recordData(type, record.split(' '));
      const head = Buffer.from([
        0xc0,
        12,
        code >> 8,
        code & 0xff,
        0,
        1,
        0,
        0,
        0,
        60,
        data.length >> 8,
        data.length & 0xff,
      ]);
      return Buffer.concat([head, data]);
    });
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8580 | rcode | (isTruncated ? 0x200 : 0), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    head.writeUInt32BE(0, 8);
    socket.send(Buffer.concat([head, query.subarray(12, at + 5), ...answers]), from.port, from.address);
  });
};

// ---- Who lives where

const { sip, tls } = ADDRESSES;
await dns(RESOLVERS.good);
// A socket that nobody reads: asked, and silent.
await udp(RESOLVERS.silent, 53);
await Promise.all([
  ...Object.entries(sip).map(([manner, address]) => sipOverUdp(address, manner as SipManner)),
  ...(['close-at-once', 'reset-at-once', 'silent', 'busy', 'lf', 'trying'] as const).map((manner) =>
    sipOverTcp(sip[manner], manner),
  ),
  sipOverUdp(sip.ok, 'ok', 5070),
  sipOverTls(tls.good, { certificate: 'domain' }, 5061),
  sipOverTls(tls.expired, { certificate: 'expired' }),
  sipOverTls(tls.soon, { certificate: 'soon' }),
  sipOverTls(tls.wrong, { certificate: 'wrong' }),
  sipOverTls(tls.wildcard, { certificate: 'wildcard' }),
  sipOverTls(tls.selfSigned, { certificate: 'self' }),
  sipOverTls(tls.noIntermediate, { certificate: 'noint' }),
  sipOverTls(tls.wantsCertificate, { certificate: 'domain', wantsCertificate: true }),
  sipOverTls(tls.wantsCertificate12, {
    certificate: 'domain',
    wantsCertificate: true,
    versions: ['TLSv1.2', 'TLSv1.2'],
  }),
  sipOverTls(tls.old, { certificate: 'domain', versions: ['TLSv1', 'TLSv1.1'] }),
  sipOverTls(tls.closesAfterRequest, { certificate: 'domain', manner: 'close-after-request' }),
  sipOverTls(tls.silent, { certificate: 'domain', manner: 'silent' }),
  ...Object.entries(ADDRESSES.ike).map(([manner, address]) => ike(address, manner)),
  stunWithoutAddress(ADDRESSES.stun),
]);
process.stdout.write('ready\n');
