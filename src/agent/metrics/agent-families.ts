/** What the agent says of itself on `/metrics`: whether results reach the disk and the receivers. */
import { renderFamily } from '../../report/prometheus.js';
import type { Health } from '../health.js';

type ExporterHealth = Health['exporters'][string];
type JobHealth = Health['jobs'][string];

const gauge = (name: string, help: string, value: number): string =>
  renderFamily({ name, help, samples: [{ labels: {}, value }] });

/** What is on the disk, in memory, and lost. */
const spoolFamilies = (spool: Health['spool']): readonly string[] => [
  gauge(
    'callpath_agent_spool_failing',
    '1 while the disk does not take results, else 0.',
    Number(spool.failing !== null),
  ),
  gauge('callpath_agent_spool_held', 'Results in memory because the disk does not take them.', spool.held),
  renderFamily({
    name: 'callpath_agent_spool_dropped',
    help: 'Results dropped since the start before every exporter had taken them, by lane.',
    samples: Object.entries(spool.dropped).map(([lane, value]) => ({ labels: { lane }, value })),
  }),
  renderFamily({
    name: 'callpath_agent_waiting',
    help: 'Results that an exporter has yet to deliver.',
    samples: Object.entries(spool.waiting).map(([exporter, value]) => ({ labels: { exporter }, value })),
  }),
];

const deliveryFamilies = (exporters: Health['exporters']): readonly string[] => {
  const countOf = (name: string, help: string, of: (one: ExporterHealth) => number): string => {
    const samples = Object.entries(exporters).map(([exporter, found]) => ({ labels: { exporter }, value: of(found) }));
    return renderFamily({ name, help, samples }, 'counter');
  };
  return [
    renderFamily({
      name: 'callpath_agent_delivery_seconds',
      help: 'For how long the delivery that is under way has lasted; 0 if none is.',
      samples: Object.entries(exporters).map(([exporter, { deliveringSeconds }]) => ({
        labels: { exporter },
        value: deliveringSeconds ?? 0,
      })),
    }),
    countOf(
      'callpath_agent_delivered_total',
      'Results that an exporter has delivered since the start.',
      ({ delivered }) => delivered,
    ),
    countOf(
      'callpath_agent_refused_total',
      'Results that a receiver has refused for good since the start.',
      ({ refused }) => refused,
    ),
    countOf(
      'callpath_agent_retries_total',
      'Deliveries that failed since the start, each tried again.',
      ({ failures }) => failures,
    ),
    renderFamily({
      name: 'callpath_agent_exporter_failing',
      help: '1 while the last delivery of an exporter failed, else 0.',
      samples: Object.entries(exporters).map(([exporter, { lastError }]) => ({
        labels: { exporter },
        value: Number(lastError !== null),
      })),
    }),
  ];
};

const jobFamilies = (jobs: Health['jobs']): readonly string[] => {
  const countOf = (name: string, help: string, of: (one: JobHealth) => number): string => {
    const samples = Object.entries(jobs).map(([job, found]) => ({ labels: { job }, value: of(found) }));
    return renderFamily({ name, help, samples }, 'counter');
  };
  return [
    countOf('callpath_agent_runs_total', 'Runs since the start, by job.', ({ runs }) => runs),
    countOf(
      'callpath_agent_run_failures_total',
      'Runs since the start that could not run, by job.',
      ({ failures }) => failures,
    ),
    renderFamily(
      {
        name: 'callpath_agent_missed_total',
        help: 'Runs that did not happen since the start, by job and reason.',
        samples: Object.entries(jobs).flatMap(([job, { missedBy }]) =>
          Object.entries(missedBy).map(([reason, value]) => ({ labels: { job, reason }, value })),
        ),
      },
      'counter',
    ),
  ];
};

/** The exposition of one agent. */
export const renderAgent = ({ healthy, spool, exporters, jobs, residentMegabytes, cpuSeconds }: Health): string =>
  [
    gauge('callpath_agent_healthy', '1 if the agent finds nothing wrong with itself, else 0.', Number(healthy)),
    ...spoolFamilies(spool),
    ...deliveryFamilies(exporters),
    ...jobFamilies(jobs),
    gauge('callpath_agent_resident_bytes', 'Memory that the agent takes.', residentMegabytes * 1024 * 1024),
    renderFamily(
      {
        name: 'callpath_agent_cpu_seconds_total',
        help: 'Time of the processor that the agent has used since its start.',
        samples: [{ labels: {}, value: cpuSeconds }],
      },
      'counter',
    ),
  ].join('');
