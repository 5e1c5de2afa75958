/** Products that are configured by clicking: what a request wants of them, in words. */
import { PRODUCTS, type Product } from '../../words/products.js';
import { placesOf, UDP_TIMEOUT_SECONDS, type Writer, writePorts } from './ask.js';

const clicks =
  (product: Product): Writer =>
  (ask) => {
    if (ask.kind === 'far-side' || ask.kind === 'advise') return null;
    const places = placesOf(ask).join(', ');
    const protocol = ask.protocol.toUpperCase();
    const ports = writePorts(ask.ports);
    const what = `${protocol} ${ports} to ${places}`;
    return product[ask.kind]?.({ what, places, protocol, ports, udpTimeoutSeconds: UDP_TIMEOUT_SECONDS }) ?? null;
  };

export const unifi = clicks(PRODUCTS.unifi);
export const opnsense = clicks(PRODUCTS.opnsense);
export const sonicwall = clicks(PRODUCTS.sonicwall);
