/** What real servers, names and certificates say: each behaviour against the command, in its JSON and in its table. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pLimit from 'p-limit';
import t from 'tap';
import type { Report } from '../../src/model/report.js';
import { packageRoot } from '../../src/plan/package-root.js';
import { renderNagios } from '../../src/report/nagios.js';
import { renderPrometheus } from '../../src/report/prometheus.js';
import { renderTable } from '../../src/report/table.js';
import { contradictionsIn } from '../report/contradictions.js';
import { type Namespace, namespaceMissing, startNamespace } from './namespace.js';
import { ADDRESSES, RESOLVERS } from './world.js';

const { sip, tls, ike } = ADDRESSES;

interface Case {
  readonly story: string;
  /** What stands behind `probe --target`. */
  readonly args: readonly string[];
  readonly exit: 0 | 1 | 3;
  /** `verdict/reason` of the check of this id. */
  readonly checks: Readonly<Record<string, string>>;
  /** What the table says, blanks counted as one. */
  readonly says?: readonly RegExp[];
  readonly never?: readonly RegExp[];
  readonly nagios?: 0 | 1 | 2 | 3;
  readonly also?: (report: Report) => readonly [boolean, string][];
}

const UDP = ['--transport', 'udp'];
const TCP = ['--transport', 'tcp'];
const TLS = ['--transport', 'tls'];
const WIFI = ['--profile', 'wifi-calling-3gpp'];
const udp = (says: string, port = 5060) => ({ [`sip-options/udp/${port}`]: says });
const overTls = (says: string) => ({ 'sip-options/tls/5061': says });
const NEVER = [/nothing at all passes/i, /nothing listens there(?!, or)(?!, )/, /mistyped/, /access line/];

const unreadable = (story: string, address: string, says: RegExp): Case => ({
  story,
  args: [address, ...UDP],
  exit: 3,
  checks: udp('unknown/unreadable'),
  says: [/path is open/, says, /a third party/],
});

