/** The calls that are rehearsed, step by step: what a phone does in its day, and what the far end is told to do. */
import type { Call } from '../../dialog/call.js';
import { nameOfBytes } from '../../dialog/journal.js';
import type { Exchange } from '../../dialog/line.js';
import type { CallStep } from '../../model/study-facts.js';
import { packetsNeeded, SINGLE_CHECK_DOUBT } from '../../verdict/silence.js';
import type { CallOrder, CallRecord } from '../../wire/call.js';
import { relayOf } from '../../wire/dtmf.js';
import { header } from '../../wire/sip-message.js';
import { sessionExpiresText } from '../../wire/sip-parameters.js';
import { isReplaced, referToWith, replacingText } from '../../wire/sip-replaces.js';
import type { Tools } from '../tools.js';
import type { AgentLine } from './call-line.js';
import { type LegNote, type StepNote, untested } from './call-notes.js';
import type { CallWindow } from './call-window.js';

export interface Script {
  readonly line: AgentLine;
  readonly window: CallWindow;
  readonly password: string;
  readonly tools: Tools;
}

/** A second of sound: enough that no loss explains its silence. */
const TALK_PACKETS = 50;
/** Sound after a hold is resumed: half of that. */
const AGAIN_PACKETS = 25;
/** At the beginning of a long call. */
const FIRST_PACKETS = 10;
/** A silent request is sent this often at least; at 500, 1,500 and 3,500 ms after the first. */
const MIN_SENDINGS = 4;
const MAX_SENDINGS = 11;
/** The far end's own sendings follow the same times: so long until four of them are lost. */
const FAR_END_MS = 9000;
const LOOK_EVERY_MS = 250;
/** RFC 4028 §4.2 recommends it for the session's length. */
const SESSION_S = 1800;
const REGISTER_S = 600;
const ANSWER_WITHIN_MS = 12_000;
/** The keepalive of phones: RFC 5626 §4.4.1 wants 24 to 29 s over UDP. */
const KEEPALIVE_MS = 24_000;

const sendings = ({ path }: Tools): number =>
  Math.min(MAX_SENDINGS, Math.max(MIN_SENDINGS, packetsNeeded(path.upperBound(), SINGLE_CHECK_DOUBT)));

const pause = ({ net, signal }: Tools, ms: number): Promise<void> => net.sleep(ms, signal).catch(() => undefined);

const within = async <T>(tools: Tools, ms: number, wanted: Promise<T>): Promise<T | null> =>
  Promise.race([wanted, pause(tools, ms).then(() => null)]);

const enough = (tools: Tools) => ({ isEnough: (sent: readonly number[]): boolean => sent.length >= sendings(tools) });

const request = (exchange: Exchange): LegNote => ({
  ...{ from: 'agent', kind: 'request', name: nameOfBytes(exchange.request) },
});

/** A step that is one request of ours, and perhaps more. */
const asked = (step: CallStep, exchange: Exchange, more: readonly LegNote[] = []): StepNote => ({
  ...{ step, untested: null, status: exchange.response?.status ?? null },
  ms: exchange.afterMs === null ? null : Math.round(exchange.afterMs),
  legs: [request(exchange), ...more],
});

/** Looks at the far end's record until it says so, or time is up; its last word. */
const until = async (
  { line, window, tools }: Script,
  ms: number,
  holds: (record: CallRecord) => boolean,
): Promise<CallRecord | null> => {
  const endMs = tools.net.now() + ms;
  for (;;) {
    const record = await window.record(line.number);
    if ((record && holds(record)) || tools.net.now() >= endMs || tools.signal.aborted) return record;
    await pause(tools, LOOK_EVERY_MS);
  }
};

/** A window of which nobody asks ends after two minutes; other ways than the line's own are asked, so that it rests. */
const REMIND_MS = 30_000;
const waiting = async ({ line, window, tools }: Script, ms: number): Promise<void> => {
  for (let left = ms; left > 0 && !tools.signal.aborted; left -= REMIND_MS) {
    await pause(tools, Math.min(left, REMIND_MS));
    await window.record(line.number);
  }
};

