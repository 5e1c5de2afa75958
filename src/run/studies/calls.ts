/**
 * Calls, as phones make and take them: what ports cannot show. That requests inside a call find their way after NAT, that the ACK
 * arrives, that the far end can speak first, and what changes each message of a call on its way.
 */
import type { Check } from '../../model/check.js';
import { TRANSPORTS } from '../../model/kinds.js';
import type { CallFacts, CallRefusal, CallStepFacts } from '../../model/study-facts.js';
import { flowsDie } from '../../verdict/flows.js';
import { type CallRecord, callIdentity, MAX_LINES, messageDigest } from '../../wire/call.js';
import { askCheck } from '../ask/ask.js';
import { passed } from '../observations.js';
import type { Tools } from '../tools.js';
import { type AgentLine, openLine } from './call-line.js';
import { legOf, type StepNote } from './call-notes.js';
import { attendedTransfer, calledAfterIdle, cancelledCall, longCall, type Script, wholeCall } from './call-script.js';
import { type CallWindow, openWindow } from './call-window.js';
import type { StudiedFarEnd, Study } from './study.js';

/** Longer than most firewalls keep UDP: 30 s on Linux, and longer than the 32 s after which a call that nobody acknowledged ends. */
const IDLE_MS = 35_000;
/** With `--deep` as long as the longest lifetime that is asked for. */
const DEEP_IDLE_MS = 295_000;
/** Messages that are fetched because they were changed; of a helper that changes all of them these show enough. */
const MAX_FETCHED = 12;
/** What a run of it sends: eight lines, some 110 messages of 700 bytes, 600 packets of sound, and 160 questions of 1.1 kB. */
const COST = { packets: 870, bytes: 460_000 } as const;

/** Messages of a line that arrived in another form, with both of their forms. */
const changedOn = async (
  line: AgentLine,
  window: CallWindow,
  record: CallRecord | null,
): Promise<CallFacts['changed']> => {
  const found: { index: number; name: string; direction: 'outbound' | 'inbound'; ours: Uint8Array }[] = [];
  for (const [index, told] of (record?.messages ?? []).entries()) {
    const isOutbound = told.direction === 'heard';
    if (found.some(({ name, direction }) => name === told.name && (direction === 'outbound') === isOutbound)) continue;
    const ours = line.phone.messages.filter(
      (one) => one.direction === (isOutbound ? 'sent' : 'heard') && one.name === told.name,
    );
    // Of a request that is sent again, one that arrived as it was is enough.
    if (ours.length === 0 || ours.some(({ bytes }) => messageDigest(bytes) === told.digest)) continue;
    found.push({
      ...{ index, name: told.name, direction: isOutbound ? 'outbound' : 'inbound' },
      ours: ours[0]?.bytes ?? new Uint8Array(),
    });
  }
  const fetched = await Promise.all(
    found.slice(0, MAX_FETCHED).map(async ({ index, name, direction, ours }) => {
      const theirs = await window.message(line.number, index);
      if (!theirs) return [];
      const [sent, received] = direction === 'outbound' ? [ours, theirs] : [theirs, ours];
      return [{ name, direction, sent, received }];
    }),
  );
  return fetched.flat();
};

const factsOf = async (
  sip: Check,
  script: Script,
  notes: readonly StepNote[],
  how: Pick<CallFacts, 'direction' | 'idle'>,
): Promise<CallFacts> => {
  const { line, window, tools } = script;
  const record = await window.record(line.number);
  const address = sip.address ?? '';
  const steps = notes.map(
    ({ legs, ...one }): CallStepFacts => ({
      ...one,
      legs: legs.map((leg) => legOf(leg, line, record, address, tools)),
    }),
  );
  return {
    ...{ ...placeOf(sip), steps, ...how },
    changed: await changedOn(line, window, record),
    ...{ notTried: null, passesStill: null },
  };
};

/** Ports over which media is known to pass, one for each line. */
const mediaPorts = (passing: readonly Check[]): readonly number[] =>
  [...new Set(passing.filter(({ probe }) => probe === 'rtp-echo').map(({ port }) => port))].slice(0, MAX_LINES);

const isSilentStep = ({ untested, legs }: CallStepFacts): boolean =>
  untested === null &&
  legs.some(({ arrived, received, kind }) => arrived === 0 || (kind === 'request' && received === 0));

const OUTBOUND = { direction: 'outbound', idle: null } as const;

/** What is played on one line each, all of them at once. */
interface Play {
  readonly sip: Check;
  readonly how: Pick<CallFacts, 'direction' | 'idle'>;
  readonly play: (script: Script) => Promise<readonly StepNote[]>;
}

