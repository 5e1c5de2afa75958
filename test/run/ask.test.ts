/** Asking in a network that misbehaves on purpose: what is sent when, what counts as an answer, and that it ends. */
import t from 'tap';
import { loadProbe, type Probe, type Session } from '../../probes/contract.js';
import type { Check } from '../../src/model/check.js';
import type { Attempt, Observation } from '../../src/model/observation.js';
import type { RunInput, RunOutput } from '../../src/model/run.js';
import { plan, questionsOf } from '../../src/plan/plan.js';
import { loadProfile } from '../../src/plan/profiles.js';
import { askCheck, notAsked } from '../../src/run/ask/ask.js';
import { createPath, type Path } from '../../src/run/path.js';
import { run } from '../../src/run/run.js';
import type { Tools } from '../../src/run/tools.js';
import type { StudyFacts } from '../../src/verdict/studies/registry.js';
import { deriveKeys } from '../../src/wire/keys.js';
import { parseSip } from '../../src/wire/sip.js';
import { readTag } from '../../src/wire/tag.js';
import { pureReflector, TOKEN } from '../support/pure-reflector.js';
import { ADDRESS, check } from '../verdict/support/facts.js';
import { knownPath, NEVER, toolsOf } from './support/context.js';
import { type FakeNet, fakeNet, type Happening, LOCAL_ADDRESS, type Outcome, type Script } from './support/fake-net.js';
import { destination, input } from './support/profiles.js';

const SESSION_ID = Buffer.from('0123456789abcdef', 'hex');
const STRANGER: Session = { id: SESSION_ID, keys: null };
const AGENT: Session = { id: SESSION_ID, keys: deriveKeys(TOKEN, SESSION_ID) };
const RTT_MS = 20;

interface Asked {
  readonly net: FakeNet;
  readonly observation: Observation;
  readonly tools: Tools;
  readonly path: Path;
}

const ask = async (
  name: string,
  script: Script,
  options: {
    readonly session?: Session;
    readonly path?: Path;
    readonly samples?: number;
    readonly doubt?: number;
    readonly atMost?: number;
    readonly check?: Partial<Check>;
    readonly probe?: Probe;
  } = {},
): Promise<Asked> => {
  const net = fakeNet(script);
  const of = check(name, { natT: name.endsWith('/4500'), ...options.check });
  const probe = options.probe ?? (await loadProbe(of.probe));
  const path = options.path ?? createPath();
  const tools = toolsOf(net, options.session ?? STRANGER, { path });
  const { samples = 1, doubt = 1e-3, atMost } = options;
  const limits = { samples, doubt, ...(atMost !== undefined && { atMost }) };
  const observation = await net.run(askCheck(of, probe, limits, tools));
  return { net, observation, tools, path };
};

const atTimes = (net: FakeNet): readonly number[] => net.sent.map(({ atMs }) => Math.round(atMs));
const flows = (net: FakeNet): readonly number[] => net.sent.map(({ localPort }) => localPort - 40_000);
/** Which of the packets carry the same bytes, in order of appearance: 0 0 0 1 1 … */
const sameBytes = (net: FakeNet): readonly number[] => {
  const seen: string[] = [];
  return net.sent.map(({ bytes }) => {
    const text = Buffer.from(bytes).toString('latin1');
    if (!seen.includes(text)) seen.push(text);
    return seen.indexOf(text);
  });
};
const outcomes = ({ attempts }: Observation): readonly string[] => attempts.map(({ outcome }) => outcome);
const rtts = ({ attempts }: Observation): readonly (number | null)[] =>
  attempts.flatMap((attempt) => (attempt.outcome === 'answer' ? [attempt.rttMs] : []));
const sum = (of: Observation, count: (attempt: Attempt) => number): number =>
  of.attempts.reduce((total, attempt) => total + count(attempt), 0);
const packets = (of: Observation): number => sum(of, (attempt) => attempt.packets);
const answers = (of: Observation): number => sum(of, (attempt) => (attempt.outcome === 'answer' ? attempt.answers : 0));

/** Answers what the reflector would answer, after `delayMs(index)`; null loses the packet. */
const reflected = (
  delayMs: (index: number) => number | null | readonly number[] = () => RTT_MS,
): Pick<Script, 'udp'> => {
  const reflector = pureReflector();
  return {
    udp: ({ bytes, localPort, peer, index }) => {
      const delays = [delayMs(index)].flat().flatMap((delay) => delay ?? []);
      const answer = reflector.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return answer ? delays.map((afterMs): Outcome => ({ afterMs, bytes: answer })) : [];
    },
  };
};

