/**
 * Calls, as phones make and take them: what ports cannot show. That requests inside a call find their way after NAT, that the ACK
 * arrives, that the far end can speak first, and what changes each message of a call on its way.
 */
import type { Check } from '../../model/check.js';
import type { CallFacts, CallRefusal, CallStepFacts } from '../../model/study-facts.js';
import { flowsDie } from '../../verdict/flows.js';
import { type CallRecord, callIdentity, MAX_LINES, messageDigest } from '../../wire/call.js';
import { askCheck } from '../ask/ask.js';
import { passed } from '../observations.js';
import type { Tools } from '../tools.js';
import { type AgentLine, openLine } from './call-line.js';
import { legOf, type StepNote } from './call-notes.js';
import { calledAfterIdle, cancelledCall, longCall, type Script, wholeCall } from './call-script.js';
import { type CallWindow, openWindow } from './call-window.js';
import type { StudiedFarEnd, Study } from './study.js';

/** Longer than most firewalls keep UDP: 30 s on Linux, and longer than the 32 s after which a call that nobody acknowledged ends. */
const IDLE_MS = 35_000;
/** With `--deep` as long as the longest lifetime that is asked for. */
const DEEP_IDLE_MS = 295_000;
/** Messages that are fetched because they were changed; of a helper that changes all of them these show enough. */
const MAX_FETCHED = 12;
/** What a run of it sends: five lines, some 45 messages of 700 bytes, 300 packets of sound, and 80 questions of 1.1 kB. */
const COST = { packets: 430, bytes: 230_000 } as const;

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
    ...{ address, family: sip.family ?? 4, transport: sip.transport, port: sip.port, steps, ...how },
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

const rehearse = async (
  sip: Check,
  farEnd: StudiedFarEnd,
  isDeep: boolean,
  tools: Tools,
): Promise<readonly CallFacts[]> => {
  const { session } = tools;
  const refused = (notTried: CallRefusal): readonly CallFacts[] => [
    {
      ...{ address: farEnd.address, family: sip.family ?? 4, transport: sip.transport, port: sip.port, notTried },
      ...{ direction: 'outbound', idle: null, steps: [], changed: [], passesStill: null },
    },
  ];
  if (farEnd.identity && farEnd.identity.info.calls !== true) return refused('not-offered');
  if (flowsDie(farEnd.flows)) return refused('flows-die');
  const window = await openWindow(farEnd, mediaPorts(farEnd.passing), tools);
  const { state } = window;
  if (state !== 'ok' || session.keys === null) {
    const told = state === 'not-offered' || state === 'needs-connection' || state === 'held-back';
    return refused(told ? state : 'no-answer');
  }
  const identity = callIdentity(session.keys.toAgent);
  const idleMs = isDeep ? DEEP_IDLE_MS : IDLE_MS;
  const scripts = [
    [{ direction: 'outbound', idle: null }, wholeCall],
    [{ direction: 'outbound', idle: null }, (script: Script) => longCall(script, IDLE_MS)],
    [{ direction: 'outbound', idle: null }, cancelledCall],
    [
      { direction: 'inbound', idle: { ms: idleMs, keepalives: false } },
      (script: Script) => calledAfterIdle(script, idleMs, false),
    ],
    [
      { direction: 'inbound', idle: { ms: idleMs, keepalives: true } },
      (script: Script) => calledAfterIdle(script, idleMs, true),
    ],
  ] as const;
  const lines: AgentLine[] = [];
  try {
    for (const number of scripts.keys()) lines.push(await openLine(sip, number, identity, tools));
    const calls = await Promise.all(
      scripts.map(async ([how, play], number) => {
        const line = lines[number];
        if (!line) return [];
        const script: Script = { line, window, password: identity.password, tools };
        const notes = await play(script);
        return tools.signal.aborted ? [] : [await factsOf(sip, script, notes, how)];
      }),
    );
    const all = calls.flat();
    if (!all.some(({ steps }) => steps.some(isSilentStep)) || tools.signal.aborted) return all;
    // Silence is a step's own only where SIP passes at all when everything is over.
    const still = await askCheck(
      sip,
      tools.probeOf(sip.probe as 'sip-options'),
      { samples: 1, doubt: 0, atMost: 4 },
      tools,
    );
    return all.map((one) => ({ ...one, passesStill: passed(still) }));
  } finally {
    for (const line of lines) line.close();
  }
};

export const study = {
  kind: 'calls',
  // They speak SIP as well: what a limit counts would be counted twice, and a helper's mappings would be shared.
  after: ['inbound', 'sip', 'nat'],
  wanted: ({ calls = false }) => calls,
  cost: (checks) =>
    checks.some(({ probe, transport }) => probe === 'sip-options' && transport === 'udp')
      ? COST
      : { packets: 0, bytes: 0 },
  ask: async (farEnds, tools, { deep }) => {
    const all = await Promise.all(
      farEnds.map(async (farEnd) => {
        const sip = farEnd.passing.find(({ probe, transport }) => probe === 'sip-options' && transport === 'udp');
        return sip ? rehearse(sip, farEnd, deep, tools) : [];
      }),
    );
    return all.flat();
  },
} as const satisfies Study<'calls'>;
