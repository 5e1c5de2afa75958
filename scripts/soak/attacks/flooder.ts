/** A process of its own for one flood, so that who attacks does not slow down who measures. It floods until it is ended. */
import { comeFirst } from './cores.js';
import { type Field, FLOODS, type Flood } from './floods.js';
import { TENANT_FLOODS } from './tenants.js';
import { TLS_FLOODS } from './tls-floods.js';

const ALL: Readonly<Record<string, Flood>> = { ...FLOODS, ...TENANT_FLOODS, ...TLS_FLOODS };

process.once('disconnect', () => process.exit());
process.once('message', (order) => {
  const { name, isFirst, ...field } = order as Field & { readonly name: string; readonly isFirst: boolean };
  if (isFirst) comeFirst();
  void ALL[name]?.(field);
});