const clean = (t: { equal(a: unknown, b: unknown, text: string): unknown }, net: FakeNet): void => {
  t.equal(net.openSockets(), 0, 'no socket stays open');
  t.equal(net.timers(), 0, 'no timer stays behind');
};

const SIP = 'sip-options/udp/5060';
const RTP = 'rtp-echo/udp/16384';
const TRANSACTIONAL = [SIP, 'stun-binding/udp/3478', 'ike-sa-init/udp/500', 'ike-sa-init/udp/4500'] as const;

t.test('a check that answers is asked as often as samples are wanted', async (t) => {
  const { net, observation, path, tools } = await ask(SIP, reflected(), { samples: 3 });
  t.strictSame(atTimes(net), [0, 100, 200], 'each after the answer to the last, and a pause of 80 ms');
  t.strictSame(sameBytes(net), [0, 1, 2], 'a fresh request each');
  t.strictSame(flows(net), [0, 0, 0]);
  t.strictSame(rtts(observation), [RTT_MS, RTT_MS, RTT_MS]);
  t.strictSame(path.sample(), { trials: 3, answers: 3 });
  t.match(tools.totals, { packetsSent: 3, packetsReceived: 3 });
  t.equal(
    tools.totals.bytesSent,
    net.sent.reduce((total, { bytes }) => total + bytes.length, 0),
  );
  clean(t, net);
});

t.test('protocols with transactions send the same bytes again until one is answered', async (t) => {
  for (const name of TRANSACTIONAL) {
    const { net, observation } = await ask(
      name,
      reflected((index) => (index < 2 ? null : RTT_MS)),
      { samples: 2 },
    );
    t.strictSame(atTimes(net).slice(0, 4), [0, 500, 1000, 1100], `${name}: T1 of RFC 3261, then after the answer`);
    t.strictSame(
      sameBytes(net),
      [0, 0, 1, 2],
      `${name}: twice the same, a fresh one from elsewhere and after the answer`,
    );
    t.strictSame(flows(net), [0, 0, 1, 1], `${name}: only silence is asked from elsewhere`);
    t.strictSame(rtts(observation), [RTT_MS, RTT_MS], name);
    t.strictSame(
      observation.attempts.map((attempt) => attempt.packets),
      [2, 1, 1],
    );
    t.equal(answers(observation), 2, `${name}: two of four were answered`);
    clean(t, net);
  }
  const branches = (
    await ask(
      SIP,
      reflected((index) => (index < 1 ? null : RTT_MS)),
      { samples: 2 },
    )
  ).net.sent.map(({ bytes }) => {
    const parsed = parseSip(bytes);
    return parsed.ok ? parsed.value.essentials.via.branch : null;
  });
  t.equal(branches[0], branches[1], 'the same branch');
  t.not(branches[1], branches[2], 'and another one for the next request');
});

t.test('protocols without transactions send a new question each time', async (t) => {
  const { net, observation } = await ask(
    RTP,
    reflected((index) => (index < 2 ? null : RTT_MS)),
    { session: AGENT, samples: 2 },
  );
  t.strictSame(sameBytes(net), [0, 1, 2, 3]);
  t.strictSame(outcomes(observation), ['silence', 'silence', 'answer', 'answer']);
  t.strictSame(rtts(observation), [RTT_MS, RTT_MS], 'each answer has its own question, so its own round trip');
  t.strictSame(observation.sequences, [1, 2, 3, 4]);
});

t.test('silence is asked from source port after source port, with a fresh request each', async (t) => {
  for (const name of [SIP, RTP]) {
    const { net, observation } = await ask(name, {}, { session: AGENT, path: knownPath(12, 0) });
    // 12 answered of 12 bound the loss to 0.22: five silent packets leave a doubt of 5e-4.
    t.strictSame(flows(net), [0, 0, 1, 2, 3], name);
    t.strictSame(sameBytes(net), name === SIP ? [0, 0, 1, 2, 3] : [0, 1, 2, 3, 4], name);
    t.strictSame(atTimes(net), [0, 500, 1000, 1750, 2750], `${name}: spread in time`);
    t.equal(packets(observation), 5);
    clean(t, net);
  }
});

