/** A call with an account that the run's end overtakes: nobody's phone is left ringing, and the run ends. */
import t from 'tap';
import type { Account } from '../../src/model/account.js';
import { callWithAccount } from '../../src/run/phases/call-with-account.js';
import { callWith } from '../../src/run/studies/call-account.js';
import { answer as answered, check, observed } from '../verdict/support/facts.js';
import { toolsOf } from './support/context.js';
import { fakeNet, type Outcome } from './support/fake-net.js';
import { stateWith } from './support/state.js';

const SIP = check('sip-options/udp/5060');
const ACCOUNT: Account = {
  ...{ user: 'alice', domain: 'sip.test', password: 'alicepw', callTo: '600', maxCallSeconds: 60 },
};
const SDP = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', 'm=audio 20000 RTP/AVP 0', ''];

const methodOf = (bytes: Uint8Array): string => /^\w+/.exec(Buffer.from(bytes).toString('latin1'))?.[0] ?? '';

/** A server's answer: what it has to copy of the request (RFC 3261 §8.2.6.2), and a tag. */
const answer = (
  request: Uint8Array,
  status: number,
  { of, body = '', more = [] }: { of?: string; body?: string; more?: readonly string[] } = {},
): Outcome => {
  const copied = Buffer.from(request)
    .toString('latin1')
    .split('\r\n')
    .filter((line) => /^(?:via|from|to|call-id|cseq):/i.test(line))
    .map((line) => (/^to:/i.test(line) && !line.includes('tag=') ? `${line};tag=theirs` : line))
    .map((line) => (of && /^cseq:/i.test(line) ? line.replace(/\w+$/, of) : line));
  const head = [
    `SIP/2.0 ${status} Said`,
    ...copied,
    ...more,
    'Contact: <sip:600@192.0.2.1:5060>',
    'Content-Type: application/sdp',
  ];
  const text = [...head, `Content-Length: ${body.length}`, '', body].join('\r\n');
  return { afterMs: 20, bytes: Buffer.from(text, 'latin1') };
};

/** What the server does with each method; it is silent to what is not named. */
type Server = Readonly<Record<string, (request: Uint8Array) => readonly Outcome[]>>;

/** The steps and the requests of a call that a run ends at `endsAtMs`, and when all was over. */
const overtaken = async (server: Server, endsAtMs: number) => {
  const controller = new AbortController();
  const net = fakeNet({
    udp: ({ peer, bytes }) => (peer.port === 5060 ? (server[methodOf(bytes)]?.(bytes) ?? []) : []),
  });
  net.at(endsAtMs, () => controller.abort(new Error('interrupted')));
  const tools = { ...toolsOf(net, { id: new Uint8Array(8), keys: null }), signal: controller.signal };
  const { steps } = await net.run(callWith(ACCOUNT, SIP, tools));
  const asked = net.sent.filter(({ peer }) => peer.port === 5060).map(({ bytes }) => methodOf(bytes));
  const left = { sockets: net.openSockets(), timers: net.timers() };
  return { steps: steps.map(({ step, untested, status }) => [step, untested, status]), asked, atMs: net.now(), left };
};

const ok = (request: Uint8Array): readonly Outcome[] => [answer(request, 200)];
const rings = (request: Uint8Array): readonly Outcome[] => [answer(request, 180)];
const accepts = (request: Uint8Array): readonly Outcome[] => [answer(request, 200, { body: SDP.join('\r\n') })];
const NOTHING = { sockets: 0, timers: 0 };

t.test('while it rings: it is taken back, and the registration ends', async (t) => {
  const CANCEL = (request: Uint8Array) => [answer(request, 200), answer(request, 487, { of: 'INVITE' })];
  const seen = await overtaken({ REGISTER: ok, INVITE: rings, CANCEL }, 5000);
  t.same(seen.asked, ['REGISTER', 'INVITE', 'CANCEL', 'ACK', 'REGISTER']);
  t.same(seen.steps, [
    ['register', null, 200],
    ['invite', 'interrupted', null],
  ]);
  t.ok(seen.atMs < 6000, `${seen.atMs} ms`);
  t.same(seen.left, NOTHING);
});

