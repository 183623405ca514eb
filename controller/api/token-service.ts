/** TokenService: makes, lists and revokes join tokens. */
import type { Token, TokenServiceServer } from '../../proto/gen/baton/v1/token_service.js';
import type { Logger } from '../../proto/process/logger.js';
import { durationToMicros } from '../../proto/rules/duration.js';
import { isResourceName } from '../../proto/rules/names.js';
import { MICROS_PER_MILLISECOND } from '../../proto/rules/time.js';
import { newToken } from '../identity/join-token.js';
import type { Store } from '../store/database.js';
import type { TokenTable } from '../store/schema.js';
import { insertToken, listTokens, revokeToken } from '../store/token-store.js';
import { CallError } from './call-error.js';
import { unary } from './unary.js';

const MINUTE_MS = 60_000;
const DEFAULT_TTL_MS = 60 * MINUTE_MS;
const SHORTEST_TTL_MS = MINUTE_MS;
const LONGEST_TTL_MS = 24 * 60 * MINUTE_MS;

export function tokenService(store: Store, caPin: string, now: () => Date, log: Logger): TokenServiceServer {
  return {
    createToken: unary(log, async ({ ttl, node }) => {
      const ttlMs = ttl === undefined ? DEFAULT_TTL_MS : durationToMicros(ttl) / MICROS_PER_MILLISECOND;
      // Written this way round so that what is no number is refused too.
      if (!(ttlMs >= SHORTEST_TTL_MS && ttlMs <= LONGEST_TTL_MS)) {
        throw new CallError('invalid', 'ttl: a token lives 1m to 24h');
      }
      if (node !== '' && !isResourceName(node)) {
        throw new CallError('invalid', `node: "${node.slice(0, 80)}" cannot be a node's name`);
      }
      const { id, token, hash } = newToken();
      const createdAt = now().getTime();
      const expiresAt = createdAt + Math.floor(ttlMs);
      await insertToken(store, {
        id,
        hash,
        node,
        created_at: createdAt,
        expires_at: expiresAt,
        used_at: 0,
        used_by: '',
        revoked_at: 0,
      });
      log.info({ tokenId: id, node }, 'join token made');
      return { token, caPin, expiresAt: new Date(expiresAt), id };
    }),
    listTokens: unary(log, async () => ({ tokens: (await listTokens(store)).map(toToken) })),
    revokeToken: unary(log, async ({ id }) => {
      if (!(await revokeToken(store, id, now())))
        throw new CallError('not-found', `there is no token ${id.slice(0, 80)}`);
      log.info({ tokenId: id }, 'join token revoked');
      return {};
    }),
  };
}

function toToken(row: TokenTable): Token {
  return {
    id: row.id,
    node: row.node,
    createdAt: new Date(row.created_at),
    expiresAt: new Date(row.expires_at),
    usedAt: row.used_at === 0 ? undefined : new Date(row.used_at),
    usedBy: row.used_by,
    revokedAt: row.revoked_at === 0 ? undefined : new Date(row.revoked_at),
  };
}
