/**
 * Adds who rejects, and how, to checks that were rejected or stayed silent: Node's sockets tell of few ICMP errors and never whose
 * they are, the kernel tells all. Asks what was asked before, from sockets of its own; a rejection by "host unreachable",
 * which a UDP socket never hears of, is no silence any more. Adds nothing where this host does not show it.
 */
import { networkInterfaces } from 'node:os';
import type { Check } from '../../model/check.js';
import { type IcmpFact, type IcmpPlace, isRefusal, isTooBig } from '../../model/icmp.js';
import type { Attempt, Failure, Observation } from '../../model/observation.js';
import { failureOf, isSocketError } from '../../net/errno.js';
import { type HeardError, hasKernel, type Kernel, type KernelFlow } from '../../net/kernel/kernel.js';
import { placeOf } from '../../net/on-link.js';
import type { RunState } from '../state.js';

/** What the network, and not this host, answers instead of the far end. */
const FROM_NETWORK: ReadonlySet<Failure> = new Set<Failure>([
  'refused',
  'host-unreachable',
  'net-unreachable',
  'prohibited',
]);
/** Of a connection ICMP's "net unreachable" looks like a route that is missing here. */
const OF_CONNECTION: ReadonlySet<Failure> = new Set<Failure>([...FROM_NETWORK, 'no-route']);

/** Single checks, and ports of one kind of each address's ranges: one rule rejects them all alike. */
const MAX_SINGLE = 32;
const MAX_OF_RANGE = 8;
/**
 * Linux sends an address one ICMP error a second once six have gone out (net.ipv4.icmp_ratelimit, XRLIM_BURST_FACTOR), so
 * what was not heard of in one round is asked again in the next.
 */
const ROUNDS = 4;
const ROUND_MS = 1100;
/** Errors come from the path, so before any answer would; the far end itself is waited for as long as its answers take. */
const MIN_WAIT_MS = 250;
const PATIENCE = 1.25;
/** One error may be of a moment in which a route changed; two of the same kind from the same address are a rule. */
const ENOUGH = 2;
const SEED_BYTES = 32;

/** One check that is asked again. */
interface Subject {
  readonly before: Observation;
  readonly check: Check & { readonly address: string; readonly family: 4 | 6 };
  readonly errors: { readonly fact: IcmpFact; readonly errno: string; readonly sourcePort: number }[];
  readonly sentAtMs: number[];
  /** Something answered after all, or a reset came, which nobody signs. */
  isSettled: boolean;
  flow: KernelFlow | null;
}

const hasFailed = ({ attempts }: Observation, failures: ReadonlySet<Failure>): boolean =>
  attempts.some((one) => one.outcome === 'error' && failures.has(one.failure));

/** Rejected, or silent where silence may be a rejection that was not heard. */
const isUnheard = ({ check, attempts, notRun }: Observation): boolean => {
  if (notRun !== null || attempts.length === 0 || check.address === null || check.family === null) return false;
  if (attempts.some(({ outcome }) => outcome === 'answer')) return false;
  return check.transport === 'udp'
    ? attempts.every(
        ({ outcome, ...one }) => outcome === 'silence' || ('failure' in one && FROM_NETWORK.has(one.failure)),
      )
    : attempts.some((one) => one.outcome === 'error' && one.opened === null && OF_CONNECTION.has(one.failure));
};

/** So many of a list, from all over it. */
const spread = <T>(all: readonly T[], most: number): readonly T[] =>
  all.length <= most ? all : Array.from({ length: most }, (_, i) => all[Math.floor((i * all.length) / most)] as T);

const subjectsOf = (run: RunState): readonly Subject[] => {
  const unheard = [...run.observations.all()].filter(isUnheard).sort((a, b) => a.check.port - b.check.port);
  const ofRanges = new Map<string, Observation[]>();
  for (const one of unheard.filter(({ check }) => check.isOfRange)) {
    const { probe, transport, address } = one.check;
    const kind = `${probe} ${transport} ${address} ${hasFailed(one, OF_CONNECTION)}`;
    ofRanges.set(kind, [...(ofRanges.get(kind) ?? []), one]);
  }
  const chosen = [
    ...unheard.filter(({ check }) => !check.isOfRange).slice(0, MAX_SINGLE),
    ...[...ofRanges.values()].flatMap((all) => spread(all, MAX_OF_RANGE)),
  ];
  return chosen.flatMap((before): Subject[] => {
    const { address, family } = before.check;
    if (address === null || family === null) return [];
    const check = { ...before.check, address, family };
    return [{ before, check, errors: [], sentAtMs: [], isSettled: false, flow: null }];
  });
};

const factOf = (error: HeardError, { check }: Subject): IcmpFact => {
  const { type, code, from, info } = error;
  const numbers = { family: check.family, type, code };
  const place: IcmpPlace | null = from === null ? null : placeOf(from, check.address, networkInterfaces());
  return { ...numbers, from, place, mtu: isTooBig(numbers) && info > 0 ? info : null };
};

const hear = (subject: Subject, error: HeardError, sourcePort: number): void => {
  if (error.origin === 'local') return;
  subject.errors.push({ fact: factOf(error, subject), errno: error.errno, sourcePort });
};

