/** What a run would send, in words. */

interface Traffic {
  readonly packets: number;
  readonly bytes: number;
}

export const wouldRun = (checks: number, host: string): string =>
  `Would run ${checks} checks against ${host}; nothing was sent.`;

export const proofCosts = ({ packets, bytes }: Traffic): string =>
  `To prove who answers and what arrived, at most ${packets} packets, ${bytes} bytes more.`;

export const scoutsCost = (ports: number, bytes: number): string =>
  `To find blocked runs in the ranges, up to ${ports} more ports are tested, ${bytes} bytes.`;

export const flowsOpened = (flows: number): string =>
  `The ranges open ${flows} UDP flows in the tables of firewalls, and a few for each blocked run.`;

/** Two lines. @param seconds what it takes at least, at this pace */
export const inAll = (
  { packets, bytes }: Traffic,
  packetsPerSecond: number,
  seconds: number | string,
): readonly string[] => [
  `If everything answers: ${packets} packets and ${bytes} bytes (TCP and TLS without their own overhead),`,
  `at most ${packetsPerSecond} packets per second, so ${seconds} s or more. A silent check is repeated up to 20 times.`,
];
