/** Keeps the memory while the agent runs: in one place, written after each change of it. */
import { type HostNetwork, networkChanges } from './memory/network.js';
import { type Memory, writeMemory } from './memory/store.js';
import { freshBaseline, NO_MEMORY, type TargetMemory } from './memory/tracker.js';

export interface StateStore {
  target(name: string): TargetMemory;
  /**
   * Remembers what `work` makes of a target's memory, one after the other. Where the network changed meanwhile, what it made
   * rests on another network and is dropped.
   */
  withTarget(name: string, work: (memory: TargetMemory) => Promise<TargetMemory>): Promise<void>;
  noteDue(job: string, wallMs: number): void;
  noteSpent(spent: Memory['spent']): void;
  /** Compares the host's network with the remembered one; a difference makes every baseline fresh. */
  observeNetwork(now: HostNetwork): readonly string[];
  memory(): Memory;
  /** Writes if anything changed. Never rejects; a disk that does not take it is said once. */
  save(): Promise<void>;
}

/** @param known the names of the configured targets and jobs; what belongs to others is forgotten */
export const createStateStore = (
  file: string,
  initial: Memory,
  known: { readonly targets: readonly string[]; readonly jobs: readonly string[] },
  say: (message: string, details: Readonly<Record<string, unknown>>) => void,
): StateStore => {
  const only = <T>(from: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> =>
    Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
  let memory: Memory = {
    ...initial,
    targets: only(initial.targets, known.targets),
    lastDue: only(initial.lastDue, known.jobs),
  };
  let written: Memory = initial;
  let failing = false;
  let lastWrite: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    const current = memory;
    if (current === written) return;
    try {
      await writeMemory(file, current);
      written = current;
      failing = false;
    } catch (error) {
      if (!failing)
        say('the memory cannot be stored; after a restart the baseline is older', {
          file,
          error: (error as { code?: string }).code,
        });
      failing = true;
    }
  };

  const targetOf = (name: string): TargetMemory =>
    (Object.hasOwn(memory.targets, name) ? memory.targets[name] : undefined) ?? NO_MEMORY;
  const turns = new Map<string, Promise<void>>();

  return {
    target: targetOf,
    withTarget: (name, work) => {
      const turn = (turns.get(name) ?? Promise.resolve()).then(async () => {
        const before = targetOf(name);
        const after = await work(before);
        if (targetOf(name) === before) memory = { ...memory, targets: { ...memory.targets, [name]: after } };
      });
      turns.set(
        name,
        turn.catch(() => undefined),
      );
      return turn;
    },
    noteDue: (job, wallMs) => {
      memory = { ...memory, lastDue: { ...memory.lastDue, [job]: wallMs } };
    },
    noteSpent: (spent) => {
      memory = { ...memory, spent };
    },
    observeNetwork: (now) => {
      const before = memory.network;
      const changes = before === null ? [] : networkChanges(before, now);
      if (before !== null && changes.length === 0) return [];
      const targets =
        changes.length === 0
          ? memory.targets
          : Object.fromEntries(Object.entries(memory.targets).map(([name, one]) => [name, freshBaseline(one)]));
      memory = { ...memory, network: now, targets };
      return changes;
    },
    memory: () => memory,
    save: () => {
      lastWrite = lastWrite.then(write);
      return lastWrite;
    },
  };
};
