/** The whole of the calls that are rehearsed, against the reflector's own end of them, through firewalls of every kind. */
import { setMaxListeners } from 'node:events';
import t from 'tap';
import { loadProbe } from '../../probes/contract.js';
import type { Check } from '../../src/model/check.js';
import type { Identity } from '../../src/model/far-end.js';
import { study } from '../../src/run/studies/calls.js';
import { isSpared } from '../../src/verdict/spared-call.js';
import { judge } from '../../src/verdict/studies/calls.js';
import { deriveKeys } from '../../src/wire/keys.js';
import { TOKEN } from '../support/pure-reflector.js';
import { ADDRESS, check, THRESHOLDS } from '../verdict/support/facts.js';
import { callNet, type Firewall } from './support/call-net.js';
import { knownPath, NEVER, toolsOf } from './support/context.js';

const SESSION_ID = new Uint8Array(8).fill(7);
const SESSION = { id: SESSION_ID, keys: deriveKeys(TOKEN, SESSION_ID) };
const CLEAN = { trials: 200, answers: 200 };
const UDP = check('sip-options/udp/5060');
const TCP = check('sip-options/tcp/5060');
const TLS = check('sip-options/tls/5061');
const WAYS = [check('udp-echo/udp/4500'), check('udp-echo/tcp/443')];
const MEDIA = Array.from({ length: 8 }, (_, index) => check(`rtp-echo/udp/${20_000 + 2 * index}`));
const SIP = await loadProbe('sip-options');
const CALLS = { info: { calls: true } } as unknown as Identity;

const rehearsed = async (
  firewall: Firewall,
  {
    over = [UDP],
    identity = CALLS,
    idleMs = 5000,
  }: { over?: readonly Check[]; identity?: Identity; idleMs?: number } = {},
) => {
  const net = callNet(firewall);
  const known = toolsOf(net, SESSION, { path: knownPath(200, 0), probe: SIP });
  // A run watches its line all the while; this one is alive.
  const timeline = { ...known.timeline, witnessed: (_: string, sentAtMs: readonly number[]) => sentAtMs.length };
  const tools = { ...known, timeline };
  const farEnd = {
    ...{ address: ADDRESS, passing: [...over, ...MEDIA], observations: [], signalling: [], ways: WAYS, identity },
    ...{ flows: null, connections: null },
  };
  const facts = await net.run(study.ask([farEnd], tools, { deep: false, nat: false, calls: { idleMs } }));
  return judge(facts, CLEAN, THRESHOLDS);
};

/** `step: verdict/reason` of what does not pass, by the call in which it is. */
const failing = ({ calls = [] }: Awaited<ReturnType<typeof rehearsed>>): readonly string[] =>
  calls.flatMap(({ transport, idle, steps }) =>
    steps
      .filter(({ verdict, untested }) => verdict !== 'pass' || untested !== null)
      .map(({ step, verdict, reason, untested }) =>
        [
          `${transport}${idle ? (idle.keepalives ? ' kept' : ' idle') : ''} ${step}`,
          untested ?? `${verdict}/${reason}`,
        ].join(': '),
      ),
  );

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const begins = (bytes: Uint8Array, ...methods: readonly string[]): boolean =>
  methods.some((method) => textOf(bytes).startsWith(`${method} `));
/** A request within a dialog: its To has a tag (RFC 3261 §12.2). */
const isWithin = (bytes: Uint8Array): boolean => /^To:.*;tag=/im.test(textOf(bytes));
const dropping =
  (drops: (bytes: Uint8Array, direction: 'out' | 'in') => boolean): Firewall =>
  (bytes, { direction }) =>
    drops(bytes, direction) ? null : bytes;

t.setTimeout(240_000);
// Eight lines wait for several things each.
setMaxListeners(0, NEVER);

t.test('an open way: every step passes, over UDP, TCP and TLS at once', async (t) => {
  const judged = await rehearsed((bytes) => bytes, { over: [UDP, TCP, TLS] });
  t.same(failing(judged), []);
  t.same(
    judged.checks?.map(({ transport, port, finding }) => `${transport} ${port} ${finding.verdict}`),
    ['udp 5060 pass', 'tcp 5060 pass', 'tls 5061 pass'],
  );
  t.equal(judged.calls?.length, 8);
});

t.test('TCP alone: the same steps', async (t) => {
  const judged = await rehearsed((bytes) => bytes, { over: [TCP] });
  t.same(failing(judged), []);
  t.equal(judged.calls?.length, 6);
});

const OUT = 'blocked/dropped-outbound';
const BACK = 'blocked/dropped-inbound';

t.test('firewalls that drop one thing: that is told, and nothing else', async (t) => {
  const cases: readonly (readonly [string, Firewall, readonly string[]])[] = [
    ['ACK', dropping((bytes, way) => way === 'out' && begins(bytes, 'ACK')), [`udp ack: ${OUT}`]],
    [
      'BYE',
      dropping((bytes) => begins(bytes, 'BYE')),
      [`udp bye: ${OUT}`, `udp remote-bye: ${BACK}`, `udp idle bye: ${OUT}`, `udp kept bye: ${OUT}`],
    ],
    ['CANCEL', dropping((bytes) => begins(bytes, 'CANCEL')), [`udp cancel: ${OUT}`]],
    [
      're-INVITE',
      dropping((bytes) => begins(bytes, 'INVITE') && isWithin(bytes)),
      [`udp hold: ${OUT}`, `udp resume: ${OUT}`, `udp remote-hold: ${BACK}`],
    ],
    ['REFER', dropping((bytes) => begins(bytes, 'REFER')), [`udp transfer: ${OUT}`, `udp attended-transfer: ${OUT}`]],
    [
      'NOTIFY',
      dropping((bytes) => begins(bytes, 'NOTIFY')),
      [`udp transfer: ${BACK}`, `udp attended-transfer: ${BACK}`],
    ],
    ['Replaces', dropping((bytes) => /^Replaces:/im.test(textOf(bytes))), [`udp attended-transfer: ${BACK}`]],
    [
      'requests of a dialog from outside',
      dropping((bytes, way) => way === 'in' && isWithin(bytes) && !begins(bytes, 'SIP/2.0')),
      [
        ...['remote-hold', 'transfer', 'refresh', 'remote-bye', 'attended-transfer'].map(
          (step) => `udp ${step}: ${BACK}`,
        ),
      ],
    ],
  ];
  for (const [name, firewall, expected] of cases) t.same(failing(await rehearsed(firewall)), expected, name);
});

