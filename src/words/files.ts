/** What the system says of a file, with the way out. */

const WRITE_MENDS: ReadonlyMap<string, string> = new Map([
  ['EACCES', '; choose a folder that this user may write to'],
  ['EROFS', '; that file system is read-only, choose another folder'],
  ['ENOENT', '; there is no such folder, check the path'],
  ['EISDIR', '; name a file, not a folder'],
  ['ENOSPC', '; the disk is full'],
]);

/** ` (EACCES); choose a folder that …`: the end of a line about a file that cannot be written. */
export const writeTrouble = (cause: unknown): string => {
  const { code } = cause as { readonly code?: string };
  return ` (${code ?? 'unknown error'})${WRITE_MENDS.get(code ?? '') ?? ''}`;
};
