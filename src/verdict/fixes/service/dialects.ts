/** All dialects in which the rules of a whole service can be written, by the names of the single fixes' dialects. */
import { ciscoAsaService } from './cisco-asa.js';
import { fortiosService } from './fortios.js';
import { serviceInWords } from './in-words.js';
import { iptablesService } from './iptables.js';
import { nftablesService } from './nftables.js';
import { pfService } from './pf.js';
import { routerosService } from './routeros.js';
import type { ServiceWriter } from './rules.js';

export const SERVICE_DIALECTS = {
  nftables: nftablesService,
  iptables: iptablesService,
  'cisco-asa': ciscoAsaService,
  fortios: fortiosService,
  routeros: routerosService,
  pf: pfService,
  opnsense: serviceInWords('opnsense'),
  unifi: serviceInWords('unifi'),
  sonicwall: serviceInWords('sonicwall'),
} as const satisfies Record<string, ServiceWriter>;

type ServiceDialect = keyof typeof SERVICE_DIALECTS;
export const SERVICE_DIALECT_NAMES = Object.keys(SERVICE_DIALECTS) as readonly ServiceDialect[];