const CASES: readonly Case[] = [
  // Names: with records, nothing stands in for them.
  {
    story: 'an SRV record whose target does not exist',
    args: ['gone.example', ...UDP],
    exit: 3,
    checks: udp('unknown/dns-failure'),
    says: [/SRV record _sip\._udp\.gone\.example cannot be followed: it names nobody\.gone\.example/],
  },
  {
    story: 'an SRV lookup that fails where NAPTR names it',
    args: ['servfail.example', ...UDP],
    exit: 3,
    checks: udp('unknown/dns-failure'),
    says: [/SRV record _sip\._udp\.servfail\.example could not be looked up: .*SERVFAIL/],
  },
  {
    story: 'an SRV record with port 0',
    args: ['port0.example', ...UDP],
    exit: 3,
    checks: udp('unknown/dns-failure'),
    says: [/cannot be followed: it names port 0 of host\.port0\.example/],
  },
  {
    story: 'an SRV record whose target is an address',
    args: ['literal.example', ...UDP],
    exit: 3,
    checks: udp('unknown/dns-failure'),
    says: [/its target 198\.51\.100\.\d+ is an address and no host name/],
  },
  {
    story: 'a resolver that answers for addresses and swallows SRV',
    args: ['unasked.example', ...UDP],
    exit: 3,
    checks: udp('unknown/dns-failure'),
    says: [/SRV record _sip\._udp\.unasked\.example could not be looked up: no resolver answered in time/],
  },
  {
    story: 'one of two SRV targets does not exist: the other is asked, and it is told',
    args: ['half.example', ...UDP],
    exit: 0,
    checks: udp('pass/answered'),
    says: [/names nobody\.half\.example, which does not exist/],
  },
  {
    story: 'a domain that offers TLS only',
    args: ['tlsonly.example', ...UDP],
    exit: 3,
    checks: udp('unknown/not-run'),
    says: [/this domain offers TLS only/],
  },
  {
    story: 'a domain that offers TLS and WebSocket',
    args: ['websocket.example', ...UDP],
    exit: 3,
    checks: udp('unknown/not-run'),
    says: [/this domain offers TLS and WebSocket only/],
  },
  {
    story: 'search domains apply to SRV as they do to addresses',
    args: ['pbx', ...UDP],
    exit: 0,
    checks: udp('pass/answered', 5070),
  },
  {
    story: 'twelve addresses: eight are asked, four are named',
    args: ['twelve.example', ...UDP],
    exit: 0,
    checks: { [`sip-options/udp/5060#${sip.ok}`]: 'pass/answered' },
    says: [/twelve\.example has 12 addresses: 8 are asked, .* left out/],
    also: ({ resolution }) => [[resolution?.leftOut.length === 4, 'four are left out']],
  },
  {
    story: 'a public name that leads to this host itself',
    args: ['inside.example', ...UDP],
    exit: 3,
    checks: udp('unknown/closed'),
    says: [/inside\.example resolves here to 127\.0\.0\.1, which is this host itself/],
  },
  {
    story: 'a name that does not exist may be mistyped',
    args: ['nowhere.example', ...UDP],
    exit: 3,
    checks: udp('unknown/dns-failure'),
    says: [/NXDOMAIN\)\. It is mistyped, or/],
  },
  // Resolvers.
  {
    story: 'AAAA is never answered',
    args: ['no-aaaa.example', ...UDP],
    exit: 0,
    checks: udp('pass/answered'),
  },
  {
    story: 'AAAA of an SRV target is never answered',
    args: ['no-aaaa-srv.example', ...UDP],
    exit: 0,
    checks: udp('pass/answered'),
  },
  {
    story: 'an answer that is too long for UDP, and no TCP',
    args: ['truncated.example', ...UDP],
    exit: 3,
    checks: udp('unknown/dns-failure'),
    says: [/too long for UDP, and the resolver does not give it over TCP/],
  },
  // Answers that cannot be read.
  unreadable('line ends are LF alone', sip.lf, /lines end in LF alone/),
  unreadable('a line without a colon', sip['no-colon'], /a line of its header has no colon/),
  unreadable('a Content-Length that is too large', sip['long-body'], /Content-Length promises more octets/),
  unreadable('a required header is missing', sip['no-call-id'], /one of Via, From, To, Call-ID and CSeq is missing/),
  unreadable('an answer that is too long', sip.huge, /it has \d+ octets/),
  unreadable('another protocol answers', sip.http, /it is HTTP/),
  {
    story: 'LF line ends over TCP',
    args: [sip.lf, ...TCP],
    exit: 3,
    checks: { 'sip-options/tcp/5060': 'unknown/unreadable' },
    says: [/LF alone/],
  },
  ...(
    [
      ['v1-informational', /Informational message of IKEv1 \(NO-PROPOSAL-CHOSEN\)/],
      ['informational', /INFORMATIONAL message \(INVALID_MAJOR_VERSION\)/],
    ] as const
  ).map(
    ([manner, says]): Case => ({
      story: `IKE: ${manner}`,
      args: [ike[manner], ...WIFI],
      exit: 3,
      checks: { 'ike-sa-init/udp/500': 'unknown/unreadable', 'ike-sa-init/udp/4500': 'unknown/unreadable' },
      says: [says],
    }),
  ),
  {
    story: 'IKE on 4500 without the non-ESP marker',
    args: [ike['no-marker'], ...WIFI],
    exit: 3,
    checks: { 'ike-sa-init/udp/500': 'pass/answered', 'ike-sa-init/udp/4500': 'unknown/unreadable' },
    says: [/non-ESP marker in front of it is missing/],
  },
  {
    story: 'STUN: a success without an address',
    args: [ADDRESSES.stun, ...UDP],
    exit: 3,
    checks: { 'stun-binding/udp/3478': 'unknown/unreadable', ...udp('unknown/closed') },
    says: [/a success without an address/],
  },
  // Refusals in the protocol, and by the network.
  {
    story: 'a client certificate is wanted (TLS 1.3)',
    args: [tls.wantsCertificate, ...TLS],
    exit: 3,
    checks: overTls('unknown/tls-refused'),
    says: [/the far end listens there: it wants a client certificate/, /a third party/],
  },
  {
    story: 'a client certificate is wanted (TLS 1.2)',
    args: [tls.wantsCertificate12, ...TLS],
    exit: 3,
    checks: overTls('unknown/tls-refused'),
    says: [/it wants a client certificate/],
  },
  {
    story: 'TLS 1.1 at most',
    args: [tls.old, ...TLS],
    exit: 3,
    checks: overTls('unknown/tls-refused'),
    says: [/it offers no TLS 1\.2 or later/],
  },
  {
    story: 'closed after the request',
    args: [tls.closesAfterRequest, ...TLS],
    exit: 3,
    checks: overTls('unknown/tls-refused'),
    says: [/completes the TLS handshake and closes after the request/],
  },
  {
    story: 'TCP accepted and closed at once',
    args: [sip['close-at-once'], ...TCP],
    exit: 3,
    checks: { 'sip-options/tcp/5060': 'unknown/tls-refused' },
    says: [/it accepts the connection and (closes it without an answer|resets it)/],
  },
  {
    story: 'TCP accepted and reset at once',
    args: [sip['reset-at-once'], ...TCP],
    exit: 3,
    checks: { 'sip-options/tcp/5060': 'unknown/tls-refused' },
    says: [/the far end listens there: it accepts the connection and resets it/],
  },
  {
    story: 'refused by the network',
    args: [ADDRESSES.nobody, ...UDP, ...TCP],
    exit: 3,
    checks: { ...udp('unknown/closed'), 'sip-options/tcp/5060': 'unknown/closed' },
    says: [/refused, by the target or by a firewall in front of it/, /no answer/],
    never: [/path is open/],
  },
  {
    story: 'TLS opens, and OPTIONS is not answered',
    args: [tls.silent, ...TLS],
    exit: 3,
    checks: overTls('unknown/no-answer'),
    says: [
      /TLS opens \(certificate of carrier\.example, issued by Test CA\), OPTIONS is not answered/,
      /a third party/,
    ],
  },
  {
    story: 'TCP opens, and OPTIONS is not answered',
    args: [sip.silent, ...TCP],
    exit: 3,
    checks: { 'sip-options/tcp/5060': 'unknown/no-answer' },
    says: [/TCP opens, OPTIONS is not answered/],
  },
  // A third party's missing answers are no loss.
  {
    story: 'one OPTIONS is answered, and no more',
    args: [sip.once, ...UDP],
    exit: 0,
    checks: udp('pass/answered'),
  },
  ...(['slow-400', 'slow-600'] as const).map(
    (manner): Case => ({
      story: `a slow server: ${manner} ms`,
      args: [sip[manner], ...UDP],
      exit: 0,
      checks: udp('pass/answered'),
    }),
  ),
  ...(['cookie-fresh', 'cookie-same', 'ke-31'] as const).map(
    (manner): Case => ({
      story: `IKE is never satisfied: ${manner}`,
      args: [ike[manner], ...WIFI],
      exit: 0,
      checks: { 'ike-sa-init/udp/500': 'pass/answered', 'ike-sa-init/udp/4500': 'pass/answered' },
      says: [/every time, so the exchange never completes/],
    }),
  ),
  {
    story: 'IKE refuses the proposal: an answer',
    args: [ike['no-proposal'], ...WIFI],
    exit: 0,
    checks: { 'ike-sa-init/udp/500': 'pass/answered' },
    says: [/NO_PROPOSAL_CHOSEN/],
  },
  // What the server says.
  {
    story: '503 on every port is not a plain YES',
    args: [sip.busy, ...UDP, ...TCP],
    exit: 0,
    checks: { ...udp('pass/answered'), 'sip-options/tcp/5060': 'pass/answered' },
    says: [
      /WORKS WITH PROBLEMS/,
      /path is open; the server answers 503 Service Unavailable \(Retry-After 120\)/,
      /field-pbx 1\.0/,
    ],
    nagios: 1,
    also: ({ said = [] }) => [[said.some(({ isTrouble, checks }) => isTrouble && checks.length === 2), 'one line']],
  },
  {
    story: '403 with a Warning',
    args: [sip.stranger, ...UDP],
    exit: 0,
    checks: udp('pass/answered'),
    says: [/403 Forbidden \(Warning 399 sbc "From domain is not known here"\)/, /--from user@domain/],
  },
  {
    story: '401: authentication is wanted',
    args: [sip.digest, ...UDP, '--from', 'alice@carrier.example'],
    exit: 0,
    checks: udp('pass/answered'),
    says: [/wants authentication: Digest carrier\.example/],
  },
  {
    story: '405 with Allow',
    args: [sip['not-allowed'], ...UDP],
    exit: 0,
    checks: udp('pass/answered'),
    says: [/Allow: INVITE, ACK, BYE/],
  },
  {
    story: 'only 100 Trying: the path is open',
    args: [sip.trying, ...UDP],
    exit: 3,
    checks: udp('unknown/unreadable'),
    says: [/it is 100 Trying, and nothing final follows/],
  },
  {
    story: 'no rport: it answers to the port in the Via',
    args: [sip['no-rport'], ...UDP],
    exit: 0,
    checks: udp('pass/answered'),
    says: [/leaves out rport/],
  },
  ...(['other-port', 'other-address'] as const).map(
    (manner): Case => ({
      story: `the answer comes from elsewhere: ${manner}`,
      args: [sip[manner], ...UDP],
      exit: 3,
      checks: udp('unknown/no-answer'),
      says: [/the answer comes from 198\.51\.100\.\d+ port \d+, not from the address and port asked/],
    }),
  ),
  // Certificates: SNI and identity are the domain.
  {
    story: 'a certificate of the domain, and not of the host that SRV names',
    args: ['carrier.example', ...TLS],
    exit: 0,
    checks: { [`sip-options/tls/5061#${tls.good}`]: 'pass/answered' },
    says: [/carrier\.example, issued by Test CA, valid until/],
    also: ({ certificates = [] }) => [[certificates[0]?.problems.length === 0, 'it has no problem']],
    nagios: 0,
  },
  ...(
    [
      ['expired', tls.expired, 'expired', /expired on \d{4}-\d\d-\d\d/, /WORKS WITH PROBLEMS/],
      ['soon', tls.soon, 'expires-soon', /expires on \d{4}-\d\d-\d\d/, /YES, AS FAR/],
      ['wrong', tls.wrong, 'wrong-name', /names DNS:other\.example, and not wrong\.example/, /WORKS WITH PROBLEMS/],
      ['wildcard', tls.wildcard, 'wildcard', /by a wildcard \(DNS:\*\.example\)/, /YES, AS FAR/],
      ['self', tls.selfSigned, 'self-signed', /is self-signed/, /YES, AS FAR/],
      ['noint', tls.noIntermediate, 'issuer-unknown', /issued by Nobody Knows CA, which is not trusted/, /YES, AS FAR/],
    ] as const
  ).map(
    ([name, address, id, says, answer]): Case => ({
      story: `a certificate: ${id}`,
      args: [`${name}.example`, ...TLS],
      exit: 0,
      checks: { [`sip-options/tls/5061#${address}`]: 'pass/answered' },
      says: [says, answer],
      nagios: 1,
      also: (report) => [
        [report.certificates?.[0]?.problems.some((one) => one.id === id) === true, `JSON says ${id}`],
        [renderPrometheus(report).includes('callpath_tls_certificate_expiry_timestamp_seconds{'), 'a metric'],
      ],
    }),
  ),
  // Targets as people write them.
  ...[`${sip.ok}:5070`, `sip:${sip.ok}:5070`, `sip:alice@${sip.ok}:5070;transport=udp`].map(
    (target): Case => ({
      story: `the target ${target}`,
      args: [target, ...(target.includes('transport') ? [] : UDP)],
      exit: 0,
      checks: { ...udp('pass/answered', 5070), 'stun-binding/udp/3478': 'unknown/closed' },
    }),
  ),
  {
    story: '--port takes the place of the SRV records as well',
    args: ['gone.example', ...UDP, '--port', '5070'],
    exit: 0,
    checks: udp('pass/answered', 5070),
  },
  {
    story: 'a sips URI asks over TLS',
    args: ['sips:carrier.example'],
    exit: 0,
    checks: { [`sip-options/tls/5061#${tls.good}`]: 'pass/answered' },
  },
];

