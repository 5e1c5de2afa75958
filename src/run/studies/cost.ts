/** What the stages send to one reflector if nothing is lost, for `--dry-run`: packets, and bytes with their headers. */

/** Thirty SIP exchanges, most of a kilobyte and nine of them up to three, their evidence, three from own ports. */
export const STAGES_COST = { packets: 109, bytes: 84_700 } as const;
/** Three dozen STUN requests, unless `--no-nat`. */
export const NAT_COST = { packets: 36, bytes: 8_300 } as const;
/** `--deep`: four ports with 300 sockets each, asked twice, of which half converse first; 140 bytes with all headers. */
export const DEEP_COST = { packets: 4300, bytes: 600_000 } as const;
