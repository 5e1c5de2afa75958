/** What a rendered report must not hold: characters that act, and markup that the HTML renderer does not write. */

/** What acts on a terminal, starts a line, or turns text around; a line feed is the renderers' own. */
export const ACTIVE = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

const WRITTEN = new Set(
  (
    '!doctype html head meta title style body main h1 h2 h3 p dl dt dd article header strong b small ul li section div ' +
    'span bdi br table caption thead tbody tr th td code pre details summary figure figcaption svg rect'
  ).split(' '),
);
const WITHOUT_END = new Set(['!doctype', 'meta', 'br']);

/** The first thing in a page that the renderer did not mean to write, or null. */
export const pageFault = (page: string): string | null => {
  const body = page.replace(/<style>[\s\S]*?<\/style>/, '<style></style>');
  const open: string[] = [];
  for (const [tag, slash, element = ''] of body.matchAll(/<(\/?)([!a-z0-9]*)[^<>]*>/gi)) {
    const lower = element.toLowerCase();
    if (!WRITTEN.has(lower)) return `a tag that the renderer does not write: ${tag}`;
    if (/\son[a-z]+\s*=|\ssrc\s*=|\shref\s*=/i.test(tag.replace(/"[^"]*"/g, '""'))) return `active attribute: ${tag}`;
    if (WITHOUT_END.has(lower)) continue;
    if (slash === '') open.push(lower);
    else if (open.pop() !== lower) return `${tag} closes another element`;
  }
  if (open.length > 0) return `not closed: ${open.join(' ')}`;
  return /[<>]/.test(body.replace(/<[^<>]*>/g, '')) ? 'a bare angle bracket' : null;
};