const METHODS: Readonly<Partial<Record<CallOrder, string>>> = {
  ...{ call: 'INVITE', hold: 'INVITE', resume: 'INVITE', refresh: 'UPDATE', bye: 'BYE' },
};

/** Tells the far end to send a request, and waits for what comes of it: the request as a leg; null where no word came. */
const told = async (script: Script, order: CallOrder, ordinal = 0, afterMs = 0): Promise<LegNote | null> => {
  const { line, window, tools } = script;
  const done = await window.order(line.number, order, { afterMs });
  if (done?.state !== 'ok') return null;
  const method = METHODS[order] ?? '';
  const namesOf = (record: CallRecord): readonly string[] => [
    ...new Set(
      record.messages.flatMap(({ direction, name }) =>
        direction === 'sent' && name.startsWith(`${method} `) ? [name] : [],
      ),
    ),
  ];
  await waiting(script, afterMs);
  const isOver = (record: CallRecord): boolean => record.done.some(({ number }) => number === done.number);
  const record = await until(script, FAR_END_MS, (one) => {
    const name = namesOf(one)[ordinal];
    const sent = one.messages.filter((message) => message.direction === 'sent' && message.name === name).length;
    return isOver(one) || sent > sendings(tools);
  });
  const name = record && namesOf(record)[ordinal];
  return name ? { from: 'far-end', kind: 'request', name } : null;
};

const soundOf = async (script: Script, packets: number): Promise<readonly [LegNote, LegNote] | null> => {
  const { line, window, tools } = script;
  const before = await window.record(line.number);
  const ssrc = before?.call?.ssrc;
  if (!before?.call || ssrc === undefined) return null;
  const heardBefore = line.ear.heard(ssrc);
  // Ours goes first, as everywhere behind a NAT: it opens the way for theirs.
  const ours = line.talk(packets);
  await pause(tools, 200);
  await window.order(line.number, 'talk', { argument: packets });
  const sentAtMs = await ours;
  const after = await until(script, packets * 20 + 3000, ({ call }) => {
    const isSent = (call?.soundSent ?? 0) - (before.call?.soundSent ?? 0) >= packets;
    const isHeard = (call?.soundHeard ?? 0) - (before.call?.soundHeard ?? 0) >= sentAtMs.length;
    return isSent && isHeard;
  });
  await pause(tools, tools.path.lateMs('udp'));
  const heard = after?.call ? after.call.soundHeard - before.call.soundHeard : null;
  const theirs = after?.call ? after.call.soundSent - before.call.soundSent : 0;
  return [
    { from: 'agent', sound: { sent: sentAtMs.length, sentAtMs, arrived: heard } },
    { from: 'far-end', sound: { sent: theirs, sentAtMs: null, arrived: line.ear.heard(ssrc) - heardBefore } },
  ];
};

const media = async (script: Script): Promise<readonly StepNote[]> => {
  const legs = await soundOf(script, TALK_PACKETS);
  const plain = { untested: null, status: null, ms: null };
  if (!legs) return [untested('media-outbound', 'no-word'), untested('media-inbound', 'no-word')];
  const [out, back] = legs;
  const isSilent = 'sound' in back && back.sound.sent === 0;
  return [
    { ...plain, step: 'media-outbound', legs: [out] },
    isSilent ? untested('media-inbound', 'nowhere-to-send') : { ...plain, step: 'media-inbound', legs: [back] },
  ];
};

const dtmf = async (script: Script, call: Call): Promise<StepNote> => {
  const { line, window, tools } = script;
  const pressed = line.mouth.press('5', 101);
  const sentAtMs = await line.talk(pressed);
  await window.order(line.number, 'key', { argument: '#'.charCodeAt(0) });
  const info = await call.ask('INFO', {
    ...enough(tools),
    body: { contentType: 'application/dtmf-relay', content: relayOf('7') },
  });
  const record = await until(
    script,
    2000,
    (one) => one.call?.keys.includes('5') === true && line.ear.keys().includes('#'),
  );
  await pause(tools, tools.path.lateMs('udp'));
  const heard = record?.call ? (record.call.keys.includes('5') ? sentAtMs.length : 0) : null;
  return asked('dtmf', info, [
    { from: 'agent', sound: { sent: sentAtMs.length, sentAtMs, arrived: heard } },
    ...(line.ear.all() === 0
      ? []
      : [
          {
            from: 'far-end',
            sound: {
              sent: pressed.length,
              sentAtMs: null,
              arrived: line.ear.keys().includes('#') ? pressed.length : 0,
            },
          } as const,
        ]),
  ]);
};

