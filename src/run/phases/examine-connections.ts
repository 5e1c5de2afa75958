/**
 * Adds what becomes of connections: do some open and others die at their first packet? Only where one stayed silent beside
 * others that opened, and before anything is said of ports, because a dead member of a link bundle that carries TCP alone
 * looks like a blocked port to whoever meets it a few times in a row.
 */
import type { Check } from '../../model/check.js';
import type { ConnectionFacts } from '../../model/far-end.js';
import type { Observation } from '../../model/observation.js';
import { connectionsDie, deadConnections, dieBeyondLoss } from '../../verdict/flows.js';
import { packetsNeeded } from '../../verdict/silence.js';
import { askCheck } from '../ask/ask.js';
import { SYN_AGAIN_MS } from '../ask/flows.js';
import type { FarEnd } from '../far-ends.js';
import { unlessLineLost } from '../line-lost.js';
import { isSilent, passed } from '../observations.js';
import type { RunState } from '../state.js';
import type { Tools } from '../tools.js';
import { askOn, together } from './ask-again.js';

/** Of one in two dead links, twelve connections find three dead ones at least all but twice in a hundred. */
const CONNECTIONS = 12;
/** Where one died and too few did to tell it from loss. */
const MORE_CONNECTIONS = 24;
/** Further connections over which a silent port is asked; one in two dead, all of them are by chance once in 16,000 times. */
const FURTHER_CONNECTIONS = 14;

const ONCE = { samples: 1, doubt: 0, atMost: 1 } as const;

const isOverConnections = ({ check }: Observation): boolean => check.transport !== 'udp';

/** A way over connections that is known to pass: the tag alone where the far end is proven, else the question that passed. */
const knownWay = ({ facts: { identity } }: FarEnd, observations: readonly Observation[]): Check | null => {
  if (identity && identity.control.transport !== 'udp') return { ...identity.control, probe: 'udp-echo' };
  return observations.find((one) => isOverConnections(one) && passed(one))?.check ?? null;
};

const askElsewhere = async (run: RunState, address: string): Promise<void> => {
  const { tools, sweeps, observations } = run;
  for (let turn = 0; turn < FURTHER_CONNECTIONS && !run.signal.aborted; turn += 1) {
    const silent = observations.at(address).filter((one) => isOverConnections(one) && isSilent(one));
    if (silent.length === 0) return;
    const asked = await askOn(run, silent, {
      ofSweep: sweeps.again,
      single: (check) => askCheck(check, tools.probeOf(check.probe), ONCE, tools),
    });
    observations.record(asked);
  }
};

/** A limit of new connections lets one pass in such a time; one that lets fewer pass is told as what it looks like. */
const SLOW_MS = 1200;
/** So unlikely do all slow ones open by chance where some connections die; and so many are asked at most. */
const SLOW_DOUBT = 0.01;
const MIN_SLOW = 5;
/** As many as it takes where one in four died. */
const MOST_SLOW = 17;

/** Whether connections that died beside others open when they are asked for one after the other. */
const allOpenSlowly = async ({ asked, dead }: ConnectionFacts, way: Check, tools: Tools): Promise<boolean> => {
  const wanted = packetsNeeded(1 - dead / asked, SLOW_DOUBT);
  if (wanted > MOST_SLOW) return false;
  for (let count = 0; count < Math.max(MIN_SLOW, wanted); count += 1) {
    await tools.net.sleep(SLOW_MS, tools.signal);
    if (!passed(await askCheck(way, tools.probeOf(way.probe), ONCE, tools))) return false;
  }
  return true;
};

/** What a limit took is asked again at the pace that it bears. */
const askSlowly = async (run: RunState, address: string): Promise<void> => {
  const { tools, observations } = run;
  const silent = observations.at(address).filter((one) => isOverConnections(one) && isSilent(one));
  for (const one of silent.slice(0, MOST_SLOW)) {
    await tools.net.sleep(SLOW_MS, tools.signal);
    const again = await askCheck(one.check, tools.probeOf(one.check.probe), ONCE, tools);
    observations.record([together(one, again)]);
  }
};

/** So long after a moment it is known whether the far end was there: three canaries and their answers. */
const TELLS_MS = 1000;

const isDead = ({ attempts }: Observation): boolean => deadConnections(attempts) > 0;

/**
 * Whether all else passed when its SYNs went out, the second as well: a guard that these connections alarm shuts everything out in the
 * moment of the first.
 */
const diedAlone = ({ check, attempts }: Observation, { timeline }: Tools): boolean => {
  const lostAtMs = attempts.flatMap((one) => one.lostAtMs).flatMap((atMs) => [atMs, atMs + SYN_AGAIN_MS]);
  return timeline.unwitnessed(check.address ?? '', lostAtMs, check.transport, check.port) === 0;
};

const examine = async (run: RunState, farEnd: FarEnd): Promise<void> => {
  const { tools } = run;
  const observations = run.observations.at(farEnd.address);
  const way = knownWay(farEnd, observations);
  const someDied = observations.some((one) => isOverConnections(one) && isDead(one));
  if (way === null || !someDied) return;
  const ask = async (count: number): Promise<ConnectionFacts> => {
    const begunAtMs = tools.net.now();
    const all = await Promise.all(
      Array.from({ length: count }, () => askCheck(way, tools.probeOf(way.probe), ONCE, tools)),
    );
    if (all.some(isDead)) await tools.net.sleep(begunAtMs + SYN_AGAIN_MS + TELLS_MS - tools.net.now(), tools.signal);
    const own = all.filter((one) => !isDead(one) || diedAlone(one, tools));
    return { asked: own.length, dead: own.filter(isDead).length };
  };
  const die = (facts: ConnectionFacts): boolean => connectionsDie(facts, tools.path.upperBound());
  const first = await ask(CONNECTIONS);
  const isOpen = first.dead > 0 && !die(first);
  const more = isOpen ? await ask(MORE_CONNECTIONS) : { asked: 0, dead: 0 };
  const connections = { asked: first.asked + more.asked, dead: first.dead + more.dead };
  // A limit of how many may be opened in a moment: they die at once, open one by one, and die at once again. A lossy line does
  // the first only by chance, and one that was away does not do the last.
  const isOfMoment = (facts: ConnectionFacts): boolean => dieBeyondLoss(facts, tools.path.upperBound());
  const isLimited =
    isOfMoment(connections) && (await allOpenSlowly(connections, way, tools)) && isOfMoment(await ask(CONNECTIONS));
  run.farEnds.learn(farEnd.address, { connections: { ...connections, isLimited } });
  if (isLimited) await askSlowly(run, farEnd.address);
  else if (die(connections)) await askElsewhere(run, farEnd.address);
};

export const examineConnections = async (run: RunState): Promise<void> => {
  await Promise.all(run.proven().map((farEnd) => examine(run, farEnd).catch(unlessLineLost(run.signal))));
};
