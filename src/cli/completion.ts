/** `probe completion SHELL`: what a shell completes, read from the same help that people read. */
import { COMMAND_HELP, PROBE_HELP, REFLECTOR_HELP } from './help.js';
import { PROBE_COMMANDS, usage } from './options.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

interface Option {
  readonly name: string;
  readonly about: string;
}

/** The lines of a help text that begin with an option; `--mcc NNN --mnc NN` is two. */
const optionsOf = (help: string): readonly Option[] =>
  help.split('\n').flatMap((line): readonly Option[] => {
    const [, head = '', about = ''] = /^ {2}(-.*?)(?: {2,}(.*))?$/.exec(line) ?? [];
    return [...head.matchAll(/--[a-z][\w-]*/g)].map(([name]) => ({ name, about }));
  });

/** By command line: `` is a run. */
const words = (): readonly (readonly [command: string, options: readonly Option[]])[] => [
  ['', optionsOf(PROBE_HELP)],
  ...PROBE_COMMANDS.map((command) => [command, optionsOf(COMMAND_HELP[command] ?? '')] as const),
  ['reflector', optionsOf(REFLECTOR_HELP)],
];

const names = (options: readonly Option[]): string => [...new Set(options.map(({ name }) => name))].join(' ');

/** Of what stands behind the program's name: options of the command, files behind `--…-file` and the like. */
const bash = (): string => `_callpath() {
  local word=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]}
  [ "\${COMP_WORDS[0]##*/}" = reflector ] && command=reflector
  if [ "$COMP_CWORD" = 1 ] && [ "\${word#-}" = "$word" ] && [ "$command" != reflector ]; then
    COMPREPLY=($(compgen -W "${PROBE_COMMANDS.join(' ')}" -- "$word"))
    return
  fi
  case $command in
${words()
  .slice(1)
  .map(([command, options]) => `    ${command}) COMPREPLY=($(compgen -W "${names(options)}" -- "$word")) ;;`)
  .join('\n')}
    *) COMPREPLY=($(compgen -W "${names(words()[0]?.[1] ?? [])}" -- "$word")) ;;
  esac
}
complete -o default -F _callpath callpath probe reflector
`;

const zsh = (): string => `#compdef callpath probe reflector
autoload -U +X bashcompinit && bashcompinit
${bash()}`;

/** In fish single quotes only the quote and the backslash have to be escaped. */
const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

const fish = (): string =>
  [
    ...PROBE_COMMANDS.map((command) => `complete -c probe -c callpath -n __fish_use_subcommand -a ${command}`),
    ...words().flatMap(([command, options]) =>
      options.map(({ name, about }) => {
        const where =
          command === 'reflector'
            ? '-c reflector'
            : `-c probe -c callpath${command === '' ? '' : ` -n ${quoted(`__fish_seen_subcommand_from ${command}`)}`}`;
        return `complete ${where} -l ${name.slice(2)} -d ${quoted(about)}`;
      }),
    ),
    '',
  ].join('\n');

const WRITERS = { bash, zsh, fish } as const;

/** The script of a shell. @throws UserError for another shell */
export const renderCompletion = (argv: readonly string[]): string => {
  const shell = SHELLS.find((one) => one === argv[0]);
  if (shell === undefined) throw usage(`completion: name one of ${SHELLS.join(', ')}`);
  return WRITERS[shell]();
};
