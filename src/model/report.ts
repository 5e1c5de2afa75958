/**
 * The one document that everything prints, stores and exports: `callpath.report/1`. Types and the published JSON
 * Schema come from the same definition. A report may gain fields within a major version and never loses or renames one.
 */
import * as v from 'valibot';
import { CERTIFICATE_PROBLEMS } from './certificate.js';
import { DEVICES, LIKELIHOODS } from './diagnosis.js';
import { PROBE_KINDS, TRANSPORTS } from './kinds.js';
import { CALL_STEPS, CALL_UNTESTED } from './study-facts.js';
import { REASONS, SERVICE_VERDICTS, VERDICTS } from './verdict.js';

export const REPORT_SCHEMA_ID = 'callpath.report/1';

const Count = v.pipe(v.number(), v.integer(), v.minValue(0));
const Ratio = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const Milliseconds = v.pipe(v.number(), v.minValue(0));
const Port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535));
const Reason = v.picklist([
  ...REASONS.pass,
  ...REASONS.degraded,
  ...REASONS.altered,
  ...REASONS.blocked,
  ...REASONS.unknown,
]);
const nullable = v.nullable;

const ReflectorSchema = v.looseObject({
  host: v.string(),
  addresses: v.array(v.string()),
  version: nullable(v.string()),
  reachable: v.boolean(),
  /** `tls/443`, `udp/5060` …: over which transport and port its word came; null if it never did. */
  control: nullable(v.string()),
  /** When it started, RFC 3339 by this host's clock; null where it did not say. */
  startedAt: v.optional(nullable(v.string())),
});

const CheckSchema = v.looseObject({
  id: v.string(),
  probe: v.picklist(PROBE_KINDS),
  transport: v.picklist(TRANSPORTS),
  port: Port,
  /** Null when the target's name could not be resolved. */
  address: nullable(v.string()),
  family: nullable(v.picklist([4, 6])),
  requiredBy: v.array(v.string()),
  verdict: v.picklist(VERDICTS),
  reason: Reason,
  confidence: Ratio,
  sent: Count,
  seen: nullable(Count),
  /** Of `seen`, how many the far end says it answered; what it did not answer it left by its own doing. Null if it did not tell. */
  answered: v.optional(nullable(Count)),
  received: Count,
  rttMs: nullable(v.object({ min: Milliseconds, median: Milliseconds, max: Milliseconds })),
  evidence: v.record(v.string(), v.unknown()),
});

const RangeSchema = v.looseObject({
  id: v.string(),
  probe: v.picklist(PROBE_KINDS),
  transport: v.picklist(TRANSPORTS),
  address: nullable(v.string()),
  from: Port,
  to: Port,
  step: v.pipe(v.number(), v.integer(), v.minValue(1)),
  verdict: v.picklist(VERDICTS),
  reason: Reason,
  /** Ports of this run that were asked; the others are inferred from their neighbours. */
  tested: Count,
  confidence: Ratio,
});

/** What the DNS said of the target, where it was asked. */
const ResolutionSchema = v.looseObject({
  host: v.string(),
  failures: v.array(
    v.looseObject({
      name: v.string(),
      type: v.picklist(['NAPTR', 'SRV', 'A', 'AAAA', 'address']),
      reason: v.string(),
      /** The record that cannot be used and what is wrong with it, or who named the name. */
      about: v.optional(v.string()),
    }),
  ),
  /** Servers that were asked. */
  resolvers: v.array(v.looseObject({ address: v.string(), state: v.picklist(['answers', 'silent', 'refuses']) })),
  /** What the domain's NAPTR and SRV records offer. */
  offers: v.array(v.string()),
  /** Addresses that were found and not asked. */
  leftOut: v.array(v.string()),
});

/** What a server of somebody else's said of itself, one thing each. */
const SaidSchema = v.looseObject({
  checks: v.array(v.string()),
  address: nullable(v.string()),
  /** One sentence without its full stop. */
  text: v.string(),
  /** The path is fine, and calls are not: somebody has to look at the server. */
  isTrouble: v.boolean(),
});

/** The certificate that a check was shown by a server of somebody else's. */
const CertificateSchema = v.looseObject({
  check: v.string(),
  address: nullable(v.string()),
  port: Port,
  /** The name that it has to show (RFC 5922); null for an address. */
  domain: nullable(v.string()),
  subject: nullable(v.string()),
  issuer: nullable(v.string()),
  names: v.array(v.string()),
  validFrom: nullable(v.string()),
  validTo: nullable(v.string()),
  trusted: nullable(v.boolean()),
  problems: v.array(v.looseObject({ id: v.picklist(CERTIFICATE_PROBLEMS), text: v.string() })),
});

