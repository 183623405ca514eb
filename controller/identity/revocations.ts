/**
 * Certificates that are good no more although they have not expired. A revoked subject stays revoked for ever: an
 * identity is never used twice.
 */
export class Revocations {
  readonly #serials: Set<string>;
  readonly #subjects = new Set<string>();

  /** @param serials Lower-case hexadecimal. */
  constructor(serials: Iterable<string>) {
    this.#serials = new Set(serials);
  }

  /** @param subject UUID in the certificate's URI. */
  isRevoked(serial: string, subject: string): boolean {
    return this.#serials.has(serial) || this.#subjects.has(subject);
  }

  revokeSubject(subject: string): void {
    this.#subjects.add(subject);
  }
}
