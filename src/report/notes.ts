/** What a report has to say besides its verdicts. */
import type { FarEndFacts } from '../model/far-end.js';
import type { Observation } from '../model/observation.js';
import type { RunOutput } from '../model/run.js';
import type { Classified } from '../model/verdict.js';
import { recurrenceOf } from '../verdict/away.js';
import type { FarEndState } from '../verdict/circumstances.js';
import { endOf } from '../verdict/far-end.js';
import { portRuns, writePorts } from '../verdict/fixes/ask.js';
import { connectionsDie, flowsDie, holdsFirst, losesFirst, lostAtFirst } from '../verdict/flows.js';
import { lossUpperBound } from '../verdict/silence.js';
import type { StudyFacts } from '../verdict/studies/registry.js';
import {
  deadConnectionsNote,
  deadFlowsNote,
  firstHeldNote,
  firstLostNote,
  limitedConnectionsNote,
  ownPortNote,
  shutForNote,
  shutNote,
  unreadableNote,
} from '../words/flows.js';
import { addressChangedNote, recurrenceNote, restartedNote } from '../words/outages.js';
import {
  busyHost,
  CLOCKS_DIFFER,
  CUT_AT_DEADLINE,
  CUT_BY_SIGNAL,
  cutOffAtEnd,
  deadAddress,
  OTHER_PROTOCOL,
  refusedAtEnd,
  silentAtEnd,
  TOKEN_REJECTED,
  unproven,
} from '../words/run-notes.js';
import type { Named } from './who.js';

/** One address that says nothing while another of the same target answers: whoever uses that one gets nowhere. */
export const deadAddresses = (target: Named, farEnd: ReadonlyMap<string, FarEndState>): readonly string[] => {
  const asked = target.addresses.filter((address) => farEnd.has(address));
  const alive = asked.some((address) => farEnd.get(address)?.alive);
  return asked.filter((address) => alive && !farEnd.get(address)?.alive).map((address) => deadAddress(address));
};

/** Above this the probing thread itself was held up, and round trips include its own waiting. */
const SUSPECT_DELAY_MS = 20;

const CUT_SHORT: Readonly<Record<NonNullable<RunOutput<StudyFacts>['cutShort']>, string>> = {
  deadline: CUT_AT_DEADLINE,
  signal: CUT_BY_SIGNAL,
};

/** What became of a far end of which nothing came any more. */
const endNotes = (facts: FarEndFacts): readonly string[] => {
  const ended = endOf(facts);
  const last = facts.silences.at(-1);
  if (ended === null) return [];
  if (facts.isRefusing) return [refusedAtEnd(facts.address)];
  const isUdp = last?.what === 'udp';
  return ended === 'cut-off'
    ? [cutOffAtEnd(facts.address, isUdp, last?.flows ?? 0, last?.recentFlows ?? 0)]
    : [silentAtEnd(facts.address, isUdp)];
};

/** One of several far ends tells it for all that saw the same. */
const addressNotes = (farEnds: readonly FarEndFacts[], begunAtMs: number): readonly string[] => {
  const notes = new Map<string, string>();
  for (const { addressChanges } of farEnds) {
    const which = addressChanges.map(({ from, to }) => `${from} ${to}`).join();
    if (which !== '' && !notes.has(which)) notes.set(which, addressChangedNote(addressChanges, begunAtMs));
  }
  return [...notes.values()];
};

/** What the run itself has to tell: that it was cut short, a busy host, a refused token. */
export const notesOf = (
  { begunAtMs, cutShort, eventLoopDelayMs, farEnds, loss }: RunOutput<StudyFacts>,
  durationMs: number,
): readonly string[] => [
  ...(cutShort === null ? [] : [CUT_SHORT[cutShort]]),
  ...(eventLoopDelayMs > SUSPECT_DELAY_MS && durationMs > 0 ? [busyHost(Math.round(eventLoopDelayMs))] : []),
  ...farEnds.flatMap(endNotes),
  ...farEnds.flatMap((one) => {
    const recurrence = recurrenceOf(one, lossUpperBound(loss));
    return recurrence ? [recurrenceNote(one, recurrence, begunAtMs)] : [];
  }),
  ...farEnds.filter(({ isForgetful }) => isForgetful).map((one) => restartedNote(one, begunAtMs)),
  ...addressNotes(farEnds, begunAtMs),
  ...farEnds
    .filter(({ shutFor }) => shutFor.length > 0)
    .map((one) => {
      const fromMs = Math.min(...one.shutFor.map((shut) => shut.fromMs));
      const toMs = Math.max(...one.shutFor.map((shut) => shut.toMs));
      return shutForNote(one, fromMs - begunAtMs, toMs - begunAtMs);
    }),
  ...farEnds.filter(({ flows }) => flowsDie(flows)).map(deadFlowsNote),
  ...farEnds.filter(({ connections }) => connectionsDie(connections, lossUpperBound(loss))).map(deadConnectionsNote),
  ...farEnds.filter(({ connections }) => connections?.isLimited).map(limitedConnectionsNote),
  ...farEnds.flatMap((one) =>
    one.identity?.info.unreadable ? [unreadableNote(one, one.identity.info.unreadable)] : [],
  ),
  ...farEnds.filter(({ flows }) => losesFirst(flows)).map((one) => firstLostNote(one, lostAtFirst(one.flows))),
  ...farEnds.filter(({ flows }) => holdsFirst(flows)).map(firstHeldNote),
  ...(farEnds.some(({ tokenRefused }) => tokenRefused) ? [TOKEN_REJECTED] : []),
  ...(farEnds.some(({ versionRefused }) => versionRefused) ? [OTHER_PROTOCOL] : []),
  ...(farEnds.some(({ clockRefused }) => clockRefused) ? [CLOCKS_DIFFER] : []),
];

/** A token was given, something answered, and nobody proved to know it. */
export const unprovenNotes = (
  { target, reflectors }: { readonly target: Named; readonly reflectors: readonly Named[] },
  all: readonly Classified[],
): readonly string[] => {
  const hosts = (reflectors.length > 0 ? reflectors : [target]).map(({ host }) => host).join(', ');
  return all.some(({ reason }) => reason === 'unproven') ? [unproven(hosts)] : [];
};

/** What passed at first and was shut at the end, by transport. */
export const shutNotes = (all: readonly Classified[]): readonly string[] => {
  const shut = all.filter(({ reason, evidence }) => reason === 'cut-off' && evidence.silentAtLast !== undefined);
  return (['udp', 'tcp', 'tls'] as const).flatMap((transport) => {
    const ports = shut.flatMap(({ check }) =>
      check.transport === transport ? [{ from: check.port, to: check.port }] : [],
    );
    return ports.length > 0 ? [shutNote(`${transport.toUpperCase()} ${writePorts(portRuns(ports))}`)] : [];
  });
};

/** Protocols that pass from their own port and from no other, as far as the verdict is that flows of theirs die. */
export const ownPortNotes = (observations: readonly Observation[], all: readonly Classified[]): readonly string[] => [
  ...new Set(
    observations.flatMap(({ check, attempts }) => {
      const from = attempts.flatMap((one) => (one.outcome === 'answer' ? [one.sourcePort] : []));
      const isOwn = from.length > 0 && from.every((port) => port === check.port);
      const dies = (): boolean => all.some((one) => one.check.key === check.key && one.reason === 'flow-loss');
      return isOwn && dies() ? [ownPortNote(check.port)] : [];
    }),
  ),
];
