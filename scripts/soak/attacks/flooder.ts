/** A process of its own for one flood, so that who attacks does not slow down who measures. It floods until it is ended. */
import { comeFirst } from './cores.js';
import { type Field, FLOODS } from './floods.js';

process.once('disconnect', () => process.exit());
process.once('message', (order) => {
  const { name, isFirst, ...field } = order as Omit<Field, 'until'> & {
    readonly name: string;
    readonly isFirst: boolean;
  };
  if (isFirst) comeFirst();
  void FLOODS[name]?.({ ...field, until: new AbortController().signal });
});
