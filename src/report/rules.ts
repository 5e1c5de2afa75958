/**
 * The rules of a report in one dialect and nothing else: what `--rules` prints. Never wrapped and never cut, so that a pipe can
 * take it; every other line is a comment of that dialect.
 */

import type { Report, ReportService } from '../model/report.js';
import { commentOf } from '../verdict/fixes/dialects.js';
import { printable } from '../wire/printable.js';
import { TEST_RULES_HINT } from '../words/fixes.js';
import { clicksOf } from './story.js';

/** Sentences are shorter; longer ones come from a report that something else wrote. */
const MAX_SENTENCE = 600;

type Fix = ReportService['fixes'][number];

/** For what is asked for: the service, or the reflector that was asked in its place. */
export type RulesOf = 'service' | 'test';

const textOf = (fix: Fix, of: RulesOf, dialect: string): string | undefined => {
  const from = of === 'service' ? fix : (fix.test ?? null);
  return from === null ? undefined : (from.rules[dialect] ?? clicksOf(from)[dialect]);
};

/** Why nothing is printed. */
const nothingInWords = (services: readonly ReportService[], of: RulesOf): string => {
  const fixes = services.flatMap((service) => service.fixes);
  if (fixes.length > 0) {
    return of === 'test' && fixes.some(({ rules }) => Object.keys(rules).length > 0)
      ? 'the reflector needs no rule of its own in this dialect: what is written for the service counts for it as well'
      : 'no rule in this dialect would change what was found; the report says what would';
  }
  return services.some(({ verdict }) => verdict === 'unknown')
    ? 'it could not be told what passes, so no rule can be written; the report says why'
    : 'nothing was found that a rule would mend';
};

/** Ends with a newline. Of services that want the same rule, the first one names it. */
export const renderRules = ({ services }: Report, dialect: string, of: RulesOf): string => {
  const sign = commentOf(dialect);
  const seen = new Set<string>();
  const blocks = services.flatMap(({ profile, fixes }) =>
    fixes.flatMap((fix) => {
      const text = textOf(fix, of, dialect);
      if (text === undefined || seen.has(text)) return [];
      seen.add(text);
      const sentence = of === 'service' ? fix.text : (fix.test?.text ?? fix.text);
      return [`${sign} ${printable(profile, MAX_SENTENCE)}: ${printable(sentence, MAX_SENTENCE)}\n${text}\n`];
    }),
  );
  if (blocks.length === 0) {
    return `${sign} ${nothingInWords(services, of)}\n`;
  }
  const also =
    of === 'service' && services.some(({ fixes }) => fixes.some((fix) => fix.test?.rules[dialect] !== undefined));
  return [...blocks, ...(also ? [`${TEST_RULES_HINT.map((line) => `${sign} ${line}\n`).join('')}`] : [])].join('\n');
};
