/** The report as metrics: what each is called, what it means, its samples. Formats of metrics are made from these. */
import type { Report } from '../model/report.js';
import { type ServiceVerdict, VERDICTS, type Verdict } from '../model/verdict.js';
import { portCount } from '../words/report.js';
import { exitCode } from './exit-code.js';

export type Labels = Readonly<Record<string, string | number>>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** A gauge of one run. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const one = (value: number): readonly Sample[] => [{ labels: {}, value }];
const known = (value: number | boolean | null): readonly Sample[] => (value === null ? [] : one(Number(value)));

/** Numbers that an alert can compare: the larger, the worse; what is not known is below all. */
export const SERVICE_NUMBERS: Readonly<Record<ServiceVerdict, number>> = {
  unknown: -1,
  works: 0,
  degraded: 1,
  impaired: 2,
  blocked: 3,
};
/** The same of checks. */
export const CHECK_NUMBERS: Readonly<Record<Verdict, number>> = {
  unknown: -1,
  pass: 0,
  degraded: 1,
  altered: 2,
  blocked: 3,
};

/** What holds of a target: of one run what it says, of several what the worst of them says. */
export interface Answer {
  /** Null where no report is fresh enough to say. */
  readonly success: boolean | null;
  readonly services: readonly { readonly profile: string; readonly verdict: ServiceVerdict }[];
}

/** As the status page orders them: what is not known is worse than what works, and better than what is proven to be bad. */
const BEST_FIRST: readonly ServiceVerdict[] = ['works', 'unknown', 'degraded', 'impaired', 'blocked'];

/**
 * The answer of reports that are fresh. Without any, the services of the newest one are not known.
 * @param newest the newest of all, fresh or not
 */
export const answerOf = (newest: Report, fresh: readonly Report[]): Answer => {
  if (fresh.length === 0)
    return { success: null, services: newest.services.map(({ profile }) => ({ profile, verdict: 'unknown' })) };
  const worst = new Map<string, ServiceVerdict>();
  for (const { profile, verdict } of fresh.flatMap(({ services }) => services)) {
    const known = worst.get(profile);
    if (known === undefined || BEST_FIRST.indexOf(verdict) > BEST_FIRST.indexOf(known)) worst.set(profile, verdict);
  }
  return {
    success: fresh.every((report) => exitCode(report) === 0),
    services: [...worst].map(([profile, verdict]) => ({ profile, verdict })),
  };
};

/** Ports by verdict and not by run: runs begin and end elsewhere from day to day, and would make new series each time. */
const rangePorts = (
  ranges: Report['ranges'],
  countOf: (range: Report['ranges'][number]) => number,
): readonly Sample[] => {
  const groups = new Map<string, { readonly labels: Labels; value: number }>();
  for (const range of ranges) {
    for (const verdict of VERDICTS) {
      const key = `${range.id} ${verdict}`;
      const group = groups.get(key) ?? { labels: { range: range.id, verdict }, value: 0 };
      if (range.verdict === verdict) group.value += countOf(range);
      groups.set(key, group);
    }
  }
  return [...groups.values()];
};

const timestamp = (startedAt: string): readonly Sample[] => {
  const ms = Date.parse(startedAt);
  return Number.isNaN(ms) ? [] : one(ms / 1000);
};

/** What users of the services experience. */
const serviceFamilies = (services: Report['services'], answer: Answer): readonly Family[] => [
  {
    name: 'callpath_probe_success',
    help: '1 if every requirement of every chosen profile passes, else 0; absent where the last results are too old to say.',
    samples: known(answer.success),
  },
  {
    name: 'callpath_service_verdict',
    help: 'What the users of a service will experience: -1 unknown, 0 works, 1 degraded, 2 impaired, 3 blocked.',
    samples: answer.services.map(({ profile, verdict }) => ({
      labels: { profile },
      value: SERVICE_NUMBERS[verdict],
    })),
  },
  {
    name: 'callpath_service_untested',
    help: 'Requirements of a service that this target could not be asked.',
    samples: services.map(({ profile, untested }) => ({ labels: { profile }, value: untested.length })),
  },
];

/** Check by check, and the certificates that were shown to them. */
const checkFamilies = ({ checks, certificates = [] }: Report): readonly Family[] => [
  {
    name: 'callpath_check_verdict',
    help: 'The verdict of a check: -1 unknown, 0 pass, 1 degraded, 2 altered, 3 blocked.',
    samples: checks.map(({ id, verdict }) => ({ labels: { check: id }, value: CHECK_NUMBERS[verdict] })),
  },
  {
    name: 'callpath_check_reason',
    help: 'Why the verdict of a check is what it is; always 1.',
    samples: checks.map(({ id, reason }) => ({ labels: { check: id, reason }, value: 1 })),
  },
  {
    name: 'callpath_check_confidence_ratio',
    help: 'How sure the verdict of a check is.',
    samples: checks.map(({ id, confidence }) => ({ labels: { check: id }, value: confidence })),
  },
  {
    name: 'callpath_check_rtt_seconds',
    help: 'Round-trip time of a check in this run; stat is min, median or max.',
    samples: checks.flatMap(({ id, rttMs }) =>
      rttMs === null
        ? []
        : (['min', 'median', 'max'] as const).map((stat) => ({
            labels: { check: id, stat },
            value: rttMs[stat] / 1000,
          })),
    ),
  },
  {
    name: 'callpath_tls_certificate_expiry_timestamp_seconds',
    help: 'When the certificate that a third party showed to a check expires, in Unix time.',
    samples: certificates.flatMap(({ check, validTo }) =>
      validTo === null ? [] : [{ labels: { check }, value: Date.parse(validTo) / 1000 }],
    ),
  },
];

