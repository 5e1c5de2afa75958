/**
 * The shape of a profile. Every message reads "is …; the fix", because it is printed after the file, line and path of
 * the value at fault. Valibot, because it loads in a few milliseconds.
 */
import * as v from 'valibot';
import { ASKED_KINDS, TRANSPORTS } from './kinds.js';
import { isNetwork } from './network-text.js';
import {
  AUDIENCES,
  DIRECTIONS,
  EVIDENCE_MARKS,
  FALLBACK_RESULTS,
  INSPECTIONS,
  NEEDS,
  type Profile,
  REQUIREMENT_ROLES,
  ROLE_SYMPTOMS,
} from './profile.js';
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

const A_WILDCARD = 'a name with a star in place of its first labels, such as *.zoom.us';
const Wildcard = v.pipe(v.string(use(A_WILDCARD)), v.regex(/^\*(\.[a-z0-9-]{1,63})+$/, use(A_WILDCARD)));

/** Rules are made of it, so it is an address and a length of prefix, without bits beyond that length. */
const A_NETWORK = 'a network without host bits, such as 52.112.0.0/14, 2603:1063::/38 or 192.0.2.1';
const Network = v.pipe(v.string(use(A_NETWORK)), v.check(isNetwork, use(A_NETWORK)));

/** The day of a document, or its month where it tells no more. */
const A_DOCUMENT_DATE = 'a date such as 2023-09-27 or 2023-09';
const DocumentDate = v.pipe(
  v.string(use(A_DOCUMENT_DATE)),
  v.regex(/^\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$/, use(A_DOCUMENT_DATE)),
);

const SourceSchema = map({
  title: Text,
  url: v.exactOptional(Url),
  evidence: oneOf(EVIDENCE_MARKS),
  checkedOn: v.exactOptional(IsoDate),
  dated: v.exactOptional(DocumentDate),
});

const someOf = <const Item extends v.GenericSchema>(item: Item) =>
  v.exactOptional(v.pipe(list(item), v.minLength(1, 'is an empty list; leave the key out')));

const DestinationListSchema = map({
  id: Name,
  networks: someOf(Network),
  hosts: someOf(HostName),
  wildcards: someOf(Wildcard),
  source: SourceSchema,
});

/** Six bits (RFC 2474 section 3). */
const A_DSCP = 'a whole number from 0 to 63, such as 46 for EF';
const Dscp = v.pipe(
  v.number(use(A_DSCP)),
  v.integer(use(A_DSCP)),
  v.minValue(0, use(A_DSCP)),
  v.maxValue(63, use(A_DSCP)),
);

/** A day is longer than any idle timeout that makes sense. */
const SECONDS = 'a whole number of seconds from 1 to 86400';
const Seconds = v.pipe(
  v.number(use(SECONDS)),
  v.integer(use(SECONDS)),
  v.minValue(1, use(SECONDS)),
  v.maxValue(86_400, use(SECONDS)),
);

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
  destinations: someOf(Name),
  host: v.exactOptional(HostName),
  dscp: v.exactOptional(Dscp),
  fallback: v.exactOptional(map({ row: Name, leaves: oneOf(FALLBACK_RESULTS) })),
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

const RoleSymptomSchema = oneOf(ROLE_SYMPTOMS);
const SymptomsSchema = map({
  signalling: RoleSymptomSchema,
  ...Object.fromEntries(
    REQUIREMENT_ROLES.filter((role) => role !== 'signalling').map((role) => [role, v.exactOptional(RoleSymptomSchema)]),
  ),
});

export const ProfileSchema: v.GenericSchema<unknown, Profile> = map({
  profile: Name,
  title: Text,
  summary: Text,
  host: v.exactOptional(HostName),
  notes: v.optional(list(Text), []),
  thresholds: map({ lossRatio: Ratio, rttMs: Milliseconds, jitterMs: Milliseconds, reorderRatio: Ratio }),
  thresholdsSources: v.pipe(list(SourceSchema), v.minLength(1, 'is an empty list; say who gives these thresholds')),
  symptoms: SymptomsSchema,
  appliesTo: someOf(oneOf(AUDIENCES)),
  udpTimeoutSeconds: v.exactOptional(Seconds),
  keepaliveSeconds: v.exactOptional(Seconds),
  inspection: v.exactOptional(oneOf(INSPECTIONS)),
  destinations: someOf(DestinationListSchema),
  farSide: v.exactOptional(Text),
  requirements: v.pipe(list(RequirementSchema), v.minLength(1, 'is an empty list; add a requirement')),
});