t.test('silence is asked until loss cannot explain it', async (t) => {
  const silentPackets = async (path: Path, doubt?: number): Promise<number> => {
    const { net, observation } = await ask(RTP, {}, { session: AGENT, path, ...(doubt !== undefined && { doubt }) });
    clean(t, net);
    t.strictSame(outcomes(observation), Array(net.sent.length).fill('silence'));
    return net.sent.length;
  };
  t.equal(await silentPackets(createPath()), 6, 'nothing is known: a dead target costs six packets');
  t.equal(await silentPackets(knownPath(1000, 0)), 4, 'a clean path: four, for the sake of bursts');
  t.equal(await silentPackets(knownPath(20, 0)), 4, '0.139^4 < 1e-3');
  t.equal(await silentPackets(knownPath(20, 0), 1e-4), 5, 'a port of a range has to be surer');
  t.equal(await silentPackets(knownPath(12, 1)), 7, '0.34^7 < 1e-3');
  t.equal(await silentPackets(knownPath(20, 8)), 14, '0.61^14 < 1e-3');
  t.equal(
    await silentPackets(knownPath(10, 8)),
    6,
    'so lossy that nothing could be proven: not more than if nothing were known',
  );
  const { net } = await ask(RTP, {}, { session: AGENT, atMost: 2 });
  t.equal(net.sent.length, 2, 'the caller may give up sooner');
});

t.test('an answer that comes late is not lost', async (t) => {
  const rtp = await ask(
    RTP,
    reflected(() => 700),
    { session: AGENT, samples: 2 },
  );
  t.strictSame(atTimes(rtp.net).slice(0, 2), [0, 500], 'asked again before the answer came');
  t.strictSame(rtts(rtp.observation).slice(0, 2), [700, 700], 'and each answer has its true round trip');
  t.equal(answers(rtp.observation), packets(rtp.observation), 'nothing was lost');
  t.strictSame(rtp.observation.refused, {}, 'a late answer is no stray');

  const sip = await ask(
    SIP,
    reflected(() => 700),
    { samples: 1 },
  );
  t.strictSame(sameBytes(sip.net), [0, 0]);
  t.strictSame(rtts(sip.observation), [null]);
  t.equal(answers(sip.observation), 2, 'both sendings were answered, the second within the time that late ones get');

  const path = createPath();
  path.open('198.51.100.10', 'udp')(100, 100);
  for (let count = 0; count < 100; count += 1) path.reportRtt(5, 'udp');
  const slowPort = await ask(
    SIP,
    reflected(() => 1900),
    { session: AGENT, samples: 3, path },
  );
  t.equal(answers(slowPort.observation), packets(slowPort.observation), 'one slow port beside quick ones has its time');

  const last = await ask(
    RTP,
    reflected((index) => (index === 5 ? 950 : null)),
    { session: AGENT },
  );
  t.equal(last.net.sent.length, 6);
  t.equal(answers(last.observation), 1, 'even the answer to the last packet');

  const oldFlow = await ask(
    RTP,
    reflected((index) => (index === 0 ? 1900 : null)),
    { session: AGENT },
  );
  t.equal(oldFlow.net.sent.length, 4);
  t.strictSame(flows(oldFlow.net), [0, 0, 1, 2]);
  t.strictSame(rtts(oldFlow.observation), [1900], 'to a source port that was given up in the meantime');
  clean(t, oldFlow.net);
});

t.test('duplicates and reordering', async (t) => {
  const twice = await ask(
    RTP,
    reflected(() => [RTT_MS, RTT_MS + 1, RTT_MS + 2]),
    { session: AGENT, samples: 3 },
  );
  t.equal(twice.net.sent.length, 3);
  t.equal(answers(twice.observation), 3, 'a duplicate answers nothing that was lost');
  t.strictSame(twice.path.sample(), { trials: 3, answers: 3 });

  const shuffled = await ask(
    RTP,
    reflected((index) => [1200, 650, 20][index] ?? 20),
    { session: AGENT, samples: 3 },
  );
  t.strictSame(
    shuffled.observation.attempts.map((attempt) => (attempt.outcome === 'answer' ? attempt.rttMs : attempt.outcome)),
    [1200, 650, 20, 20],
    'each answer finds its own question',
  );
  t.strictSame(shuffled.observation.refused, {});
});

