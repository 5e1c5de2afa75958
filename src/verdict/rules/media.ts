/** Sound: what people hear, or do not. All of it presumes that calls can be set up at all. */
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
  const who = one?.direction === 'inbound' ? 'we no longer hear them' : 'they no longer hear us';
  const after = one?.throttledAfter;
  return after
    ? `In mid-call ${who}: audio is cut after ${after.packets} packets (${Math.round(after.seconds)} s).`
    : `In mid-call ${who}.`;
};

const lineCauses: Rule['causes'] = (grounds) => [
  {
    id: 'overloaded-line',
    device: 'provider',
    likelihood: 'possible',
    text: () => 'The access line is overloaded or faulty.',
    grounds,
  },
  {
    id: 'local-network',
    device: 'branch-firewall',
    likelihood: 'possible',
    text: () => "This site's network loses packets: Wi-Fi, cabling, or a router that gives voice no priority.",
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
    symptom: {
      id: 'no-audio',
      text: 'Calls ring, but no picture or sound follows: the two ends find no path to each other.',
    },
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'media-lost-outbound',
    when: (evidence) =>
      itemsOf(lostMedia(evidence), (item) => isMedia(item) && !item.partly && hasReason('dropped-outbound')(item)),
    symptom: {
      id: 'one-way-audio-outbound',
      text: 'They cannot hear us: our audio never arrives at the far end.',
    },
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'media-lost-inbound',
    when: (evidence) =>
      itemsOf(lostMedia(evidence), (item) => isMedia(item) && !item.partly && hasReason('dropped-inbound')(item)),
    symptom: {
      id: 'one-way-audio-inbound',
      text: 'We cannot hear them: their audio never arrives here.',
    },
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'media-partly-blocked',
    when: (evidence) => itemsOf(lostMedia(evidence), (item) => isBlocked(item) && item.partly && isMedia(item)),
    symptom: {
      id: 'some-calls-silent',
      text: 'Some calls are silent, others are fine: part of the media port range is blocked.',
    },
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'media-uneven',
    when: (evidence) =>
      sufferingMedia(evidence, 'loss', 'jitter', 'reordered').filter(
        (one) => !isStream(one) || hasReason('reordered')(one),
      ),
    symptom: { id: 'choppy-audio', text: 'Audio is choppy: packet loss or jitter is higher than a call tolerates.' },
    causes: pathCauses,
    fixes: noFix,
  },
  {
    id: 'media-rate-limited',
    when: (evidence) => sufferingMedia(evidence, 'rate-limited').filter((ground) => !meetsFlowLimit(ground, evidence)),
    symptom: {
      id: 'choppy-audio',
      text: 'Audio is choppy when several people call: the packet rate is limited.',
    },
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
    symptom: {
      id: 'some-calls-silent',
      text: 'Once several calls are up, further calls are silent: the number of flows is limited.',
    },
    causes: (grounds) => [
      {
        id: 'session-limit',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: (ports) => `The session table of this site's firewall is full or limited: flows on ${ports} are lost.`,
        grounds,
      },
      {
        id: 'port-quota',
        device: 'provider',
        likelihood: 'possible',
        text: () => "The provider's NAT limits the number of ports per customer (RFC 6888 REQ-3).",
        grounds,
      },
    ],
    fixes: fix('advise'),
  },
  {
    id: 'media-late',
    when: (evidence) => sufferingMedia(evidence, 'latency'),
    symptom: { id: 'delayed-audio', text: 'People talk over each other: audio arrives late.' },
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
        text: (ports) =>
          `A limit for each UDP flow to ${ports}: a flood guard, traffic shaping, or an inspection that gives up after so much.`,
        grounds,
      },
      {
        id: 'provider-policer',
        device: 'provider',
        likelihood: 'possible',
        text: (ports) => `The provider polices ${ports}.`,
        grounds,
      },
    ],
    fixes: noFix,
  },
  {
    id: 'stream-loss',
    when: (evidence) =>
      streamsWith(evidence, 'loss', (one, { lossRatio }) => !one.throttledAfter && one.lossRatio > lossRatio),
    symptom: { id: 'choppy-audio', text: 'Audio is choppy: a test call lost more packets than a call tolerates.' },
    causes: lineCauses,
    fixes: noFix,
  },
  {
    id: 'stream-jitter',
    when: (evidence) => streamsWith(evidence, 'jitter', (one, { jitterMs }) => one.jitterMs > jitterMs),
    symptom: { id: 'choppy-audio', text: 'Voices sound robotic: the jitter of a test call was too high.' },
    causes: lineCauses,
    fixes: noFix,
  },
];
