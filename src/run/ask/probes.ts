/** The probes of a run. */
import { loadProbe, type Probe } from '../../../probes/contract.js';
import type { PlannedCheck } from '../../model/check.js';
import type { AskedKind } from '../../model/kinds.js';

/** Loaded before the clock counts, so that no module's loading becomes a round trip or a delay of the event loop. */
export const loadProbes = async (
  questions: readonly PlannedCheck[],
  stages: boolean,
): Promise<(kind: AskedKind) => Probe> => {
  const own: readonly AskedKind[] = ['udp-echo', 'nat-t-keepalive', ...(stages ? (['stun-binding'] as const) : [])];
  const kinds = [...new Set<AskedKind>([...questions.map(({ probe }) => probe), ...own])];
  const probes = new Map(await Promise.all(kinds.map(async (kind) => [kind, await loadProbe(kind)] as const)));
  return (kind) => {
    const probe = probes.get(kind);
    if (!probe) throw new RangeError(`no probe of kind ${kind}`);
    return probe;
  };
};
