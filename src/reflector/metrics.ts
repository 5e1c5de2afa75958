/** `--metrics ADDRESS:PORT`: what the reflector did, for Prometheus (text exposition format 0.0.4). */
import { createServer, type Server } from 'node:http';
import { boundConnections, HTTP_LIMITS } from '../net/http-guests.js';

/** Counted since the start; gauges are as of now. */
export interface Counters {
  readonly datagrams: number;
  readonly answers: number;
  readonly heldBack: number;
  readonly connections: number;
  readonly refusedConnections: number;
  readonly openConnections: number;
  readonly sessions: number;
  /** Dropped by the kernel before they were read. */
  readonly overruns: number;
  /** Milliseconds that work waited too long in this process. */
  readonly lateMs: number;
  /** The worst wait in about the last two minutes. */
  readonly worstLateMs: number;
  /** Requests admitted, by the token's name: as many labels as the operator has tokens. */
  readonly admitted: readonly (readonly [token: string, requests: number])[];
}

type Plain = Exclude<keyof Counters, 'admitted'>;
const FAMILIES: readonly (readonly [name: string, type: 'counter' | 'gauge', help: string, of: Plain])[] = [
  ['callpath_reflector_datagrams_total', 'counter', 'UDP datagrams received.', 'datagrams'],
  ['callpath_reflector_datagram_answers_total', 'counter', 'UDP answers sent.', 'answers'],
  ['callpath_reflector_held_back_total', 'counter', 'Answers to strangers held back by the rate limit.', 'heldBack'],
  [
    'callpath_reflector_overruns_total',
    'counter',
    'UDP datagrams that the system dropped because they were not read in time (Linux).',
    'overruns',
  ],
  ['callpath_reflector_late_milliseconds_total', 'counter', 'Time that work waited too long.', 'lateMs'],
  [
    'callpath_reflector_late_milliseconds',
    'gauge',
    'The longest that work waited in about the last two minutes.',
    'worstLateMs',
  ],
  ['callpath_reflector_connections_total', 'counter', 'TCP connections accepted.', 'connections'],
  [
    'callpath_reflector_refused_connections_total',
    'counter',
    'TCP connections cut off by a ceiling.',
    'refusedConnections',
  ],
  ['callpath_reflector_open_connections', 'gauge', 'TCP connections open now.', 'openConnections'],
  ['callpath_reflector_sessions', 'gauge', 'Sessions remembered now.', 'sessions'],
];
const ADMITTED = 'callpath_reflector_admitted_requests_total';

/** Inside quotes (text exposition format 0.0.4). */
const labelValue = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** The exposition as text. */
const renderCounters = (counters: Counters): string =>
  [
    ...FAMILIES.map(
      ([name, type, help, of]) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${counters[of]}\n`,
    ),
    `# HELP ${ADMITTED} Requests that carried a valid proof, by token.\n# TYPE ${ADMITTED} counter\n`,
    ...counters.admitted.map(([token, requests]) => `${ADMITTED}{token="${labelValue(token)}"} ${requests}\n`),
  ].join('');

/** Counters of several processes together. */
export const sumCounters = (all: readonly Counters[]): Counters => {
  const total = (of: Plain): number => all.reduce((sum, one) => sum + one[of], 0);
  const admitted = new Map<string, number>();
  for (const [token, requests] of all.flatMap((one) => one.admitted)) {
    admitted.set(token, (admitted.get(token) ?? 0) + requests);
  }
  return {
    datagrams: total('datagrams'),
    answers: total('answers'),
    heldBack: total('heldBack'),
    // The kernel's count for the ports of each process.
    overruns: total('overruns'),
    lateMs: total('lateMs'),
    worstLateMs: Math.max(0, ...all.map(({ worstLateMs }) => worstLateMs)),
    connections: total('connections'),
    refusedConnections: total('refusedConnections'),
    openConnections: total('openConnections'),
    // Every process knows every session.
    sessions: Math.max(0, ...all.map(({ sessions }) => sessions)),
    admitted: [...admitted],
  };
};

/** Serves `/metrics`. Rejects with Node's error if the address cannot be bound. */
export const serveMetrics = (address: string, port: number, counters: () => Counters): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer(HTTP_LIMITS, (request, response) => {
      const found = request.method === 'GET' && request.url === '/metrics';
      response.writeHead(found ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      response.end(found ? renderCounters(counters()) : 'only GET /metrics\n');
    });
    boundConnections(server);
    server.once('error', reject);
    server.listen(port, address, () => resolve(server));
  });