t.test('what is no answer is counted and changes nothing', async (t) => {
  const reflector = pureReflector();
  const hostile = (make: (answer: Uint8Array, request: Uint8Array) => readonly Uint8Array[]): Script => ({
    udp: ({ bytes, localPort, peer }) => {
      const answer = reflector.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return answer ? make(answer, bytes).map((one) => ({ afterMs: RTT_MS, bytes: one })) : [];
    },
  });
  const wrongId = (answer: Uint8Array): Uint8Array =>
    Buffer.from(
      Buffer.from(answer)
        .toString('latin1')
        .replace(/branch=z9hG4bK\w{4}/, 'branch=z9hG4bKdead'),
      'latin1',
    );

  const wrong = await ask(
    SIP,
    hostile((answer) => [wrongId(answer)]),
  );
  t.ok(outcomes(wrong.observation).every((outcome) => outcome === 'silence'));
  t.strictSame(wrong.observation.refused, { 'wrong-id': 6 }, 'once for each that came');
  t.equal(wrong.net.sent.length, 6, 'and does not end the asking');

  const random = await ask(
    SIP,
    hostile(() => [Buffer.from('ffeeddccbbaa99887766', 'hex'), Buffer.alloc(0)]),
  );
  t.strictSame(random.observation.refused, { malformed: 12 });

  const echoed = await ask(
    RTP,
    hostile((_answer, request) => [request]),
    { session: AGENT },
  );
  t.strictSame(echoed.observation.refused, { 'bad-proof': 6 }, 'our own packet come back');
  t.ok(outcomes(echoed.observation).every((outcome) => outcome === 'silence'));

  const flood = await ask(
    SIP,
    hostile((answer) => [...Array(500).fill(wrongId(answer)), answer]),
  );
  t.strictSame(rtts(flood.observation), [RTT_MS], 'the true answer is found in a flood');
  t.strictSame(flood.observation.refused, { 'wrong-id': 500 });

  const provisional = Buffer.from('SIP/2.0 100 Trying');
  const trying = (answer: Uint8Array): Uint8Array =>
    Buffer.from(
      Buffer.from(answer)
        .toString('latin1')
        .replace(/^SIP\/2.0 200 OK/, provisional.toString()),
      'latin1',
    );
  const ringing = await ask(
    SIP,
    hostile((answer) => [trying(answer)]),
  );
  t.strictSame(ringing.observation.refused, { provisional: 6 }, 'a provisional response is not final');
  t.match(ringing.observation.unreadable, { 'it is 100 Trying, and nothing final follows': 6 }, 'and it is told');
});

t.test('ICMP errors', async (t) => {
  const refusedBy = (code: string, syscall = 'recvmsg'): Script => ({
    udp: () => [{ afterMs: 1, error: { code, syscall } }],
  });
  const closed = await ask(SIP, refusedBy('ECONNREFUSED'));
  t.strictSame(atTimes(closed.net), [0, 500, 1000], 'seen three times before it is believed, and not in a burst');
  t.match(
    closed.observation.attempts,
    Array(3).fill({ outcome: 'error', failure: 'refused', code: 'ECONNREFUSED', packets: 1 }),
  );
  clean(t, closed.net);
  const prohibited = await ask(RTP, refusedBy('EHOSTUNREACH'), { session: AGENT });
  t.strictSame(
    prohibited.observation.attempts.map((attempt) => (attempt.outcome === 'error' ? attempt.failure : attempt.outcome)),
    ['host-unreachable', 'host-unreachable', 'host-unreachable'],
  );

  let pending = true;
  const reflector = reflected();
  const once = await ask(
    RTP,
    {
      udp: (packet) => {
        if (!pending) return reflector.udp?.(packet) ?? [];
        pending = false;
        return { code: 'ECONNREFUSED', syscall: 'send' };
      },
    },
    { session: AGENT },
  );
  t.equal(once.net.sent.length, 2, 'a pending error takes the place of a sending, which is made up for');
  t.strictSame(rtts(once.observation), [RTT_MS], 'and what was sent then is answered');

  const denied = await ask(SIP, { udp: () => ({ code: 'EPERM', syscall: 'send' }) });
  t.match(denied.observation.attempts, [{ outcome: 'error', failure: 'local-denied', code: 'EPERM' }]);
  clean(t, denied.net);
});

