/** `--metrics ADDRESS:PORT`: what the reflector did, for Prometheus (text exposition format 0.0.4). */
import { createServer, type Server } from 'node:http';

/** Counted since the start; gauges are as of now. */
export interface Counters {
  readonly datagrams: number;
  readonly answers: number;
  readonly heldBack: number;
  readonly connections: number;
  readonly openConnections: number;
  /** Dropped by the kernel before they were read. */
  readonly overruns: number;
}

const FAMILIES: readonly (readonly [name: string, type: 'counter' | 'gauge', help: string, of: keyof Counters])[] = [
  ['callpath_reflector_datagrams_total', 'counter', 'UDP datagrams received.', 'datagrams'],
  ['callpath_reflector_datagram_answers_total', 'counter', 'UDP answers sent.', 'answers'],
  ['callpath_reflector_held_back_total', 'counter', 'Answers to strangers held back by the rate limit.', 'heldBack'],
  [
    'callpath_reflector_overruns_total',
    'counter',
    'UDP datagrams that the system dropped because they were not read in time (Linux).',
    'overruns',
  ],
  ['callpath_reflector_connections_total', 'counter', 'TCP connections accepted.', 'connections'],
  ['callpath_reflector_open_connections', 'gauge', 'TCP connections open now.', 'openConnections'],
];

/** The exposition as text. */
export const renderCounters = (counters: Counters): string =>
  FAMILIES.map(
    ([name, type, help, of]) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${counters[of]}\n`,
  ).join('');

/** Serves `/metrics`. Rejects with Node's error if the address cannot be bound. */
export const serveMetrics = (address: string, port: number, counters: () => Counters): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      const found = request.method === 'GET' && request.url === '/metrics';
      response.writeHead(found ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      response.end(found ? renderCounters(counters()) : 'only GET /metrics\n');
    });
    server.once('error', reject);
    server.listen(port, address, () => resolve(server));
  });
