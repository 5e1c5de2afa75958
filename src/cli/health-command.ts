/** `probe health`: asks the running agent how it is. For HEALTHCHECK, watchdogs and people. */
import { parseArgs } from 'node:util';
import { askAgent } from '../agent/control.js';
import { isMap } from '../model/schema-words.js';
import { printable } from '../wire/printable.js';
import { loadConfig, stateDirectoryOf } from './agent-config.js';
import { EXIT } from './main.js';
import { parseMistake, usage } from './options.js';

const OPTIONS = {
  config: { type: 'string' },
  state: { type: 'string' },
  json: { type: 'boolean' },
} as const;

const parse = (argv: readonly string[]) => {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: false, strict: true }).values;
  } catch (error) {
    throw parseMistake(error, OPTIONS);
  }
};

const MAX_LINE = 300;

const lines = (value: unknown, word: string): readonly string[] =>
  Array.isArray(value) ? value.map((one) => `${word}: ${printable(String(one), MAX_LINE)}`) : [];

/** Exits 0 if the agent is well, 1 if not, 3 if there is none. */
export const healthCommand = async (argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> => {
  const { config, state, json } = parse(argv);
  if (config !== undefined && state !== undefined)
    throw usage('health: --config and --state cannot be combined; choose one');
  const folder = state ?? stateDirectoryOf(config === undefined ? null : (await loadConfig(config, env)).config, env);
  const answer = await askAgent(folder);
  if (!isMap(answer)) {
    process.stdout.write(
      json ? '{"healthy":false,"problems":["no agent answers"]}\n' : `no agent answers for ${folder}\n`,
    );
    return EXIT.unmeasured;
  }
  const text = [
    answer.healthy === true ? 'healthy' : 'unhealthy',
    ...lines(answer.problems, 'problem'),
    ...lines(answer.remarks, 'remark'),
  ].join('\n');
  process.stdout.write(json ? `${JSON.stringify(answer)}\n` : `${text}\n`);
  return answer.healthy === true ? EXIT.ok : EXIT.trouble;
};