const held = async (script: Script, call: Call): Promise<readonly StepNote[]> => {
  const { line, tools } = script;
  const hold = await call.reinvite(line.describe('sendonly'), enough(tools));
  const resume = await call.reinvite(line.describe(), enough(tools));
  const again = await soundOf(script, AGAIN_PACKETS);
  return [asked('hold', hold), asked('resume', resume, again ?? [])];
};

/** Answers what the far end asks within the call. @param told of what it notifies */
const listen = ({ line }: Script, call: Call, told: (status: string) => void = () => undefined): void =>
  call.onAsked(({ request: came, respond }) => {
    const contact = { name: 'Contact', value: `<${line.contact}>` };
    if (came.method === 'NOTIFY') told(Buffer.from(came.body).toString('latin1'));
    if (came.method === 'INVITE') respond(200, 'OK', { headers: [contact], body: line.describe() });
    else respond(200, 'OK', came.method === 'UPDATE' ? { headers: [contact] } : {});
  });

const remoteHold = async (script: Script): Promise<StepNote> => {
  const hold = await told(script, 'hold', 0);
  const resume = hold && (await told(script, 'resume', 1));
  if (!hold) return untested('remote-hold', 'no-word');
  return { step: 'remote-hold', untested: null, status: null, ms: null, legs: [hold, ...(resume ? [resume] : [])] };
};

const transfer = async (script: Script, call: Call): Promise<StepNote> => {
  const { line, tools } = script;
  const refer = await call.ask('REFER', { ...enough(tools), headers: [{ name: 'Refer-To', value: `<${line.uri}>` }] });
  if (refer.response?.status !== 202) return asked('transfer', refer);
  const isNotify = (name: string): boolean => name.startsWith('NOTIFY ');
  const record = await until(script, FAR_END_MS, ({ messages }) => {
    const sent = messages.filter((one) => one.direction === 'sent' && isNotify(one.name));
    const answers = messages.filter((one) => one.direction === 'heard' && /^\d{3} NOTIFY /.test(one.name));
    return new Set(answers.map(({ name }) => name)).size >= 2 || sent.length > sendings(tools);
  });
  const names = new Set(
    record?.messages.flatMap((one) => (one.direction === 'sent' && isNotify(one.name) ? [one.name] : [])) ?? [],
  );
  return asked(
    'transfer',
    refer,
    [...names].map((name) => ({ from: 'far-end', kind: 'request', name }) as const),
  );
};

