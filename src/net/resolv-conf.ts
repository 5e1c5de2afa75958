/** What resolv.conf(5) says besides the servers, which Node knows itself: where to search for names that are not complete. */
import { readFileSync } from 'node:fs';
import { isName } from './target.js';

interface SearchRules {
  /** Domains that are put behind a name, in order. */
  readonly search: readonly string[];
  /** A name with so many dots or more is asked for as it stands first. */
  readonly ndots: number;
}

const NONE: SearchRules = { search: [], ndots: 1 };
/** glibc keeps no more than these many dots in mind (resolv.conf(5): "silently capped to 15"). */
const MAX_NDOTS = 15;
/** What glibc took until 2.26, and more than anybody has: each costs a round of questions. */
const MAX_SEARCH = 6;
/** The file has a few lines; more than this is another file. */
const MAX_BYTES = 64 * 1024;

/** Reads the text of a resolv.conf. The last `search` or `domain` line counts, as it does for glibc. */
const parseResolvConf = (text: string): SearchRules => {
  let { search, ndots } = NONE;
  for (const line of text.slice(0, MAX_BYTES).split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'search' || keyword === 'domain') {
      search = words
        .map((word) => word.replace(/\.$/, '').toLowerCase())
        .filter(isName)
        .slice(0, MAX_SEARCH);
    }
    if (keyword !== 'options') continue;
    const given = /(?:^|\s)ndots:(\d{1,3})(?:\s|$)/.exec(words.join(' '))?.[1];
    if (given !== undefined) ndots = Math.min(MAX_NDOTS, Number(given));
  }
  return { search, ndots };
};

/** This host's own rules; none where it has no such file (Windows). */
export const systemSearchRules = (): SearchRules => {
  try {
    return parseResolvConf(readFileSync('/etc/resolv.conf', 'utf8'));
  } catch {
    return NONE;
  }
};

/** The complete names that a name as typed may stand for, in the order in which a stub resolver asks for them. */
export const candidatesOf = (name: string, { search, ndots }: SearchRules): readonly string[] => {
  const extended = search.map((domain) => `${name}.${domain}`).filter(isName);
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [name, ...extended] : [...extended, name];
};
