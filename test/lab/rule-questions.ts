/** What `--verify-rules` asks of a network: pure, from the scenario alone. */
import { type Asked, NONCE_LENGTH } from './helpers/questions.js';
import type { NamedScenario } from './scenario.js';
import { parseWhere } from './where.js';

const question = (probe: string, transport: Asked['transport'], port: number) => ({ probe, transport, port });

/** What the bundled profiles ask, one of each. */
const QUESTIONS = [
  question('sip-options', 'udp', 5060),
  question('sip-options', 'tcp', 5060),
  question('sip-options', 'tls', 5061),
  question('size-sweep', 'udp', 5060),
  question('stun-binding', 'udp', 3478),
  question('ike-sa-init', 'udp', 500),
  question('ike-sa-init', 'udp', 4500),
  question('nat-t-keepalive', 'udp', 4500),
  question('esp-in-udp', 'udp', 4500),
  question('tls-handshake', 'tls', 443),
  question('tls-handshake', 'tls', 5223),
  question('http', 'tcp', 80),
  question('dns', 'udp', 53),
  question('dns', 'tcp', 53),
];

const isAsked = (transport: string, port: number): boolean =>
  QUESTIONS.some((one) => one.port === port && one.transport === transport);

/** The edges of the media range and a few ports inside it. */
const MEDIA_PORTS = [16_384, 16_385, 20_000, 20_001, 24_576, 24_577, 28_672, 28_673, 32_766, 32_767];

/** Where a truth changes, both sides are asked: an edge that is off by one is the commonest mistake in a rule. */
const edges = (scenario: NamedScenario): readonly number[] =>
  Object.keys(scenario.really ?? {})
    .map(parseWhere)
    .flatMap(({ from, to }) => [from - 1, from, from + 1, to - 1, to, to + 1])
    .filter((port) => port >= 16_384 && port <= 32_767);

/** Nonces are counted, so that they are unique in a run and a failure can be repeated. */
const nonce = (index: number): string => `lab${index.toString(36).padStart(NONCE_LENGTH - 3, '0')}`;

/** The questions for each address, each with a nonce of its own. */
export const questionsOf = (scenario: NamedScenario, addresses: readonly string[]): readonly Asked[] => {
  const measured = [...(scenario.measure ?? []), ...(scenario.measureFlows ?? [])].map(({ port }) => port);
  const media = [...new Set([...MEDIA_PORTS, ...edges(scenario), ...measured.filter((port) => !isAsked('udp', port))])];
  const all = [...QUESTIONS, ...media.map((port) => question(port % 2 === 0 ? 'rtp-echo' : 'rtcp-echo', 'udp', port))];
  return addresses
    .flatMap((address) => all.map((one) => ({ ...one, address })))
    .map((one, index) => ({ ...one, nonce: nonce(index) }));
};
