/** Why, as a report says it, for people: whose device, how sure, and to whom a request goes. */
import * as v from 'valibot';
import type { ReportService } from '../model/report.js';
import { printable } from '../wire/printable.js';

/** Reports of other versions may lack causes, or know devices that this one does not. */
const CauseSchema = v.object({
  text: v.string(),
  device: v.fallback(v.string(), 'unknown'),
  likelihood: v.fallback(v.string(), 'possible'),
  because: v.fallback(v.array(v.string()), []),
});
const CausesSchema = v.fallback(v.array(CauseSchema), []);

const NOBODY_NAMED = 'the device cannot be identified from here';

const DEVICE_WORDS: ReadonlyMap<string, string> = new Map([
  ['host', 'this computer itself'],
  ['branch-firewall', "this site's firewall or router"],
  ['provider', "the access provider's network"],
  ['reflector', 'the reflector at the far end'],
  ['carrier', "the carrier's server"],
  ['unknown', NOBODY_NAMED],
]);

const LIKELIHOODS: ReadonlySet<string> = new Set(['proven', 'likely', 'possible']);

/** By what a sentence shows already whose device it is about. */
const NAMED_BY: ReadonlyMap<string, RegExp> = new Map([
  ['host', /this computer/i],
  ['branch-firewall', /this site/i],
  ['provider', /provider|access line/],
  ['reflector', /far end|reflector/],
  ['carrier', /far end|carrier/],
]);

export interface Cause {
  readonly text: string;
  /** `likely`, with the device where the text does not name it; null where the report names findings and no cause. */
  readonly doubt: string | null;
  /** Whose device, in words. */
  readonly device: string | null;
  readonly likelihood: string | null;
  readonly because: readonly string[];
}

/** The causes that a report names, ranked as it has them; empty in reports of versions before them. */
export const causesOf = (service: ReportService): readonly Cause[] =>
  v.parse(CausesSchema, service.causes).map(({ text, device: whose, likelihood: said, because }) => {
    const device = DEVICE_WORDS.get(whose) ?? printable(whose, 60);
    const likelihood = LIKELIHOODS.has(said) ? said : 'possible';
    return {
      text,
      doubt: NAMED_BY.get(whose)?.test(text) ? likelihood : `${likelihood}: ${device}`,
      device,
      likelihood,
      because,
    };
  });

/** The causes of the first rank in full, and whose devices the others are. */
export const ranked = (
  why: readonly Cause[],
): { readonly first: readonly Cause[]; readonly others: readonly string[] } => {
  const [best] = why;
  const first = why.filter(({ likelihood }) => likelihood === best?.likelihood);
  const told = new Set(first.map(({ device }) => device));
  const others = why.flatMap(({ device, likelihood }) =>
    likelihood === best?.likelihood || told.has(device) || device === NOBODY_NAMED ? [] : (device ?? []),
  );
  return { first, others: [...new Set(others)] };
};

/** Whoever has asked so many without success has a harder question than this list answers. */
const MAX_ASKED = 3;

const RESPONSIBLE: ReadonlyMap<string, string> = new Map([
  ['host', 'whoever manages this computer'],
  ['branch-firewall', "whoever manages this site's firewall"],
  ['provider', 'the access provider'],
  ['reflector', 'whoever runs the far end'],
  ['carrier', 'the carrier'],
]);

/** To whom a request goes, the likeliest first; null where nothing is asked for or nobody is named. */
export const whomToAsk = (service: ReportService): string | null => {
  if (service.fixes.length === 0) return null;
  const causes = v.parse(CausesSchema, service.causes);
  const [first, ...others] = [...new Set(causes.flatMap(({ device }) => RESPONSIBLE.get(device) ?? []))].slice(
    0,
    MAX_ASKED,
  );
  if (first === undefined) return null;
  const then = others.length === 0 ? '' : `; if they find nothing, ${others.join(', then ')}`;
  return `${first.charAt(0).toUpperCase()}${first.slice(1)}${then}.`;
};
