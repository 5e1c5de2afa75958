/**
 * Adds, beside every other phase, the moments at which each far end was alive: a way that is known to pass is asked again
 * and again. Without it a line that is away for some seconds looks like ports that are blocked.
 */
import type { Check } from '../../model/check.js';
import { askCheck } from '../ask/ask.js';
import { type FlowToKnown, openFlowToKnown } from '../ask/flow-to-known.js';
import { either } from '../either.js';
import type { FarEnd } from '../far-ends.js';
import { unlessLineLost } from '../line-lost.js';
import { passed } from '../observations.js';
import type { RunState } from '../state.js';
import type { Tools } from '../tools.js';

/** Three of these fit into the moment that two answers vouch for. */
const EVERY_MS = 200;
/** Where many canaries are lost, more of them keep the moments together. */
const LOSSY = 0.1;
const LOSSY_EVERY_MS = 100;
/** A connection costs more than a datagram, and both ends more than its octets. */
const STREAM_EVERY_MS = 500;
/** Over UDP nothing comes: whether connections are away as well is asked so often. */
const BESIDE_EVERY_MS = 1000;
/** Studies that take minutes hold their own controls; the canary then only has to see a line that goes away for good. */
const PATIENT_AFTER_MS = 120_000;
const PATIENT_EVERY_MS = 1000;
/** A flow of its own may be the dead one, or be cut off: after so long in vain, beyond what answers take, another takes its turn. */
const RENEW_AFTER_MS = 500;
/** After so long in vain, beyond the longest round trip, another port is asked beside: the first may be what was shut. */
const DOUBT_AFTER_MS = 300;
const PATIENCE = 1.25;
/** Late answers are heard on earlier flows as well; more of them than this are an outage. */
const MAX_FLOWS = 8;
/** Ports that take turns. */
const MAX_WAYS = 3;

/** What may be asked often: nothing that a server keeps state of, and not SIP, which flood limits count. */
const OFTEN: readonly Check['probe'][] = ['rtp-echo', 'udp-echo', 'rtcp-echo', 'stun-binding', 'dns'];

/**
 * Ways to this far end that are known to pass, the best first; over UDP from the first answer on, because the line may go away
 * while the check that it belongs to still waits for others.
 */
const waysOf = ({ passedOverUdp, facts: { identity } }: FarEnd, heard: readonly Check[]): readonly Check[] => {
  const passing = passedOverUdp.length > 0 ? passedOverUdp : heard;
  const often = passing
    .filter(({ probe }) => OFTEN.includes(probe))
    .sort((a, b) => OFTEN.indexOf(a.probe) - OFTEN.indexOf(b.probe));
  const control = identity ? [{ ...identity.control, probe: 'udp-echo' as const }] : [];
  const known = [...often, ...control];
  if (known.some(({ transport }) => transport === 'udp')) return known;
  // The tag alone is none of the messages that passed there, and may be what somebody filters: only where nothing else is left.
  return [...passing.map((check) => ({ ...check, probe: 'udp-echo' as const })), ...known];
};

interface Canary extends FlowToKnown {
  /** Since when it waits in vain for any answer; null where there is nothing to wait for. */
  waitingSinceMs: number | null;
}

const openCanary = async (way: Check, tools: Tools, onAnswer: () => void): Promise<Canary> => {
  const { net, timeline } = tools;
  const flow = await openFlowToKnown(way, tools, {
    asking: () => {
      timeline.expected(way.address ?? '', 'udp', way.port);
      canary.waitingSinceMs ??= net.now();
    },
    answered: () => {
      canary.waitingSinceMs = null;
      onAnswer();
    },
  });
  const canary: Canary = { ...flow, waitingSinceMs: null };
  return canary;
};

interface Canaries {
  /** Asks the way that answered last; and another one beside where that one does not answer any more. */
  ask(ways: readonly Check[], spare: () => Check | undefined): Promise<void>;
  close(): void;
}

/** The datagrams by which a line is watched: a flow for each of some ways. */
const openCanaries = (tools: Tools): Canaries => {
  const { net, path } = tools;
  const byPort = new Map<number, Canary>();
  const answeredAtMs = new Map<number, number>();
  const opened: Canary[] = [];
  let turn = 0;
  const waitedMs = (port: number): number => {
    const sinceMs = byPort.get(port)?.waitingSinceMs ?? null;
    return sinceMs === null ? 0 : net.now() - sinceMs;
  };
  const askOver = async (way: Check): Promise<void> => {
    const { port } = way;
    let canary = byPort.get(port);
    if (!canary || waitedMs(port) > path.lateMs('udp') + RENEW_AFTER_MS) {
      canary = await openCanary(way, tools, () => answeredAtMs.set(port, net.now()));
      byPort.set(port, canary);
      opened.push(canary);
      const current = new Set(byPort.values());
      const oldest = opened.length > MAX_FLOWS ? opened.findIndex((one) => !current.has(one)) : -1;
      if (oldest >= 0) opened.splice(oldest, 1)[0]?.close();
    }
    await canary.ask();
  };
  return {
    ask: async (ways, spare) => {
      const lastAtMs = ({ port }: Check): number => answeredAtMs.get(port) ?? Number.NEGATIVE_INFINITY;
      const [first, ...others] = ways.slice(0, MAX_WAYS).sort((a, b) => lastAtMs(b) - lastAtMs(a));
      if (!first) return;
      const isDoubtful = waitedMs(first.port) > DOUBT_AFTER_MS + PATIENCE * path.longestRttMs('udp');
      await askOver(first);
      if (!isDoubtful) return;
      const beside = others[turn % Math.max(1, others.length)] ?? spare();
      turn += 1;
      if (beside && beside.port !== first.port) await askOver(beside);
    },
    close: () => {
      for (const one of opened) one.close();
    },
  };
};

