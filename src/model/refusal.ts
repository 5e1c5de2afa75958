/**
 * How every parser in the house answers: a value, or a refusal from a closed list. Parsers never throw on input from
 * the network, because a hostile datagram is a normal event and not an exception.
 */
export type Parsed<T, R extends string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: R };

/** A parsed value. */
export const accept = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });

/** A refusal, by its code. */
export const refuse = <R extends string>(refusal: R): { readonly ok: false; readonly refusal: R } => ({
  ok: false,
  refusal,
});
