/** A token and its name: the secret that an agent and its reflector share. */

/** A token by the name that its owner has for it: one customer, one site, one agent. */
export interface NamedToken {
  readonly name: string;
  readonly token: Uint8Array;
}
