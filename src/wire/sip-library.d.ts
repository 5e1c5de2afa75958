/**
 * Types for the part of the npm package `sip` (0.0.6, untyped) that the SIP codec calls. Everything that a parse returns
 * is optional here: the library leaves out what it cannot read, without saying so.
 */
declare module 'sip' {
  /** Values keep the quotes that they came with; null is a parameter without a value. */
  export interface Params {
    readonly [name: string]: string | null;
  }

  export interface ParsedVia {
    readonly protocol?: string;
    readonly host?: string;
    readonly port?: number;
    readonly params?: Params;
  }

  export interface ParsedMessage {
    readonly method?: string;
    readonly uri?: string;
    readonly status?: number;
    readonly reason?: string;
    readonly headers: {
      readonly via?: readonly ParsedVia[];
      readonly from?: { readonly params?: Params };
      readonly to?: { readonly params?: Params };
      readonly cseq?: { readonly seq?: number; readonly method?: string };
    };
  }

  export interface Outgoing {
    readonly method: string;
    readonly uri: string;
    /** Strings are written as they are; objects go through the library's writer for that header. */
    readonly headers: Record<string, string | object>;
    /** Counted in UTF-16 units by the library, so one character must be one byte. */
    readonly content: string;
  }

  const sip: {
    parse(message: string): ParsedMessage | undefined;
    stringify(message: Outgoing): string;
  };
  export default sip;
}
