/** What a scenario may say. One file each in scenarios/, named after itself; README.md shows how to add one. */
import type { ServiceVerdict, SymptomId } from '../../src/model/verdict.js';
import type { Part } from './part.js';
import type { Reality } from './reality.js';
import type { TopologyName } from './topology.js';
import type { Where } from './where.js';

/** `verdict/reason`, e.g. `blocked/dropped`; in what is expected also `verdict/*`. */
export type FindingText = string;
export type OneOrMore<T> = T | readonly T[];

/** What is right and today's product cannot tell yet. It is compared and listed, and fails nothing. */
interface Later {
  /** The subject that is missing, a few words: `NAT behaviour`. Equal ones are listed together. */
  readonly issue: string;
  readonly expect?: Readonly<Record<Where, OneOrMore<FindingText>>>;
  readonly services?: Readonly<Record<string, OneOrMore<ServiceVerdict>>>;
  readonly report?: ReportFacts;
}

/** A number of the report that need not be exact, both ends included. */
export class Between {
  constructor(
    readonly atLeast: number,
    readonly atMost: number,
  ) {}
}

/** Facts of the report that must hold: each given key equals the report's; of lists, each given item is in it. */
export interface ReportFacts {
  readonly network?: Readonly<Record<string, unknown>>;
  readonly nat?: Readonly<Record<string, unknown>>;
  readonly sipAlg?: Readonly<Record<string, unknown>>;
  readonly calls?: readonly Readonly<Record<string, unknown>>[];
}

/** A stream of datagrams by which `--verify-rules` measures what no single exchange shows. Ratios are 0–1. */
export interface Measure {
  readonly port: number;
  /** From this port of the branch; default any. */
  readonly sourcePort?: number;
  /** Length of each; default 172, a packet of a call. */
  readonly bytes?: number;
  readonly packets: number;
  readonly packetsPerSecond: number;
  readonly lossRatio: readonly [atLeast: number, atMost: number];
  readonly medianRttMs?: readonly [atLeast: number, atMost: number];
  /** Answers that came twice, per packet. */
  readonly duplicateRatio?: readonly [atLeast: number, atMost: number];
  /** Answers that came after the answer to a later packet, per packet. */
  readonly reorderRatio?: readonly [atLeast: number, atMost: number];
}

/** Many flows to one port, one after the other, three datagrams each, by which `--verify-rules` sees who lives and dies. */
export interface MeasureFlows {
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
  readonly flows: number;
  readonly flowsPerSecond: number;
  /** Of which nothing was answered; for TCP: that could not be opened. */
  readonly deadRatio: readonly [atLeast: number, atMost: number];
  /** Of those that live: whose first datagram was not answered and later ones were. */
  readonly firstLostRatio?: readonly [atLeast: number, atMost: number];
  /** Round trip of the first datagram of a flow, or the time that a connection takes. */
  readonly firstRttMs?: readonly [atLeast: number, atMost: number];
}

