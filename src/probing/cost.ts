/** What a probe would put on the wire: every check with its packets and bytes. Nothing leaves the host. */
import { loadProbe } from '../../probes/contract.js';
import type { PlannedCheck } from '../model/check.js';
import { isSwept } from '../model/kinds.js';
import { inboundPorts } from '../plan/inbound.js';
import { addressesOf, questionsOf } from '../plan/plan.js';
import { lengthOf, messagesOf } from '../run/ask/length.js';
import { MAX_CONTROL_PACKETS } from '../run/phases/bound-loss.js';
import { waysOf } from '../run/phases/identify.js';
import { LOOKED_AT } from '../run/phases/look-again.js';
import { SAMPLES } from '../run/state.js';
import { sipInAnothersPlace } from '../run/studies/another.js';
import { type Amount, HEADER_BYTES, loadStudy, sumOf } from '../run/studies/study.js';
import { scoutCount } from '../run/sweep/scouts.js';
import { PORTS_PER_CANARY } from '../run/sweep/sweep.js';
import { STUDY_KINDS } from '../verdict/studies/registry.js';
import { INFO_REQUEST_BYTES } from '../wire/info.js';
import { deriveKeys } from '../wire/keys.js';
import { encodeReceiptsQuery, MAX_RECEIPTS } from '../wire/receipts.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES } from '../wire/tag.js';
import type { Prepared } from './prepare.js';
import type { ProbePace, ProbeRequest } from './request.js';

export interface Row extends Amount {
  readonly check: PlannedCheck;
}

const rowFor = async (check: PlannedCheck, prepared: Prepared): Promise<Row> => {
  if (check.skip) return { check, packets: 0, bytes: 0 };
  const probe = await loadProbe(check.probe);
  const session = { id: prepared.sessionId, keys: prepared.token && deriveKeys(prepared.token, prepared.sessionId) };
  const messages = messagesOf(probe, check, session);
  const times = check.isOfRange ? SAMPLES.ofRange : SAMPLES.single;
  const payload = lengthOf(messages);
  const headers = check.transport === 'udp' ? messages.length * HEADER_BYTES[check.family ?? 4] : 0;
  return {
    check,
    packets: times * Math.max(1, check.transport === 'udp' ? messages.length : 1),
    bytes: times * (payload + headers),
  };
};

/** What of a run's pace decides what its studies send. */
type CostOptions = Pick<ProbePace, 'deep' | 'nat' | 'quick' | 'calls' | 'persistentPort' | 'media' | 'maxPps'>;

/** One question of each single check, and of some ports of each range. */
const lookedAt = (rows: readonly Row[]): Amount => {
  const groups = new Map<string, Row[]>();
  for (const row of rows.filter(({ check }) => check.isOfRange)) {
    groups.set(row.check.probe, [...(groups.get(row.check.probe) ?? []), row]);
  }
  const singles = rows.filter(({ check }) => !check.isOfRange);
  const ofRanges = [...groups.values()].flatMap((group) => group.slice(0, LOOKED_AT));
  const bytes = sumOf(singles).bytes / SAMPLES.single + sumOf(ofRanges).bytes;
  return { packets: singles.length + ofRanges.length, bytes: Math.ceil(bytes) };
};

/**
 * What the proof costs besides the checks, at most and if nothing is lost: each address that may be a reflector's is
 * asked who it is over every way, then until its path's loss is bounded, then what arrived, then what the studies ask.
 */
const proofFor = async (rows: readonly Row[], prepared: Prepared, options: CostOptions): Promise<Amount> => {
  const { token, reflectors, plan } = prepared;
  if (token === null) return { packets: 0, bytes: 0 };
  const asked = rows.filter(({ check }) => check.skip === null);
  const named = addressesOf(reflectors);
  const all = [...new Set(asked.flatMap(({ check }) => check.address ?? []))];
  const { media, maxPps, ...others } = options;
  const wanted = { ...others, inbound: inboundPorts(plan), ...(media && { media: { ...media, maxPps } }) };
  const studies = options.quick
    ? []
    : (await Promise.all(STUDY_KINDS.map(loadStudy))).filter((study) => study.wanted(wanted));
  const planned = asked.map(({ check }) => check);
  const amounts = all
    .filter((address) => named.length === 0 || named.includes(address))
    .map(async (address) => {
      const here = asked.filter(({ check }) => check.address === address);
      const checks = here.map(({ check }) => check);
      const [first] = checks;
      const headers = HEADER_BYTES[first?.family ?? 4];
      const besides = first && studies.length > 0 ? sipInAnothersPlace(planned, { ...first, address }) : [];
      const ofBesides = await Promise.all(besides.map((check) => rowFor(check, prepared)));
      const ways = waysOf(checks).length;
      const receipts = Math.ceil(sumOf(here).packets / MAX_RECEIPTS);
      const query = encodeReceiptsQuery(new Array(MAX_RECEIPTS).fill(0), ANSWER_TAG_BYTES - REQUEST_TAG_BYTES);
      return sumOf([
        { packets: ways, bytes: ways * (headers + INFO_REQUEST_BYTES) },
        { packets: MAX_CONTROL_PACKETS, bytes: MAX_CONTROL_PACKETS * (headers + ANSWER_TAG_BYTES) },
        ...studies.map((study) => study.cost([...checks, ...besides], wanted)),
        { packets: besides.length, bytes: Math.ceil(sumOf(ofBesides).bytes / SAMPLES.single) },
        // What passed is asked again before and after the studies.
        ...(studies.length > 0 ? [lookedAt(here), lookedAt(here)] : []),
        { packets: receipts, bytes: receipts * (headers + REQUEST_TAG_BYTES + query.length) },
      ]);
    });
  return sumOf(await Promise.all(amounts));
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
    .map((address) => swept.filter((range) => range.address === address && isSwept(range.probe)))
    .reduce((total, own) => total + scoutCount(own), 0);
  const asked = exhaustive ? sampled : scouts;
  const canaries = Math.ceil(asked / PORTS_PER_CANARY);
  const packets = scouts + canaries;
  const largest = Math.max(0, ...rows.filter(({ check }) => check.isOfRange).map(({ bytes }) => bytes));
  return { scouts, flows: scouts + sampled, packets, bytes: packets * largest };
};

interface Cost {
  readonly rows: readonly Row[];
  readonly proof: Amount;
  readonly scouting: Scouting;
  readonly total: Amount;
}

/** What a prepared run sends if everything answers. */
export const costOf = async (
  prepared: Prepared,
  options: CostOptions & Pick<ProbeRequest, 'exhaustive'>,
): Promise<Cost> => {
  const rows = await Promise.all(questionsOf(prepared.plan).map((check) => rowFor(check, prepared)));
  const proof = await proofFor(rows, prepared, options);
  const scouting = scoutsFor(rows, prepared, options.exhaustive);
  return { rows, proof, scouting, total: sumOf([...rows, proof, scouting]) };
};
