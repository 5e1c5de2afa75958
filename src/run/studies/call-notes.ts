/** What is noted of each step while a call goes on, and what both ends know of it at last. */
import { tcpSendings } from '../../dialog/clock.js';
import type { CallLeg, CallStepFacts } from '../../model/study-facts.js';
import type { CallRecord } from '../../wire/call.js';
import type { Tools } from '../tools.js';
import type { AgentLine } from './call-line.js';

/** A message by its name, or sound by its count. */
export type LegNote =
  | { readonly from: CallLeg['from']; readonly kind: CallLeg['kind']; readonly name: string }
  | {
      readonly from: CallLeg['from'];
      readonly sound: {
        readonly sent: number;
        readonly sentAtMs: readonly number[] | null;
        readonly arrived: number | null;
      };
    };

export interface StepNote extends Omit<CallStepFacts, 'legs'> {
  readonly legs: readonly LegNote[];
}

export const untested = (step: StepNote['step'], why: NonNullable<StepNote['untested']>): StepNote => ({
  ...{ step, untested: why, status: null, ms: null, legs: [] },
});

const isAnswerTo = (name: string, request: string): boolean => /^\d{3} /.test(name) && name.slice(4) === request;

/** @param record the far end's last word of this line; null where it could not be had */
export const legOf = (
  note: LegNote,
  line: AgentLine,
  record: CallRecord | null,
  address: string,
  tools: Tools,
): CallLeg => {
  const { timeline, net } = tools;
  const endedAtMs = line.endedAtMs() ?? Number.POSITIVE_INFINITY;
  const witnessed = (sentAtMs: readonly number[]): number => timeline.witnessed(address, sentAtMs, 'udp');
  /** Of messages: over a connection each is sent again until it arrives, as long as the connection stands. */
  const sendingsOf = (sentAtMs: readonly number[]): readonly number[] =>
    line.isReliable
      ? sentAtMs.flatMap((atMs) => tcpSendings(atMs, net.now())).filter((atMs) => atMs < endedAtMs)
      : sentAtMs;
  const ofConnection = line.isReliable ? { overConnection: true } : {};
  if ('sound' in note) {
    const { sent, sentAtMs, arrived } = note.sound;
    // Of sound that the far end sends within a second or two its own account is all that is known.
    const seen = sentAtMs === null ? sent : witnessed(sentAtMs);
    return { from: note.from, kind: 'one-way', sent, witnessed: seen, arrived, answered: null, received: null };
  }
  const { from, kind, name } = note;
  const ours = line.phone.messages;
  const here = (direction: 'sent' | 'heard', matches: (one: string) => boolean) =>
    ours.filter((one) => one.direction === direction && matches(one.name));
  const there = (direction: 'sent' | 'heard', matches: (one: string) => boolean) =>
    record?.messages.filter((one) => one.direction === direction && matches(one.name)) ?? null;
  const isIt = (one: string): boolean => one === name;
  const isAnswer = (one: string): boolean => isAnswerTo(one, name);
  if (from === 'agent') {
    const sentAtMs = here('sent', isIt).map(({ atMs }) => atMs);
    return {
      ...{ from, kind, sent: sentAtMs.length, witnessed: witnessed(sendingsOf(sentAtMs)), ...ofConnection },
      arrived: there('heard', isIt)?.length ?? null,
      answered: kind === 'one-way' ? null : (there('sent', isAnswer)?.length ?? null),
      received: kind === 'one-way' ? null : here('heard', isAnswer).length,
    };
  }
  // The far end's clock and ours: its record tells what time it was there when it came.
  const offset = record ? net.now() - record.nowMs : 0;
  const sentAtMs = (there('sent', isIt) ?? []).map(({ atMs }) => atMs + offset);
  return {
    ...{ from, kind, sent: sentAtMs.length, witnessed: witnessed(sendingsOf(sentAtMs)), ...ofConnection },
    arrived: here('heard', isIt).length,
    answered: kind === 'one-way' ? null : here('sent', isAnswer).length,
    received: kind === 'one-way' ? null : (there('heard', isAnswer)?.length ?? null),
  };
};