/** Ranges of ports, and the path that all share. */
const pathFamilies = ({ ranges, network, nat, sipAlg }: Report): readonly Family[] => [
  {
    name: 'callpath_range_ports',
    help: 'Ports of a range by verdict, those inferred from their neighbours included.',
    samples: rangePorts(ranges, portCount),
  },
  {
    name: 'callpath_range_tested_ports',
    help: 'Ports of a range that were asked, by verdict.',
    samples: rangePorts(ranges, ({ tested }) => tested),
  },
  {
    name: 'callpath_path_loss_upper_bound_ratio',
    help: 'Upper bound of the loss of the path, from checks that did answer.',
    samples: known(network.lossUpperBound),
  },
  { name: 'callpath_nat_detected', help: '1 if addresses are translated.', samples: known(network.natted) },
  {
    name: 'callpath_nat_info',
    help: 'How the NAT maps and filters (RFC 4787); always 1.',
    samples: [{ labels: { mapping: nat.mapping, filtering: nat.filtering }, value: 1 }],
  },
  { name: 'callpath_sip_alg_detected', help: '1 if something rewrites SIP.', samples: known(sipAlg.detected) },
];

const stream = ({ port, direction }: Report['quality'][number]): Labels => ({ port, direction });

/** Streams of media. */
const mediaFamilies = ({ quality, capacity }: Report): readonly Family[] => [
  {
    name: 'callpath_media_loss_ratio',
    help: 'Packets of a media stream that did not arrive.',
    samples: quality.map((item) => ({ labels: stream(item), value: item.lossRatio })),
  },
  {
    name: 'callpath_media_jitter_seconds',
    help: 'Interarrival jitter of a media stream (RFC 3550).',
    samples: quality.map((item) => ({ labels: stream(item), value: item.jitterMs / 1000 })),
  },
  {
    name: 'callpath_media_loss_upper_bound_ratio',
    help: 'With a probability of 97.5 % a media stream loses no more.',
    samples: quality.flatMap((item) =>
      item.lossUpper === undefined ? [] : [{ labels: stream(item), value: item.lossUpper }],
    ),
  },
  {
    name: 'callpath_media_r_factor',
    help: 'Estimated R of a media stream (ITU-T G.107), 0 to 93.2.',
    samples: quality.map((item) => ({ labels: stream(item), value: item.rFactor })),
  },
  {
    name: 'callpath_media_throttled_after_seconds',
    help: 'A media stream loses more after so long, in two streams alike.',
    samples: quality.flatMap((item) =>
      item.throttledAfter ? [{ labels: stream(item), value: item.throttledAfter.seconds }] : [],
    ),
  },
  {
    name: 'callpath_media_capacity_calls',
    help: 'Calls at once that pass; absent where it was not asked.',
    samples: known(capacity?.calls ?? null),
  },
  {
    name: 'callpath_media_mos',
    help: 'Estimated mean opinion score of a media stream, 1 to 4.5.',
    samples: quality.map((item) => ({ labels: stream(item), value: item.mos })),
  },
];

/** The run itself. */
const runFamilies = ({ reflectors, agent, totals, durationMs, startedAt }: Report): readonly Family[] => [
  {
    name: 'callpath_reflector_reachable',
    help: '1 if the reflector proved itself.',
    samples: reflectors.map(({ host, reachable }) => ({ labels: { reflector: host }, value: Number(reachable) })),
  },
  {
    name: 'callpath_agent_info',
    help: 'Version and platform of the agent; always 1.',
    samples: [{ labels: { version: agent.version, platform: agent.platform }, value: 1 }],
  },
  {
    name: 'callpath_agent_event_loop_delay_seconds',
    help: 'Worst delay of the probing thread; round trips cannot be trusted below it.',
    samples: known(agent.eventLoopDelayMs === null ? null : agent.eventLoopDelayMs / 1000),
  },
  { name: 'callpath_packets_sent', help: 'Packets sent in this run.', samples: one(totals.packetsSent) },
  { name: 'callpath_packets_received', help: 'Packets received in this run.', samples: one(totals.packetsReceived) },
  { name: 'callpath_sent_bytes', help: 'Bytes sent in this run.', samples: one(totals.bytesSent) },
  { name: 'callpath_run_duration_seconds', help: 'How long the run took.', samples: one(durationMs / 1000) },
  {
    name: 'callpath_report_timestamp_seconds',
    help: 'When the run started, in Unix time.',
    samples: timestamp(startedAt),
  },
];

/** All metrics of a report, without the target: that is for who knows what the target is called. */
export const metricsOf = (report: Report, answer = answerOf(report, [report])): readonly Family[] => [
  ...serviceFamilies(report.services, answer),
  ...checkFamilies(report),
  ...pathFamilies(report),
  ...mediaFamilies(report),
  ...runFamilies(report),
];
