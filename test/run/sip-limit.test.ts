/** A message that is dropped, a limit on messages, and a host that is shut out: told apart by asking after a pause. */
import t from 'tap';
import { passed } from '../../src/run/observations.js';
import { findSipLimit, findSlowLimit } from '../../src/run/studies/sip-limit.js';
import { sizedProbe } from '../../src/run/studies/sizes.js';
import { sessionOf } from '../reflector/support.js';
import { pureReflector, TOKEN } from '../support/pure-reflector.js';
import { ADDRESS, check, observed, proven, silence } from '../verdict/support/facts.js';
import { toolsOf } from './support/context.js';
import { fakeNet, LOCAL_ADDRESS } from './support/fake-net.js';

const KNOWN = check('udp-echo/udp/5060');

/** As long as the silent one of these tests; what is known to pass is shorter. */
const LONG = 900;
const SILENT = { check: KNOWN, probe: sizedProbe(LONG) };

/** What is found where each sending of a silent message passes as `message` says, and what is known to pass as `control` says. */
const found = async (
  message: readonly boolean[],
  control: (asked: number) => boolean,
  { isAway = false, lost = 0 } = {},
) => {
  const farEnd = pureReflector();
  const messagesAtMs: number[] = [];
  const sourcePorts = new Set<number>();
  let asked = 0;
  let controls = 0;
  const net = fakeNet({
    udp: ({ bytes, localPort, peer, atMs }) => {
      sourcePorts.add(localPort);
      const isMessage = bytes.length >= LONG;
      if (isMessage) messagesAtMs.push(atMs);
      const passes = isMessage ? message[asked++] : control(controls++);
      const answer = farEnd.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return answer && passes ? [{ afterMs: 10, bytes: answer }] : [];
    },
  });
  const usual = toolsOf(net, sessionOf(1, TOKEN));
  // A line that loses nothing: what is known to pass is asked twice before it is called silent.
  usual.path.open(ADDRESS, 'udp')(300, 300 - lost);
  const tools = isAway ? { ...usual, timeline: { ...usual.timeline, isSilent: () => true } } : usual;
  const limit = await net.run(findSipLimit([SILENT, SILENT], KNOWN, tools));
  return { limit, asked, controls, messagesAtMs, flows: sourcePorts.size };
};

t.test('what is silent after each pause, beside what passes over the same flow: the message itself', async (t) => {
  const { limit, asked, messagesAtMs, flows } = await found([false, false], () => true);
  t.equal(limit, null);
  t.equal(asked, 2);
  t.equal(flows, 1, 'so that no limit of new flows plays a part');
  const gaps = messagesAtMs.map((atMs, index) => atMs - (messagesAtMs[index - 1] ?? 0));
  t.ok(
    gaps.every((ms) => ms >= 3000),
    'each after a pause as long as a flood limit needs',
  );
});

t.test('what passes after a pause was too much before', async (t) => {
  t.match(await found([true], () => true), { limit: { kind: 'rate', port: 5060 }, asked: 1 });
  t.match(await found([false, true], () => true), { limit: { kind: 'rate', port: 5060 }, asked: 2 }, 'the other one');
});

t.test('what is known to pass is silent right after the message, and passes once after a longer pause', async (t) => {
  const { limit } = await found([false], (index) => index !== 1 && index !== 2);
  t.same(limit, { kind: 'rate', port: 5060 });
});

t.test('what is known to pass is silent at first, and passes after a pause', async (t) => {
  t.match(await found([], (index) => index > 1), { limit: { kind: 'rate', port: 5060 }, asked: 0 });
});

t.test('a control that is lost once is asked once more', async (t) => {
  t.equal((await found([false, false], (index) => index !== 1 && index !== 3)).limit, null);
});

t.test('on a line that loses much the control is asked more often before it is called silent', async (t) => {
  const lossy = (index: number): boolean => ![1, 2, 3].includes(index);
  t.equal((await found([false, false], lossy, { lost: 60 })).limit, null);
  t.same((await found([false, false], lossy)).limit, { kind: 'rate', port: 5060 });
});

t.test('where nothing passes over UDP at all no limit of SIP is told', async (t) => {
  t.match(await found([false], () => false, { isAway: true }), { limit: null, asked: 0, controls: 0 });
});

t.test('a socket that does not open tells nothing', async (t) => {
  const net = fakeNet({});
  const broken = { ...net, openUdp: () => Promise.reject({ code: 'ENETUNREACH', syscall: 'connect' }) };
  t.equal(await net.run(findSipLimit([SILENT], KNOWN, toolsOf(broken, sessionOf(1, TOKEN)))), 'untold');
});

t.test('nothing is looked for where nothing was silent', async (t) => {
  const net = fakeNet({});
  t.equal(await net.run(findSipLimit([], KNOWN, toolsOf(net, sessionOf(1, TOKEN)))), null);
});

t.test('nothing passes any more', async (t) => {
  const { limit } = await found([false], () => false);
  t.same(limit, { kind: 'cut-off', port: 5060 });
});

/** What is found where so much was lost here and elsewhere, and where those sent slowly pass as `passes` says. */
const foundSlowly = async (
  here: { readonly trials: number; readonly answers: number },
  elsewhere: { readonly trials: number; readonly answers: number },
  passes: (atMs: number) => boolean = () => true,
) => {
  const farEnd = pureReflector();
  const askedAtMs: number[] = [];
  const net = fakeNet({
    udp: ({ bytes, localPort, peer, atMs }) => {
      askedAtMs.push(atMs);
      const answer = farEnd.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return answer && passes(atMs) ? [{ afterMs: 10, bytes: answer }] : [];
    },
  });
  return { limit: await net.run(findSlowLimit(KNOWN, here, elsewhere, toolsOf(net, sessionOf(1, TOKEN)))), askedAtMs };
};

t.test('most of many is lost on this port alone, and nothing of what is sent slowly: a limit', async (t) => {
  const quick = { trials: 140, answers: 26 };
  const clean = { trials: 20, answers: 20 };
  const { limit, askedAtMs } = await foundSlowly(quick, clean);
  t.match(limit, { kind: 'rate', port: 5060, some: { trials: 140, answers: 26 } });
  t.equal(limit?.some?.slowly, askedAtMs.length);
  t.ok(
    askedAtMs.every((atMs, index) => index === 0 || atMs - (askedAtMs[index - 1] ?? 0) >= 1000),
    'a second apart',
  );
  t.equal((await foundSlowly(quick, clean, (atMs) => atMs < 7000)).limit, null, 'slow ones are lost as well');
  t.same(
    await foundSlowly(quick, { trials: 20, answers: 4 }),
    { limit: null, askedAtMs: [] },
    'all ports lose as much',
  );
  t.same(await foundSlowly({ trials: 40, answers: 36 }, clean), { limit: null, askedAtMs: [] }, 'little is lost');
});

t.test('the answers of these tests are what the engine takes for answers', async (t) => {
  t.equal(passed(observed(KNOWN, [proven({}, { arrivalPort: 5060 })])), true);
  t.equal(passed(observed(KNOWN, silence(1))), false);
});
