/** What the system calls an error, for a line that somebody reads: `ENOSPC`, or the error itself where it has no code. */
export const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);