/** Of a range that was sampled: how wide a hole its sample can have missed. Widths in port numbers. */
const CoverageSchema = v.looseObject({
  id: v.string(),
  tested: Count,
  ports: Count,
  /** A hole so wide is met for certain. */
  sureWidth: Count,
  /** The narrowest hole that is missed with a probability of at most one half, and of at most 5 %. */
  evenOddsWidth: Count,
  fivePercentWidth: Count,
});

const FAMILIES_OF_BEHAVIOUR = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const;

const NatSchema = v.looseObject({
  mapping: v.picklist(['none', ...FAMILIES_OF_BEHAVIOUR, 'unknown']),
  filtering: v.picklist([...FAMILIES_OF_BEHAVIOUR, 'unknown']),
  portPreservation: nullable(v.boolean()),
  layers: nullable(v.picklist([0, 1, 2])),
  /** Ports that an otherwise regular NAT maps in a way of their own. */
  portsThatDiffer: v.optional(v.array(Port)),
  /** Questions from their protocol's own port, as source and destination. */
  sourcePorts: v.optional(
    v.array(
      v.looseObject({
        port: Port,
        /** From which port the far end saw it; null if nothing came back. */
        seenPort: nullable(Port),
        /** False: silent although another source port is answered. Null: not known, or not to be had on this host. */
        answered: nullable(v.boolean()),
        /** The code with which this host refused the port. */
        notBound: nullable(v.string()),
      }),
    ),
  ),
  /** A flow that an agent keeps from run to run is silent while new ones are answered; null of a single run. */
  staleState: v.optional(nullable(v.boolean())),
  bindingLifetime: v.array(
    v.looseObject({
      port: Port,
      transport: v.picklist(TRANSPORTS),
      atLeastSeconds: Count,
      belowSeconds: nullable(Count),
      /** Packets had gone both ways before the silence. */
      bidirectional: v.optional(v.boolean()),
      /** The longest pause between keepalives that it bears with some room; null where it bears none. */
      keepaliveSeconds: v.optional(nullable(Count)),
    }),
  ),
});

const SipAlgSchema = v.looseObject({
  detected: nullable(v.boolean()),
  findings: v.array(
    v.looseObject({
      transport: v.picklist(TRANSPORTS),
      port: Port,
      method: v.string(),
      direction: v.picklist(['outbound', 'inbound']),
      kind: v.picklist(['rewritten', 'dropped', 'pinhole']),
      class: v.picklist(['semantic', 'proxy', 'cosmetic']),
      field: v.string(),
      sent: v.string(),
      received: v.string(),
    }),
  ),
});

const QualitySchema = v.looseObject({
  port: Port,
  direction: v.picklist(['outbound', 'inbound']),
  packets: Count,
  lossRatio: Ratio,
  jitterMs: Milliseconds,
  reordered: Count,
  rFactor: v.number(),
  mos: v.number(),
  /** The model that R and MOS are of. These and all below are absent in reports of versions before them. */
  model: v.optional(v.string()),
  codec: v.optional(v.string()),
  /** Whether the delay of a conversation counts. */
  kind: v.optional(v.picklist(['listening', 'conversational'])),
  /** How much delay variation the phone's buffer takes out. */
  playoutMs: v.optional(Milliseconds),
  lost: v.optional(Count),
  /** Mean run of packets lost or discarded over what it would be by chance (ITU-T G.107). */
  burstRatio: v.optional(v.number()),
  /** The true loss lies between these with a probability of 95 %. */
  lossLower: v.optional(Ratio),
  lossUpper: v.optional(Ratio),
  /** Above the shortest delay of the stream (RFC 5481). */
  delayVariationMs: v.optional(v.object({ p50: Milliseconds, p95: Milliseconds, p99: Milliseconds })),
  /** Came later than the playout buffer holds. */
  discarded: v.optional(Count),
  duplicates: v.optional(Count),
  /** Packets lost in a row, at most. */
  longestGap: v.optional(Count),
  /** RFC 3550's J after the last packet; `jitterMs` is the mean of what it smoothes. */
  lastJitterMs: v.optional(Milliseconds),
  /** How much longer the way took at the end than at the beginning; the drift of the two clocks included. */
  delayChangeMs: v.optional(v.number()),
  rttMs: v.optional(Milliseconds),
  windows: v.optional(
    v.array(v.looseObject({ fromMs: Milliseconds, lost: Count, sent: Count, jitterMs: Milliseconds })),
  ),
  /** The same in pieces of a second or more, for charts; the median delay above the shortest. */
  points: v.optional(
    v.array(v.looseObject({ fromMs: Milliseconds, lost: Count, sent: Count, delayMs: nullable(Milliseconds) })),
  ),
  /** From so many packets on more were lost, in two streams alike. */
  throttledAfter: v.optional(
    nullable(
      v.looseObject({
        seconds: v.number(),
        packets: Count,
        bytes: Count,
        /** It counts packets or bytes, or it counts time. */
        kind: v.picklist(['quota', 'timer', 'unknown']),
      }),
    ),
  ),
});

