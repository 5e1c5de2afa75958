/** Is it the port, or is it the flow? What several source ports to a known port show of the path. Pure. */
import type { Check } from '../model/check.js';
import type { ConnectionFacts, FlowFacts } from '../model/far-end.js';
import type { Attempt } from '../model/observation.js';
import { atLeast, lossUpperBound } from './silence.js';

/** So unlikely by loss alone that flows die of their own; that there are such flows is said of the whole line. */
const DOUBT = 1e-4;
/**
 * Where even the living flows lose more than this, packets are lost and not flows: a limit on answers leaves some flows with one
 * answer and others with none.
 */
const MAX_LOSS_OF_LIVING = 1 / 3;
/** A line that loses more of the later packets as well loses whichever, and not the first. */
const MOST_LATER_LOSS = 1 / 6;
/** Nearly all flows show it, or it is loss. */
const NEARLY_ALL = 0.8;
const FEW = 6;

/** Some flows answer nothing and others do, beyond what the loss of the living ones explains. */
export const flowsDie = (facts: FlowFacts | null | undefined): boolean => {
  if (!facts || facts.dead < 2 || facts.dead === facts.asked) return false;
  const { packetsOfLiving, packetsOfDead } = facts;
  const first = losesFirst(facts) ? facts.firstPackets : 0;
  if (facts.lostOfLiving - first > MAX_LOSS_OF_LIVING * packetsOfLiving) return false;
  // A bound and not a mean: of few packets the mean is often too low, and each flow takes it to the power of its packets.
  const loss = lossUpperBound({ trials: packetsOfLiving, answers: packetsOfLiving - facts.lostOfLiving }) ?? 1;
  return atLeast(facts.dead, facts.asked, loss ** packetsOfDead) <= DOUBT;
};

/** The first packet of nearly every flow is lost, or the first few, and the others are not. */
export const losesFirst = (facts: FlowFacts | null | undefined): boolean => {
  if (!facts || !isOfNearlyAll(facts, facts.firstLost)) return false;
  const [others, lostOthers] = [facts.packetsOfLiving - facts.firstPackets, facts.lostOfLiving - facts.firstPackets];
  return lostOthers <= Math.max(1, MOST_LATER_LOSS * others);
};

/** How many packets each flow loses before one passes; 0 where the path does nothing of the kind. */
export const lostAtFirst = (facts: FlowFacts | null | undefined): number =>
  facts && losesFirst(facts) ? Math.round(facts.firstPackets / facts.firstLost) : 0;

/** The first packet of nearly every flow is held until the path knows the way. */
export const holdsFirst = (facts: FlowFacts | null | undefined): boolean => isOfNearlyAll(facts, facts?.firstHeld ?? 0);

/** Round trips of packets that were not the first of their flow, in milliseconds: those the path may have held. */
export const laterRoundTrips = (attempts: readonly Attempt[]): readonly number[] => {
  const begun = new Set<number>();
  return attempts.flatMap((attempt) => {
    const { outcome, sourcePort } = attempt;
    if (sourcePort === null) return [];
    const isFirst = !begun.has(sourcePort);
    begun.add(sourcePort);
    return !isFirst && outcome === 'answer' && attempt.rttMs !== null ? [attempt.rttMs] : [];
  });
};

const isOfNearlyAll = (facts: FlowFacts | null | undefined, count: number): boolean => {
  const living = facts ? facts.asked - facts.dead : 0;
  return living >= FEW && count >= NEARLY_ALL * living;
};

/** More connections died at their first packet than the path's loss explains; each has its SYN sent again, so that loss takes fewer still. */
export const dieBeyondLoss = ({ asked, dead }: ConnectionFacts, pathLossUpperBound: number | null): boolean =>
  dead > 1 && atLeast(dead, asked, pathLossUpperBound ?? 1) <= DOUBT;

/** Some connections die at their first packet and others open, beyond what the path's loss explains. */
export const connectionsDie = (
  facts: ConnectionFacts | null | undefined,
  pathLossUpperBound: number | null,
): boolean => {
  if (!facts || facts.isLimited || facts.dead === facts.asked) return false;
  return dieBeyondLoss(facts, pathLossUpperBound);
};

/** The most that the share of dead flows may be; null where flows were not looked at or none died. */
export const deadShare = (facts: ConnectionFacts | null | undefined): number | null =>
  facts && facts.dead > 0 ? lossUpperBound({ trials: facts.asked, answers: facts.asked - facts.dead }) : null;

/** Source ports of which nothing came back; connections that never opened are one each. */
export const silentFlows = (attempts: readonly Attempt[]): number => {
  const ports = new Set(attempts.flatMap(({ sourcePort }) => sourcePort ?? []));
  return ports.size + attempts.filter(({ sourcePort, packets }) => sourcePort === null && packets > 0).length;
};

/** Flows of which a packet stayed unanswered: where the first of each is lost, so many packets are no loss of the line. */
export const firstPackets = (attempts: readonly Attempt[]): number => {
  const lost = attempts.flatMap(({ sourcePort, lostAtMs }) => (lostAtMs.length > 0 ? (sourcePort ?? []) : []));
  return new Set(lost).size;
};

/** Whether so few packets went out from each source port that a path which loses the first few of a flow took them all. */
export const mayBeFirst = (attempts: readonly Attempt[], facts: FlowFacts | null | undefined): boolean => {
  const first = lostAtFirst(facts);
  const perFlow = new Map<number | null, number>();
  for (const { sourcePort, packets } of attempts) perFlow.set(sourcePort, (perFlow.get(sourcePort) ?? 0) + packets);
  return first > 0 && [...perFlow.values()].every((packets) => packets <= first);
};

/** Connections that never opened, though others did: the system has sent each one's SYN again, so that loss takes few. */
export const deadConnections = (attempts: readonly Attempt[]): number =>
  attempts.filter((one) => one.outcome === 'silence' && one.opened === null).length;

/**
 * Connections that never opened before the first that did: what fails for a time and then no more is away, and what fails in
 * between is about the connection.
 */
export const awayAtFirst = (attempts: readonly Attempt[]): number => {
  const first = attempts.findIndex(({ outcome }) => outcome === 'answer');
  return first < 0 ? 0 : deadConnections(attempts.slice(0, first));
};

/** Packets that went out from source ports of which nothing came back, though from another one something did. */
export const deadFlows = (attempts: readonly Attempt[]): { readonly flows: number; readonly packets: number } => {
  const answered = new Set(attempts.flatMap(({ outcome, sourcePort }) => (outcome === 'answer' ? [sourcePort] : [])));
  const dead = attempts.filter(({ outcome, sourcePort }) => outcome === 'silence' && !answered.has(sourcePort));
  return {
    flows: new Set(dead.map(({ sourcePort }) => sourcePort)).size,
    packets: dead.reduce((sum, { packets }) => sum + packets, 0),
  };
};

/** Answered from the protocol's own source port alone, and silent from every other that was tried. */
export const isOwnPortOnly = ({ port }: Pick<Check, 'port'>, attempts: readonly Attempt[]): boolean => {
  const answered = attempts.filter(({ outcome }) => outcome === 'answer');
  return (
    answered.length > 0 &&
    answered.every(({ sourcePort }) => sourcePort === port) &&
    attempts.some(({ outcome, sourcePort }) => outcome === 'silence' && sourcePort !== port)
  );
};
