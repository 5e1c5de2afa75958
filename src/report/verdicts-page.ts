/** docs/verdicts.md, from the same texts as `probe explain`, so that the two cannot disagree. */
import { EXPLAINED_CODES, type Explanation, explain } from '../words/explain.js';

const INTRODUCTION = `# Verdicts, reasons, symptoms and probes

Every code that a report can carry: what it means, what it rests on, what it does not prove, and what to do.
\`probe explain CODE\` prints the same. This page is made by \`npm run docs\`.`;

const section = ({ code, kinds, verdict, title, meaning, evidence, doesNotProve, fix }: Explanation): string =>
  [
    `## ${code}`,
    `*${kinds.join(', ')}${verdict === null ? '' : ` of ${verdict}`}*: **${title}.** ${meaning}`,
    `- **Rests on:** ${evidence}\n- **Does not prove:** ${doesNotProve}\n- **To do:** ${fix}`,
  ].join('\n\n');

/** The whole page, ending with a newline. */
export const renderVerdictsPage = (): string =>
  `${[INTRODUCTION, ...EXPLAINED_CODES.flatMap((code) => explain(code) ?? []).map(section)].join('\n\n')}\n`;