t.test('a socket that cannot be opened', async (t) => {
  const none = await ask(SIP, { openUdp: () => ({ code: 'EADDRNOTAVAIL', syscall: 'bind' }) });
  t.match(none.observation.attempts, [{ outcome: 'error', failure: 'address-unavailable', packets: 0 }]);
  clean(t, none.net);
  const second = await ask(SIP, { openUdp: (count) => (count === 0 ? null : { code: 'EMFILE', syscall: 'socket' }) });
  t.match(second.observation.attempts, [
    { outcome: 'silence', packets: 2 },
    { outcome: 'error', failure: 'exhausted' },
  ]);
  clean(t, second.net);
  const unresolved = await ask(SIP, {}, { check: { address: null, family: null } });
  t.strictSame(unresolved.observation, notAsked(unresolved.observation.check, 'dns-failure'));
  t.equal(unresolved.net.sent.length, 0);
});

t.test('over a connection', async (t) => {
  const open = (afterMs: number): Happening => ({ afterMs, open: { binding: null, tls: null } });
  const conversing = (delayMs: number, cut: (bytes: Uint8Array) => readonly Uint8Array[] = (one) => [one]): Script => {
    const reflector = pureReflector();
    return {
      connect: () => [open(30)],
      written: (bytes, peer, local) => {
        const from = reflector.arrival({ ...local, localPort: peer.port });
        const { send } = reflector.conversation().push(bytes, from);
        return send
          .flatMap(({ bytes: one }) => cut(one))
          .map((one, index): Happening => ({ afterMs: delayMs + index, bytes: one }));
      },
    };
  };
  const sip = await ask('sip-options/tcp/5060', conversing(50), { samples: 3 });
  t.strictSame(rtts(sip.observation), [50, 50, 50], 'SIP: the exchange, not the opening');
  t.equal(sip.net.connections.length, 3, 'a connection each');
  clean(t, sip.net);

  const tcp = await ask('tcp-connect/tcp/5223', { connect: () => [open(30)] });
  t.strictSame(rtts(tcp.observation), [30], 'of a third party the open connection is the answer');
  clean(t, tcp.net);
  const proven = await ask('tcp-connect/tcp/5223', conversing(50), { session: AGENT });
  t.match(
    proven.observation.attempts,
    [{ outcome: 'answer', authentic: true, rttMs: 30 }],
    'a reflector proves itself',
  );

  const crumbs = (bytes: Uint8Array): readonly Uint8Array[] => Array.from(bytes, (octet) => Uint8Array.of(octet));
  const trickle = await ask('sip-options/tcp/5060', conversing(5, crumbs));
  t.strictSame(outcomes(trickle.observation), ['answer'], 'an answer in single bytes');
  t.equal(answers(trickle.observation), 1);

  const silent = await ask('sip-options/tcp/5060', { connect: () => [open(30)] });
  t.ok(
    silent.observation.attempts.every((attempt) => attempt.outcome === 'silence' && attempt.opened !== null),
    'accepts and says nothing',
  );
  t.equal(silent.net.connections.length, 6);
  t.ok(silent.net.now() < 8000, `ends after ${silent.net.now()} ms`);
  clean(t, silent.net);

  const dropped = await ask('sip-options/tcp/5060', {});
  t.ok(
    dropped.observation.attempts.every((attempt) => attempt.outcome === 'silence' && attempt.opened === null),
    'SYN lost',
  );
  clean(t, dropped.net);

  const failing = async (name: string, ...happenings: readonly Happening[]): Promise<readonly string[]> => {
    const { net, observation } = await ask(name, { connect: () => happenings });
    clean(t, net);
    t.equal(net.connections.length, 3, 'three errors are believed');
    return observation.attempts.map((attempt) => (attempt.outcome === 'error' ? attempt.failure : attempt.outcome));
  };
  const thrice = (name: string): readonly string[] => [name, name, name];
  const reset = { code: 'ECONNRESET', syscall: 'read' };
  t.strictSame(
    await failing('tcp-connect/tcp/5223', { afterMs: 1, end: { code: 'ECONNREFUSED', syscall: 'connect' } }),
    thrice('refused'),
  );
  t.strictSame(await failing('sip-options/tcp/5060', open(1), { afterMs: 2, end: reset }), thrice('reset'));
  t.strictSame(await failing('sip-options/tcp/5060', open(1), { afterMs: 2, end: null }), thrice('closed-early'));
  t.strictSame(await failing('sip-options/tls/5061', { afterMs: 1, end: reset, tcpOpen: true }), thrice('tls-failed'));
  t.strictSame(
    await failing('sip-options/tls/5061', { afterMs: 1, end: { code: 'ECONNREFUSED', syscall: 'connect' } }),
    thrice('refused'),
  );
  const endless: readonly Happening[] = Array.from({ length: 80 }, (_, index) => ({
    afterMs: 2 + index,
    bytes: Buffer.alloc(1024, 'x'),
  }));
  t.strictSame(await failing('http/tcp/80', open(1), ...endless), thrice('closed-early'), 'more than any answer is');
});

