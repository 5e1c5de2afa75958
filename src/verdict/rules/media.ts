/** Sound: what people hear, or do not. All of it presumes that calls can be set up at all. */
import { CAUSES } from '../../words/diagnosis/causes.js';
import { audioCut, SYMPTOMS } from '../../words/diagnosis/symptoms.js';
import { pathCauses, pathFixes } from './path.js';
import { roleSymptom } from './roles.js';
import {
  fix,
  type Ground,
  hasReason,
  isBlocked,
  itemsOf,
  meetsFlowLimit,
  noFix,
  type Rule,
  type RuleInput,
  requiredOf,
  signallingStands,
  stageChecks,
} from './rule.js';

const isMedia = ({ probe }: Ground): boolean => probe === 'rtp-echo' || probe === 'media-stream';

/** A stream's loss and jitter have rules of their own. */
const isStream = ({ probe }: Ground): boolean => probe === 'media-stream';

/** Media rows that come to nothing: where another far end takes the media, no call stays silent. */
const lostMedia = ({ service }: RuleInput) =>
  signallingStands(service) ? requiredOf(service, 'media').filter(({ state }) => state === 'blocked') : [];

const sufferingMedia = ({ service }: RuleInput, ...reasons: readonly string[]): readonly Ground[] =>
  signallingStands(service)
    ? itemsOf(requiredOf(service, 'media'), (item) => isMedia(item) && hasReason(...reasons)(item))
    : [];

/** What streams measured past the thresholds: on the check that carried them, or the media row that holds the port. */
const streamsWith = (
  evidence: RuleInput,
  reason: 'loss' | 'jitter',
  isBad: (
    one: RuleInput['facts']['quality'][number],
    thresholds: RuleInput['service']['profile']['thresholds'],
  ) => boolean,
): readonly Ground[] => {
  const { service, facts } = evidence;
  if (!signallingStands(service)) return [];
  return facts.quality
    .filter((one) => isBad(one, service.profile.thresholds))
    .flatMap(({ port }): readonly Ground[] => {
      const isJudged = facts.checks.some((check) => check.probe === 'media-stream' && check.port === port);
      return isJudged
        ? // What the sample does not prove is no trouble of anybody's.
          stageChecks(evidence, 'media-stream').filter((check) => check.port === port && hasReason(reason)(check))
        : itemsOf(requiredOf(service, 'media'), (item) => isMedia(item) && item.from <= port && port <= item.to);
    });
};

const isCut = ({ throttledAfter }: RuleInput['facts']['quality'][number]): boolean => Boolean(throttledAfter);

/** What both streams showed, in one sentence. */
const cutInWords = ({ facts }: RuleInput): string => {
  const one = facts.quality.find(isCut);
  return audioCut(one?.direction ?? 'outbound', one?.throttledAfter ?? null);
};

const lineCauses: Rule['causes'] = (grounds) => [
  {
    id: 'overloaded-line',
    device: 'provider',
    likelihood: 'possible',
    text: CAUSES['overloaded-line'],
    grounds,
  },
  {
    id: 'local-network',
    device: 'branch-firewall',
    likelihood: 'possible',
    text: CAUSES['local-network'],
    grounds,
  },
];

export const MEDIA_RULES: readonly Rule[] = [
  {
    id: 'media-blocked',
    when: (evidence) =>
      itemsOf(
        lostMedia(evidence),
        (item) =>
          isBlocked(item) && !item.partly && isMedia(item) && !hasReason('dropped-inbound', 'dropped-outbound')(item),
      ),
    symptom: ({ service }) => roleSymptom(service.profile, 'media'),
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    // Apps such as FaceTime and Teams: without STUN they find no path for picture and sound.
    id: 'path-finding-blocked',
    when: (evidence) =>
      itemsOf(lostMedia(evidence), (item) => isBlocked(item) && !item.partly && item.probe === 'stun-binding'),
    symptom: { id: 'no-audio', text: SYMPTOMS['path-finding-blocked'] },
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'media-lost-outbound',
    when: (evidence) =>
      itemsOf(lostMedia(evidence), (item) => isMedia(item) && !item.partly && hasReason('dropped-outbound')(item)),
    symptom: { id: 'one-way-audio-outbound', text: SYMPTOMS['media-lost-outbound'] },
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'media-lost-inbound',
    when: (evidence) =>
      itemsOf(lostMedia(evidence), (item) => isMedia(item) && !item.partly && hasReason('dropped-inbound')(item)),
    symptom: { id: 'one-way-audio-inbound', text: SYMPTOMS['media-lost-inbound'] },
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'media-partly-blocked',
    when: (evidence) => itemsOf(lostMedia(evidence), (item) => isBlocked(item) && item.partly && isMedia(item)),
    symptom: { id: 'some-calls-silent', text: SYMPTOMS['media-partly-blocked'] },
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'media-uneven',
    when: (evidence) =>
      sufferingMedia(evidence, 'loss', 'jitter', 'reordered').filter(
        (one) => !isStream(one) || hasReason('reordered')(one),
      ),
    symptom: { id: 'choppy-audio', text: SYMPTOMS['media-uneven'] },
    causes: pathCauses,
    fixes: noFix,
  },
  {
    id: 'media-rate-limited',
    when: (evidence) => sufferingMedia(evidence, 'rate-limited').filter((ground) => !meetsFlowLimit(ground, evidence)),
    symptom: { id: 'choppy-audio', text: SYMPTOMS['media-rate-limited'] },
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'flows-limited',
    when: (evidence) =>
      signallingStands(evidence.service)
        ? itemsOf(
            requiredOf(evidence.service, 'media'),
            (item) => hasReason('rate-limited', 'no-answer')(item) && meetsFlowLimit(item, evidence),
          )
        : [],
    symptom: { id: 'some-calls-silent', text: SYMPTOMS['flows-limited'] },
    causes: (grounds) => [
      {
        id: 'session-limit',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['session-limit'],
        grounds,
      },
      {
        id: 'port-quota',
        device: 'provider',
        likelihood: 'possible',
        text: CAUSES['port-quota'],
        grounds,
      },
    ],
    fixes: fix('advise'),
  },
  {
    id: 'media-late',
    when: (evidence) => sufferingMedia(evidence, 'latency'),
    symptom: { id: 'delayed-audio', text: SYMPTOMS['media-late'] },
    causes: pathCauses,
    fixes: noFix,
  },
  {
    id: 'stream-cut',
    when: (evidence) => streamsWith(evidence, 'loss', isCut),
    symptom: (evidence) => ({ id: 'calls-drop', text: cutInWords(evidence) }),
    causes: (grounds) => [
      {
        id: 'flow-quota',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['flow-quota'],
        grounds,
      },
      {
        id: 'provider-policer',
        device: 'provider',
        likelihood: 'possible',
        text: CAUSES['provider-policer/flow'],
        grounds,
      },
    ],
    fixes: noFix,
  },
  {
    id: 'stream-loss',
    when: (evidence) =>
      streamsWith(evidence, 'loss', (one, { lossRatio }) => !one.throttledAfter && one.lossRatio > lossRatio),
    symptom: { id: 'choppy-audio', text: SYMPTOMS['stream-loss'] },
    causes: lineCauses,
    fixes: noFix,
  },
  {
    id: 'stream-jitter',
    when: (evidence) => streamsWith(evidence, 'jitter', (one, { jitterMs }) => one.jitterMs > jitterMs),
    symptom: { id: 'choppy-audio', text: SYMPTOMS['stream-jitter'] },
    causes: lineCauses,
    fixes: noFix,
  },
];
