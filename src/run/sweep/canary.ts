/**
 * Ports that are known to pass, asked again among the silent ones: what is lost of these is lost by the path at this very
 * time and rate, and not by a rule about a port. Their flows exist already, so they fill no firewall's table.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { LossSample } from '../../model/observation.js';
import type { Exchange } from './exchange.js';
import { type SweptPort, sweptPort } from './port.js';

/** A way that is known to pass, and what passes there. */
export interface Way {
  readonly check: Check;
  readonly probe: Probe;
  /** This very question was answered there before; otherwise it counts from its first answer on. */
  readonly proven: boolean;
}

/** More tell nothing more; fewer would all lie behind one rule. */
const MAX_CANARIES = 32;
/**
 * One that was silent this often in a row does not pass any more. What it lost until then counts as loss: to leave out
 * whoever is silent would leave out the very losses that are to be measured.
 */
const GIVEN_UP_AFTER = { never: 4, answered: 24 } as const;

export interface Canaries {
  /** Whether more ways are of use. */
  wants(): boolean;
  /** Takes ways that have become known. */
  learn(ways: readonly Way[]): void;
  /** The next to ask in turn, or null if none is known. */
  next(): SweptPort | null;
  /** Those asked since the last `begin`; answered ones tell the loss. */
  asked(): readonly SweptPort[];
  /** What was sent to those that ever answered, and answered, since then. */
  sample(): LossSample;
  /** Begins to count anew; what is still on its way then counts no more. */
  begin(): void;
}

export const createCanaries = (exchange: Exchange): Canaries => {
  const known = new Map<string, { readonly way: Way; silent: number; answered: boolean }>();
  let current = new Map<string, SweptPort>();
  let turn = 0;
  const keep = (): void => {
    for (const [name, port] of current) {
      const canary = known.get(name);
      if (!canary) continue;
      if (port.answers > 0) canary.answered = true;
      canary.silent = port.answers > 0 ? 0 : canary.silent + port.packets;
      if (canary.silent >= (canary.answered ? GIVEN_UP_AFTER.answered : GIVEN_UP_AFTER.never)) known.delete(name);
    }
  };
  return {
    wants: () => known.size < MAX_CANARIES,
    learn: (ways) => {
      for (const way of ways) {
        if (known.size >= MAX_CANARIES) return;
        const name = `${way.probe.kind}/${way.check.port}`;
        if (!known.has(name)) known.set(name, { way, silent: 0, answered: way.proven });
      }
    },
    next: () => {
      const names = [...known.keys()];
      const name = names[turn % Math.max(1, names.length)];
      turn += 1;
      const canary = name === undefined ? undefined : known.get(name);
      if (name === undefined || !canary) return null;
      const { way } = canary;
      const port = current.get(name) ?? sweptPort(way.check, way.probe);
      if (!current.has(name)) {
        current.set(name, port);
        exchange.watch(port);
      }
      return port;
    },
    asked: () => [...current.values()],
    sample: () => {
      const heard = [...current].flatMap(([name, port]) =>
        port.answers > 0 || known.get(name)?.answered ? [port] : [],
      );
      return {
        trials: heard.reduce((sum, { packets }) => sum + packets, 0),
        answers: heard.reduce((sum, { answers }) => sum + answers, 0),
      };
    },
    begin: () => {
      keep();
      for (const port of current.values()) exchange.forget(port);
      current = new Map();
    },
  };
};
