#!/usr/bin/env node
/** The agent's command line: finds the subcommand and loads nothing that it does not need. */
import { columnsOf, EXIT, main } from './main.js';
import { answersVersion } from './version.js';

const print = (text: string): number => {
  process.stdout.write(text);
  return EXIT.ok;
};

/** Colour and width for texts that are not reports. */
const look = () => ({
  color: process.stdout.isTTY === true && !process.env.NO_COLOR,
  width: Math.max(40, Math.min(columnsOf(process.stdout, process.env), 100)),
});

const COMMANDS: Readonly<Record<string, (argv: readonly string[]) => Promise<number>>> = {
  run: async (argv) => {
    const [{ parseProbeOptions }, { runCommand }] = await Promise.all([
      import('./options.js'),
      import('./run-command.js'),
    ]);
    return runCommand(parseProbeOptions(argv, process.env), process.env);
  },
  demo: async (argv) => (await import('./demo.js')).demoCommand(argv, process.env),
  daemon: async (argv) => (await import('./daemon-command.js')).daemonCommand(argv, process.env),
  setup: async (argv) => (await import('./setup-command.js')).setupCommand(argv, process.env),
  health: async (argv) => (await import('./health-command.js')).healthCommand(argv, process.env),
  doctor: async (argv) => (await import('./doctor-command.js')).doctorCommand(argv, process.env),
  profiles: async (argv) => {
    const { renderProfiles } = await import('./profiles-command.js');
    return print(await renderProfiles(argv, new Date()));
  },
  explain: async (words) => {
    // An answer of the table has several words: `probe explain PARTLY BLOCKED`.
    const code = words.length === 0 ? undefined : words.join(' ');
    const [{ explain, nearestCodes, renderExplanation, renderTerm }, { nearestOf }, { usage }] = await Promise.all([
      import('../words/explain.js'),
      import('../model/nearest.js'),
      import('./options.js'),
    ]);
    if (code === undefined) throw usage('explain: name a code of a report, for example "probe explain dropped"');
    const { TERM_CODES, termsOf } = await import('../words/glossary.js');
    const explanation = explain(code);
    const terms = termsOf(code.trim()).map((term) => renderTerm(code.trim(), term, look()));
    const texts = [...(explanation ? [renderExplanation(explanation, look())] : []), ...terms];
    if (texts.length > 0) return print(texts.join('\n'));
    const near = nearestOf(code, TERM_CODES).slice(0, 1).concat(nearestCodes(code)).slice(0, 3);
    throw usage(
      `explain: "${code.slice(0, 60)}" is not a code of a report${near.length > 0 ? `; did you mean ${near.join(', ')}?` : ''}`,
    );
  },
  completion: async (argv) => print((await import('./completion.js')).renderCompletion(argv)),
  schema: async () => {
    const { reportJsonSchema } = await import('../report/schema.js');
    return print(`${JSON.stringify(await reportJsonSchema(), null, 2)}\n`);
  },
};

const command = async (): Promise<number> => {
  const argv = process.argv.slice(2);
  const [first] = argv;
  const isKnown = first !== undefined && (first.startsWith('-') || Object.hasOwn(COMMANDS, first));
  const asksForHelp = argv.includes('--help') || argv.includes('-h');
  if (first === undefined || first === 'help' || (isKnown && asksForHelp)) {
    const { COMMAND_HELP, PROBE_HELP } = await import('./help.js');
    const of = first === 'help' ? argv[1] : first;
    if (of !== undefined && Object.hasOwn(COMMAND_HELP, of)) return print(COMMAND_HELP[of] ?? PROBE_HELP);
    if (first !== undefined) return print(PROBE_HELP);
    process.stderr.write(PROBE_HELP);
    return EXIT.usage;
  }
  // "constructor" is a word like any other.
  const chosen = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  if (chosen) return chosen(argv.slice(1));
  return (COMMANDS.run ?? (async () => EXIT.usage))(argv);
};

if (!answersVersion(process.argv.slice(2))) await main('probe', command);
