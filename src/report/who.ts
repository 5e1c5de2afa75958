/** Who was asked: the target, and the reflectors with what they said of themselves. */
import type { Report } from '../model/report.js';
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

/** Those that the user named, or the target if it proved to be one. */
export const reflectorRows = (
  { target, reflectors }: { readonly target: Named; readonly reflectors: readonly Named[] },
  judgement: Judgement,
): Report['reflectors'] => {
  const named = reflectors.length > 0 ? reflectors : isReflector(target, judgement) ? [target] : [];
  return named.map((one) => {
    const [told] = one.addresses.flatMap((address) => judgement.facts.get(address)?.identity ?? []);
    return {
      host: one.host,
      addresses: [...one.addresses],
      version: told?.info.version ?? null,
      reachable: isReflector(one, judgement),
      control: told ? `${told.control.transport}/${told.control.port}` : null,
    };
  });
};
