/** `npm run bench`, second half: prints the answers beside those of the other servers, and whether the targets are met. */
import { type LoadResult, measureLoad } from './load.js';

/** What the reflector's answers a second should be at least, as a multiple of the other's. */
const TARGETS: Readonly<Record<string, number | null>> = { 'c-echo': 0.5, irtt: 1, coturn: 1, kamailio: 1 };

const line = ({ protocol, server, answersPerSecond, cpuMicros, lost }: LoadResult, ours: LoadResult): string => {
  const times = ours.answersPerSecond / answersPerSecond;
  const target = TARGETS[server] ?? null;
  const verdict = target === null ? '' : `  target ${target} x: ${times >= target ? 'met' : 'missed'}`;
  return [
    protocol.padEnd(14),
    server.padEnd(11),
    answersPerSecond.toFixed(0).padStart(10),
    cpuMicros.toFixed(2).padStart(13),
    lost > 0 ? `  ${lost} lost` : '',
    ours.server === server ? '' : `  the reflector gives ${times.toFixed(2)} x${verdict}`,
  ].join('');
};

/** Measures and prints. */
export const benchLoad = async (print: (line: string) => void): Promise<void> => {
  const results = await measureLoad();
  if (typeof results === 'string') return print(`\nanswers over UDP: not measured, ${results}`);
  print('\nanswers over UDP, each server on one core of its own, the same requests with their tag to all');
  print(`${'protocol'.padEnd(14)}${'server'.padEnd(11)}${'answers/s'.padStart(10)}${'CPU us each'.padStart(13)}`);
  for (const result of results) {
    const ours = results.find(({ protocol, server }) => protocol === result.protocol && server === 'reflector');
    if (ours) print(line(result, ours));
  }
};
