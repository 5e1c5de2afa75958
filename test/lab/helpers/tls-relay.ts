/**
 * A TLS interceptor: `tls-relay CERT KEY ADDRESS PORT TARGET TARGET_PORT` ends the client's session with its own
 * certificate and passes the plain text on over a second session, so that everything is read and everything works.
 */
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:tls';

const [cert = '', key = '', address, port, target, targetPort] = process.argv.slice(2);

createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (inside) => {
  const outside = connect({ host: target, port: Number(targetPort), rejectUnauthorized: false });
  inside.pipe(outside).pipe(inside);
  inside.on('error', () => outside.destroy());
  outside.on('error', () => inside.destroy());
})
  .on('tlsClientError', () => undefined)
  .listen(Number(port), address);