t.test('abort ends it at once, wherever it is, and leaves nothing behind', async (t) => {
  const abortedAt = async (name: string, ms: number, script: Script): Promise<Asked & { readonly endedMs: number }> => {
    const net = fakeNet(script);
    const controller = new AbortController();
    net.at(ms, () => controller.abort(new Error('interrupted')));
    const of = check(name);
    const path = createPath();
    const tools: Tools = { ...toolsOf(net, AGENT, { path }), signal: controller.signal };
    const observation = await net.run(askCheck(of, await loadProbe(of.probe), { samples: 3, doubt: 1e-3 }, tools));
    clean(t, net);
    return { net, observation, tools, path, endedMs: net.now() };
  };
  for (const [name, script] of [
    [SIP, {}],
    ['sip-options/tcp/5060', {}],
    ['sip-options/tcp/5060', { connect: () => [{ afterMs: 1, open: { binding: null, tls: null } }] }],
  ] as const) {
    for (const ms of [0, 250, 500, 1700, 5000]) {
      const { observation, endedMs } = await abortedAt(name, ms, script);
      t.equal(endedMs, ms, `${name} at ${ms} ms`);
      t.equal(observation.notRun, 'interrupted', 'silence that was cut short means nothing');
    }
  }
  const answered = await abortedAt(SIP, 150, reflected());
  t.equal(answered.observation.notRun, null, 'what was answered by then is known');
  t.equal(answered.observation.attempts[0]?.outcome, 'answer');

  const before = new AbortController();
  before.abort(new Error('interrupted'));
  const net = fakeNet();
  const of = check(SIP);
  const probe = await loadProbe(of.probe);
  const never = await net.run(
    askCheck(of, probe, { samples: 1, doubt: 1e-3 }, { ...toolsOf(net, STRANGER), signal: before.signal }),
  );
  t.equal(never.notRun, 'interrupted');
  t.equal(net.sent.length, 0, 'nothing is sent after the end');
});

t.test('pauses are longer by chance, so that no rhythm of losses keeps step with them', async (t) => {
  const times = async (jitter: number): Promise<readonly number[]> => {
    const net = fakeNet({ jitter });
    const probe = await loadProbe('stun-binding');
    const options = { samples: 1, doubt: 1e-3 };
    const tools = toolsOf(net, AGENT, { path: knownPath(60, 0) });
    await net.run(askCheck(check('stun-binding/udp/3478'), probe, options, tools));
    return net.sent.map(({ atMs }) => Math.round(atMs));
  };
  t.same((await times(0)).slice(0, 4), [0, 500, 1000, 1750]);
  t.same((await times(128)).slice(0, 4), [0, 563, 1125, 1969]);
});

// Whole runs.

const runInput = async (
  fields: Partial<RunInput> & {
    readonly profiles?: readonly string[];
    readonly rtpRange?: readonly [number, number];
  } = {},
): Promise<RunInput> => {
  const { profiles: names = ['business-sip'], rtpRange = null, ...rest } = fields;
  const profiles = await Promise.all(names.map(loadProfile));
  const planned = plan(input({ profiles, target: destination([ADDRESS]), random: () => 0.5, rtpRange }));
  return {
    questions: questionsOf(planned),
    ranges: planned.ranges,
    token: TOKEN,
    reflectorAddresses: null,
    sessionId: SESSION_ID,
    maxPps: 200,
    timeoutMs: 600_000,
    source: null,
    ...rest,
  };
};

const runWith = async (input: RunInput, net: FakeNet, signal: AbortSignal = NEVER): Promise<RunOutput<StudyFacts>> =>
  net.run(run(input, signal, () => undefined, net));