/** The call in place of which the far end is to call us, and what came of that. */
const replaced = async (script: Script, old: Call): Promise<StepNote> => {
  const { line, tools } = script;
  const own = replacingText(old.dialog());
  let isOver: () => void = () => undefined;
  const notified = new Promise<void>((resolve) => {
    isOver = resolve;
  });
  listen(script, old, (status) => {
    if (!/^SIP\/2\.0 1/.test(status)) isOver();
  });
  let status: number | null = null;
  const stood = new Promise<Call | null>((resolve) => {
    line.onCalled((called) => {
      const value = header(called.request, 'replaces');
      if (value === null || !isReplaced(old.dialog(), value)) {
        // Another call, or ours under a name that was changed on the way (RFC 3891 §3).
        status = 481;
        called.refuse(481, 'Call/Transaction Does Not Exist');
        return resolve(null);
      }
      line.agree(called.request.body);
      resolve(called.accept(line.describe()));
    });
  });
  const refer = await old.ask('REFER', {
    ...enough(tools),
    headers: [{ name: 'Refer-To', value: referToWith(line.uri, own) }],
  });
  if (refer.response?.status !== 202) return asked('attended-transfer', refer);
  const sentBy = (record: CallRecord, method: string): readonly string[] => [
    ...new Set(
      record.messages.flatMap(({ direction, name }) =>
        direction === 'sent' && name.startsWith(`${method} `) ? [name] : [],
      ),
    ),
  ];
  const call = await within(tools, FAR_END_MS, stood);
  await within(tools, FAR_END_MS, notified);
  const record = await until(script, FAR_END_MS, ({ messages }) => {
    const answered = messages.filter((one) => one.direction === 'heard' && /^\d{3} NOTIFY /.test(one.name));
    const invites = messages.filter((one) => one.direction === 'sent' && one.name.startsWith('INVITE '));
    return new Set(answered.map(({ name }) => name)).size >= 2 || invites.length > sendings(tools);
  });
  const theirs = record ? [...sentBy(record, 'INVITE'), ...sentBy(record, 'NOTIFY')] : [];
  if (theirs.length === 0) return untested('attended-transfer', 'no-word');
  // Who was called in place of a call ends that one (RFC 3891 §3); what becomes of BYE is a step of its own.
  await old.ask('BYE', enough(tools));
  const sound = call ? await soundOf(script, AGAIN_PACKETS) : null;
  if (call) await call.ask('BYE', enough(tools));
  const legs = theirs.map((name) => ({ from: 'far-end', kind: 'request', name }) as const);
  const note = asked('attended-transfer', refer, [...legs, ...(sound ?? [])]);
  return { ...note, status: status ?? note.status };
};

/** A transfer after asking: the far end calls in place of the call that stands (RFC 3891). */
export const attendedTransfer = async (script: Script): Promise<readonly StepNote[]> => {
  const registered = await register(script);
  if (registered.status !== 200) return [untested('attended-transfer', 'not-registered')];
  const { call } = await place(script);
  return [call ? await replaced(script, call) : untested('attended-transfer', 'no-call')];
};

const refresh = async (script: Script, call: Call): Promise<StepNote> => {
  const timer = { name: 'Session-Expires', value: sessionExpiresText({ seconds: SESSION_S, refresher: 'uac' }) };
  const ours = await call.ask('UPDATE', {
    ...enough(script.tools),
    headers: [timer, { name: 'Supported', value: 'timer' }],
  });
  const theirs = await told(script, 'refresh');
  return asked('refresh', ours, theirs ? [theirs] : []);
};

/** Calls, and waits until the far end has taken up and the ACK has come to it, or enough of both was lost. */
const place = async (script: Script): Promise<{ readonly call: Call | null; readonly steps: readonly StepNote[] }> => {
  const { line, tools } = script;
  const calling = line.phone.invite(line.uri, { ...enough(tools), body: line.describe() });
  const over = await within(tools, ANSWER_WITHIN_MS, calling.over);
  if (!over) {
    line.phone.close();
    const ended = await calling.over;
    return { call: null, steps: [asked('invite', ended)] };
  }
  const call = await calling.call;
  const invite = asked('invite', over);
  if (!call || !over.response) return { call: null, steps: [invite] };
  line.agree(over.response.body);
  listen(script, call);
  await until(script, FAR_END_MS, (one) => one.call?.acknowledged === true || call.acks() > sendings(tools));
  const name = `ACK ${nameOfBytes(over.request).split(' ')[1]}`;
  const ack: StepNote = {
    ...{ step: 'ack', untested: null, status: null, ms: null },
    legs: [{ from: 'agent', kind: 'one-way', name }],
  };
  return { call, steps: [invite, ack] };
};

const register = async ({ line, password, tools }: Script): Promise<StepNote> => {
  const all = await line.phone.register(line.registrar, REGISTER_S, password, enough(tools));
  const last = all.at(-1);
  if (!last) return untested('register', 'interrupted');
  return asked('register', last, all.slice(0, -1).map(request));
};

