/** A process of its own that measures: who attacks and who probes must not show in its figures. */
import { measureTrips } from './meter.js';

process.on('message', (order) => {
  void measureTrips(order as Parameters<typeof measureTrips>[0]).then((trips) => process.send?.(trips));
});
process.once('disconnect', () => process.exit());
