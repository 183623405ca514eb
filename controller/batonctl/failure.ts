/** How a command ends when it does not succeed: one sentence for the operator and an exit code for scripts. */

/** 1: it failed. 2: it was called wrongly. 3: what was given was judged and refused. */
export type FailureCode = 1 | 2 | 3;

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: FailureCode;

  /** @param message What failed, on what, and what to do; may have further lines. */
  constructor(exitCode: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The message of whatever was thrown, as one line is wanted for. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
