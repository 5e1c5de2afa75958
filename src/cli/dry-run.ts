/** `--dry-run`: every check with the packets and bytes that it would send. Nothing leaves the host. */
import { loadProbe } from '../../probes/contract.js';
import { addressesOf, type PlannedCheck, questionsOf, SAMPLES } from '../plan/plan.js';
import { MAX_CONTROL_PACKETS } from '../run/phases/bound-loss.js';
import { waysOf } from '../run/phases/identify.js';
import { DEEP_COST, NAT_COST, STAGES_COST } from '../run/studies/cost.js';
import { scoutCount } from '../run/sweep/scouts.js';
import { PORTS_PER_CANARY, SWEPT_KINDS } from '../run/sweep/sweep.js';
import { INFO_REQUEST_BYTES } from '../wire/info.js';
import { deriveKeys } from '../wire/keys.js';
import { encodeReceiptsQuery, MAX_RECEIPTS } from '../wire/receipts.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES } from '../wire/tag.js';
import type { ProbeOptions } from './options.js';
import type { Prepared } from './run-command.js';

/** IP and UDP headers (RFC 791, RFC 8200, RFC 768): what a packet costs on the wire besides our bytes. */
const HEADERS = { 4: 28, 6: 48 } as const;

interface Amount {
  readonly packets: number;
  readonly bytes: number;
}

interface Row extends Amount {
  readonly check: PlannedCheck;
}

const sum = (amounts: readonly Amount[]): Amount => ({
  packets: amounts.reduce((total, { packets }) => total + packets, 0),
  bytes: amounts.reduce((total, { bytes }) => total + bytes, 0),
});

const rowFor = async (check: PlannedCheck, prepared: Prepared): Promise<Row> => {
  if (check.skip) return { check, packets: 0, bytes: 0 };
  const probe = await loadProbe(check.probe);
  const question = probe.ask({
    check,
    local: { address: check.family === 6 ? '::' : '0.0.0.0', port: 5060 },
    session: { id: prepared.sessionId, keys: prepared.token && deriveKeys(prepared.token, prepared.sessionId) },
    sequence: 1,
    seed: new Uint8Array(32).fill(1),
    sentAtMicros: 0n,
    binding: check.transport === 'tls' ? new Uint8Array(32) : null,
  });
  const times = check.rangeId === null ? SAMPLES.single : SAMPLES.ofRange;
  const payload = question.messages.reduce((sum, { length }) => sum + length, 0);
  const headers = check.transport === 'udp' ? question.messages.length * HEADERS[check.family ?? 4] : 0;
  return {
    check,
    packets: times * Math.max(1, check.transport === 'udp' ? question.messages.length : 1),
    bytes: times * (payload + headers),
  };
};

type Stages = Pick<ProbeOptions, 'deep' | 'nat'>;

/**
 * What the proof costs besides the checks, at most and if nothing is lost: each address that may be a reflector's is
 * asked who it is over every way, then until its path's loss is bounded, then what arrived, then what the stages ask.
 */
const proofFor = (rows: readonly Row[], { token, reflectors }: Prepared, { deep, nat }: Stages): Amount => {
  if (token === null) return { packets: 0, bytes: 0 };
  const asked = rows.filter(({ check }) => check.skip === null);
  const named = addressesOf(reflectors);
  const all = [...new Set(asked.flatMap(({ check }) => check.address ?? []))];
  return sum(
    all
      .filter((address) => named.length === 0 || named.includes(address))
      .map((address) => {
        const here = asked.filter(({ check }) => check.address === address);
        const headers = HEADERS[here[0]?.check.family ?? 4];
        const ways = waysOf(here.map(({ check }) => check)).length;
        const receipts = Math.ceil(sum(here).packets / MAX_RECEIPTS);
        const query = encodeReceiptsQuery(new Array(MAX_RECEIPTS).fill(0), ANSWER_TAG_BYTES - REQUEST_TAG_BYTES);
        return sum([
          { packets: ways, bytes: ways * (headers + INFO_REQUEST_BYTES) },
          { packets: MAX_CONTROL_PACKETS, bytes: MAX_CONTROL_PACKETS * (headers + ANSWER_TAG_BYTES) },
          STAGES_COST,
          ...(nat ? [NAT_COST] : []),
          ...(deep ? [DEEP_COST] : []),
          { packets: receipts, bytes: receipts * (headers + REQUEST_TAG_BYTES + query.length) },
        ]);
      }),
  );
};

