/** `probe doctor`: what this host can and cannot measure, line by line. */
import { parseArgs } from 'node:util';
import { examine, type Finding } from '../agent/doctor.js';
import { loadConfig, stateDirectoryOf } from './agent-config.js';
import { EXIT } from './main.js';
import { parseMistake } from './options.js';

const OPTIONS = { config: { type: 'string' }, json: { type: 'boolean' } } as const;

const parse = (argv: readonly string[]) => {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: false, strict: true }).values;
  } catch (error) {
    throw parseMistake(error, OPTIONS);
  }
};

const ABILITY_WIDTH = 8;

const render = (findings: readonly Finding[]): string => {
  const width = Math.max(...findings.map(({ what }) => what.length));
  return findings
    .map(({ what, ability, why }) => `${ability.padEnd(ABILITY_WIDTH)}${what.padEnd(width)}  ${why}\n`)
    .join('');
};

/** Exits 0 if something can be measured, 1 if nothing can: no route at all, or a container's network of its own. */
export const doctorCommand = async (argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> => {
  const { config, json } = parse(argv);
  const folder = stateDirectoryOf(config === undefined ? null : (await loadConfig(config, env)).config, env);
  const findings = await examine(folder);
  process.stdout.write(json ? `${JSON.stringify({ findings }, null, 2)}\n` : render(findings));
  const able = (what: string): boolean => findings.some((one) => one.what === what && one.ability !== 'no');
  return (able('IPv4') || able('IPv6')) && able('this site as phones see it') ? EXIT.ok : EXIT.trouble;
};
