/**
 * Proves the lab itself: does each scenario's firewall do what its truth says? Asked with hand-made messages, plain
 * sockets and other houses' tools, without any of the product's code, so that a wrong rule is not blamed on it.
 */
import { readFileSync } from 'node:fs';
import type { Answers, Asking, Measured, MeasuredFlows, Told } from './helpers/asker.js';
import type { Asked } from './helpers/questions.js';
import type { Network } from './network.js';
import type { Part, Place as PartPlace } from './part.js';
import { ours, type Running, runToEnd, startPart } from './processes.js';
import { type Reality, realityOf } from './reality.js';
import { questionsOf } from './rule-questions.js';
import type { Measure, MeasureFlows, NamedScenario } from './scenario.js';
import { ADDRESS } from './topology.js';
import { lookUp, type Place } from './where.js';

interface Arrival {
  readonly transport: string;
  readonly port: number;
  readonly from: string;
  readonly fromPort: number;
  readonly bytes: Buffer;
}

const readArrivals = (log: string): readonly Arrival[] =>
  readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => {
      const entry = JSON.parse(line) as Omit<Arrival, 'bytes'> & { readonly bytes: string };
      return { ...entry, bytes: Buffer.from(entry.bytes, 'base64') };
    });

/** What happened to a question, in a word. */
const happened = (told: Told, arrivals: readonly Arrival[]): string => {
  const { asked, outcome } = told;
  const own = arrivals.filter(({ bytes, port }) => port === asked.port && bytes.includes(asked.nonce));
  if (outcome === 'error') return 'rejected';
  if (outcome === 'silence') {
    if (told.otherBytesPass) return 'filtered';
    return own.length > 0 ? 'dropped-inbound' : 'dropped-outbound';
  }
  if (!told.genuine) return 'intercepted';
  if (asked.probe === 'nat-t-keepalive') {
    const sources = new Set(own.map(({ fromPort }) => fromPort));
    const kept = arrivals.some(
      ({ fromPort, bytes }) => sources.has(fromPort) && bytes.length === 1 && bytes[0] === 0xff,
    );
    if (!kept) return 'filtered';
  }
  return own.some(({ bytes }) => bytes.toString('base64') === told.sent) ? 'open' : 'altered';
};

/** Words that agree with a truth. A stream's half-open connection shows no direction; chance and load show in `measure`. */
const agreeing = (reality: Reality, stream: boolean): readonly string[] => {
  switch (reality) {
    case 'filtered':
    case 'dropped-outbound':
    case 'dropped-inbound':
      return stream ? ['dropped-outbound', 'dropped-inbound'] : [reality];
    case 'lossy':
    case 'policed':
      // A connection that stands and then stalls looks as if somebody else had taken it.
      return ['open', 'dropped-outbound', 'dropped-inbound', 'filtered', ...(stream ? ['intercepted'] : [])];
    case 'slow':
      return ['open'];
    case 'first-lost':
      // The keepalive goes first, and is the packet that is lost.
      return ['open', 'filtered'];
    case 'flows-die':
      return ['open', 'dropped-outbound', 'dropped-inbound', 'filtered'];
    case 'unproven':
      return ['open', 'intercepted', 'altered'];
    case 'closed':
      return ['rejected'];
    case 'sip-alg':
    case 'rewritten':
      return ['altered'];
    case 'intercepted':
      return ['intercepted', 'altered'];
    case 'size-filtered':
      return ['filtered', 'dropped-outbound', 'dropped-inbound'];
    case 'dead':
      return ['dropped-outbound', 'dropped-inbound', 'rejected'];
    default:
      return [reality];
  }
};

const nameOf = ({ probe, transport, port, address }: Place): string => `${probe}/${transport}/${port}#${address}`;

const compareExchanges = (
  scenario: NamedScenario,
  answers: Answers,
  arrivals: readonly Arrival[],
): readonly string[] => {
  const natted = scenario.topology !== 'routed';
  return [
    ...answers.told.flatMap((told) => {
      const reality = realityOf(scenario, told.asked);
      const word = happened(told, arrivals);
      if (agreeing(reality, told.asked.transport !== 'udp').includes(word)) return [];
      return `${nameOf(told.asked)}: said to be ${reality}, was ${word}${told.code ? ` (${told.code})` : ''}`;
    }),
    ...arrivals
      .filter(({ from }) => !from.includes(':') && (from === ADDRESS.branch) === natted)
      .slice(0, 1)
      .map(({ from }) => `said to be ${natted ? 'behind NAT' : 'routed'}, seen from ${from}`),
  ];
};

const within = (name: string, value: number, range: readonly [number, number] | undefined): readonly string[] =>
  range === undefined || (range[0] <= value && value <= range[1])
    ? []
    : [`${name}: said to be ${range[0]} to ${range[1]}, was ${Math.round(value * 10_000) / 10_000}`];

const compareMeasures = (measures: readonly Measure[], measured: readonly Measured[]): readonly string[] =>
  measures.flatMap((measure, index) => {
    const result = measured[index];
    if (!result) return ['not measured'];
    const { sent, answered, duplicates, reordered, medianRttMs } = result;
    const name = (what: string): string => `${what} of ${sent} datagrams to udp/${measure.port}`;
    return [
      ...within(name('loss'), 1 - answered / sent, measure.lossRatio),
      ...within(name('median round trip'), medianRttMs, measure.medianRttMs),
      ...within(name('duplicates'), duplicates / sent, measure.duplicateRatio),
      ...within(name('reordering'), reordered / sent, measure.reorderRatio),
    ];
  });

