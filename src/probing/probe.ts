/** One probe: what was prepared is run and reported. */

import type { Report } from '../model/report.js';
import type { OnProgress } from '../model/run.js';
import { newId } from '../model/uuid.js';
import { inboundPorts } from '../plan/inbound.js';
import { addressesOf, type Destination, questionsOf } from '../plan/plan.js';
import type { ProbeThread } from '../run/thread/thread.js';
import { NO_NAT, QUICK_RUN } from '../words/run-notes.js';
import type { Prepared } from './prepare.js';
import type { ProbePace } from './request.js';
import { agentOfReport } from './who.js';

/** What a run needs of whoever wants it. */
interface ProbeHow {
  /** A thread that stands ready; one of its own if left out. */
  readonly run?: ProbeThread['run'];
  readonly onProgress?: OnProgress | null;
}

/** The addresses from which a target's families are reached; what the user chose is what the far end should see. */
const localAddresses = async ({ target, reflectors }: Prepared, source: string | null): Promise<readonly string[]> => {
  if (source !== null) return [source];
  const { localAddressFor } = await import('../net/local.js');
  const everywhere = [target, ...reflectors].flatMap(({ endpoints }) => endpoints);
  const routed = ([4, 6] as const).map((family) => {
    const address = everywhere.find((endpoint) => endpoint.family === family)?.address;
    return address ? localAddressFor(address, family) : null;
  });
  return (await Promise.all(routed)).flatMap((address) => address ?? []);
};

const named = (destination: Destination) => ({ host: destination.host, addresses: addressesOf([destination]) });

/** Besides the sample: at the usual pace these take a sixth of a second. */
const QUICK_SCOUTS = 32;

/** What nobody asked, so that nobody takes it for well. */
const untestedNotes = ({ nat, quick = false }: ProbePace): readonly string[] => {
  if (quick) return [QUICK_RUN];
  return nat ? [] : [NO_NAT];
};

/** Runs what was prepared and reports it; when the signal fires, with what is known by then. */
export const probe = async (
  prepared: Prepared,
  pace: ProbePace,
  signal: AbortSignal,
  { run, onProgress = null }: ProbeHow = {},
): Promise<Report> => {
  const [{ runInThread }, { buildReport }] = await Promise.all([
    import('../run/thread/thread.js'),
    import('../report/build.js'),
  ]);
  const startedAt = new Date();
  const started = performance.now();
  const local = await localAddresses(prepared, pace.source);
  const { plan, token, sessionId, profiles, reflectors } = prepared;
  const { deep, nat, calls, persistentPort, media, maxPps, quick = false } = pace;
  const scouts = quick ? QUICK_SCOUTS : pace.scouts;
  const inbound = inboundPorts(plan);
  const output = await (run ?? runInThread)(
    {
      questions: questionsOf(plan),
      ranges: plan.ranges,
      ...{ token, sessionId },
      reflectorAddresses: reflectors.length > 0 ? addressesOf(reflectors) : null,
      maxPps,
      timeoutMs: pace.timeoutMs,
      source: pace.source,
      ...(scouts !== undefined && { scouts }),
      ...(pace.account && { account: pace.account }),
      ...(!quick && {
        studies: {
          ...{ deep, nat },
          ...(calls && { calls }),
          ...(persistentPort !== undefined && { persistentPort }),
          ...(inbound.length > 0 && { inbound }),
          ...(pace.hops && { hops: pace.hops }),
          ...(media && { media: { ...media, maxPps } }),
        },
      }),
    },
    signal,
    onProgress,
  );
  return buildReport({
    id: newId(startedAt.getTime()),
    startedAt,
    durationMs: performance.now() - started,
    agent: agentOfReport(),
    target: named(prepared.target),
    reflectors: reflectors.map(named),
    localAddresses: local,
    ...{ profiles, plan, output },
    resolution: prepared.resolution ?? null,
    notes: [...prepared.notes, ...untestedNotes(pace)],
  });
};
