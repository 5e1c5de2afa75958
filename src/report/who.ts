/** Who was asked: the target, and the reflectors with what they said of themselves. */
import type { ReflectorInfo } from '../model/far-end.js';
import type { Report } from '../model/report.js';
import type { RunOutput } from '../model/run.js';
import { CERTAIN_START_MS, startedAtMsOf } from '../verdict/start.js';
import type { StudyFacts } from '../verdict/studies/registry.js';
import { startNote } from '../words/outages.js';
import type { Judgement } from './judge-run.js';

export interface Named {
  readonly host: string;
  readonly addresses: readonly string[];
}

const isReflector = ({ addresses }: Named, { farEnds }: Judgement): boolean =>
  addresses.some((address) => farEnds.get(address)?.role === 'reflector');

export const targetOf = (target: Named, judgement: Judgement): Report['target'] => ({
  host: target.host,
  addresses: [...target.addresses],
  role: isReflector(target, judgement) ? 'reflector' : 'third-party',
});

interface Asked {
  readonly target: Named;
  readonly reflectors: readonly Named[];
  readonly output: Pick<RunOutput<StudyFacts>, 'observations'>;
}

/** When a reflector started, by this host's clock; null where it did not say. */
const startOf = ({ addresses }: Named, info: ReflectorInfo | undefined, { output }: Asked): Date | null => {
  const atMs = startedAtMsOf(info, output.observations, addresses);
  return atMs === null ? null : new Date(atMs);
};

/** What a run says of reflectors that came up in the middle of it. */
export const startNotes = (
  rows: Report['reflectors'],
  { startedAt, durationMs }: { readonly startedAt: Date; readonly durationMs: number },
): readonly string[] =>
  rows.flatMap(({ host, startedAt: start }) => {
    const afterMs = start ? Date.parse(start) - startedAt.getTime() : 0;
    return afterMs > CERTAIN_START_MS && afterMs <= durationMs ? [startNote(host, afterMs)] : [];
  });

/** Those that the user named, or the target if it proved to be one. */
export const reflectorRows = (input: Asked, judgement: Judgement): Report['reflectors'] => {
  const { target, reflectors } = input;
  const named = reflectors.length > 0 ? reflectors : isReflector(target, judgement) ? [target] : [];
  return named.map((one) => {
    const [told] = one.addresses.flatMap((address) => judgement.facts.get(address)?.identity ?? []);
    return {
      host: one.host,
      addresses: [...one.addresses],
      version: told?.info.version ?? null,
      reachable: isReflector(one, judgement),
      control: told ? `${told.control.transport}/${told.control.port}` : null,
      startedAt: startOf(one, told?.info, input)?.toISOString() ?? null,
    };
  });
};