export interface Scenario {
  /** One sentence: what this network does. */
  readonly about: string;
  /** Default `masquerade`: one NAT that keeps ports. */
  readonly topology?: TopologyName;
  /** nft text, loaded inside the firewall; `forward(…)` saves the frame around a few lines. */
  readonly rules?: string;
  /** nft text for the branch's own computer, whose probe then meets it before anything has left. */
  readonly hostRules?: string;
  /** Lets the probe follow blocked ports hop by hop, which takes it 5 to 10 s. Default: not. */
  readonly hops?: boolean;
  /** nft text for the carrier's NAT of `double-nat`. */
  readonly carrierRules?: string;
  /** Kernel settings of the firewall. */
  readonly sysctl?: Readonly<Record<string, string>>;
  /** What runs besides the probe, wherever it runs. Default: one reflector at the target. */
  readonly parts?: readonly Part[];
  /** Default 198.51.100.10. */
  readonly target?: string;
  /** Default `['business-sip']`. */
  readonly profiles?: readonly string[];
  /** More arguments of `probe`. */
  readonly args?: readonly string[];
  /** Sends audio as a run does by default. Default false: `--media 0`, because a lab of 200 networks is about everything else. */
  readonly audio?: boolean;
  /** False for third parties, which know no token. Default true. */
  readonly token?: boolean;
  /** The truth: what happens to the packets of each check. What is not named is `open`. */
  readonly really?: Readonly<Record<Where, Reality>>;
  /** Verdicts that do not follow from `really` (see reality.ts); any of several is right. */
  readonly expect?: Readonly<Record<Where, OneOrMore<FindingText>>>;
  /** By profile. Default `works`. The exit code must follow from them as the contract says. */
  readonly services?: Readonly<Record<string, OneOrMore<ServiceVerdict>>>;
  /** By profile: what users notice, exactly. Default none. */
  readonly symptoms?: Readonly<Record<string, readonly SymptomId[]>>;
  /** By profile: what chance may add to it or leave out. */
  readonly perhapsSymptoms?: Readonly<Record<string, readonly SymptomId[]>>;
  /** By profile: the id of the cause that is named first, or one of several. What is not named may have any. */
  readonly cause?: Readonly<Record<string, OneOrMore<string>>>;
  /** By profile: what the service comes to once the proposed nftables rules are in the firewall. Default `works`. */
  readonly fixed?: Readonly<Record<string, OneOrMore<ServiceVerdict>>>;
  /** Why the proposed rules are not tried here. */
  readonly notFixed?: string;
  readonly report?: ReportFacts;
  readonly expectLater?: readonly Later[];
  /** A network that today's product is known not to tell truly, and how: it is tried and listed, and fails nothing. */
  readonly open?: string;
  /** How often the probe runs, for what chance decides. Default 1. */
  readonly repeat?: number;
  readonly measure?: readonly Measure[];
  /** Boundaries between what passes and what does not must be told to the port, without ports between that nobody asked. */
  readonly exactRanges?: boolean;
  readonly measureFlows?: readonly MeasureFlows[];
  /** `--verify-rules` measures only: its questions do not wait so long, or would use up what it is to see. */
  readonly measuredOnly?: boolean;
  /** One run changes this network for the next (a ban, an outage at a moment): each has one of its own. */
  readonly eachAlone?: boolean;
  /** What `outages` of the report must hold, each item some keys of one. Default: none; `perhaps`: either is honest. */
  readonly outages?: readonly Readonly<Record<string, unknown>>[] | 'perhaps';
  /** What some sentence of the report must say, and what none may. */
  readonly says?: readonly RegExp[];
  readonly saysNot?: readonly RegExp[];
  /** Why `--verify-rules` cannot ask this network one question at a time. */
  readonly notVerified?: string;
}

export interface NamedScenario extends Scenario {
  readonly name: string;
}

/** A filter in the firewall's forward chain, both directions: `oifname "wan0"` is out, `iifname "wan0"` is in. */
export const forward = (...lines: readonly string[]): string => `
table inet filter {
  chain forward {
    type filter hook forward priority 0;
    ${lines.join('\n    ')}
  }
}
`;

/** NAT in the firewall of what leaves towards the internet, e.g. `oifname "wan0" masquerade`. */
export const translate = (...lines: readonly string[]): string => `
table ip nat {
  chain post {
    type nat hook postrouting priority 100;
    ${lines.join('\n    ')}
  }
}
`;

/** Interception in the firewall: NAT of what arrives from the branch, e.g. `tcp dport 80 redirect to :8080`. */
export const intercept = (...lines: readonly string[]): string => `
table ip intercept {
  chain pre {
    type nat hook prerouting priority -100;
    ${lines.map((line) => `iifname "lan0" ${line}`).join('\n    ')}
  }
}
`;

/** The kernel's own SIP helper, which rewrites what it understands as soon as NAT changes the addresses. */
export const sipHelper = (...protocols: readonly ('udp' | 'tcp')[]): string => `
table ip alg {
  ${protocols
    .map(
      (protocol) => `ct helper sip-${protocol} {
    type "sip" protocol ${protocol};
  }`,
    )
    .join('\n  ')}
  chain pre {
    type filter hook prerouting priority 0;
    ${protocols.map((protocol) => `${protocol} dport 5060 ct helper set "sip-${protocol}"`).join('\n    ')}
  }
}
`;
