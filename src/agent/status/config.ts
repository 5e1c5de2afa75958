/** The keys of `status` in the agent's configuration. */
import * as v from 'valibot';
import { list, map } from '../../model/schema-words.js';
import { Endpoint, Text } from '../exporters/settings.js';
import { isLoopback } from '../http/guard.js';

/** Beside the 9892 of the Prometheus exporter. */
const DEFAULT_LISTEN = '127.0.0.1:9893';

export const StatusSchema = v.pipe(
  map({
    listen: v.optional(Endpoint, DEFAULT_LISTEN),
    /** Bearer token, or password of any user; needed to listen elsewhere than on loopback. */
    secretFile: v.exactOptional(Text),
    /** Names besides addresses under which it may be asked. */
    hosts: v.optional(list(Text), []),
    certFile: v.exactOptional(Text),
    keyFile: v.exactOptional(Text),
  }),
  v.forward(
    v.check(
      ({ listen, secretFile }) => secretFile !== undefined || isLoopback(listen.host),
      ({ input }) =>
        `is open to other hosts; use 127.0.0.1:${input.listen.port} or [::1]:${input.listen.port}, or set secretFile`,
    ),
    ['listen'],
  ),
  v.forward(
    v.check(
      ({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined),
      'has certFile or keyFile alone; set both',
    ),
    ['certFile'],
  ),
);
export type StatusConfig = v.InferOutput<typeof StatusSchema>;
