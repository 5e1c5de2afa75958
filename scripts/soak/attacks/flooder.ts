/** A process of its own for one flood, so that who attacks does not slow down who measures. */
import { type Field, FLOODS } from './floods.js';

process.once('message', (order) => {
  const { name, ...field } = order as Omit<Field, 'until'> & { readonly name: string };
  const stop = new AbortController();
  process.once('disconnect', () => {
    stop.abort();
    // Whatever is still being waited for.
    setTimeout(() => process.exit(), 500).unref();
  });
  void FLOODS[name]?.({ ...field, until: stop.signal });
});
