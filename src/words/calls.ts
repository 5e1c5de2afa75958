/** What people read of calls: their steps, why one was not tried, and how a call as a whole is called. */

import type { Report } from '../model/report.js';
import type { CALL_REFUSALS, CALL_STEPS, CALL_UNTESTED } from '../model/study-facts.js';

type Call = NonNullable<Report['calls']>[number];
type Step = Call['steps'][number];

export const STEP_NAMES: Readonly<Record<(typeof CALL_STEPS)[number], string>> = {
  register: 'Register, with password',
  invite: 'Call, and be answered',
  ack: 'Confirm the answer (ACK)',
  'media-outbound': 'They hear us',
  'media-inbound': 'We hear them',
  dtmf: 'Press keys (DTMF)',
  hold: 'Hold',
  resume: 'Resume, and hear again',
  'remote-hold': 'They hold and resume',
  transfer: 'Transfer (REFER, NOTIFY)',
  'attended-transfer': 'Transfer after asking (Replaces)',
  refresh: 'Refresh the session, from each side',
  'inbound-after-idle': 'Be called after silence',
  cancel: 'Hang up while it rings',
  bye: 'Hang up',
  'remote-bye': 'They hang up',
  long: 'Still hear each other after some time',
};

const UNTESTED: Readonly<Record<(typeof CALL_UNTESTED)[number], string>> = {
  'no-call': 'not tried: there was no call',
  'not-registered': 'not tried: it could not register',
  'nowhere-to-send': 'not tried: nothing of ours came to the far end, so that it does not know where to send',
  'no-word': 'not tried: the far end could not be told, or did not say what came of it',
  'no-connection': 'not tried: no connection or socket could be opened',
  'third-party': 'not shown: only the other end could tell',
  interrupted: 'not tried to its end: the run ended first',
};

const REFUSALS: Readonly<Record<(typeof CALL_REFUSALS)[number], string>> = {
  'not-offered':
    'this reflector takes no calls: its operator does not allow them, it is older, or it runs as several processes',
  'needs-connection': 'no TCP or TLS port of the reflector passes, over which it has to be asked first',
  'held-back': 'the reflector has too many calls at the moment',
  'no-answer': 'the reflector did not answer when it was asked',
  'no-sip': 'no server answers SIP at the target, with which the account could be used',
  'flows-die': 'some flows of this line die whatever they carry, and a call would be one of them by chance',
};

/** Why there was no call, as a sentence. */
export const noCallInWords = (why: (typeof CALL_REFUSALS)[number]): string => `No call was tried: ${REFUSALS[why]}.`;

export const callInWords = ({ transport, port, direction, idle, steps }: Call): string => {
  const where = `${transport.toUpperCase()} ${port}`;
  if (direction === 'inbound' && idle) {
    const kept = idle.keepalives ? 'with keepalives' : 'without keepalives';
    return `Call from outside over ${where}, after ${idle.seconds} seconds ${kept}`;
  }
  if (steps.some(({ step }) => step === 'long')) return `Long call over ${where}`;
  if (steps.some(({ step }) => step === 'attended-transfer')) return `Call over ${where}, transferred after asking`;
  if (steps.some(({ step }) => step === 'cancel')) return `Call over ${where}, taken back`;
  return `Call over ${where}`;
};

const LOST: Readonly<Record<string, string>> = {
  'dropped-outbound': 'did not arrive at the far end',
  'dropped-inbound': 'did not arrive here',
};

/** What came of a step, in a few words. */
export const stepInWords = ({ verdict, reason, status, untested, legs }: Step): string => {
  if (untested !== null) return UNTESTED[untested];
  const answered = status === null ? '' : `, ${status}`;
  if (verdict === 'pass') return `passes${answered}`;
  const silent = legs.find(({ arrived }) => arrived === 0);
  const counted = silent ? ` (${silent.sent} sent, none arrived)` : '';
  if (verdict === 'blocked') {
    const isAnswer = silent === undefined;
    return `blocked: ${isAnswer ? 'it arrived, and its answer ' : ''}${LOST[reason] ?? reason}${counted}`;
  }
  if (verdict === 'altered') return `altered on the way (${reason})${answered}`;
  return `unknown (${reason})${answered}${counted}`;
};