t.test('a run against nothing ends within eight seconds, with every check asked', async (t) => {
  for (const profiles of [['business-sip'], ['business-sip', 'wifi-calling-t-mobile', 'facetime']]) {
    const net = fakeNet({ maxPps: 200 });
    const input = await runInput({ profiles });
    const output = await runWith(input, net);
    t.ok(
      net.now() < 8000,
      `${profiles.join(', ')}: ${input.questions.length} questions in ${Math.round(net.now())} ms`,
    );
    t.equal(output.observations.length, input.questions.length);
    t.ok(output.observations.every(({ notRun, attempts }) => notRun === null && attempts.length > 0));
    t.strictSame(output.loss, { trials: 0, answers: 0 });
    t.equal(output.cutShort, null, 'it came to its own end');
    clean(t, net);
    const busiest = net.sent.filter(({ atMs }) => atMs < 1000).length;
    t.ok(busiest <= 201, `never more than 200 packets a second: ${busiest}`);
  }
});

/** The whole reflector in the fake net; `fate` says what becomes of each datagram. */
const world = (
  fate: (port: number) => 'passes' | 'dropped-outbound' | 'dropped-inbound' = () => 'passes',
  restarts: (bytes: Uint8Array) => boolean = () => false,
  isDead: () => boolean = () => false,
): FakeNet => {
  let clock: () => bigint = () => 0n;
  let reflector = pureReflector(() => clock());
  const net = fakeNet({
    maxPps: 2000,
    udp: ({ bytes, peer, localPort }) => {
      if (isDead()) return [{ afterMs: RTT_MS, error: { code: 'ECONNREFUSED', syscall: 'recvmsg' } }];
      if (restarts(bytes)) reflector = pureReflector(() => clock());
      const fated = fate(peer.port);
      if (fated === 'dropped-outbound') return [];
      const from = { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port };
      const answer = reflector.datagram(bytes, from);
      return answer && fated === 'passes' ? [{ afterMs: RTT_MS, bytes: answer }] : [];
    },
    connect: (_peer, secure) => [
      isDead()
        ? { afterMs: RTT_MS, end: { code: 'ECONNREFUSED', syscall: 'connect' } }
        : { afterMs: RTT_MS, open: { binding: secure ? SESSION_ID : null, tls: secure ? {} : null } },
    ],
    written: (bytes, peer, local) => {
      const binding = peer.port === 5061 || peer.port === 443 ? SESSION_ID : null;
      const from = reflector.arrival({ ...local, localPort: peer.port, binding });
      const { send } = reflector.conversation().push(bytes, from);
      return send.map(({ bytes: one }): Happening => ({ afterMs: RTT_MS, bytes: one }));
    },
  });
  clock = net.nowMicros;
  return net;
};

t.test('a run against a reflector', async (t) => {
  const net = world();
  const input = await runInput({ rtpRange: [16_384, 16_483] });
  const output = await runWith(input, net);
  const wrong = output.observations.filter(({ attempts }) =>
    attempts.some(
      (attempt) => attempt.outcome !== 'answer' || attempt.authentic !== true || !attempt.attestation?.intact,
    ),
  );
  t.strictSame(
    wrong.map(({ check: { id } }) => id),
    [],
    'everything is proven',
  );
  t.ok(
    output.observations.every((one) => one.seen === packets(one)),
    'the far end says of every request that it arrived',
  );
  const [farEnd] = output.farEnds;
  t.equal(farEnd?.address, ADDRESS);
  t.equal(farEnd?.identity?.info.version, '0.0.0-test');
  t.equal(output.loss.trials, output.loss.answers);
  t.match(output.observations[0]?.attempts[0], {
    rttMs: RTT_MS,
    // This reflector gets its packets at once and only the way back takes time; half of the round trip is assumed.
    attestation: { seenAddress: LOCAL_ADDRESS, arrivalPort: 5060, clockSkewMs: -RTT_MS / 2 },
  });
  clean(t, net);
});

t.test('a reflector that ends during the run, and one that does not', async (t) => {
  const input = await runInput({ rtpRange: [16_384, 16_483] });
  const goneIn = async (net: FakeNet): Promise<boolean> => {
    const output = await runWith(input, net);
    t.ok(output.farEnds[0]?.identity, 'it has told who it is');
    clean(t, net);
    return output.farEnds[0]?.isGone ?? false;
  };
  const dying: FakeNet = world(undefined, undefined, () => dying.now() > 100);
  t.equal(await goneIn(dying), true);
  t.equal(
    await goneIn(world((port) => (port >= 16_384 ? 'dropped-outbound' : 'passes'))),
    false,
    'blocked ports alone',
  );
  t.equal(await goneIn(world()), false);
});