interface Scouting extends Amount {
  readonly scouts: number;
  /** Flows that the ranges open in all: one for each port that is asked. */
  readonly flows: number;
}

/** What looks for holes between the sampled ports, and the known ports that are asked among them. */
const scoutsFor = (rows: readonly Row[], { plan, token }: Prepared, exhaustive: boolean): Scouting => {
  const swept = token === null ? [] : plan.ranges.filter(({ sample }) => sample.some(({ skip }) => skip === null));
  const sampled = swept.reduce((total, { sample }) => total + sample.length, 0);
  const addresses = exhaustive ? [] : [...new Set(swept.map(({ address }) => address))];
  const scouts = addresses
    .map((address) => swept.filter((range) => range.address === address && SWEPT_KINDS.has(range.probe)))
    .reduce((total, own) => total + scoutCount(own), 0);
  const asked = exhaustive ? sampled : scouts;
  const canaries = Math.ceil(asked / PORTS_PER_CANARY);
  const packets = scouts + canaries;
  const largest = Math.max(0, ...rows.filter(({ check }) => check.rangeId !== null).map(({ bytes }) => bytes));
  return { scouts, flows: scouts + sampled, packets, bytes: packets * largest };
};

/** The plan in words, with totals; if everything stays silent, each check is repeated up to the stated number. */
export const renderDryRun = async (prepared: Prepared, options: ProbeOptions): Promise<string> => {
  const rows = await Promise.all(questionsOf(prepared.plan).map((check) => rowFor(check, prepared)));
  const proof = proofFor(rows, prepared, options);
  const scouting = scoutsFor(rows, prepared, options.exhaustive);
  const { scouts, flows } = scouting;
  const total = sum([...rows, proof, scouting]);
  const seconds = Math.ceil(total.packets / options.maxPps);
  if (options.output === 'json') {
    const checks = rows.map((row) => ({
      id: row.check.id,
      address: row.check.address,
      range: row.check.rangeId,
      skipped: row.check.skip,
      packets: row.packets,
      bytes: row.bytes,
    }));
    const totals = { checks: rows.length, ...total, scouts, flows };
    return `${JSON.stringify({ dryRun: true, checks, proof, totals }, null, 2)}\n`;
  }
  const width = Math.max(5, ...rows.map(({ check }) => check.id.length));
  const line = ({ check, packets: count, bytes: size }: Row): string =>
    `${check.id.padEnd(width)}  ${(check.address ?? '-').padEnd(15)}  ${check.skip ? `not asked: ${check.skip}` : `${count} packets, ${size} bytes`}`;
  return [
    `Would ask ${rows.length} questions of ${prepared.target.host}; nothing was sent.`,
    ...prepared.notes,
    '',
    ...rows.map(line),
    '',
    ...(proof.packets > 0
      ? [`To prove who answers and what arrived, at most ${proof.packets} packets, ${proof.bytes} bytes more.`]
      : []),
    ...(scouts > 0
      ? [`To find holes in the ranges, up to ${scouts} more of their ports are asked, ${scouting.bytes} bytes.`]
      : []),
    ...(flows > 0 ? [`The ranges open ${flows} UDP flows in the tables of firewalls, and a few for each hole.`] : []),
    `If everything answers: ${total.packets} packets and ${total.bytes} bytes (TCP and TLS without their own overhead),`,
    `at most ${options.maxPps} packets per second, so ${seconds} s or more. A silent check is asked again, up to 20 times.`,
    '',
  ].join('\n');
};