const PROBE = join(packageRoot(), 'dist', 'src', 'cli', 'probe.js');
/** Most of the time they wait for what does not come. */
const AT_ONCE = 8;

const run = async (space: Namespace, args: readonly string[]): Promise<{ code: number; report: Report }> => {
  const command = ['netns', 'exec', space.name, process.execPath, PROBE, '--target', ...args, '-o', 'json'];
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(space.folder, 'ca.pem') };
  const told = await promisify(execFile)('ip', command, { env, maxBuffer: 1 << 24 }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string }) => error,
  );
  return { code: told.code, report: JSON.parse(told.stdout) as Report };
};

// Silence is waited for, and there is much of it.
t.setTimeout(900_000);

t.test('servers, names and certificates as they are', { skip: namespaceMissing }, async (t) => {
  t.setTimeout(900_000);
  const space = await startNamespace();
  t.teardown(space.stop);
  const judge = async (one: Case): Promise<void> => {
    const { code, report } = await run(space, one.args);
    const text = renderTable(report, { color: false });
    const flat = text.replace(/\s+/g, ' ');
    const comment = `${one.story}\n${text}`;
    t.equal(code, one.exit, `${one.story}: exit code`, { comment });
    for (const [id, says] of Object.entries(one.checks)) {
      const check = report.checks.find((candidate) => candidate.id === id || candidate.id.startsWith(`${id}#`));
      t.equal(check && `${check.verdict}/${check.reason}`, says, `${one.story}: ${id}`, { comment });
    }
    for (const says of one.says ?? []) t.match(flat, says, `${one.story}: says ${says}`);
    for (const never of [...NEVER, ...(one.never ?? [])].filter(
      (pattern) => !one.says?.some((s) => /mistyped/.test(s.source) && /mistyped/.test(pattern.source)),
    )) {
      t.notMatch(flat, never, `${one.story}: never says ${never}`);
    }
    for (const [isSo, what] of one.also?.(report) ?? []) t.ok(isSo, `${one.story}: ${what}`, { comment });
    if (one.nagios !== undefined) t.equal(renderNagios(report).exitCode, one.nagios, `${one.story}: Nagios`);
    t.strictSame(contradictionsIn(report, text), [], `${one.story}: no contradiction`);
  };
  const limit = pLimit(AT_ONCE);
  await Promise.all(CASES.map((one) => limit(() => judge(one))));

  await space.resolvers(RESOLVERS.silent, RESOLVERS.good);
  const second = await run(space, ['carrier.example', ...TLS]);
  t.equal(second.code, 0, 'the second resolver is asked where the first is silent');
  t.match(second.report.notes.join(' '), /The resolver 198\.18\.0\.54 does not answer; another one does/);

  await space.resolvers(RESOLVERS.silent);
  const none = await run(space, ['carrier.example', ...TLS]);
  t.equal(none.code, 3);
  const said = renderTable(none.report, { color: false }).replace(/\s+/g, ' ');
  t.match(said, /no resolver answered in time: 198\.18\.0\.54 stayed silent/, 'and the silent one is named');
  t.notMatch(said, /mistyped/, 'only a name that does not exist may be mistyped');
});
