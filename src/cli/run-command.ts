/** `probe --target HOST`: from options to a report on stdout. */

import { writeFile } from 'node:fs/promises';
import type { Plan } from '../model/check.js';
import type { Report } from '../model/report.js';
import { UserError } from '../model/user-error.js';
import { questionsOf } from '../plan/plan.js';
import { type Prepared, prepare } from '../probing/prepare.js';
import { probe } from '../probing/probe.js';
import { exitCode } from '../report/exit-code.js';
import { render } from '../report/render.js';
import type { TableOptions } from '../report/table.js';
import type { ProbeThread } from '../run/thread/thread.js';
import { writeTrouble } from '../words/files.js';
import { columnsOf, EXIT } from './main.js';
import type { ProbeOptions } from './options.js';
import { createProgress } from './progress.js';

/** From the lowest to the highest port of the largest range's kind: what a map of ports shows. */
const spanOf = (ranges: Plan['ranges']): readonly [from: number, to: number] | null => {
  const [widest] = [...ranges].sort((a, b) => b.to - b.from - (a.to - a.from));
  return widest ? [widest.from, widest.to + widest.step - 1] : null;
};

/** Probes what was prepared, with a line of progress on a terminal. */
export const probeVisibly = async (
  prepared: Prepared,
  options: ProbeOptions,
  signal: AbortSignal,
  run?: ProbeThread['run'],
): Promise<Report> => {
  const progress = createProgress(questionsOf(prepared.plan).length, process.stderr, spanOf(prepared.plan.ranges));
  try {
    return await probe(prepared, options, signal, { ...(run && { run }), onProgress: progress.update });
  } finally {
    progress.clear();
  }
};

const textOf = async (report: Report, options: ProbeOptions, look: TableOptions): Promise<string> => {
  if (options.rules === null) return render(options.output, report, look);
  const { renderRules } = await import('../report/rules.js');
  return renderRules(report, options.rules.dialect, options.rules.of);
};

/** Writes a report where the options say, and returns the exit code. */
export const publish = async (report: Report, options: ProbeOptions): Promise<number> => {
  const toTerminal = options.outFile === null && process.stdout.isTTY;
  const text = await textOf(report, options, {
    color: options.color ?? toTerminal,
    width: toTerminal || process.env.COLUMNS ? Math.max(60, Math.min(columnsOf(process.stdout, process.env), 120)) : 80,
    verbose: options.verbose,
    brief: options.quick === true && !options.verbose,
  });
  if (options.outFile === null) process.stdout.write(text);
  else {
    await writeFile(options.outFile, text).catch((cause: unknown) => {
      throw new UserError('output-unwritable', `--out ${options.outFile}: cannot be written${writeTrouble(cause)}`, {
        cause,
      });
    });
  }
  if (options.output !== 'nagios') return exitCode(report);
  const { renderNagios } = await import('../report/nagios.js');
  return renderNagios(report).exitCode;
};

/** @throws UserError if no packet could leave from there */
const checkSource = async (source: string | null): Promise<void> => {
  if (source === null) return;
  const { isOwnAddress, ownAddresses } = await import('../net/local.js');
  if (await isOwnAddress(source)) return;
  throw new UserError('usage', `--source: ${source} is not an address of this host; it has ${ownAddresses()}`);
};

/** `::1:5060` is an address of its own, and mostly meant as one with a port. */
const portMistaken = (target: string | null): readonly string[] => {
  const [, address, port] = /^([0-9a-f:]*::[0-9a-f:]*[0-9a-f]):(\d{4,5})$/i.exec(target ?? '') ?? [];
  return address === undefined
    ? []
    : [`--target: ${target} is read as an address without a port; for port ${port} write [${address}]:${port}`];
};

/** The command itself. */
export const runCommand = async (options: ProbeOptions, env: NodeJS.ProcessEnv): Promise<number> => {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new Error('interrupted'));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const thread = options.dryRun ? null : (await import('../run/thread/thread.js')).createProbeThread();
  // It loads while the question is still being put together.
  thread?.start();
  try {
    await checkSource(options.source);
    const prepared = await prepare(options, env, controller.signal, { withoutPackets: options.dryRun });
    // Not before all else is well: a mistake is one line.
    for (const warning of [...(prepared.warnings ?? []), ...portMistaken(options.target)])
      process.stderr.write(`warning: ${warning}\n`);
    if (thread === null) {
      const { renderDryRun } = await import('./dry-run.js');
      process.stdout.write(await renderDryRun(prepared, options));
      return EXIT.ok;
    }
    const report = await probeVisibly(prepared, options, controller.signal, thread.run);
    const code = await publish(report, options);
    return controller.signal.aborted ? EXIT.interrupted : code;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    await thread?.close();
  }
};
