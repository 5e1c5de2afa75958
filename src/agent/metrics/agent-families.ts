/** What the agent says of itself on `/metrics`: whether results reach the disk and the receivers. */
import { renderFamily } from '../../report/prometheus.js';
import type { Health } from '../health.js';

/** The exposition of one agent. */
export const renderAgent = ({ healthy, spool, exporters }: Health): string => {
  const one = (name: string, help: string, value: number): string =>
    renderFamily({ name, help, samples: [{ labels: {}, value }] });
  return [
    one('callpath_agent_healthy', '1 if the agent finds nothing wrong with itself, else 0.', Number(healthy)),
    one(
      'callpath_agent_spool_failing',
      '1 while the disk does not take results, else 0.',
      Number(spool.failing !== null),
    ),
    one('callpath_agent_spool_held', 'Results in memory because the disk does not take them.', spool.held),
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
    renderFamily({
      name: 'callpath_agent_delivery_seconds',
      help: 'For how long the delivery that is under way has lasted; 0 if none is.',
      samples: Object.entries(exporters).map(([exporter, { deliveringSeconds }]) => ({
        labels: { exporter },
        value: deliveringSeconds ?? 0,
      })),
    }),
  ].join('');
};
