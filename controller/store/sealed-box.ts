/**
 * Encryption at rest for secret values: AES-256-GCM under a key that lives in a file of its own, so that a copy of the
 * database alone gives nothing away. The place of a value (such as "Secret/smtp") is authenticated with it: a sealed
 * value that was moved elsewhere does not open.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { chmodSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '../../proto/process/durable-file.js';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Name of the key file in the data directory. */
export const KEY_FILE = 'secrets.key';

/** A sealed value cannot be opened, or there is no key for it. */
export class SealError extends Error {
  override readonly name = 'SealError';
  readonly code = 'seal-broken';
}

export class SealedBox {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES)
      throw new SealError(`the key for secrets must have ${KEY_BYTES} bytes, not ${key.length}`);
    this.#key = key;
  }

  /** Nonce, tag and ciphertext in one. */
  seal(plain: Uint8Array, place: string): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(place, 'utf8'));
    const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  }

  /** @throws SealError when it was changed, moved from another place or sealed with another key */
  open(sealed: Uint8Array, place: string): Uint8Array {
    try {
      const nonce = sealed.subarray(0, NONCE_BYTES);
      const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(place, 'utf8')).setAuthTag(tag);
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    } catch (error) {
      throw new SealError(`the stored value of ${place} does not open with the key in ${KEY_FILE}`, { cause: error });
    }
  }
}

/** Makes the key file, 0600. An existing one is kept. */
export function createSealKey(dataDir: string): void {
  writeFileDurably(path.join(dataDir, KEY_FILE), randomBytes(KEY_BYTES), { mode: 0o600, keepExisting: true });
}

/** @throws SealError when the key file is missing or unreadable */
export function loadSealedBox(dataDir: string): SealedBox {
  const file = path.join(dataDir, KEY_FILE);
  try {
    chmodSync(file, 0o600);
    return new SealedBox(readFileSync(file));
  } catch (error) {
    if (error instanceof SealError) throw error;
    throw new SealError(`cannot read the key for secrets from ${file}: ${(error as Error).message}`, { cause: error });
  }
}