/** How far packets to one port come, beside those of ports that pass. */
const HopsSchema = v.looseObject({
  check: v.string(),
  probe: v.picklist(PROBE_KINDS),
  transport: v.picklist(TRANSPORTS),
  port: Port,
  address: v.string(),
  direction: v.picklist(['outbound', 'inbound']),
  /** Whether the port passes: its ladder shows what the path looks like. */
  passes: v.boolean(),
  /** By hop limit, from 1: the router that said that the packet ended there; null where none did twice. */
  answered: v.array(nullable(v.string())),
  /** The last router that its packets get to for certain. */
  lastSeen: nullable(v.string()),
  /** The next hop that packets of ports that pass get to; the far end's address if there is none before it. */
  nextOnControl: nullable(v.string()),
  /** Whether `lastSeen` lies outside this site for certain. */
  outside: nullable(v.boolean()),
  /** Whose device drops it, where the evidence allows one alone. */
  device: nullable(v.picklist(['this-host', 'branch-firewall', 'provider', 'far-end'])),
});

/** How many calls at once a line carries. */
const CapacitySchema = v.looseObject({
  calls: Count,
  limitedBy: nullable(v.picklist(['outbound', 'inbound', 'per-flow'])),
  asked: Count,
});

/** Calls that were rehearsed with a reflector, one entry each, with every step. */
const CallSchema = v.looseObject({
  transport: v.picklist(TRANSPORTS),
  port: Port,
  address: v.string(),
  /** Who calls. */
  direction: v.picklist(['outbound', 'inbound']),
  /** Of a call after silence: for how long nothing but keepalives went over the registration's flow; else null. */
  idle: nullable(v.looseObject({ seconds: v.number(), keepalives: v.boolean() })),
  steps: v.array(
    v.looseObject({
      step: v.picklist(CALL_STEPS),
      verdict: v.picklist(VERDICTS),
      reason: v.string(),
      /** The final answer's status; null where the step is none of a request, or none came. */
      status: nullable(Count),
      ms: nullable(Milliseconds),
      /** Why the step was not tried; null where it was. */
      untested: nullable(v.picklist(CALL_UNTESTED)),
      confidence: Ratio,
      /** What each end knows of each thing that was sent in this step. */
      legs: v.array(
        v.looseObject({
          from: v.picklist(['agent', 'far-end']),
          sent: Count,
          arrived: nullable(Count),
          answered: nullable(Count),
          received: nullable(Count),
        }),
      ),
    }),
  ),
});

const ServiceSchema = v.looseObject({
  profile: v.string(),
  title: v.string(),
  verdict: v.picklist(SERVICE_VERDICTS),
  /** Required, and not askable of this target without a reflector. */
  untested: v.array(v.string()),
  symptoms: v.array(v.looseObject({ id: v.string(), text: v.string(), because: v.array(v.string()) })),
  /** Why, ranked: the first is the most likely. Absent in reports of versions before it. */
  causes: v.optional(
    v.array(
      v.looseObject({
        id: v.string(),
        text: v.string(),
        device: v.picklist(DEVICES),
        likelihood: v.picklist(LIKELIHOODS),
        because: v.array(v.string()),
      }),
    ),
  ),
  fixes: v.array(
    v.looseObject({
      text: v.string(),
      because: v.array(v.string()),
      /** For the service's own networks. Text to paste, by dialect: `nftables`, `iptables`, `cisco-asa`, `fortios`, `routeros`, `pf`. */
      rules: v.record(v.string(), v.string()),
      /** What to click where there is nothing to paste, by product: `opnsense`, `unifi`, `sonicwall`. */
      words: v.optional(v.record(v.string(), v.string())),
      /** The same for the reflector that was asked in the service's place: for the test alone. Null where there is none. */
      test: v.optional(
        nullable(
          v.looseObject({
            text: v.string(),
            rules: v.record(v.string(), v.string()),
            words: v.optional(v.record(v.string(), v.string())),
          }),
        ),
      ),
    }),
  ),
});