t.test(
  'while it rings, at a server that then says nothing: four CANCELs, and the end after four seconds',
  async (t) => {
    const seen = await overtaken({ REGISTER: ok, INVITE: rings }, 5000);
    t.same(seen.asked, ['REGISTER', 'INVITE', 'CANCEL', 'CANCEL', 'CANCEL', 'CANCEL']);
    t.equal(seen.atMs, 9000);
    t.same(seen.left, NOTHING);
  },
);

t.test('a challenge that comes after the CANCEL is not answered: it would ring again', async (t) => {
  const more = ['Proxy-Authenticate: Digest realm="sip.test", nonce="abc"'];
  const CANCEL = (request: Uint8Array) => [answer(request, 200), answer(request, 407, { of: 'INVITE', more })];
  const seen = await overtaken({ REGISTER: ok, INVITE: rings, CANCEL }, 5000);
  t.same(seen.asked, ['REGISTER', 'INVITE', 'CANCEL', 'ACK', 'REGISTER']);
});

t.test('before anything came back: no CANCEL may go out, and nothing waits longer than four seconds', async (t) => {
  const seen = await overtaken({ REGISTER: ok }, 1000);
  t.notOk(seen.asked.includes('CANCEL'));
  t.same(seen.steps.at(-1), ['invite', 'interrupted', null]);
  t.equal(seen.atMs, 5000);
  t.same(seen.left, NOTHING);
});

t.test('while it speaks: it hangs up, again if no answer comes, and ends after four seconds', async (t) => {
  const heard = await overtaken({ REGISTER: ok, INVITE: accepts, BYE: ok }, 5000);
  t.same(heard.asked, ['REGISTER', 'INVITE', 'ACK', 'BYE', 'REGISTER']);
  t.same(heard.steps.slice(-2), [
    ['media-inbound', 'interrupted', null],
    ['bye', null, 200],
  ]);
  const silent = await overtaken({ REGISTER: ok, INVITE: accepts }, 5000);
  t.same(silent.asked, ['REGISTER', 'INVITE', 'ACK', 'BYE', 'BYE', 'BYE', 'BYE']);
  t.same(silent.steps.at(-1), ['bye', 'interrupted', null]);
  t.ok(silent.atMs <= 9000, `${silent.atMs} ms`);
  t.same([heard.left, silent.left], [NOTHING, NOTHING]);
});

t.test('while it registers: nobody is called, and silence says nothing', async (t) => {
  const seen = await overtaken({}, 700);
  t.same(seen.steps, [
    ['register', 'interrupted', null],
    ['invite', 'interrupted', null],
  ]);
  t.notOk(seen.asked.includes('INVITE'));
  t.equal(seen.atMs, 4700);
  t.same(seen.left, NOTHING);
});

t.test('a socket that cannot be had, for the messages or for the sound, costs the call and not the run', async (t) => {
  for (const missing of [0, 1]) {
    const refusal = { code: 'EMFILE', syscall: 'bind' };
    const net = fakeNet({ openUdp: (count) => (count === missing ? refusal : null) });
    const tools = toolsOf(net, { id: new Uint8Array(8), keys: null });
    const { steps } = await net.run(callWith(ACCOUNT, SIP, tools));
    t.match(steps, [{ step: 'register', untested: 'no-connection' }]);
    t.equal(steps.length, 1);
    t.equal(net.openSockets(), 0);
  }
});

t.test(
  'over TLS if the server answers there, then over TCP, and over UDP last: the digest is not shown without need',
  async (t) => {
    const overWay = async (...names: readonly string[]) => {
      // No connection opens, and no UDP socket either: only the way that is chosen matters.
      const net = fakeNet({
        connect: () => [{ afterMs: 10, end: { code: 'ECONNREFUSED', syscall: 'connect' } }],
        openUdp: () => ({ code: 'EMFILE', syscall: 'bind' }),
      });
      const state = await stateWith(
        net,
        names.map((name) => observed(check(name), [answered()])),
        { account: ACCOUNT },
      );
      const [call] = await net.run(callWithAccount(state));
      state.close();
      return call?.transport;
    };
    const [udp, tcp, tls] = ['sip-options/udp/5060', 'sip-options/tcp/5060', 'sip-options/tls/5061'] as const;
    t.same([await overWay(udp, tcp, tls), await overWay(udp, tcp), await overWay(udp)], ['tls', 'tcp', 'udp']);
  },
);