const compareFlows = (wanted: readonly MeasureFlows[], measured: readonly MeasuredFlows[]): readonly string[] =>
  wanted.flatMap(({ port, transport, deadRatio, firstLostRatio, firstRttMs }, index) => {
    const result = measured[index];
    if (!result) return ['flows were not measured'];
    const { flows, dead, firstLost, medianFirstRttMs } = result;
    const name = (what: string): string => `${what} of ${flows} flows to ${transport}/${port}`;
    return [
      ...within(name('dead'), dead / flows, deadRatio),
      ...within(name('first packet lost'), firstLost / Math.max(1, flows - dead), firstLostRatio),
      ...within(name('median of the first round trip'), medianFirstRttMs, firstRttMs),
    ];
  });

const udpPortsOf = (questions: readonly Asked[]): readonly number[] => [
  ...new Set(questions.filter(({ transport }) => transport === 'udp').map(({ port }) => port)),
];
const tcpPortsOf = (questions: readonly Asked[]): readonly number[] => [
  ...new Set(questions.filter(({ transport }) => transport !== 'udp').map(({ port }) => port)),
];

/** In the reflector's place: answers the same questions and tells what arrived. */
const observer = (addresses: readonly string[], questions: readonly Asked[]): Part => ({
  name: 'observer',
  host: 'wan',
  needs: { openssl: 'openssl' },
  start: ({ certificate }) => {
    const { cert, key } = certificate('observer');
    return {
      command: ours(
        'test/lab/helpers/observer.js',
        ...[cert, key, addresses.join(','), udpPortsOf(questions).join(','), tcpPortsOf(questions).join(',')],
      ),
      ready: { log: 'observer ready' },
    };
  },
});

/** Longest exchange, twice (other bytes are tried after silence), and the longest measurement. */
const ASKING_TIMEOUT_MS = 60_000;

const verifyExchanges = async (
  network: Network,
  scenario: NamedScenario,
  reflectorAt: readonly string[],
  place: PartPlace,
): Promise<readonly string[]> => {
  const inUse = reflectorAt.length > 0 ? reflectorAt : [scenario.target ?? ADDRESS.target];
  const questions = questionsOf(scenario, inUse);
  const running: Running | null =
    reflectorAt.length > 0 ? await startPart(network, observer(reflectorAt, questions), place) : null;
  const measures = scenario.measure ?? [];
  const flows = scenario.measureFlows ?? [];
  const asking: Asking = {
    questions: scenario.measuredOnly === true ? [] : questions,
    measures,
    flows,
    target: ADDRESS.target,
  };
  const finished = await runToEnd(network, 'branch', ours('test/lab/helpers/asker.js'), {
    timeoutMs: ASKING_TIMEOUT_MS,
    input: JSON.stringify(asking),
  });
  if (finished.exitCode !== 0) return [`the asker ended with ${finished.exitCode}: ${finished.stderr.trim()}`];
  const answers = JSON.parse(finished.stdout) as Answers;
  const arrivals = running ? readArrivals(running.log) : [];
  return [
    ...compareExchanges(scenario, answers, arrivals),
    ...compareMeasures(measures, answers.measured),
    ...compareFlows(flows, answers.flows),
  ];
};

/** Longer than each of the tools goes on asking. */
const WITNESS_TIMEOUT_MS = 4000;

const verifyWitness = async (network: Network, scenario: NamedScenario, part: Part): Promise<readonly string[]> => {
  if (!part.witness) return [];
  const { check, command, answered } = part.witness;
  const [probe = '', transport = '', port] = check.split('/');
  const place: Place = { probe, transport, port: Number(port), address: ADDRESS.target };
  const reality = lookUp(scenario.really, place) ?? 'open';
  const finished = await runToEnd(network, 'branch', command, { timeoutMs: WITNESS_TIMEOUT_MS, until: answered });
  const wasAnswered = answered.test(finished.stdout + finished.stderr);
  if (wasAnswered === (reality === 'open')) return [];
  const said = (finished.stdout + finished.stderr).trim().split('\n').slice(-3).join(' | ');
  return [`${check}: said to be ${reality}, ${command[0]} ${wasAnswered ? 'was' : 'was not'} answered: ${said}`];
};

/**
 * Asks a network that is up, with all parts of the scenario but its reflectors running. Returns where it does not do
 * what the scenario says, one line each.
 */
export const verifyRules = async (
  network: Network,
  scenario: NamedScenario,
  parts: readonly Part[],
  place: PartPlace,
): Promise<readonly string[]> => {
  if (scenario.notVerified !== undefined) return [];
  if (scenario.token === false) {
    const results = await Promise.all(parts.map((part) => verifyWitness(network, scenario, part)));
    return results.flat();
  }
  const reflectorAt = [...new Set(parts.flatMap((part) => part.reflectorAt ?? []))];
  return verifyExchanges(network, scenario, reflectorAt, place);
};
