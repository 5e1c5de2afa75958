/** Manual pages (man(7) macros), made from the same help that people read at the terminal. */
import { COMMAND_HELP, PROBE_HELP, REFLECTOR_HELP } from './help.js';

/** A line that begins with a dot or an apostrophe would be a request, and a hyphen would be typeset as one. */
const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replace(/^([.'])/, '\\&$1');

/** Where the texts of options and commands begin at the latest. */
const MOST_INDENT = 2;

interface Entry {
  readonly term: string;
  readonly text: readonly string[];
}

/** The indented lines of a block: a term, its text behind two blanks or more, and what goes on below it. */
const entriesOf = (lines: readonly string[]): readonly Entry[] => {
  const entries: { term: string; text: string[] }[] = [];
  for (const line of lines) {
    const last = entries.at(-1);
    if (line.search(/\S/) > MOST_INDENT && last) {
      last.text.push(line.trim());
      continue;
    }
    const [term = '', ...text] = line.trim().split(/ {2,}/);
    entries.push({ term, text });
  }
  return entries;
};

const paragraphs = (entries: readonly Entry[]): readonly string[] =>
  entries.flatMap(({ term, text }) => [
    '.TP',
    `.B ${escaped(term)}`,
    ...(text.length > 0 ? text.map(escaped) : ['\\&']),
  ]);

const verbatim = (lines: readonly string[]): readonly string[] => [
  '.nf',
  ...lines.map((line) => escaped(line.trim())),
  '.fi',
];

/** `Options:` and what is indented below it; a block without a title is text. */
const blockOf = (block: string, level: '.SH' | '.SS'): readonly string[] => {
  const [first = '', ...lines] = block.split('\n').filter((line) => line !== '');
  const [, title = '', rest = ''] = /^(Usage|Options|Examples?|Exit codes)[^:]*: ?(.*)$/.exec(first) ?? [];
  if (title === '') return [level === '.SH' ? '.SH DESCRIPTION' : '.PP', ...[first, ...lines].map(escaped)];
  const heading = `${level} ${{ Usage: 'SYNOPSIS', Options: 'OPTIONS', 'Exit codes': 'EXIT STATUS' }[title] ?? 'EXAMPLES'}`;
  if (title === 'Exit codes') return [heading, ...[rest, ...lines].map(escaped)];
  if (title.startsWith('Example')) return [heading, ...verbatim(lines)];
  if (title === 'Usage' && lines.length === 0) return [heading, ...verbatim([rest])];
  return [heading, ...paragraphs(entriesOf(lines))];
};

const blocksOf = (help: string): readonly string[] => help.trim().split(/\n\n/);

const page = (name: string, about: string, sections: readonly string[]): string =>
  [
    '.\\" Made by "npm run docs" from the help of the commands.',
    `.TH ${name.toUpperCase()} 1 "" callpath "callpath"`,
    ...['.SH NAME', `${name} \\- ${escaped(about)}`],
    ...sections,
    '',
  ].join('\n');

const bodyOf = (help: string): readonly string[] => {
  const [about = '', ...rest] = blocksOf(help);
  return [
    ...rest.filter((block) => block.startsWith('Usage')).flatMap((block) => blockOf(block, '.SH')),
    '.SH DESCRIPTION',
    escaped(about),
    ...rest.filter((block) => !block.startsWith('Usage')).flatMap((block) => blockOf(block, '.SH')),
  ];
};

const commandSections = (): readonly string[] => [
  '.SH COMMANDS',
  ...Object.entries(COMMAND_HELP).flatMap(([name, help]) => [
    `.SS callpath ${name}`,
    ...blocksOf(help).flatMap((block) => {
      const lines = blockOf(block, '.SS');
      // A heading below a heading is none in man(7): it becomes a word in bold.
      return lines.flatMap((line) => (line.startsWith('.SS ') ? ['.PP', `.B ${line.slice(4)}`, '.br'] : [line]));
    }),
  ]),
];

/** By file name. `probe` is the same program as `callpath`. */
export const manPages = (): Readonly<Record<string, string>> => ({
  'callpath.1': page('callpath', 'will calls pass from here?', [...bodyOf(PROBE_HELP), ...commandSections()]),
  'probe.1': '.so man1/callpath.1\n',
  'reflector.1': page('reflector', 'the far end of callpath', bodyOf(REFLECTOR_HELP)),
});
