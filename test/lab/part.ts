/** A process that takes part in a scenario: a far end, a proxy, an impostor. */
import type { Host } from './topology.js';

/** When a process is ready: never after a time, always at an event. */
export type Ready =
  /** Its log contains this text. */
  | { readonly log: string }
  /** It has bound all of these. */
  | { readonly udp?: readonly number[]; readonly tcp?: readonly number[] };

export interface Start {
  readonly command: readonly string[];
  readonly ready: Ready;
  /** Written into the network's directory first; by name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Place {
  /** For configuration, pid files and logs; gone with the network. */
  readonly directory: string;
  readonly tokenFile: string;
  /** A self-signed certificate of this name and its key, made when first asked for. */
  readonly certificate: (name: string) => { readonly cert: string; readonly key: string };
}

/** A tool from another house that asks the part its own question: the witness that part and path work. */
interface Witness {
  /** The check that asks the same. */
  readonly check: string;
  readonly command: readonly string[];
  /** What it prints when it was answered. */
  readonly answered: RegExp;
  readonly needs: Needs;
}

/** Commands, by the Debian package that has them. */
export type Needs = Readonly<Record<string, string>>;

export interface Part {
  readonly name: string;
  readonly host: Host;
  readonly needs: Needs;
  readonly start: (place: Place) => Start;
  /** The resolver that the branch is to ask, where this part is one. */
  readonly resolver?: string;
  /** The addresses at which it stands for the far end, where it is a reflector. */
  readonly reflectorAt?: readonly string[];
  readonly witness?: Witness;
}
