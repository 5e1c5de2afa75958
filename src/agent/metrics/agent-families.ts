/** What the agent says of itself on `/metrics`: whether it runs what is due, and results reach the disk and the receivers. */
import type { Family, Labels } from '../../report/metrics.js';
import { renderFamily } from '../../report/prometheus.js';
import type { AgentLabels } from '../exporters/labels.js';
import type { Health } from '../health.js';

type Samples = Family['samples'];
type Row = readonly [name: string, type: 'gauge' | 'counter', help: string, samples: Samples];

const one = (value: number): Samples => [{ labels: {}, value }];

const by = <T>(
  all: Readonly<Record<string, T>>,
  labels: (key: string, of: T) => Labels,
  value: (of: T) => number | null,
): Samples =>
  Object.entries(all).flatMap(([key, of]) => {
    const found = value(of);
    return found === null ? [] : [{ labels: labels(key, of), value: found }];
  });

const secondsOf = (time: string | null): number | null => (time === null ? null : Date.parse(time) / 1000);

const itself = ({ healthy, startedAt, residentMegabytes, cpuSeconds }: Health): readonly Row[] => [
  ['callpath_agent_healthy', 'gauge', '1 if the agent finds nothing wrong with itself, else 0.', one(Number(healthy))],
  [
    'callpath_agent_start_time_seconds',
    'gauge',
    'When the agent started, in Unix time.',
    one(secondsOf(startedAt) ?? 0),
  ],
  ['callpath_agent_resident_bytes', 'gauge', 'Memory that the agent takes.', one(residentMegabytes * 1024 * 1024)],
  [
    'callpath_agent_cpu_seconds_total',
    'counter',
    'Time of the processor that the agent has used since its start.',
    one(cpuSeconds),
  ],
];

const ofSpool = ({ spool }: Health): readonly Row[] => [
  [
    'callpath_agent_spool_failing',
    'gauge',
    '1 while the disk does not take results, else 0.',
    one(Number(spool.failing !== null)),
  ],
  ['callpath_agent_spool_held', 'gauge', 'Results in memory because the disk does not take them.', one(spool.held)],
  ['callpath_agent_spool_records', 'gauge', 'Results on disk, delivered or not.', one(spool.records)],
  ['callpath_agent_spool_bytes', 'gauge', 'What the results on disk take.', one(spool.bytes)],
  ['callpath_agent_spool_max_bytes', 'gauge', 'What they may take before the oldest is dropped.', one(spool.maxBytes)],
  [
    'callpath_agent_spool_dropped',
    'gauge',
    'Results dropped since the start before every exporter had taken them, by lane.',
    by(
      spool.dropped,
      (lane) => ({ lane }),
      (count) => count,
    ),
  ],
];

const ofExporters = ({ spool, exporters }: Health): readonly Row[] => {
  const each = (value: (of: Health['exporters'][string]) => number | null): Samples =>
    by(exporters, (exporter) => ({ exporter }), value);
  return [
    [
      'callpath_agent_waiting',
      'gauge',
      'Results that an exporter has yet to deliver.',
      by(
        spool.waiting,
        (exporter) => ({ exporter }),
        (count) => count,
      ),
    ],
    [
      'callpath_agent_delivery_seconds',
      'gauge',
      'For how long the delivery that is under way has lasted; 0 if none is.',
      each(({ deliveringSeconds }) => deliveringSeconds ?? 0),
    ],
    [
      'callpath_agent_last_delivery_timestamp_seconds',
      'gauge',
      'When an exporter delivered last since the start, in Unix time.',
      each(({ lastDeliveredAt }) => secondsOf(lastDeliveredAt)),
    ],
    [
      'callpath_agent_delivered_total',
      'counter',
      'Results that an exporter has delivered since the start.',
      each(({ delivered }) => delivered),
    ],
    [
      'callpath_agent_refused_total',
      'counter',
      'Results that a receiver has refused for good since the start.',
      each(({ refused }) => refused),
    ],
    [
      'callpath_agent_retries_total',
      'counter',
      'Deliveries that failed since the start, each tried again.',
      each(({ failures }) => failures),
    ],
    [
      'callpath_agent_exporter_failing',
      'gauge',
      '1 while the last delivery of an exporter failed, else 0.',
      each(({ lastError }) => Number(lastError !== null)),
    ],
  ];
};

/** By target and kind of run; not by `job`, which is what Prometheus itself calls a group of scrapes. */
const ofRuns = ({ jobs }: Health): readonly Row[] => {
  type Job = Health['jobs'][string];
  const labels = (_name: string, { target, kind }: Job): Labels => ({ target, run: kind });
  const each = (value: (of: Job) => number | null): Samples => by(jobs, labels, value);
  return [
    [
      'callpath_agent_run_interval_seconds',
      'gauge',
      'How often a run is due, where an interval says so.',
      each(({ everySeconds }) => everySeconds),
    ],
    [
      'callpath_agent_last_run_timestamp_seconds',
      'gauge',
      'When a run ended last since the start, in Unix time.',
      each(({ lastRunAt }) => secondsOf(lastRunAt)),
    ],
    ['callpath_agent_runs_total', 'counter', 'Runs since the start.', each(({ runs }) => runs)],
    [
      'callpath_agent_run_failures_total',
      'counter',
      'Runs since the start that could not run.',
      each(({ failures }) => failures),
    ],
    [
      'callpath_agent_missed_total',
      'counter',
      'Runs that did not happen since the start, by reason.',
      Object.entries(jobs).flatMap(([name, job]) =>
        by(
          job.missedBy,
          (reason) => ({ ...labels(name, job), reason }),
          (count) => count,
        ),
      ),
    ],
  ];
};

/** The exposition of one agent. */
export const renderAgent = (health: Health, common: AgentLabels): string =>
  [...itself(health), ...ofSpool(health), ...ofExporters(health), ...ofRuns(health)]
    .map(([name, type, help, samples]) =>
      renderFamily(
        { name, help, samples: samples.map(({ labels, value }) => ({ labels: { ...common, ...labels }, value })) },
        type,
      ),
    )
    .join('');