/** Over a connection each asking is an exchange of its own. */
const askOverStream = async (way: Check, tools: Tools): Promise<void> => {
  tools.timeline.expected(way.address ?? '', way.transport);
  const once = { samples: 1, doubt: 0, atMost: 1, evenIfAway: true };
  await askCheck(way, tools.probeOf('udp-echo'), once, tools);
};

/** A connection that passed, asked in the bare tag. */
const passingConnection = (run: RunState, address: string): Check | undefined => {
  const all = run.observations.at(address).filter((one) => one.check.transport !== 'udp' && passed(one));
  return all[0] && { ...all[0].check, probe: 'udp-echo' };
};

interface Beside {
  /** Asks over a connection, where one passes, unless it was asked just now; nobody waits for it. */
  look(way: Check | undefined): void;
  /** Why it could not ask. */
  trouble: Error | null;
  ended(): Promise<void>;
}

/** Questions over connections beside the canary's datagrams: whether all of a line is away, or UDP alone. */
const openBeside = (tools: Tools): Beside => {
  const { net } = tools;
  let nextAtMs = 0;
  let asking: Promise<void> = Promise.resolve();
  const beside: Beside = {
    look: (way) => {
      if (!way || net.now() < nextAtMs) return;
      nextAtMs = net.now() + BESIDE_EVERY_MS;
      const before = asking;
      const trouble = (error: unknown): void => {
        beside.trouble = error instanceof Error ? error : new Error(String(error));
      };
      asking = Promise.all([before, askOverStream(way, tools)]).then(() => undefined, trouble);
    },
    trouble: null,
    ended: () => asking,
  };
  return beside;
};

/** A port of a sweep that passed: asked where no single one is left that answers. */
const sweptPort = (run: RunState, address: string): Check | undefined =>
  run.observations
    .at(address)
    .find((one) => OFTEN.includes(one.check.probe) && one.check.transport === 'udp' && passed(one))?.check;

const watch = async (run: RunState, address: string, tools: Tools): Promise<void> => {
  const { net, path, signal, timeline } = tools;
  const begunAtMs = net.now();
  const beside = openBeside(tools);
  const canaries = openCanaries(tools);
  let spare: Check | undefined;
  try {
    while (!signal.aborted) {
      if (tools.watch.isPaused) {
        await net.sleep(EVERY_MS, signal);
        continue;
      }
      const farEnd = run.farEnds.get(address);
      const ways = farEnd ? waysOf(farEnd, tools.ways.heardOverUdp(address)) : [];
      const udp = ways.filter(({ transport }) => transport === 'udp');
      const stream = ways.find(({ transport }) => transport !== 'udp');
      if (beside.trouble) throw beside.trouble;
      if (udp.length > 0 && timeline.isSilent(address, 'udp')) beside.look(stream ?? passingConnection(run, address));
      if (udp.length > 0) {
        await canaries.ask(udp, () => {
          spare ??= sweptPort(run, address);
          return spare;
        });
      } else if (stream) await askOverStream(stream, tools);
      const isLossy = (path.upperBound() ?? 0) > LOSSY;
      const usualMs = udp.length > 0 || !stream ? (isLossy ? LOSSY_EVERY_MS : EVERY_MS) : STREAM_EVERY_MS;
      const isPatient = net.now() - begunAtMs > PATIENT_AFTER_MS;
      await net.sleep(isPatient ? PATIENT_EVERY_MS : usualMs, signal);
    }
  } finally {
    canaries.close();
    await beside.ended();
  }
};

/** Watches every far end until `done` fires. Resolves then; what happens meanwhile is in the timeline. */
export const watchLine = async (run: RunState, done: AbortSignal): Promise<void> => {
  const tools: Tools = { ...run.tools, signal: either(run.tools.signal, done) };
  await Promise.all(
    run.farEnds.all().map(({ address }) => watch(run, address, tools).catch(unlessLineLost(tools.signal))),
  );
};
