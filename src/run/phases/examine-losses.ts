/**
 * Adds which UDP ports were shut for a time, by themselves: a rule that ends during the run takes packet after packet of some
 * ports and none of others. Taken for loss of the line it would make all of them poor. These ports are asked again, over flows
 * of their own: only what loses nothing now was shut before. Before silence is asked on, because loss decides how long; and again
 * after it, because what was still shut by the first time has answered since.
 */
import { clusteredFrom, isBeyondLoss, losingPart } from '../../verdict/clustered.js';
import { flowsDie, lostAtFirst } from '../../verdict/flows.js';
import { lossUpperBound } from '../../verdict/silence.js';
import { askFlow, factsOf } from '../ask/examined-flow.js';
import type { FarEnd } from '../far-ends.js';
import { unlessLineLost } from '../line-lost.js';
import { passesFromAnywhere } from '../observations.js';
import type { RunState } from '../state.js';
import { shuffled } from '../sweep/shuffle.js';

/** Of a line that loses one packet in ten, so many flows of four packets each lose at least one all but once in 20,000 times. */
const FLOWS = 24;

interface Lost {
  readonly check: Parameters<typeof askFlow>[0];
  /** When packets went there in vain while the far end was alive. */
  readonly lostAtMs: readonly number[];
}

const examine = async (run: RunState, { address, facts }: FarEnd): Promise<void> => {
  const { tools } = run;
  const { timeline } = tools;
  // What flows lose, and what a limit takes, belongs to no port.
  if (flowsDie(facts.flows) || lostAtFirst(facts.flows) > 0 || run.sweeps.limit(address) !== null) return;
  const passing = run.observations
    .at(address)
    .filter((one) => one.check.transport === 'udp' && passesFromAnywhere(one))
    .map(({ check, attempts }): Lost => {
      const lost = attempts.flatMap(({ lostAtMs }) => lostAtMs);
      return { check, lostAtMs: lost.filter((atMs) => timeline.witnessed(address, [atMs], 'udp', check.port) > 0) };
    });
  const counts = passing.map(({ lostAtMs }) => lostAtMs.length);
  const part = losingPart(passing.map(({ check, lostAtMs }) => ({ port: check.port, lost: lostAtMs.length })));
  const from = clusteredFrom(counts) ?? (part === null ? null : 1);
  if (from === null) return;
  const suspects = passing.filter(({ lostAtMs }) => lostAtMs.length >= from);
  const order = shuffled(suspects, tools.net.random);
  const asked = Array.from({ length: FLOWS }, (_, index) => order[index % order.length]).flatMap((one) => one ?? []);
  const now = factsOf(await Promise.all(asked.map(({ check }) => askFlow(check, tools))));
  if (flowsDie(now)) run.farEnds.learn(address, { flows: now });
  if (now.dead > 0) return;
  const loss = lossUpperBound({ trials: now.packetsOfLiving, answers: now.packetsOfLiving - now.lostOfLiving });
  const losing = counts.filter((count) => count > 0);
  const lost = losing.reduce((sum, count) => sum + count, 0);
  // What that part loses no more was a matter of time as well as of ports: a rule that ended, however little each port lost to it.
  const hasEnded = part !== null && now.lostOfLiving === 0 && isBeyondLoss(lost, part + lost, loss ?? 1);
  const since = hasEnded ? 1 : clusteredFrom(counts, loss ?? 1);
  if (since === null) return;
  timeline.shut(
    address,
    passing
      .filter(({ lostAtMs }) => lostAtMs.length >= since)
      .map(({ check, lostAtMs }) => ({ port: check.port, fromMs: Math.min(...lostAtMs), toMs: Math.max(...lostAtMs) })),
  );
};

export const examineLosses = async (run: RunState): Promise<void> => {
  await Promise.all(run.proven().map((farEnd) => examine(run, farEnd).catch(unlessLineLost(run.signal))));
};
