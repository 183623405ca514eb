/**
 * What comes next in giving a router's advertisements another key, or their first one: told by the resources alone, so
 * that whoever was interrupted goes on where it stopped. Between two steps every member must have the one before in
 * force. Pure.
 *
 *   rotate   keys [old], signs old -> [old, new], signs old -> [old, new], signs new -> [new] -> the old Secret goes
 *   init     unsigned -> receives signed too -> signs too -> accepts nothing else
 */
import {
  Authentication,
  AuthenticationType,
  type HmacAuthentication,
  HmacMode,
  Resource,
  type VirtualRouterSpec,
} from '../../proto/gen/baton/v1/resources.js';

/** Labels of a router whose key is being changed: ids as "OLD-NEW", and the name of the Secret that goes at the end. */
export const ROTATION_LABEL = 'baton-key-rotation';
export const OLD_SECRET_LABEL = 'baton-key-rotation-old-secret';

const MAX_NAME = 63;

export interface RotationStep {
  /** `begin` alone starts something; the others go on with it. `done`: nothing is left to do. */
  readonly kind: 'begin' | 'activate' | 'retire' | 'clean' | 'permissive' | 'enforce' | 'done';
  /** What it does, to follow "now: ". */
  readonly text: string;
  /** The router as it is to be declared; absent: as it is. */
  readonly router?: Resource;
  /** A Secret to be declared with it, holding the new key. */
  readonly newSecret?: string;
  /** A Secret that nobody needs any more, once everything else is done. */
  readonly oldSecret?: string;
}

export type NextStep =
  | { readonly ok: true; readonly step: RotationStep }
  | { readonly ok: false; readonly reason: string };

export interface RotationPlan {
  /** For a router without authentication: sign its advertisements from now on. */
  readonly init: boolean;
  /** A rotation was ended in this run: none is begun. */
  readonly finished: boolean;
  /** Names of all Secrets that there are. */
  readonly secrets: ReadonlySet<string>;
}

export function nextStep(router: Resource, plan: RotationPlan): NextStep {
  if (router.spec?.$case !== 'virtualRouter') return { ok: false, reason: 'this is no virtual router' };
  const { value: spec } = router.spec;
  const name = router.metadata?.name ?? '';
  const hmac = spec.authentication?.type === AuthenticationType.HMAC ? spec.authentication.hmac : undefined;
  if (hmac === undefined) return begin(router, spec, name, plan);
  const mode = hmac.mode === HmacMode.UNSPECIFIED ? HmacMode.ENFORCE : hmac.mode;
  if (mode !== HmacMode.ENFORCE) {
    if (plan.init) return rollOut(router, hmac, mode);
    return { ok: false, reason: `signing is still being brought in for ${name}: finish that with --init first` };
  }
  const rotation = rotationOf(router);
  if (rotation === undefined) {
    if (plan.init || plan.finished)
      return step('done', `every advertisement of ${name} is signed by key ${hmac.activeKey}`);
    return add(router, hmac, name, plan);
  }
  if (plan.init) return { ok: false, reason: `a key of ${name} is being changed: finish that without --init` };
  return goOn(router, hmac, name, rotation);
}

/** Whether a rotation or an introduction is under way, so that a new key is there already. */
export function isUnderWay(router: Resource): boolean {
  if (rotationOf(router) !== undefined) return true;
  const hmac = router.spec?.$case === 'virtualRouter' ? router.spec.value.authentication?.hmac : undefined;
  return hmac?.mode === HmacMode.RECEIVE_ONLY || hmac?.mode === HmacMode.PERMISSIVE;
}

function begin(router: Resource, spec: VirtualRouterSpec, name: string, plan: RotationPlan): NextStep {
  if (spec.authentication !== undefined) {
    return { ok: false, reason: `${name} has a password: take its authentication away first, then --init signs it` };
  }
  if (!plan.init) return { ok: false, reason: `the advertisements of ${name} are not signed: begin with --init` };
  if (spec.strictRfc) {
    const reason = `${name} has strictRfc, which allows no time of both signed and unsigned: set it false for the introduction`;
    return { ok: false, reason };
  }
  const secret = secretName(name, 1, plan.secrets);
  const hmac = { keys: [{ id: 1, secret }], activeKey: 1, mode: HmacMode.RECEIVE_ONLY };
  const authentication = Authentication.fromPartial({ type: AuthenticationType.HMAC, hmac });
  const declared = declare(router, (value) => ({ ...value, authentication }));
  return step(
    'begin',
    `key 1 (Secret ${secret}) is given to every member; they accept signed and unsigned, and do not sign`,
    {
      router: declared,
      newSecret: secret,
    },
  );
}

