/** What the stages send to one reflector if nothing is lost, for `--dry-run`: packets, and bytes with their headers. */

/** Thirty SIP exchanges, most of a kilobyte and nine of them up to three, their evidence, and two dozen STUN requests. */
export const STAGES_COST = { packets: 130, bytes: 90_000 } as const;
/** `--deep`: four ports with 135 sockets each, of which a third converse first; 112 bytes and headers each. */
export const DEEP_COST = { packets: 1100, bytes: 160_000 } as const;
