/** `probe completion SHELL`: what a shell completes, read from the same help that people read. */
import { TRANSPORTS } from '../model/kinds.js';
import { CODEC_NAMES } from '../model/media.js';
import { OUTPUTS } from '../report/render.js';
import { DIALECT_NAMES } from '../verdict/fixes/dialects.js';
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

/** Options whose values are a closed list; those of `--profile` are asked of the program itself. */
const VALUES: readonly (readonly [options: readonly string[], values: readonly string[]])[] = [
  [['-o', '--output'], OUTPUTS],
  [['--rules'], DIALECT_NAMES],
  [['--transport'], TRANSPORTS],
  [['--codec'], CODEC_NAMES],
];

/** Of what stands behind the program's name: options of the command, values of an option, files behind the others. */
const bash = (): string => `_callpath() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} program=\${COMP_WORDS[0]##*/} at=1 more=
  [ "$program" = callpath ] && more="probe reflector"
  [ "$program" = callpath ] && [ "\${COMP_WORDS[1]}" = probe ] && [ "$COMP_CWORD" -gt 1 ] && at=2 more=
  local command=\${COMP_WORDS[at]}
  [ "$program" = reflector ] && command=reflector
  case $before in
${VALUES.map(
  ([options, values]) =>
    `    ${options.join('|')}) COMPREPLY=($(compgen -W "${values.join(' ')}" -- "$word")); return ;;`,
).join('\n')}
    --profile) COMPREPLY=($(compgen -W "$(callpath profiles 2> /dev/null | grep -v '^ ')" -- "$word")); return ;;
  esac
  if [ "$COMP_CWORD" = "$at" ] && [ "\${word#-}" = "$word" ] && [ "$program" != reflector ]; then
    COMPREPLY=($(compgen -W "${PROBE_COMMANDS.join(' ')} $more" -- "$word"))
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

/** Values of a closed list, so that fish offers them and no files. */
const valuesOf = (name: string): string => {
  const values = VALUES.find(([options]) => options.includes(name))?.[1];
  if (name === '--profile') return ` -x -a ${quoted("(callpath profiles 2>/dev/null | string match -rv '^ ')")}`;
  return values ? ` -x -a ${quoted(values.join(' '))}` : '';
};

const fish = (): string =>
  [
    ...PROBE_COMMANDS.map((command) => `complete -c probe -c callpath -n __fish_use_subcommand -a ${command}`),
    'complete -c callpath -n __fish_use_subcommand -a reflector',
    ...words().flatMap(([command, options]) => {
      const within = command === '' ? '' : ` -n ${quoted(`__fish_seen_subcommand_from ${command}`)}`;
      const places =
        command === 'reflector' ? ['-c reflector', `-c callpath${within}`] : [`-c probe -c callpath${within}`];
      return options.flatMap(({ name, about }) =>
        places.map((where) => `complete ${where} -l ${name.slice(2)}${valuesOf(name)} -d ${quoted(about)}`),
      );
    }),
    '',
  ].join('\n');

const WRITERS = { bash, zsh, fish } as const;

/** The script of a shell. @throws UserError for another shell */
export const renderCompletion = (argv: readonly string[]): string => {
  const shell = SHELLS.find((one) => one === argv[0]);
  if (shell === undefined) throw usage(`completion: name one of ${SHELLS.join(', ')}`);
  return WRITERS[shell]();
};
