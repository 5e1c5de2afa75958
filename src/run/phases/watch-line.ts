/**
 * Adds, beside every other phase, the moments at which each far end was alive: a way that is known to pass is asked again
 * and again. Without it a line that is away for some seconds looks like ports that are blocked.
 */
import type { Check } from '../../model/check.js';
import { askCheck } from '../ask/ask.js';
import { type FlowToKnown, openFlowToKnown } from '../ask/flow-to-known.js';
import type { FarEnd } from '../far-ends.js';
import type { RunState } from '../state.js';
import type { Tools } from '../tools.js';

/** Three of these fit into the moment that two answers vouch for. */
const EVERY_MS = 200;
/** Where many canaries are lost, more of them keep the moments together. */
const LOSSY = 0.1;
const LOSSY_EVERY_MS = 100;
/** A connection costs more than a datagram, and both ends more than its octets. */
const STREAM_EVERY_MS = 500;
/** Studies that take minutes hold their own controls; the canary then only has to see a line that goes away for good. */
const PATIENT_AFTER_MS = 120_000;
const PATIENT_EVERY_MS = 1000;
/** A flow of its own may be the dead one, or be cut off: after so long in vain, beyond what answers take, another takes its turn. */
const RENEW_AFTER_MS = 500;
/** Late answers are heard on earlier flows as well; more of them than this are an outage. */
const MAX_FLOWS = 8;

/** What may be asked often: nothing that a server keeps state of, and not SIP, which flood limits count. */
const OFTEN: readonly Check['probe'][] = ['rtp-echo', 'udp-echo', 'rtcp-echo', 'stun-binding', 'dns'];

/** Ways to this far end that are known to pass, the best first. */
const waysOf = ({ passedOverUdp, facts: { identity } }: FarEnd): readonly Check[] => {
  const often = passedOverUdp
    .filter(({ probe }) => OFTEN.includes(probe))
    .sort((a, b) => OFTEN.indexOf(a.probe) - OFTEN.indexOf(b.probe));
  const control = identity ? [{ ...identity.control, probe: 'udp-echo' as const }] : [];
  const known = [...often, ...control];
  if (known.some(({ transport }) => transport === 'udp')) return known;
  // The tag alone is none of the messages that passed there, and may be what somebody filters: only where nothing else is left.
  return [...passedOverUdp.map((check) => ({ ...check, probe: 'udp-echo' as const })), ...known];
};

interface Canary extends FlowToKnown {
  /** Since when it waits in vain for any answer; null where there is nothing to wait for. */
  waitingSinceMs: number | null;
}

const openCanary = async (way: Check, tools: Tools): Promise<Canary> => {
  const { net, timeline } = tools;
  const flow = await openFlowToKnown(way, tools, {
    asking: () => {
      timeline.expected(way.address ?? '', 'udp');
      canary.waitingSinceMs ??= net.now();
    },
    answered: () => {
      canary.waitingSinceMs = null;
    },
  });
  const canary: Canary = { ...flow, waitingSinceMs: null };
  return canary;
};

/** Over a connection each asking is an exchange of its own. */
const askOverStream = async (way: Check, tools: Tools): Promise<void> => {
  tools.timeline.expected(way.address ?? '', way.transport);
  await askCheck(way, tools.probeOf('udp-echo'), { samples: 1, doubt: 0, atMost: 1 }, tools);
};

const watch = async (run: RunState, address: string, tools: Tools): Promise<void> => {
  const { net, path, signal } = tools;
  const begunAtMs = net.now();
  let canary: Canary | null = null;
  const opened: Canary[] = [];
  let turn = 0;
  try {
    while (!signal.aborted) {
      const farEnd = run.farEnds.get(address);
      const ways = farEnd ? waysOf(farEnd) : [];
      const isPatient = net.now() - begunAtMs > PATIENT_AFTER_MS;
      const udp = ways.filter(({ transport }) => transport === 'udp');
      const [stream] = ways.filter(({ transport }) => transport !== 'udp');
      const waitingMs = canary?.waitingSinceMs == null ? 0 : net.now() - canary.waitingSinceMs;
      if (waitingMs > path.lateMs('udp') + RENEW_AFTER_MS) {
        canary = null;
        turn += 1;
      }
      const next = udp[turn % Math.max(1, udp.length)];
      if (!canary && next) {
        canary = await openCanary(next, tools);
        opened.push(canary);
        if (opened.length > MAX_FLOWS) opened.shift()?.close();
      }
      if (canary) await canary.ask();
      else if (stream) await askOverStream(stream, tools);
      const isLossy = (path.upperBound() ?? 0) > LOSSY;
      const usualMs = canary || !stream ? (isLossy ? LOSSY_EVERY_MS : EVERY_MS) : STREAM_EVERY_MS;
      const everyMs = isPatient ? PATIENT_EVERY_MS : usualMs;
      await net.sleep(everyMs, signal);
    }
  } finally {
    for (const one of opened) one.close();
  }
};

/** Watches every far end until `done` fires. Resolves then; what happens meanwhile is in the timeline. */
export const watchLine = async (run: RunState, done: AbortSignal): Promise<void> => {
  const tools: Tools = { ...run.tools, signal: AbortSignal.any([run.tools.signal, done]) };
  await Promise.all(
    run.farEnds.all().map(({ address }) =>
      watch(run, address, tools).catch((error: unknown) => {
        if (!tools.signal.aborted && error instanceof Error) throw error;
      }),
    ),
  );
};
