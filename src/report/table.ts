/** The report for a person at a terminal: will calls work, what will users notice, what to ask for; then the proof. */
import type { Report } from '../model/report.js';
import type { Verdict } from '../model/verdict.js';
import { printable } from '../wire/printable.js';
import { addressesInWords, natInWords } from '../words/nat.js';
import { outageInWords } from '../words/outages.js';
import { timersLate } from '../words/pages.js';
import {
  bytes,
  counted,
  duration,
  lossInWords,
  milliseconds,
  reflectorInWords,
  roleInWords,
  sipAlgInWords,
  timeInWords,
  untestedGroups,
} from '../words/report.js';
import { certificateLine, placesInWords } from '../words/said.js';
import { briefLines } from './brief.js';
import { calls } from './table-calls.js';
import { passes, problems, sipAlg } from './table-checks.js';
import { beside, idOf, MAX_ID, type Page, painter, paragraph, type Section, textOf } from './table-page.js';
import { quality, ranges } from './table-ranges.js';
import { services } from './table-services.js';

export interface TableOptions {
  /** ANSI colours. The meaning is in the words; colour only helps the eye. */
  readonly color: boolean;
  /** Columns of the terminal; 80 if not given, and no less than 40. */
  readonly width?: number;
  /** Everything: all rows, all fixes with their rules, all evidence. */
  readonly verbose?: boolean;
  /** Some ten lines instead of all of it. */
  readonly brief?: boolean;
}

/** What most terminals open with, and what mail and tickets keep unbroken. */
const DEFAULT_WIDTH = 80;

/** Below this, labels and their text no longer fit side by side. */
const MIN_WIDTH = 40;

/** Worst first: what to act on is what a reader came for. */
const PROBLEMS: readonly Verdict[] = ['blocked', 'altered', 'degraded', 'unknown'];

const headline = (page: Page, report: Report): Section => {
  const { target, agent, network } = report;
  const addresses = target.addresses.filter((address) => address !== target.host);
  const host = printable(target.host, MAX_ID);
  const where = addresses.length === 0 ? host : `${host} (${addressesInWords(addresses)})`;
  const from = printable(agent.hostname, MAX_ID);
  const source = network.localAddress === null ? from : `${from} (${printable(network.localAddress, MAX_ID)})`;
  return [
    ...paragraph(page, `callpath: ${where}, ${roleInWords(report)}`, 0, 'bold'),
    ...paragraph(page, `from ${source}, ${timeInWords(report.startedAt)}, in ${duration(report.durationMs)}`, 0),
  ];
};

/** Below the services: it explains the verdicts and is none. */
const network = (page: Page, report: Report): Section => {
  const rows: (readonly [string, string])[] = [
    ['NAT', natInWords(report)],
    ['Loss', lossInWords(report)],
    ['SIP ALG', sipAlgInWords(report)],
    ...(report.outages ?? []).map((outage) => ['Outage', outageInWords(outage)] as const),
    ...report.reflectors.map((reflector) => {
      const name = reflector.host === report.target.host ? '' : `${printable(reflector.host, MAX_ID)} `;
      return ['Reflector', name + reflectorInWords(reflector)] as const;
    }),
  ];
  return [
    page.paint('bold', 'THE PATH'),
    ...rows.flatMap(([label, value]) => beside(page, label, value, { indent: 2, hang: 13, ink: 'dim' })),
  ];
};

/** One line for each thing that a server of somebody else's said, by the checks that met it. */
const said = (page: Page, { said: lines = [], certificates = [], target }: Report): Section => {
  if (lines.length + certificates.length === 0) return [];
  const at = (address: string | null): string =>
    target.addresses.length > 1 && address !== null ? ` of ${printable(address, MAX_ID)}` : '';
  return [
    page.paint('bold', 'WHAT THE FAR END SAYS'),
    ...lines.flatMap(({ checks, address, text }) =>
      paragraph(page, `${placesInWords(checks)}${at(address)}: ${textOf(text)}`, 2),
    ),
    ...certificates.flatMap((one) =>
      paragraph(
        page,
        `Certificate on ${placesInWords([one.check], false)}${at(one.address)}: ${textOf(certificateLine(one))}`,
        2,
      ),
    ),
  ];
};

const untested = (page: Page, report: Report): Section => {
  const groups = untestedGroups(report);
  if (groups.length === 0) return [];
  return [
    `${page.paint('bold', 'UNTESTED')} (${groups.reduce((sum, { ids }) => sum + ids.length, 0)})`,
    ...groups.flatMap(({ says, ids }) => [
      ...paragraph(page, `${says}:`, 2),
      ...paragraph(page, ids.map(idOf).join(', '), 4),
    ]),
  ];
};

const notes = (page: Page, report: Report): Section => {
  if (report.notes.length === 0) return [];
  return [
    page.paint('bold', 'NOTES'),
    ...report.notes.flatMap((note) => beside(page, '-', textOf(note), { indent: 2, hang: 4 })),
  ];
};

/** `12 checks and 345 ports of ranges`: those to which anything was sent. */
const askedInWords = ({ checks, ranges }: Report): string => {
  const asked = counted(checks.filter(({ sent }) => sent > 0).length, 'check');
  const ports = ranges.reduce((sum, { tested }) => sum + tested, 0);
  return ports === 0 ? asked : `${asked} and ${counted(ports, 'port')} of ranges`;
};

const totals = (page: Page, report: Report): Section => {
  const { totals: sum, agent, durationMs, id } = report;
  return [
    ...paragraph(
      page,
      `${askedInWords(report)} in ${duration(durationMs)}: ${counted(sum.packetsSent, 'packet')} sent ` +
        `(${bytes(sum.bytesSent)}), ${sum.packetsReceived} received.` +
        (agent.eventLoopDelayMs === null ? '' : timersLate(milliseconds(agent.eventLoopDelayMs))),
      0,
    ),
    ...(page.verbose
      ? paragraph(page, `Report ${idOf(id)}, callpath ${idOf(agent.version)} on ${idOf(agent.platform)}`, 0)
      : []),
  ];
};

/**
 * The report as a table for terminals, ending with a newline. No line is wider than `width`; whatever came from the
 * network is shown with its controls escaped, so that it cannot speak to the terminal.
 */
export const renderTable = (
  report: Report,
  { color, width = DEFAULT_WIDTH, verbose = false, brief = false }: TableOptions,
): string => {
  const page: Page = {
    width: Math.max(MIN_WIDTH, Math.floor(width)),
    verbose,
    paint: painter(color),
  };
  if (brief) return `${briefLines(page, report).join('\n')}\n`;
  const sections = [
    headline(page, report),
    services(page, report),
    network(page, report),
    said(page, report),
    ...PROBLEMS.map((verdict) => problems(page, report, verdict)),
    sipAlg(page, report),
    quality(page, report),
    calls(page, report),
    ranges(page, report),
    passes(page, report),
    untested(page, report),
    notes(page, report),
    totals(page, report),
  ];
  const blocks = sections.filter((section) => section.length > 0).map((section) => section.join('\n'));
  return `${blocks.join('\n\n')}\n`;
};
