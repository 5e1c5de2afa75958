/** What sampled ranges may hide, and what limits the path. */

export const sampled = (parts: string): string => `Port ranges were sampled: ${parts}. --exhaustive tests every port.`;

export const rateLimit = (address: string, packetsPerSecond: number): string =>
  `Loss to ${address} depends on the packet rate and not on the port: about ${packetsPerSecond} packets per second pass, the rest is dropped.`;

export const flowLimit = (address: string, flows: number): string =>
  `To ${address} no new flow passed after about ${flows} had been opened, while older ones still did: a session table is full or limited. Silence on further ports says nothing about these ports.`;
