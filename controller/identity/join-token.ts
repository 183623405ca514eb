/** Join tokens: 160 random bits with a prefix that secret scanners can look for. Stored as a hash only. */
import { createHash, randomBytes } from 'node:crypto';

const PREFIX = 'btn_';

export interface NewToken {
  /** Names the token without giving it away. */
  readonly id: string;
  /** Shown once. */
  readonly token: string;
  readonly hash: string;
}

export function newToken(): NewToken {
  const token = `${PREFIX}${randomBytes(20).toString('base64url')}`;
  return { id: randomBytes(6).toString('hex'), token, hash: hashToken(token) };
}

/** Lower-case hexadecimal SHA-256. A token has enough entropy that no slower hash is needed. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}