t.test('a run tells in which direction packets are lost, and which bytes pass', async (t) => {
  const net = world((port) => (port === 5060 ? 'dropped-outbound' : port === 3478 ? 'dropped-inbound' : 'passes'));
  const output = await runWith(await runInput({ rtpRange: [16_384, 16_483] }), net);
  const of = (id: string): Observation | undefined => output.observations.find(({ check: one }) => one.id === id);
  const sip = of('sip-options/udp/5060');
  const stun = of('stun-binding/udp/3478');
  t.equal(sip?.seen, 0, 'nothing arrived');
  t.equal(stun?.seen, stun && packets(stun), 'all arrived');
  t.ok(stun && (stun.seen ?? 0) >= 4);
  t.strictSame(output.farEnds[0]?.otherBytesPorts, [], 'other bytes fare no better');
  clean(t, net);
});

t.test('a reflector that was restarted meanwhile is no witness', async (t) => {
  const asksForReceipts = (bytes: Uint8Array): boolean => {
    const read = readTag(bytes);
    return read.ok && read.value.tag.type === 'receiptsRequest';
  };
  const net = world((port) => (port === 5060 ? 'dropped-inbound' : 'passes'), asksForReceipts);
  const output = await runWith(await runInput({ rtpRange: [16_384, 16_483] }), net);
  const unproven = output.observations.filter(({ attempts }) => attempts.some(({ outcome }) => outcome !== 'answer'));
  t.ok(unproven.length > 0);
  t.ok(
    unproven.every(({ seen }) => seen === null),
    'it says that nothing arrived, and has answered',
  );
  t.notOk(
    output.observations.some(({ seen }) => seen === 0),
    'what was answered had arrived, whatever it says now',
  );
  clean(t, net);
});

t.test('third parties are asked without a token', async (t) => {
  const REFLECTOR = '203.0.113.5';
  const profiles = [await loadProfile('business-sip')];
  const planned = plan(
    input({
      profiles,
      target: destination([ADDRESS]),
      reflectors: [destination([REFLECTOR])],
      rtpRange: [16_384, 16_387],
    }),
  );
  const net = world();
  const output = await runWith(
    await runInput({ questions: questionsOf(planned), ranges: planned.ranges, reflectorAddresses: [REFLECTOR] }),
    net,
  );
  const toTarget = net.sent.filter(({ peer }) => peer.address === ADDRESS);
  t.ok(toTarget.length > 0);
  t.ok(
    toTarget.every(
      ({ bytes }) => !Buffer.from(bytes).includes('X-Callpath') && !Buffer.from(bytes).includes(SESSION_ID),
    ),
    'nothing of ours goes to a carrier',
  );
  t.strictSame(
    output.farEnds.map(({ address }) => address),
    [REFLECTOR],
  );
  const sip = output.observations.find(({ check: one }) => one.id === 'sip-options/udp/5060');
  t.match(sip?.attempts, [{ outcome: 'answer', authentic: null }], 'and its answers are believed without proof');
  t.strictSame(sip?.sequences, []);
  t.equal(sip?.seen, null, 'what it saw is not known');
});

t.test('a run whose time is over resolves with what is known, and says so', async (t) => {
  // Its deadline is real time, and the clock of this network comes to no end before.
  const net = world(() => 'dropped-outbound');
  const input = await runInput({ rtpRange: [16_384, 16_483], timeoutMs: 1 });
  const output = await runWith(input, net);
  t.equal(output.cutShort, 'deadline');
  t.equal(output.observations.length, input.questions.length);
});

t.test('a run that is interrupted resolves with what is known', async (t) => {
  const net = world((port) => (port === 5060 ? 'dropped-outbound' : 'passes'));
  const controller = new AbortController();
  net.at(400, () => controller.abort(new Error('interrupted')));
  const input = await runInput({ rtpRange: [16_384, 16_483] });
  const output = await runWith(input, net, controller.signal);
  t.equal(Math.round(net.now()), 400);
  t.equal(output.cutShort, 'signal', 'and says that it is not all');
  t.equal(output.observations.length, input.questions.length, 'every question has an observation');
  const sip = output.observations.find(({ check: one }) => one.id === 'sip-options/udp/5060');
  t.equal(sip?.notRun, 'interrupted');
  t.ok(output.observations.some(({ attempts }) => attempts.some(({ outcome }) => outcome === 'answer')));
  clean(t, net);
});
