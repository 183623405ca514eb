/** Passwords and keys of a router, with the Secrets that hold them. */
import {
  type Authentication,
  AuthenticationType,
  HmacMode,
  HmacReplayGuard,
  type Resource,
} from '../gen/baton/v1/resources.js';
import { microsToDuration } from '../rules/duration.js';
import { agreed, type Parts, placeOf } from './agreement.js';
import type { HmacSettings } from './config.js';
import { joinedName } from './names.js';
import type { Origin } from './remark.js';
import type { Remarks } from './remarks.js';

export interface ImportedSecret {
  readonly resource: Resource;
  readonly origin: Origin;
}

export function importAuthentication(
  router: string,
  parts: Parts,
  remarks: Remarks,
): { readonly authentication: Authentication | undefined; readonly secrets: readonly ImportedSecret[] } {
  const first = parts[0].instance;
  const password = agreed(parts, 'authentication', (instance) => instance.password, undefined, remarks);
  agreed(parts, 'auth_hmac', (instance) => contentOf(instance.hmac), undefined, remarks);
  const { hmac } = first;
  if (hmac !== undefined) return importHmac(router, hmac);
  if (password === undefined) return { authentication: undefined, secrets: [] };
  const name = joinedName(router, 'vrrp');
  return {
    authentication: { type: AuthenticationType.PASS, secret: name, hmac: undefined },
    secrets: [{ resource: secretOf(name, password), origin: placeOf(first, 'authentication') }],
  };
}

function importHmac(router: string, hmac: HmacSettings): ReturnType<typeof importAuthentication> {
  const keys = hmac.keys.map(({ id, key, origin }) => ({ id, key, origin, secret: joinedName(router, `hmac-${id}`) }));
  return {
    authentication: {
      type: AuthenticationType.HMAC,
      secret: '',
      hmac: {
        keys: keys.map(({ id, secret }) => ({ id, secret })),
        activeKey: hmac.activeKey,
        replayGuard: hmac.replayGuard === HmacReplayGuard.TIME ? HmacReplayGuard.UNSPECIFIED : hmac.replayGuard,
        timeWindow: hmac.timeWindow === undefined ? undefined : microsToDuration(hmac.timeWindow),
        mode: hmac.mode === HmacMode.ENFORCE ? HmacMode.UNSPECIFIED : hmac.mode,
      },
    },
    secrets: keys.map(({ key, secret, origin }) => ({ resource: secretOf(secret, key), origin })),
  };
}

/** What must be the same on all hosts, in whichever order the keys stand. */
function contentOf(hmac: HmacSettings | undefined): string | undefined {
  if (hmac === undefined) return undefined;
  const keys = hmac.keys.map(({ id, key }) => [id, key] as const).sort(([a], [b]) => a - b);
  return JSON.stringify([keys, hmac.activeKey, hmac.replayGuard, hmac.timeWindow, hmac.mode]);
}

function secretOf(name: string, value: string): Resource {
  return {
    metadata: { name, labels: {}, generation: 0, createdAt: undefined, updatedAt: undefined },
    spec: { $case: 'secret', value: { value } },
  };
}
