/** What the demonstration on loopback has to tell. */

export const DEMO_ONLY =
  'This is a demo on loopback: it shows that callpath works on this host, and nothing about any network.';

export const portReplaced = (wanted: number, free: number, host: string): string =>
  `Port ${wanted} cannot be bound on ${host}; port ${free} stands in for it.`;

/** @param limit of open files */
export const rangeCut = (limit: number, range: string): string =>
  `The limit of open files is ${limit}: the media range is cut to ${range}.`;

export const reflectorSays = (message: string): string => `The reflector says: ${message}.`;