const openFlow = (subject: Subject, kernel: Kernel, { tools }: RunState): KernelFlow => {
  const opened: KernelFlow = kernel.openFlow(
    { address: subject.check.address, port: subject.check.port, family: subject.check.family },
    {
      message: () => {
        tools.totals.packetsReceived += 1;
        subject.isSettled = true;
      },
      error: (error) => hear(subject, error, opened.local.port),
    },
    { address: tools.net.source ?? undefined },
  );
  tools.timeline.opened(subject.check.address);
  subject.flow = opened;
  return opened;
};

/** Puts the check's own question once more; what cannot be sent was not asked. */
const askDatagram = async (subject: Subject, kernel: Kernel, run: RunState): Promise<void> => {
  const { tools } = run;
  const { net, totals, session } = tools;
  const { check } = subject;
  try {
    const flow = subject.flow ?? openFlow(subject, kernel, run);
    await net.pacer.take(1, run.signal);
    const { messages } = tools.probeOf(check.probe).ask({
      ...{ check, local: flow.local, binding: null },
      session: run.mayBeReflector(check.address) ? session : { ...session, keys: null },
      sequence: tools.nextSequence(),
      seed: net.random(SEED_BYTES),
      sentAtMicros: net.nowMicros(),
    });
    for (const message of messages) {
      flow.send(message);
      totals.packetsSent += 1;
      totals.bytesSent += message.length;
    }
    subject.sentAtMs.push(net.now());
  } catch (error) {
    if (!isSocketError(error)) throw error;
    subject.isSettled = true;
  }
};

const askConnection = async (subject: Subject, kernel: Kernel, run: RunState, waitMs: number): Promise<void> => {
  const { net, totals, timeline } = run.tools;
  const { address, port, family } = subject.check;
  await net.pacer.take(1, run.signal);
  timeline.opened(address);
  totals.packetsSent += 1;
  const tried = await kernel
    .tryConnection(
      { address, port, family },
      { source: net.source ?? undefined, timeoutMs: waitMs, signal: run.signal },
    )
    .catch((error: unknown) => {
      if (!isSocketError(error)) throw error;
      return null;
    });
  if (tried?.outcome === 'error' && tried.icmp) hear(subject, tried.icmp, 0);
  // A reset bears the far end's address whoever sent it.
  else if (tried?.outcome !== 'silence') subject.isSettled = true;
};

const alike = (one: IcmpFact, other: IcmpFact): boolean =>
  one.type === other.type && one.code === other.code && one.from === other.from;

/** The error of a check that is believed: others at the same address say the same, or it came twice, or it was heard before. */
const believed = (subject: Subject, all: readonly Subject[]): Subject['errors'][number] | null => {
  const [first] = subject.errors;
  if (!first || subject.isSettled) return null;
  const count = all
    .filter(({ check }) => check.address === subject.check.address)
    .flatMap(({ errors }) => errors)
    .filter(({ fact }) => alike(fact, first.fact)).length;
  return count >= ENOUGH || hasFailed(subject.before, OF_CONNECTION) ? first : null;
};

/** Worth another round: rejected before, or where others at this address are now. */
const isWorthAsking = (subject: Subject, all: readonly Subject[]): boolean =>
  !subject.isSettled &&
  believed(subject, all) === null &&
  (hasFailed(subject.before, OF_CONNECTION) ||
    all.some(({ check, errors }) => check.address === subject.check.address && errors.length > 0));

/** What was observed, with what was heard now; a silence that was none is an error from here on. */
const amended = (subject: Subject, all: readonly Subject[]): readonly Observation[] => {
  const { before, check, sentAtMs } = subject;
  const heard = believed(subject, all);
  if (heard === null) return [];
  const observation: Observation = { ...before, icmp: heard.fact };
  if (check.transport !== 'udp' || hasFailed(before, FROM_NETWORK) || !isRefusal(heard.fact)) return [observation];
  const failure = failureOf({ code: heard.errno, syscall: 'recvmsg' }, 'udp');
  if (!FROM_NETWORK.has(failure)) return [observation];
  // One for each sending: what went out while nobody vouched for the line counts for itself.
  const attempts = sentAtMs.map(
    (atMs): Attempt => ({
      ...{ outcome: 'error', failure, code: heard.errno, opened: null },
      ...{ packets: 1, sourcePort: heard.sourcePort, lostAtMs: [atMs] },
    }),
  );
  return [{ ...observation, attempts: [...before.attempts, ...attempts] }];
};

export const hearRefusals = async (run: RunState): Promise<void> => {
  const { input, signal, tools } = run;
  const { net } = tools;
  if (!input.studies || !net.kernel || signal.aborted) return;
  const subjects = subjectsOf(run);
  if (subjects.length === 0) return;
  const kernel = await net.kernel();
  if (!hasKernel(kernel)) return;
  const waitMs = Math.max(MIN_WAIT_MS, PATIENCE * tools.path.longestRttMs('udp'));
  try {
    let asked = subjects;
    for (let round = 0; round < ROUNDS && asked.length > 0; round += 1) {
      if (round > 0) await net.sleep(Math.max(0, ROUND_MS - waitMs), signal);
      await Promise.all(
        asked.map((one) =>
          one.check.transport === 'udp' ? askDatagram(one, kernel, run) : askConnection(one, kernel, run, waitMs),
        ),
      );
      await net.sleep(waitMs, signal);
      asked = subjects.filter((one) => isWorthAsking(one, subjects));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    for (const { flow } of subjects) flow?.close();
  }
  run.observations.record(subjects.flatMap((one) => amended(one, subjects)));
};
