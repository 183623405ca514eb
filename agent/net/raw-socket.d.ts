/** The part of raw-socket 1.8.1 that is used here; the package has no declarations of its own. */
declare module 'raw-socket' {
  export interface RawSocket {
    /** Fills `value`, returns the bytes written. Throws Error with the text of strerror(). */
    getOption(level: number, option: number, value: Buffer, length: number): number;
    close(): this;
  }

  /** Throws Error with the text of strerror(), "Operation not permitted" without CAP_NET_RAW. */
  export function createSocket(options: { readonly protocol: number; readonly bufferSize: number }): RawSocket;
}