/** The whole round: from registering to hanging up. */
export const wholeCall = async (script: Script): Promise<readonly StepNote[]> => {
  const registered = await register(script);
  const { call, steps } = await place(script);
  if (!call) {
    const rest = [
      'ack',
      'media-outbound',
      'media-inbound',
      'dtmf',
      'hold',
      'resume',
      'remote-hold',
      'transfer',
      'refresh',
      'bye',
    ] as const;
    return [registered, ...steps, ...rest.map((step) => untested(step, 'no-call'))];
  }
  const sound = await media(script);
  const keys = await dtmf(script, call);
  const hold = await held(script, call);
  const remote = await remoteHold(script);
  const moved = await transfer(script, call);
  const refreshed = await refresh(script, call);
  const bye = await call.ask('BYE', enough(script.tools));
  return [registered, ...steps, ...sound, keys, ...hold, remote, moved, refreshed, asked('bye', bye)];
};

/** A call that lasts, with sound and keepalives all the while, and that the far end ends. */
export const longCall = async (script: Script, lastingMs: number): Promise<readonly StepNote[]> => {
  const { line, tools } = script;
  const { call } = await place(script);
  if (!call) return [untested('long', 'no-call'), untested('remote-bye', 'no-call')];
  const endMs = tools.net.now() + lastingMs;
  // Both speak once: to a firewall it is a call then, and no stream of one side's.
  await soundOf(script, FIRST_PACKETS);
  let keptAtMs = tools.net.now();
  while (tools.net.now() < endMs && !tools.signal.aborted && !call.isOver()) {
    // As slow as a phone that suppresses silence: it keeps the way open and is no load.
    await line.talk(1);
    if (tools.net.now() - keptAtMs >= KEEPALIVE_MS / 2) {
      line.keepAlive();
      keptAtMs = tools.net.now();
    }
    await pause(tools, 500);
  }
  const again = await soundOf(script, AGAIN_PACKETS);
  const bye = await told(script, 'bye');
  const plain = { untested: null, status: null, ms: null };
  return [
    again ? { ...plain, step: 'long', ms: lastingMs, legs: again } : untested('long', 'no-word'),
    bye ? { ...plain, step: 'remote-bye', legs: [bye] } : untested('remote-bye', 'no-word'),
  ];
};

/** A call that is taken back while it rings. */
export const cancelledCall = async (script: Script): Promise<readonly StepNote[]> => {
  const { line, window, tools } = script;
  await window.order(line.number, 'manner', { argument: 1 });
  const calling = line.phone.invite(line.uri, { ...enough(tools), body: line.describe() });
  const first = await within(tools, ANSWER_WITHIN_MS, calling.first);
  if (first === null || first >= 200) return [untested('cancel', 'no-call')];
  const cancel = await calling.cancel();
  const over = await within(tools, FAR_END_MS, calling.over);
  // Its 487 belongs to it: without it the phone goes on as if it still rang (RFC 3261 §9.1).
  return [asked('cancel', cancel, over ? [request(over)] : [])];
};

/** The far end calls what registered, after so long without a word, or with keepalives. */
export const calledAfterIdle = async (
  script: Script,
  idleMs: number,
  keepalives: boolean,
): Promise<readonly StepNote[]> => {
  const { line, tools } = script;
  const registered = await register(script);
  if (registered.status !== 200) return [untested('inbound-after-idle', 'not-registered')];
  const stood = new Promise<Call | null>((resolve) => {
    line.onCalled((called) => {
      called.ring(180);
      line.agree(called.request.body);
      resolve(called.accept(line.describe()));
    });
  });
  const done = new AbortController();
  const keeping = (async () => {
    for (let atMs = KEEPALIVE_MS; keepalives && atMs < idleMs; atMs += KEEPALIVE_MS) {
      await tools.net.sleep(KEEPALIVE_MS, AbortSignal.any([done.signal, tools.signal])).catch(() => undefined);
      if (done.signal.aborted || tools.signal.aborted) return;
      line.keepAlive();
    }
  })();
  const leg = await told(script, 'call', 0, idleMs);
  done.abort();
  await keeping;
  if (!leg) return [untested('inbound-after-idle', 'no-word')];
  const step: StepNote = { step: 'inbound-after-idle', untested: null, status: null, ms: idleMs, legs: [leg] };
  const call = await within(tools, 100, stood);
  if (!call) return [step];
  const sound = await media(script);
  const bye = await call.ask('BYE', enough(tools));
  return [step, ...sound, asked('bye', bye)];
};
