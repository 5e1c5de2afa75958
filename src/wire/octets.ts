/** Room for what is written into a message. */

/**
 * Zeros from Node's pool, which `Buffer.alloc` passes by: an allocation of its own costs more than a small message's
 * contents, and keeps the collector busy.
 */
export const zeroed = (length: number): Buffer => Buffer.allocUnsafe(length).fill(0);
