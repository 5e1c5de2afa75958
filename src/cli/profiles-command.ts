/** `probe profiles [NAME|FILE]`: the bundled profiles, one with its sources, its rules, a worksheet, or what is old in it. */
import { parseArgs } from 'node:util';
import { UserError } from '../model/user-error.js';
import { STALE_AFTER_MONTHS, staleInWords, staleSources } from '../plan/freshness.js';
import { listBundledProfiles, loadProfile } from '../plan/profiles.js';
import { hang, renderProfileText } from '../report/profiles/text.js';
import { parseMistake, usage } from './options.js';

const FORMATS = ['text', 'markdown', 'json'] as const;
type Format = (typeof FORMATS)[number];
const isFormat = (text: string): text is Format => (FORMATS as readonly string[]).includes(text);

const OPTIONS = {
  'check-dates': { type: 'boolean' },
  rules: { type: 'string' },
  output: { type: 'string', short: 'o' },
} as const;

const parse = (argv: readonly string[]) => {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    throw parseMistake(error, OPTIONS);
  }
};

const listing = async (): Promise<string> =>
  (await listBundledProfiles()).map((profile) => `${profile.name}\n${hang(profile.summary, '  ')}`).join('');

const datesOf = async (names: readonly string[], now: Date): Promise<string> => {
  const profiles = await Promise.all(names.map((name) => loadProfile(name)));
  const texts = profiles.flatMap((profile) => {
    const stale = staleSources(profile, now);
    return stale.length === 0 ? [] : [`${profile.profile}\n`, ...stale.map((one) => hang(staleInWords(one), '  '))];
  });
  return texts.length > 0 ? texts.join('') : `nothing is older than ${STALE_AFTER_MONTHS} months\n`;
};

const rulesOf = async (name: string, dialect: string): Promise<string> => {
  const [{ SERVICE_DIALECTS, SERVICE_DIALECT_NAMES }, { serviceRules }] = await Promise.all([
    import('../verdict/fixes/service/dialects.js'),
    import('../verdict/fixes/service/rules.js'),
  ]);
  const known = SERVICE_DIALECT_NAMES.find((one) => one === dialect);
  if (known === undefined) {
    throw usage(`profiles --rules: "${dialect.slice(0, 40)}" is not one of ${SERVICE_DIALECT_NAMES.join(', ')}`);
  }
  return SERVICE_DIALECTS[known](serviceRules(await loadProfile(name)));
};

/** What the command prints. @throws UserError if there is no such profile, or the options do not go together */
export const renderProfiles = async (argv: readonly string[], now: Date): Promise<string> => {
  const { values, positionals } = parse(argv);
  const [name, stray] = positionals;
  if (stray !== undefined) throw usage(`profiles: "${stray.slice(0, 40)}" is one name too many; give one profile`);
  const format = values.output ?? 'text';
  if (!isFormat(format)) throw usage(`profiles -o: "${format.slice(0, 40)}" is not one of ${FORMATS.join(', ')}`);
  const chosen = [
    ...(values['check-dates'] ? ['--check-dates'] : []),
    ...(values.rules === undefined ? [] : ['--rules']),
    ...(values.output === undefined ? [] : ['-o']),
  ];
  if (chosen.length > 1) throw usage(`profiles: ${chosen.join(' and ')} cannot be combined; choose one`);
  if (values['check-dates']) {
    return datesOf(name === undefined ? (await listBundledProfiles()).map((one) => one.name) : [name], now);
  }
  if (name === undefined) {
    if (chosen[0] !== undefined)
      throw new UserError('usage', `profiles ${chosen[0]}: name a profile, for example zoom`);
    return listing();
  }
  if (values.rules !== undefined) return rulesOf(name, values.rules);
  const profile = await loadProfile(name);
  if (format === 'json') return `${JSON.stringify(profile, null, 2)}\n`;
  if (format === 'markdown') return (await import('../report/profiles/markdown.js')).renderProfileMarkdown(profile);
  return renderProfileText(profile);
};
