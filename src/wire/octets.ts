/** Room for what is written into a message. */

/**
 * Zeros from Node's pool, which `Buffer.alloc` passes by: an allocation of its own costs more than a small message's
 * contents, and keeps the collector busy.
 */
export const zeroed = (length: number): Buffer => Buffer.allocUnsafe(length).fill(0);

/** No octets at all. */
export const NOTHING: Uint8Array = new Uint8Array(0);
