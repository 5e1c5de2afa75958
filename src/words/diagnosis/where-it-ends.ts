/** Whose device drops a port of which the hops show how far it comes: one sentence for each device that is left. */

const stretch = (ports: string, last: string, next: string): string =>
  `${ports} gets as far as ${last} and never to ${next}`;

export const ENDS = {
  'first-router': (ports: string, next: string) =>
    `${ports} does not get past ${next}, the first router: it drops it on arrival, or something before it does.`,
  'before-router': (ports: string, next: string) =>
    `${ports} does not get past ${next}: it drops it on arrival, or something before it does.`,
  between: (ports: string, last: string, next: string) =>
    `${stretch(ports, last, next)}: something of the provider's in between drops it, which does not show itself.`,
  outside: (ports: string, last: string, next: string) =>
    `${stretch(ports, last, next)}: ${last} lies outside this site, so a device of the provider, or beyond it, drops it.`,
  last: (ports: string, last: string, next: string) =>
    `${stretch(ports, last, next)}: ${last} drops it on its way out, or what follows does.`,
  next: (ports: string, last: string, next: string) =>
    `${stretch(ports, last, next)}: ${next} drops it on arrival, or ${last} on its way out.`,
  'far-end': (ports: string, last: string, next: string) =>
    `${stretch(ports, last, next)}: a firewall in front of the far end drops it on arrival.`,
  'far-end-name': 'the far end',
} as const;
