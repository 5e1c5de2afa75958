/** An error that the user can mend: one line that names the option, or the file, line and path. */

const USER_ERROR_CODES = [
  'usage', // an option that is unknown, malformed or missing
  'profile-unreadable',
  'profile-invalid',
  'token-unreadable',
  'account-unusable',
  'token-invalid',
  'config-invalid',
  'output-unwritable',
  'nothing-bound', // the reflector could not bind a single port
] as const;
type UserErrorCode = (typeof USER_ERROR_CODES)[number];

/** Thrown for mistakes in options and files; the command line prints `message` and exits 2. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly code: UserErrorCode;

  constructor(code: UserErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