/** Packets one way, how many of them were lost, and between what the true loss lies with a probability of 90 %. */
const WayLossSchema = v.looseObject({ sent: Count, lost: Count, lower: Ratio, upper: Ratio });

export const ReportSchema = v.looseObject({
  schema: v.literal(REPORT_SCHEMA_ID),
  /** UUIDv7; ingestion is idempotent on it. */
  id: v.string(),
  /** RFC 3339, UTC. */
  startedAt: v.string(),
  durationMs: Milliseconds,
  agent: v.looseObject({
    id: v.string(),
    version: v.string(),
    hostname: v.string(),
    platform: v.string(),
    /** The worst delay of the probing event loop; RTTs cannot be trusted below it. Null if it was not measured. */
    eventLoopDelayMs: nullable(Milliseconds),
    /** What nine in ten of its turns stayed below: part of a usual round trip. Null if it was not measured. */
    usualDelayMs: v.optional(nullable(Milliseconds)),
  }),
  target: v.looseObject({
    host: v.string(),
    addresses: v.array(v.string()),
    role: v.picklist(['reflector', 'third-party']),
  }),
  reflectors: v.array(ReflectorSchema),
  network: v.looseObject({
    localAddress: nullable(v.string()),
    mappedAddresses: v.array(v.string()),
    natted: nullable(v.boolean()),
    /** An upper bound of the path's loss from the checks that did answer; null without any answer. */
    lossUpperBound: nullable(Ratio),
    /** Questions among what answers at all, and how many of them stayed without an answer; what the bound rests on. */
    roundTrips: v.optional(v.looseObject({ sent: Count, lost: Count })),
    /** The same each way, from what the far ends say arrived and was answered; null where none tells. */
    loss: v.optional(nullable(v.looseObject({ outbound: WayLossSchema, inbound: WayLossSchema }))),
  }),
  checks: v.array(CheckSchema),
  ranges: v.array(RangeSchema),
  /** Stretches in which nothing came from a far end that had answered; offsets from `startedAt`. */
  outages: v.optional(
    v.array(
      v.looseObject({
        fromMs: Milliseconds,
        /** Null where it had not answered again when the run ended. */
        toMs: nullable(Milliseconds),
        what: v.picklist(['everything', 'udp', 'tcp']),
        direction: nullable(v.picklist(['outbound', 'inbound'])),
      }),
    ),
  ),
  /** Left out where every port was asked. */
  coverage: v.optional(v.array(CoverageSchema)),
  nat: NatSchema,
  sipAlg: SipAlgSchema,
  quality: v.array(QualitySchema),
  /** Null or absent where it was not asked how many calls pass at once. */
  capacity: v.optional(nullable(CapacitySchema)),
  /** Left out where none was asked for. */
  calls: v.optional(v.array(CallSchema)),
  /** How far packets come, hop by hop. Left out where it was not asked, or the ladders carry no statement. */
  hops: v.optional(v.array(HopsSchema)),
  services: v.array(ServiceSchema),
  /** Absent in reports of versions before it, and where no name was resolved. */
  resolution: v.optional(ResolutionSchema),
  /** What servers of third parties said; absent in reports of versions before it. */
  said: v.optional(v.array(SaidSchema)),
  certificates: v.optional(v.array(CertificateSchema)),
  /** What the run could not do or a reader must know, one sentence each. */
  notes: v.array(v.string()),
  totals: v.looseObject({
    checks: Count,
    packetsSent: Count,
    bytesSent: Count,
    packetsReceived: Count,
    /** Flows that sweeps of ranges opened: entries in the tables of firewalls in between. */ sweptFlows:
      v.optional(Count),
  }),
});

export type Report = v.InferOutput<typeof ReportSchema>;
export type ReportCheck = Report['checks'][number];
export type ReportRange = Report['ranges'][number];
export type ReportService = Report['services'][number];
