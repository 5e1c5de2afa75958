/**
 * Adds what becomes of flows: do some source ports live and others die, is the first packet of each lost or held? Only
 * where something over UDP stayed unanswered, and after the boundaries, because both look like a lossy line or like blocked
 * ports until somebody asks a port that is known to pass from several source ports at once.
 */
import type { Check } from '../../model/check.js';
import type { FlowFacts } from '../../model/far-end.js';
import type { Observation } from '../../model/observation.js';
import { flowsDie } from '../../verdict/flows.js';
import { askCheck } from '../ask/ask.js';
import type { FarEnd } from '../far-ends.js';
import { isSilent, passed } from '../observations.js';
import type { RunState } from '../state.js';
import type { Tools } from '../tools.js';
import { together } from './ask-until-certain.js';

/** Twelve living flows leave a dead share of a fifth at most, at 95 %; four packets are no chance even where a third is lost. */
const FLOWS = 12;
const PACKETS = 4;
const SPACING_MS = 150;
/** A first packet that comes so much later than the next was held, not delayed: longer than jitter that calls bear. */
const HELD_MS = 100;
/** Further source ports from which a silent port is asked where flows die; one in two dead, all of them are by chance once in 16,000 times. */
const FURTHER_FLOWS = 14;
const SEED_BYTES = 32;

interface Flow {
  readonly answeredAfterMs: (number | null)[];
}

const askFlow = async (way: Check, tools: Tools): Promise<Flow> => {
  const { net, session, timeline, totals } = tools;
  const probe = tools.probeOf(way.probe);
  const sent: { readonly question: ReturnType<typeof probe.ask>; readonly atMs: number }[] = [];
  const flow: Flow = { answeredAfterMs: [] };
  const address = way.address ?? '';
  const socket = await net.openUdp(
    { address, port: way.port, family: way.family ?? 4 },
    {
      message: (bytes, atMs) => {
        totals.packetsReceived += 1;
        sent.forEach(({ question, atMs: sentAtMs }, index) => {
          if (flow.answeredAfterMs[index] !== null) return;
          const elapsedMicros = Math.round((atMs - sentAtMs) * 1000);
          const reading = probe.read(bytes, { check: way, question, receivedAtMicros: 0n, elapsedMicros });
          if (reading.kind !== 'answer' || reading.authentic !== true) return;
          flow.answeredAfterMs[index] = atMs - sentAtMs;
          timeline.answered(address, sentAtMs);
        });
      },
      error: () => undefined,
    },
    { address: net.source ?? undefined },
  );
  timeline.opened(address);
  try {
    for (let packet = 0; packet < PACKETS; packet += 1) {
      await net.pacer.take(1, tools.signal);
      const question = probe.ask({
        ...{ check: way, local: socket.local, session, binding: null },
        sequence: tools.nextSequence(),
        seed: net.random(SEED_BYTES),
        sentAtMicros: net.nowMicros(),
      });
      sent.push({ question, atMs: net.now() });
      flow.answeredAfterMs.push(null);
      for (const message of question.messages) {
        totals.packetsSent += 1;
        totals.bytesSent += message.length;
        await socket.send(message).catch(() => undefined);
      }
      await net.sleep(SPACING_MS, tools.signal);
    }
    await net.sleep(tools.path.lateMs(), tools.signal);
  } finally {
    socket.close();
  }
  return flow;
};

const factsOf = (flows: readonly Flow[]): FlowFacts => {
  const living = flows.filter(({ answeredAfterMs }) => answeredAfterMs.some((ms) => ms !== null));
  const isFirstLost = ({ answeredAfterMs: [first, ...rest] }: Flow): boolean =>
    first === null && rest.every((ms) => ms !== null);
  const isFirstHeld = ({ answeredAfterMs: [first, ...rest] }: Flow): boolean => {
    const later = rest.flatMap((ms) => ms ?? []);
    return typeof first === 'number' && later.length > 0 && first > Math.max(...later) + HELD_MS;
  };
  return {
    asked: flows.length,
    packets: PACKETS,
    dead: flows.length - living.length,
    firstLost: living.filter(isFirstLost).length,
    firstHeld: living.filter(isFirstHeld).length,
    lostOfLiving: living.reduce((sum, flow) => sum + flow.answeredAfterMs.filter((ms) => ms === null).length, 0),
  };
};

/** Something over UDP stayed unanswered while the far end was alive. */
const lostSomething = (one: Observation, { tools: { timeline } }: RunState): boolean =>
  one.check.transport === 'udp' &&
  one.attempts.some(({ lostAtMs }) => timeline.witnessed(one.check.address ?? '', lostAtMs) > 0);

/** Ports that are known to pass, and whose server keeps no state of who asks. */
const knownWays = ({ passedOverUdp }: FarEnd, observations: readonly Observation[]): readonly Check[] => {
  const swept = observations.filter((one) => one.check.isOfRange && passed(one)).map(({ check }) => check);
  const plain = passedOverUdp.filter(({ probe }) => probe === 'stun-binding' || probe === 'udp-echo');
  return [...swept.slice(0, 2), ...plain].slice(0, 2);
};

/** Asks what is silent from many more source ports, where some flows live and others die. */
const askElsewhere = async (run: RunState, address: string): Promise<void> => {
  const { tools, sweeps, observations } = run;
  const silentNow = (): readonly Observation[] =>
    observations.at(address).filter((one) => isSilent(one) && one.check.transport === 'udp');
  for (let turn = 0; turn < FURTHER_FLOWS && !run.signal.aborted; turn += 1) {
    const silent = silentNow();
    if (silent.length === 0) return;
    const ofSweep = silent.filter(({ check }) => sweeps.sweeps(check)).map(({ check }) => check);
    const [swept, single] = await Promise.all([
      sweeps.echoElsewhere(ofSweep),
      Promise.all(
        silent
          .filter(({ check }) => !sweeps.sweeps(check))
          .map(({ check }) => askCheck(check, tools.probeOf(check.probe), { samples: 1, doubt: 0, atMost: 1 }, tools)),
      ),
    ]);
    const again = new Map([...swept, ...single].map((one) => [one.check.key, one]));
    observations.record(
      silent.flatMap((one) => {
        const second = again.get(one.check.key);
        return second ? [together(one, second)] : [];
      }),
    );
  }
};

const examine = async (run: RunState, farEnd: FarEnd): Promise<void> => {
  const { address } = farEnd;
  const observations = run.observations.at(address);
  const ways = knownWays(farEnd, observations);
  if (ways.length === 0 || !observations.some((one) => lostSomething(one, run))) return;
  const asked = Array.from({ length: FLOWS }, (_, index) => ways[index % ways.length]).flatMap((way) => way ?? []);
  const flows = await Promise.all(asked.map((way) => askFlow(way, run.tools)));
  const facts = factsOf(flows);
  run.farEnds.learn(address, { flows: facts });
  if (flowsDie(facts)) await askElsewhere(run, address);
};

export const examineFlows = async (run: RunState): Promise<void> => {
  await Promise.all(
    run.proven().map((farEnd) =>
      examine(run, farEnd).catch((error: unknown) => {
        if (!run.signal.aborted) throw error;
      }),
    ),
  );
};