t.test(
  'an inspector in a TCP connection takes out one message: TCP sends it again, and it is told as lost',
  async (t) => {
    const judged = await rehearsed(
      dropping((bytes) => begins(bytes, 'BYE')),
      { over: [TCP] },
    );
    t.same(failing(judged), [
      ...[`tcp bye: ${OUT}`, `tcp remote-bye: ${BACK}`, `tcp idle bye: ${OUT}`, `tcp kept bye: ${OUT}`],
    ]);
  },
);

t.test('calls over TCP that break beside calls over UDP that pass', async (t) => {
  const judged = await rehearsed(
    (bytes, { over }) => (over === 'connection' && begins(bytes, 'INVITE') ? null : bytes),
    { over: [UDP, TCP] },
  );
  t.same(failing(judged).slice(0, 2), [`tcp invite: ${OUT}`, 'tcp ack: no-call']);
  const [udp, tcp] = judged.checks ?? [];
  t.match([udp?.finding, tcp?.finding], [{ verdict: 'pass' }, { verdict: 'blocked', reason: 'dropped-outbound' }]);
  const lines = [udp, tcp].flatMap((one) => one ?? []);
  t.same(
    lines.map((one) => isSpared(one, lines)),
    [false, true],
    'it is shown, and held against no service',
  );
});

t.test('after 30 seconds of a flow nothing of it passes any more', async (t) => {
  const begun = new Map<number, number>();
  const judged = await rehearsed(
    (bytes, { over, localPort, atMs }) => {
      if (over !== 'udp') return bytes;
      if (!begun.has(localPort)) begun.set(localPort, atMs);
      return atMs - (begun.get(localPort) ?? 0) > 30_000 ? null : bytes;
    },
    { idleMs: 35_000 },
  );
  t.same(failing(judged), [
    ...[`udp long: ${OUT}`, `udp remote-bye: ${BACK}`],
    ...[`udp idle inbound-after-idle: ${BACK}`, `udp kept inbound-after-idle: ${BACK}`],
  ]);
});

t.test('the run ends while answers are missing: nothing waits for them', async (t) => {
  const silences = [
    ['REGISTER', 2000],
    ['INVITE', 6000],
    ['BYE', 30_000],
    ['CANCEL', 1500],
  ] as const;
  for (const [method, endsAtMs] of silences) {
    const net = callNet(dropping((bytes) => begins(bytes, method)));
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    net.at(endsAtMs, () => controller.abort(new Error('interrupted')));
    const tools = { ...toolsOf(net, SESSION, { path: knownPath(200, 0), probe: SIP }), signal: controller.signal };
    const farEnd = {
      ...{ address: ADDRESS, passing: [UDP, ...MEDIA], observations: [], signalling: [], ways: WAYS, identity: CALLS },
      ...{ flows: null, connections: null },
    };
    const facts = await net.run(study.ask([farEnd], tools, { deep: false, nat: false, calls: {} }));
    // What was over by then is told, and of what was open nothing is.
    t.ok(facts.length < 6, `${method}: ${facts.length} calls`);
    t.ok(net.now() < endsAtMs + 100, `${method}: ${net.now()} ms`);
  }
});

t.test('a line whose socket cannot be had is untested, and the others are told', async (t) => {
  const whole = callNet((bytes) => bytes);
  let opened = 0;
  const openSharedUdp: typeof whole.openSharedUdp = async (...how) => {
    opened += 1;
    if (opened === 1) throw { code: 'EMFILE', syscall: 'bind' };
    return whole.openSharedUdp(...how);
  };
  const net = { ...whole, openSharedUdp };
  const tools = toolsOf(net, SESSION, { path: knownPath(200, 0), probe: SIP });
  const farEnd = {
    ...{ address: ADDRESS, passing: [UDP, ...MEDIA], observations: [], signalling: [], ways: WAYS, identity: CALLS },
    ...{ flows: null, connections: null },
  };
  const facts = await whole.run(study.ask([farEnd], tools, { deep: false, nat: false, calls: { idleMs: 5000 } }));
  t.equal(facts.length, 6);
  t.match(facts[0]?.steps, [{ step: 'register', untested: 'no-connection' }]);
  t.ok(facts.slice(1).every(({ steps }) => steps.every(({ untested }) => untested === null)));
});

t.test('a far end that takes no calls', async (t) => {
  const judged = await rehearsed((bytes) => bytes, { identity: { info: {} } as unknown as Identity });
  t.same(judged.calls, []);
  t.match(judged.checks, [{ finding: { verdict: 'unknown', reason: 'not-run' } }]);
  t.match(judged.notes, [/operator does not allow them, it is older, or it runs as several processes/]);
});
