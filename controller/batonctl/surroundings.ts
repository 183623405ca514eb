/** Everything outside the program that a command touches. Passed in, so that tests need neither terminal nor clock. */

/** Where text goes. */
export interface Sink {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Width in characters; undefined when it is not a terminal. */
  readonly columns: number | undefined;
  /** Height in lines; undefined when it is not a terminal. */
  readonly rows: number | undefined;
}

export interface Surroundings {
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** All of standard input as text. */
  readonly readStdin: () => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds of Unix time. */
  readonly now: () => number;
  /** Resolves after so many milliseconds, or as soon as the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
  /** Aborted when the operator has had enough (Ctrl-C). */
  readonly interrupted: AbortSignal;
  readonly homeDirectory: string;
  readonly version: string;
}