function rollOut(router: Resource, hmac: HmacAuthentication, mode: HmacMode): NextStep {
  if (mode === HmacMode.RECEIVE_ONLY) {
    return step('permissive', 'every member signs, and accepts unsigned too', {
      router: withHmac(router, { ...hmac, mode: HmacMode.PERMISSIVE }),
    });
  }
  if (mode === HmacMode.PERMISSIVE) {
    return step('enforce', 'every member accepts signed advertisements alone', {
      router: withHmac(router, { ...hmac, mode: HmacMode.ENFORCE }),
    });
  }
  return { ok: false, reason: 'its mode is one that this version of batonctl does not know' };
}

function add(router: Resource, hmac: HmacAuthentication, name: string, plan: RotationPlan): NextStep {
  const used = new Set(hmac.keys.map(({ id }) => id));
  const id = Array.from({ length: 255 }, (_, at) => ((hmac.activeKey + at) % 255) + 1).find((one) => !used.has(one));
  if (id === undefined) return { ok: false, reason: `${name} has 255 keys: remove one first` };
  const secret = secretName(name, id, plan.secrets);
  const old = hmac.keys.find((key) => key.id === hmac.activeKey)?.secret ?? '';
  const labels = { [ROTATION_LABEL]: `${hmac.activeKey}-${id}`, [OLD_SECRET_LABEL]: old };
  const declared = withHmac(router, { ...hmac, keys: [...hmac.keys, { id, secret }] });
  return step(
    'begin',
    `key ${id} (Secret ${secret}) is accepted besides key ${hmac.activeKey}, which goes on signing`,
    {
      router: withLabels(declared, { ...declared.metadata?.labels, ...labels }),
      newSecret: secret,
    },
  );
}

function goOn(router: Resource, hmac: HmacAuthentication, name: string, rotation: Rotation): NextStep {
  const ids = hmac.keys.map(({ id }) => id);
  const { from, to } = rotation;
  if (!ids.includes(to)) {
    const reason = `${name} is labelled as being given key ${to}, and has none of that id: remove its labels ${ROTATION_LABEL} and ${OLD_SECRET_LABEL}, or declare the key`;
    return { ok: false, reason };
  }
  if (hmac.activeKey !== to) {
    return step('activate', `key ${to} signs; key ${hmac.activeKey} is still accepted`, {
      router: withHmac(router, { ...hmac, activeKey: to }),
    });
  }
  if (ids.includes(from)) {
    return step('retire', `key ${from} is no longer accepted`, {
      router: withHmac(router, { ...hmac, keys: hmac.keys.filter(({ id }) => id !== from) }),
    });
  }
  const { [ROTATION_LABEL]: _rotation, [OLD_SECRET_LABEL]: old = '', ...labels } = router.metadata?.labels ?? {};
  const isUsed = old === '' || hmac.keys.some(({ secret }) => secret === old);
  return step('clean', isUsed ? 'the rotation is over' : `the rotation is over, and the Secret ${old} is deleted`, {
    router: withLabels(router, labels),
    ...(isUsed ? {} : { oldSecret: old }),
  });
}

interface Rotation {
  readonly from: number;
  readonly to: number;
}

function rotationOf(router: Resource): Rotation | undefined {
  const found = /^(\d{1,3})-(\d{1,3})$/u.exec(router.metadata?.labels[ROTATION_LABEL] ?? '');
  return found === null ? undefined : { from: Number(found[1]), to: Number(found[2]) };
}

/** "pg-hmac-2"; with a further number where that exists, shortened where it would be too long. */
function secretName(router: string, id: number, taken: ReadonlySet<string>): string {
  for (let attempt = 1; ; attempt += 1) {
    const ending = `-hmac-${id}${attempt === 1 ? '' : `-${attempt}`}`;
    const name = `${router.slice(0, MAX_NAME - ending.length)}${ending}`;
    if (!taken.has(name)) return name;
  }
}

function step(kind: RotationStep['kind'], text: string, rest: Partial<RotationStep> = {}): NextStep {
  return { ok: true, step: { kind, text, ...rest } };
}

/** Without what only the controller writes. */
function declare(router: Resource, change: (spec: VirtualRouterSpec) => VirtualRouterSpec): Resource {
  const { name = '', labels = {} } = router.metadata ?? {};
  const spec =
    router.spec?.$case === 'virtualRouter'
      ? { $case: 'virtualRouter' as const, value: change(router.spec.value) }
      : router.spec;
  return Resource.fromPartial({ metadata: { name, labels }, spec });
}

function withHmac(router: Resource, hmac: HmacAuthentication): Resource {
  return declare(router, (spec) => ({
    ...spec,
    authentication: Authentication.fromPartial({ ...spec.authentication, type: AuthenticationType.HMAC, hmac }),
  }));
}

function withLabels(router: Resource, labels: Readonly<Record<string, string>>): Resource {
  const declared = declare(router, (spec) => spec);
  return { ...declared, metadata: declared.metadata && { ...declared.metadata, labels: { ...labels } } };
}
