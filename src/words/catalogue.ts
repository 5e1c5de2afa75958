/** What a reader must know of what a profile rests on. */

const rowsAre = (rows: readonly string[], one: string, several: string): string =>
  rows.length === 1 ? `the row ${rows[0]} ${one}` : `the rows ${rows.join(', ')} ${several}`;

export const fromMemory = (profile: string, rows: readonly string[]): string =>
  `${profile}: ${rowsAre(rows, 'is', 'are')} from memory, and nobody has read ${rows.length === 1 ? 'it' : 'them'} in a document: compare ${rows.length === 1 ? 'it' : 'them'} with the provider's list before you rely on the verdict.`;

/** @param titles of the sources, joined */
export const fromOthers = (profile: string, rows: readonly string[], titles: string): string =>
  `${profile}: ${rowsAre(rows, 'comes', 'come')} from another source than the provider's own document (${titles}): compare before you open a port for it.`;

/** @param works what serves in its place serves as well */
export const servedBy = (profile: string, row: string, by: string, works: boolean): string =>
  `${profile}: ${row} does not pass, and ${by} serves in its place, as the vendor says; ${works ? 'users notice nothing' : 'it works, but worse'}.`;

/** @param rests what of the profile rests on an old source; @param since its date, YYYY-MM-DD */
export const staleSince = (profile: string, rests: string, since: string): string =>
  `${profile}: ${rests} rest on sources older than 18 months (since ${since}): compare with the provider's list of today; "probe profiles ${profile} --check-dates" names the sources.`;

/** @param works whether the service works as well without the row */
export const fallbackServes = (row: string, works: boolean): string =>
  `Without it ${row} serves, and the service ${works ? 'works' : 'is degraded'}.`;
