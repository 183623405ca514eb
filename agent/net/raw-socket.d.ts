/** The part of raw-socket 1.8.1 that is used here; the package has no declarations of its own. */
declare module 'raw-socket' {
  export interface RawSocket {
    on(event: 'message', listener: (packet: Buffer, source: string) => void): this;
    /** After it a failed poll closes the socket; a failed receive does not. */
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'close', listener: () => void): this;
    /** Throws Error with the text of strerror(). */
    setOption(level: number, option: number, value: Buffer, length: number): void;
    /** Fills `value`, returns the bytes written. Throws as setOption does. */
    getOption(level: number, option: number, value: Buffer, length: number): number;
    pauseRecv(): this;
    resumeRecv(): this;
    close(): this;
    /** The native object. recv() throws when there is nothing to receive. */
    readonly wrap: { recv(into: Buffer, callback: (into: Buffer, bytes: number, source: string) => void): unknown };
  }

  /** Throws Error with the text of strerror(), "Operation not permitted" without CAP_NET_RAW. */
  export function createSocket(options: { readonly protocol: number; readonly bufferSize: number }): RawSocket;
}
