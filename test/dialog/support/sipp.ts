/** sipp as the other end of our phones: what it sends and expects, and how it ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

const SIPP = '/usr/bin/sipp';
export const sippMissing: string | false = existsSync(SIPP) ? false : 'needs sipp (Debian: sip-tester)';

const sdp = (direction = 'sendrecv'): string => `Content-Type: application/sdp
Content-Length: [len]

v=0
o=user1 53655765 2353687637 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=${direction}`;

const CONTACT = 'Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>';
const answer = (status: string, more: string, tag = ';tag=[pid]SIPp[call_number]'): string => `<send><![CDATA[
SIP/2.0 ${status}
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:]${tag}
[last_Call-ID:]
[last_CSeq:]
${CONTACT}
${more}
]]></send>`;
const NO_BODY = 'Content-Length: 0\n';

const scenario = (...steps: readonly string[]): string =>
  `<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="callpath">\n${steps.join('\n')}\n</scenario>\n`;
const expects = (request: string, more = ''): string => `<recv request="${request}" crlf="true">${more}</recv>`;

/** Takes a call, a hold, a transfer with its NOTIFY, and is hung up. @param isProxied a proxy stays on the way */
export const takesACall = (isProxied = false): string =>
  scenario(
    expects(
      'INVITE',
      `<action>
  <ereg regexp="sip:[a-z0-9@.:]+" search_in="hdr" header="Contact:" assign_to="target" />
  <ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller" />
  <ereg regexp=".*" search_in="hdr" header="To:" assign_to="called" />${
    isProxied ? '\n  <ereg regexp=".*" search_in="hdr" header="Record-Route:" assign_to="route" />' : ''
  }
</action>`,
    ),
    answer('180 Ringing', NO_BODY),
    answer('200 OK', sdp()),
    expects('ACK'),
    expects('INVITE'),
    answer('200 OK', sdp('recvonly'), ''),
    expects('ACK'),
    expects('REFER'),
    answer('202 Accepted', NO_BODY, ''),
    `<send><![CDATA[
NOTIFY [$target] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From:[$called];tag=[pid]SIPp[call_number]
To:[$caller]
${isProxied ? 'Route:[$route]\n' : ''}Call-ID: [call_id]
CSeq: 1 NOTIFY
${CONTACT}
Max-Forwards: 70
Event: refer
Subscription-State: terminated;reason=noresource
Content-Type: message/sipfrag;version=2.0
Content-Length: [len]

SIP/2.0 200 OK
]]></send>`,
    '<recv response="200"></recv>',
    expects('BYE'),
    answer('200 OK', NO_BODY, ''),
  );

/** Takes a call, and is hung up; with `-rtp_echo` it sends back what it hears. */
export const ECHOES = scenario(
  expects('INVITE'),
  answer('180 Ringing', NO_BODY),
  answer('200 OK', sdp()),
  expects('ACK'),
  expects('BYE'),
  answer('200 OK', NO_BODY, ''),
);

/** Rings, and is called off. */
export const IS_CALLED_OFF = scenario(
  expects('INVITE'),
  answer('180 Ringing', NO_BODY),
  expects('CANCEL'),
  answer('200 OK', NO_BODY),
  // Of the INVITE, whose header fields are no longer the last.
  `<send><![CDATA[
SIP/2.0 487 Request Terminated
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[pid]SIPp[call_number]
[last_Call-ID:]
CSeq: 1 INVITE
Content-Length: 0

]]></send>`,
  expects('ACK'),
);

const request = (
  method: string,
  sequence: number,
  more: string,
  to = '[peer_tag_param]',
): string => `<send retrans="500"><![CDATA[
${method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: sipp <sip:sipp@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>${to}
Call-ID: [call_id]
CSeq: ${sequence} ${method}
${CONTACT}
Max-Forwards: 70
${more}
]]></send>`;
const ack = (sequence: number): string => request('ACK', sequence, NO_BODY).replace(' retrans="500"', '');

/** Calls, holds, and hangs up. */
export const MAKES_A_CALL = scenario(
  request('INVITE', 1, sdp(), ''),
  '<recv response="180"></recv>',
  '<recv response="200"></recv>',
  ack(1),
  request('INVITE', 2, sdp('sendonly')),
  '<recv response="200"></recv>',
  ack(2),
  request('BYE', 3, NO_BODY),
  '<recv response="200"></recv>',
);

interface Sipp {
  /** Its exit code and what it complained of: 0 where all went as its scenario says. */
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string }>;
}

/** Starts it for one call. @param peer whom it calls; left out where it is called */
export const startSipp = async (
  t: Test,
  text: string,
  { port, transport, peer = [] }: { port: number; transport: 'udp' | 'tcp'; peer?: readonly string[] },
): Promise<Sipp> => {
  const folder = await mkdtemp(join(tmpdir(), 'callpath-sipp-'));
  const file = join(folder, 'scenario.xml');
  await writeFile(file, text);
  const child: ChildProcess = spawn(
    SIPP,
    [
      ...['-sf', file, '-m', '1', '-i', '127.0.0.1', '-p', String(port), '-mp', String(port + 100)],
      ...['-t', transport === 'udp' ? 'u1' : 't1', '-nostdin', '-timeout', '20s', '-trace_err'],
      // Its own watchdog complains of a busy host, which is none of the call's.
      ...['-watchdog_interval', '0', ...peer],
    ],
    { cwd: folder, stdio: 'ignore' },
  );
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  t.teardown(async () => {
    child.kill();
    await code;
    await rm(folder, { recursive: true, force: true });
  });
  const errors = async (): Promise<string> => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('_errors.log'));
    return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('\n');
  };
  return { ended: code.then(async (value) => ({ code: value, errors: await errors() })) };
};