/** Everything over the first way that passes; over the others the call that has most in it. */
const playsOf = ([first, ...others]: readonly Check[], idleMs: number, longMs: number): readonly Play[] => {
  if (!first) return [];
  const afterIdle = (keepalives: boolean): Play => ({
    sip: first,
    how: { direction: 'inbound', idle: { ms: idleMs, keepalives } },
    play: (script: Script) => calledAfterIdle(script, idleMs, keepalives),
  });
  return [
    { sip: first, how: OUTBOUND, play: wholeCall },
    { sip: first, how: OUTBOUND, play: (script: Script) => longCall(script, longMs) },
    { sip: first, how: OUTBOUND, play: cancelledCall },
    afterIdle(false),
    afterIdle(true),
    { sip: first, how: OUTBOUND, play: attendedTransfer },
    ...others.map((sip) => ({ sip, how: OUTBOUND, play: wholeCall })),
  ].slice(0, MAX_LINES);
};

const placeOf = ({ address, family, transport, port }: Check) => ({
  ...{ address: address ?? '', family: family ?? 4, transport, port },
});

const refusedBy = (sip: Check, notTried: CallRefusal): CallFacts => ({
  ...{ ...placeOf(sip), notTried, direction: 'outbound', idle: null, steps: [], changed: [], passesStill: null },
});

/** Whether SIP passes at all when everything is over: silence is a step's own only there. */
const passesStill = async (sip: Check, tools: Tools): Promise<boolean> => {
  const probe = tools.probeOf(sip.probe as 'sip-options');
  return passed(await askCheck(sip, probe, { samples: 1, doubt: 0, atMost: 4 }, tools));
};

const withAftermath = async (all: readonly CallFacts[], ways: readonly Check[], tools: Tools) => {
  const silent = ways.filter(({ transport }) =>
    all.some((one) => one.transport === transport && one.steps.some(isSilentStep)),
  );
  if (tools.signal.aborted) return all;
  const known = new Map<string, boolean>();
  for (const sip of silent) known.set(sip.transport, await passesStill(sip, tools));
  return all.map((one) => ({ ...one, passesStill: known.get(one.transport) ?? null }));
};

const rehearse = async (
  ways: readonly Check[],
  farEnd: StudiedFarEnd,
  { isDeep, idleMs: asked }: { readonly isDeep: boolean; readonly idleMs: number | undefined },
  tools: Tools,
): Promise<readonly CallFacts[]> => {
  const [first] = ways;
  const { keys } = tools.session;
  if (!first) return [];
  if (farEnd.identity && farEnd.identity.info.calls !== true) return [refusedBy(first, 'not-offered')];
  if (flowsDie(farEnd.flows)) return [refusedBy(first, 'flows-die')];
  const window = await openWindow(farEnd, mediaPorts(farEnd.passing), tools);
  const { state } = window;
  if (state !== 'ok' || keys === null) {
    const told = state === 'not-offered' || state === 'needs-connection' || state === 'held-back';
    return [refusedBy(first, told ? state : 'no-answer')];
  }
  const identity = callIdentity(keys.toAgent);
  const plays = playsOf(ways, asked ?? (isDeep ? DEEP_IDLE_MS : IDLE_MS), asked ?? IDLE_MS);
  const lines: (AgentLine | null)[] = [];
  // Whatever waits for an answer then ends, and with it the call.
  const hangUp = (): void => {
    for (const line of lines) line?.phone.close();
  };
  tools.signal.addEventListener('abort', hangUp, { once: true });
  try {
    for (const [number, { sip }] of plays.entries()) lines.push(await openLine(sip, number, identity, tools));
    if (tools.signal.aborted) hangUp();
    const calls = await Promise.all(
      plays.map(async ({ sip, how, play }, number): Promise<readonly CallFacts[]> => {
        const line = lines[number];
        const steps = [{ step: 'register', untested: 'no-connection', status: null, ms: null, legs: [] }] as const;
        if (!line) return [{ ...placeOf(sip), ...how, steps, changed: [], notTried: null, passesStill: null }];
        const script: Script = { line, window, password: identity.password, tools };
        const notes = await play(script);
        return tools.signal.aborted ? [] : [await factsOf(sip, script, notes, how)];
      }),
    );
    return withAftermath(calls.flat(), ways, tools);
  } finally {
    tools.signal.removeEventListener('abort', hangUp);
    for (const line of lines) line?.close();
  }
};

/** The ways of SIP that pass, UDP first, because most phones take that. */
const waysOf = ({ passing }: StudiedFarEnd): readonly Check[] =>
  TRANSPORTS.flatMap(
    (transport) => passing.find((one) => one.probe === 'sip-options' && one.transport === transport) ?? [],
  );

export const study = {
  kind: 'calls',
  // They speak SIP as well: what a limit counts would be counted twice, and a helper's mappings would be shared.
  after: ['inbound', 'sip', 'nat'],
  wanted: ({ calls }) => calls !== undefined,
  cost: (checks) => (checks.some(({ probe }) => probe === 'sip-options') ? COST : { packets: 0, bytes: 0 }),
  ask: async (farEnds, tools, { deep, calls }) => {
    const how = { isDeep: deep, idleMs: calls?.idleMs };
    const all = await Promise.all(farEnds.map((one) => rehearse(waysOf(one), one, how, tools)));
    return all.flat();
  },
} as const satisfies Study<'calls'>;
