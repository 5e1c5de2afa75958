/**
 * The shape of a profile. Every message reads "is …; the fix", because it is printed after the file, line and path of
 * the value at fault. Valibot, because it loads in a few milliseconds.
 */
import * as v from 'valibot';
import { ASKED_KINDS, TRANSPORTS } from './kinds.js';
import { DIRECTIONS, EVIDENCE_MARKS, NEEDS, type Profile, REQUIREMENT_ROLES, SIGNALLING_SYMPTOMS } from './profile.js';
import { isMap, list, map, oneOf, use } from './schema-words.js';

const FULL_PORT_RANGE = 'a whole number from 1 to 65535';
const Port = v.pipe(
  v.number(use(FULL_PORT_RANGE)),
  v.integer(use(FULL_PORT_RANGE)),
  v.minValue(1, use(FULL_PORT_RANGE)),
  v.maxValue(65535, use(FULL_PORT_RANGE)),
);

const A_RATIO = 'a ratio from 0 to 1 (1 % is 0.01)';
const Ratio = v.pipe(v.number(use(A_RATIO)), v.minValue(0, use(A_RATIO)), v.maxValue(1, use(A_RATIO)));

const A_TIME = 'a number of milliseconds above 0';
const Milliseconds = v.pipe(v.number(use(A_TIME)), v.gtValue(0, use(A_TIME)));

/** One line of text: YAML's folded lines become spaces, and nothing in it can steer a terminal. */
const Text = v.pipe(
  v.string(use('text')),
  v.transform((text) => text.replace(/\s+/g, ' ').trim()),
  v.nonEmpty('is empty; write a sentence'),
  v.regex(/^\P{Cc}*$/u, 'holds control characters; remove them'),
);

const A_NAME = 'lower-case words joined by hyphens';
const Name = v.pipe(v.string(use(A_NAME)), v.regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, use(A_NAME)));

/** Only web addresses: reports turn them into links. */
const A_URL = 'a complete address such as https://www.rfc-editor.org/rfc/rfc3261';
const Url = v.pipe(v.string(use(A_URL)), v.regex(/^https?:\/\/[^\s/]/, use(A_URL)), v.url(use(A_URL)));

const A_DATE = 'a date such as 2026-11-21';
const IsoDate = v.pipe(v.string(use(A_DATE)), v.isoDate(use(A_DATE)));

const A_HOST = 'a host name such as epdg.epc.att.net';
const HostName = v.pipe(v.string(use(A_HOST)), v.regex(/^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/, use(A_HOST)));

const SourceSchema = map({
  title: Text,
  url: v.exactOptional(Url),
  evidence: oneOf(EVIDENCE_MARKS),
  checkedOn: IsoDate,
});

const CheckSpecSchema = map({
  probe: oneOf(ASKED_KINDS),
  transport: oneOf(TRANSPORTS),
  port: Port,
});

const RangeSpecSchema = map({
  probes: v.pipe(
    list(oneOf(ASKED_KINDS)),
    v.minLength(1, 'is an empty list; name one probe, or two that take turns'),
    v.maxLength(2, 'names more than two probes; name one probe, or two that take turns'),
  ),
  transport: oneOf(TRANSPORTS),
  from: Port,
  to: Port,
});

/** Decides by the keys which of the two is meant, so that the messages are about that one. */
const AlternativeSchema = v.lazy((input) =>
  isMap(input) && ('probes' in input || 'from' in input || 'to' in input) ? RangeSpecSchema : CheckSpecSchema,
);

const common = {
  id: Name,
  need: oneOf(NEEDS),
  role: oneOf(REQUIREMENT_ROLES),
  purpose: Text,
  direction: v.exactOptional(oneOf(DIRECTIONS)),
  note: v.exactOptional(Text),
  source: SourceSchema,
};

/** The keys of which a requirement has exactly one. */
const QUESTION_KEYS = ['check', 'range', 'anyOf'] as const;
type QuestionKey = (typeof QUESTION_KEYS)[number];

const byQuestion = {
  check: map({ ...common, check: CheckSpecSchema }),
  range: map({ ...common, range: RangeSpecSchema }),
  anyOf: map({
    ...common,
    anyOf: v.pipe(
      list(AlternativeSchema),
      v.minLength(2, 'has fewer than two members; use "check" or "range" instead'),
    ),
  }),
} as const satisfies Record<QuestionKey, v.GenericSchema>;

/** Reports a misspelt key first, and only then that the question itself is missing. */
const WithoutQuestion = v.pipe(
  map(common, QUESTION_KEYS),
  v.custom<never>(() => false, 'asks nothing; add one of check, range or anyOf'),
);

const WithSeveralQuestions = v.custom<never>(
  () => false,
  'has more than one of check, range and anyOf; keep one, or split it into several requirements',
);

const RequirementSchema = v.lazy((input) => {
  const present = QUESTION_KEYS.filter((key) => isMap(input) && key in input);
  const [question] = present;
  if (question === undefined) return WithoutQuestion;
  return present.length === 1 ? byQuestion[question] : WithSeveralQuestions;
});

export const ProfileSchema: v.GenericSchema<unknown, Profile> = map({
  profile: Name,
  title: Text,
  summary: Text,
  host: v.exactOptional(HostName),
  notes: v.optional(list(Text), []),
  thresholds: map({ lossRatio: Ratio, rttMs: Milliseconds, jitterMs: Milliseconds, reorderRatio: Ratio }),
  thresholdsSource: SourceSchema,
  symptomWhenBlocked: oneOf(SIGNALLING_SYMPTOMS),
  destinations: v.exactOptional(list(Text)),
  farSide: v.exactOptional(Text),
  requirements: v.pipe(list(RequirementSchema), v.minLength(1, 'is an empty list; add a requirement')),
});
