/** One call with the user's own account, at a server that tells nothing of what it saw: each answer of its is all that is known. */
import { nameOfBytes } from '../../dialog/journal.js';
import type { Exchange } from '../../dialog/line.js';
import type { Account } from '../../model/account.js';
import type { Check } from '../../model/check.js';
import type { CallFacts, CallLeg, CallStep, CallStepFacts } from '../../model/study-facts.js';
import type { Tools } from '../tools.js';
import { type AgentLine, openLine } from './call-line.js';

/** So many sendings into silence, 500, 1,500, 3,500 and 7,500 ms after the first. */
const SENDINGS = 5;
const ANSWER_WITHIN_MS = 30_000;
const REGISTER_S = 120;
/** What is open when the run ends may take so long to end: a request is sent four times in it, and its answer comes back. */
const END_WITHIN_MS = 4000;
/** A second of sound: enough for an echo to be heard. */
const MAX_PACKETS = 50;
const PACKETS_A_SECOND = 50;

const enough = { isEnough: (sent: readonly number[]): boolean => sent.length >= SENDINGS };

const untold = (step: CallStep, untested: CallStepFacts['untested']): CallStepFacts => ({
  ...{ step, untested, status: null, ms: null, legs: [] },
});

/**
 * What a request came to; what arrived at the other end nobody tells. At the run's end nobody waited long enough for silence to
 * say anything, and the INVITE's 487 is ours: we took the call back.
 */
const asked = (step: CallStep, { phone }: AgentLine, exchange: Exchange, { signal }: Tools): CallStepFacts => {
  const isOurs = exchange.response === null || (step === 'invite' && exchange.response.status === 487);
  if (signal.aborted && isOurs) return untold(step, 'interrupted');
  const name = nameOfBytes(exchange.request);
  const sent = phone.messages.filter((one) => one.direction === 'sent' && one.name === name).length;
  const answers = phone.messages.filter((one) => one.direction === 'heard' && one.name.endsWith(` ${name}`));
  return {
    ...{ step, untested: null, status: exchange.response?.status ?? null },
    ms: exchange.afterMs === null ? null : Math.round(exchange.afterMs),
    legs: [
      ...[{ from: 'agent', kind: 'request', sent, witnessed: sent, arrived: null, answered: null } as const].map(
        (leg): CallLeg => ({ ...leg, received: answers.length }),
      ),
    ],
  };
};

const sound = (step: CallStep, from: CallLeg['from'], sent: number, heard: number): CallStepFacts => ({
  ...{ step, untested: null, status: null, ms: null },
  legs: [{ ...{ from, kind: 'one-way', sent, witnessed: sent, arrived: null, answered: null }, received: heard }],
});

/** Speaks for a second, and listens as long as the call may last. */
const speak = async (line: AgentLine, seconds: number, { net, signal }: Tools): Promise<readonly CallStepFacts[]> => {
  const endMs = net.now() + seconds * 1000;
  const sentAtMs = await line.talk(Math.min(MAX_PACKETS, seconds * PACKETS_A_SECOND));
  const isDone = (): boolean => line.ear.heard(line.mouth.ssrc) >= sentAtMs.length / 2;
  while (net.now() < endMs && !isDone() && !signal.aborted) await net.sleep(100, signal).catch(() => undefined);
  const echoed = line.ear.heard(line.mouth.ssrc);
  const heard = line.ear.all();
  const isCut = signal.aborted && sentAtMs.length === 0;
  return [
    // Only our own voice, come back, shows that it arrived.
    echoed > 0
      ? sound('media-outbound', 'agent', sentAtMs.length, echoed)
      : untold('media-outbound', isCut ? 'interrupted' : 'third-party'),
    heard === 0 && signal.aborted
      ? untold('media-inbound', 'interrupted')
      : sound('media-inbound', 'far-end', heard, heard),
  ];
};

const called = async (line: AgentLine, account: Account, callTo: string, tools: Tools) => {
  const uri = `sip:${callTo}@${account.domain}`;
  const calling = line.phone.invite(uri, { ...enough, body: line.describe(), password: account.password });
  let isTakenBack = false;
  /** Once something has come back: before that no CANCEL may go out (RFC 3261 §9.1). */
  const takeBack = (): void => {
    if (isTakenBack) return;
    isTakenBack = true;
    void calling.first.then((first) => (first !== null && first < 200 ? calling.cancel() : null));
  };
  const stopWaiting = line.clock.after(ANSWER_WITHIN_MS, takeBack);
  tools.signal.addEventListener('abort', takeBack, { once: true });
  const over = await calling.over;
  stopWaiting();
  tools.signal.removeEventListener('abort', takeBack);
  const call = await calling.call;
  const invite = asked('invite', line, over, tools);
  if (!call || !over.response) return [invite];
  call.onAsked(({ request, respond }) =>
    request.method === 'INVITE'
      ? respond(200, 'OK', { headers: [{ name: 'Contact', value: `<${line.contact}>` }], body: line.describe() })
      : respond(200, 'OK'),
  );
  line.agree(over.response.body);
  const media = await speak(line, account.maxCallSeconds, tools);
  // A call is hung up whatever ends the run.
  const bye = call.isOver() ? untold('bye', 'no-call') : asked('bye', line, await call.ask('BYE', enough), tools);
  return [invite, untold('ack', 'third-party'), ...media, bye];
};

/** Registers, calls if whom is named, hangs up and registers no longer. */
export const callWith = async (account: Account, sip: Check, tools: Tools): Promise<CallFacts> => {
  const place = {
    ...{ address: sip.address ?? '', family: sip.family ?? 4, transport: sip.transport, port: sip.port },
    ...{ direction: 'outbound' as const, idle: null, changed: [], notTried: null, passesStill: null },
    isThirdParty: true,
  };
  const identity = { user: () => account.user, password: account.password };
  const line = await openLine(sip, 0, identity, tools, account.domain);
  if (!line) return { ...place, steps: [untold('register', tools.signal.aborted ? 'interrupted' : 'no-connection')] };
  let stopEnding: () => void = () => undefined;
  const end = (): void => {
    stopEnding = line.clock.after(END_WITHIN_MS, () => line.phone.close());
  };
  if (tools.signal.aborted) end();
  else tools.signal.addEventListener('abort', end, { once: true });
  try {
    const registrar = `sip:${account.domain}`;
    const all = await line.phone.register(registrar, REGISTER_S, account.password, enough);
    const last = all.at(-1);
    const register = last ? asked('register', line, last, tools) : untold('register', 'interrupted');
    if (account.callTo === null) return { ...place, steps: [register] };
    if (register.status !== 200) {
      return { ...place, steps: [register, untold('invite', tools.signal.aborted ? 'interrupted' : 'not-registered')] };
    }
    const steps = tools.signal.aborted
      ? [untold('invite', 'interrupted')]
      : await called(line, account, account.callTo, tools);
    await line.phone.register(registrar, 0, account.password, enough);
    return { ...place, steps: [register, ...steps] };
  } finally {
    tools.signal.removeEventListener('abort', end);
    stopEnding();
    line.close();
  }
};
