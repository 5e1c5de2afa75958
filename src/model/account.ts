/** The user's own account at a PBX or provider, with which one call is made. */
export interface Account {
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  /** Whom it calls, at its own domain; null for registering alone. */
  readonly callTo: string | null;
  /** The call is hung up after so long. */
  readonly maxCallSeconds: number;
}
