/** An exporter as the agent would open it, and records to give it. */
import { readFile } from 'node:fs/promises';
import type { Exporter, SpoolRecord } from '../../../src/agent/exporters/contract.js';
import type { ExporterDeps } from '../../../src/agent/exporters/deps.js';
import type { AgentLabels } from '../../../src/agent/exporters/labels.js';
import { checkExporter, type ExporterType } from '../../../src/agent/exporters/registry.js';
import { type Golden, reportOf } from '../../report/fixtures.js';
import type { Owner } from './services.js';

export const AT = Date.parse('2026-03-01T12:00:00Z');
/** As every record and series carries them. */
export const LABELS: AgentLabels = { agent: 'branch-17', site: 'Berlin' };
export const NEVER: AbortSignal = new AbortController().signal;

/** What a text from the network may try: a line of its own, a terminal, markup, turned-around text, format syntax. */
export const HOSTILE = 'a\r\nb\n\u001b[31mred\u001b[0m "quoted\\" ]} \u202egnp.exe\u2069 <b>|$(id)` \u0000\ud800 ü';

const idOf = (number: number): string => `0195f0c0-0000-7000-8000-${String(number).padStart(12, '0')}`;
export const numbersOf = (records: readonly { readonly id: string }[]): readonly number[] =>
  records.map(({ id }) => Number(id.slice(-12)));

/** A record with a whole report of the fixtures. */
export const reportRecord = (number: number, golden: Golden = 'loopback', target = 'office'): SpoolRecord => {
  const at = new Date(AT + number * 1000).toISOString();
  return {
    id: idOf(number),
    kind: 'report',
    at,
    target,
    body: { ...reportOf(golden), id: idOf(number), startedAt: at },
  };
};

/** A confirmed change, as the agent's memory tells it. */
export const changeRecord = (number: number, text = 'sip-options/udp/5060', target = 'office'): SpoolRecord => {
  const at = new Date(AT + number * 1000).toISOString();
  return {
    id: idOf(number),
    kind: 'change',
    at,
    target,
    body: {
      schema: 'callpath.change/1',
      id: idOf(number),
      at,
      target,
      subject: { kind: 'check', id: text },
      what: 'changed',
      direction: 'worse',
      before: { verdict: 'pass', reason: 'answered' },
      after: { verdict: 'blocked', reason: 'dropped-outbound' },
    },
  };
};

export const open = async (
  t: Owner,
  type: ExporterType,
  config: unknown,
  more: Partial<ExporterDeps> & { readonly said?: string[] } = {},
): Promise<Exporter> => {
  const checked = await checkExporter(type, config);
  if (!checked.ok) throw new Error(JSON.stringify(checked.issues));
  const { said = [], ...deps } = more;
  const say = (_details: unknown, message: string): void => void said.push(message);
  const exporter = await checked.exporter.open({
    name: 'here',
    agentId: 'agent-1',
    version: '0.0.0',
    hostname: 'branch',
    labels: LABELS,
    staleAfterMs: () => Number.POSITIVE_INFINITY,
    log: { info: say, warn: say, error: say },
    now: () => AT,
    readFile,
    probe: null,
    ...deps,
  });
  t.teardown(() => exporter.close());
  return exporter;
};
