/** Who is to blame where something reads along, changes what passes, or answers in the far end's place. */
import { type CauseText, type Ground, some } from './rule.js';

/** Of a call that stands: other requests of the same flow passed, so that whoever drops this one tells them apart, or counts time. */
export const callBreaks =
  (what: string) =>
  (grounds: readonly Ground[]): readonly CauseText[] =>
    some(grounds, [
      {
        id: 'call-inspection',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: (ports) => `This site's firewall or router, or its SIP ALG, ${what} (${ports}).`,
        grounds,
      },
      {
        id: 'call-inspection-upstream',
        device: 'provider',
        likelihood: 'possible',
        text: (ports) => `The provider, or its modem, ${what} (${ports}); from here that looks the same.`,
        grounds,
      },
    ]);

/** Something that reads along: whoever does it knows the protocol. */
export const inspection = (grounds: readonly Ground[]): readonly CauseText[] =>
  some(grounds, [
    {
      id: 'inspection',
      device: 'branch-firewall',
      likelihood: 'likely',
      text: (ports) =>
        `Inspection or an IPS on this site's firewall drops this protocol on ${ports}; other data passes.`,
      grounds,
    },
    {
      id: 'inspection-upstream',
      device: 'provider',
      likelihood: 'possible',
      text: (ports) => `The provider, or its modem, inspects ${ports} and drops this protocol.`,
      grounds,
    },
  ]);

/** Their packets have some two hundred octets: no MTU is that small, and no fragment is needed for them. */
const SHORT: ReadonlySet<string> = new Set(['rtp-echo', 'rtcp-echo', 'stun-binding', 'udp-echo', 'dns']);
export const isShort = ({ probe }: Pick<Ground, 'probe'>): boolean => SHORT.has(probe);

export const sizes = (grounds: readonly Ground[]): readonly CauseText[] => {
  const short = grounds.filter(isShort);
  const long = grounds.filter((one) => !short.includes(one));
  return [
    ...some(short, [
      {
        id: 'size-limit',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: (ports) =>
          `The firewall drops packets of ${ports} for their size, whatever they carry: shorter ones pass.`,
        grounds: short,
      },
    ]),
    ...some(long, [
      {
        id: 'size-limit',
        device: 'unknown',
        likelihood: 'likely',
        text: (ports) =>
          `Large packets of ${ports} are dropped: fragments, a size limit, or a path MTU below 1,500 bytes.`,
        grounds: long,
      },
    ]),
  ];
};

/** SIP's own texts are changed: only what reads SIP does that. */
export const algRewrites = (grounds: readonly Ground[]): readonly CauseText[] =>
  some(grounds, [
    {
      id: 'sip-alg',
      device: 'branch-firewall',
      likelihood: 'likely',
      text: (ports) =>
        `A SIP ALG (SIP helper, SIP inspection) on this site's firewall or router rewrites SIP on ${ports}.`,
      grounds,
    },
    {
      id: 'sip-alg-upstream',
      device: 'provider',
      likelihood: 'possible',
      text: (ports) => `A SIP ALG in the provider's modem or network rewrites SIP on ${ports}.`,
      grounds,
    },
  ]);

/** What vanishes by its method is dropped by something that reads methods. */
export const algDrops = (grounds: readonly Ground[]): readonly CauseText[] =>
  some(grounds, [
    {
      id: 'sip-alg',
      device: 'branch-firewall',
      likelihood: 'likely',
      text: (ports) =>
        `A SIP ALG, SIP inspection or IPS on this site's firewall or router drops some SIP requests on ${ports}; others pass.`,
      grounds,
    },
    {
      id: 'sip-alg-upstream',
      device: 'provider',
      likelihood: 'possible',
      text: (ports) => `A SIP ALG in the provider's modem or network drops some SIP requests on ${ports}.`,
      grounds,
    },
  ]);

export const rewriting = (grounds: readonly Ground[]): readonly CauseText[] =>
  some(grounds, [
    {
      id: 'rewriting',
      device: 'branch-firewall',
      likelihood: 'likely',
      text: (ports) => `Inspection or an ALG on this site's firewall changes what is sent on ${ports}.`,
      grounds,
    },
    {
      id: 'rewriting-upstream',
      device: 'provider',
      likelihood: 'possible',
      text: (ports) => `Something in the provider's network changes what is sent on ${ports}.`,
      grounds,
    },
  ]);

export const interception = (grounds: readonly Ground[]): readonly CauseText[] =>
  some(grounds, [
    {
      id: 'interception',
      device: 'branch-firewall',
      likelihood: 'likely',
      text: (ports) =>
        `A proxy, captive portal or inspection on this site's firewall answers ${ports} in the far end's place.`,
      grounds,
    },
    {
      id: 'interception-upstream',
      device: 'provider',
      likelihood: 'possible',
      text: (ports) => `The provider redirects ${ports} to a host of its own.`,
      grounds,
    },
  ]);
