/** What the authentication of advertisements may hold. */
import {
  AuthenticationType,
  type HmacAuthentication,
  HmacMode,
  type VirtualRouterSpec,
} from '../gen/baton/v1/resources.js';
import { hmacModeOf, MAX_TIME_WINDOW } from './defaults.js';
import { checkKnown, checkSpan, checkWhole, type Report, type SpanRange, within } from './field-rules.js';
import { hmacKeyOf, LEAST_KEY_BYTES, MOST_KEY_BYTES } from './hmac-key.js';
import { MICROS_PER_SECOND } from './time.js';

export const TIME_WINDOW: SpanRange = { min: MICROS_PER_SECOND, max: MAX_TIME_WINDOW };
const MAX_KEYS = 255;

/** What must be asked elsewhere of the Secrets. */
export interface SecretQuestions {
  /** Judges a reference by name. */
  readonly refer: (name: string, path: string) => void;
  /** Its value; undefined: there is none of that name. */
  readonly valueOf: (name: string) => string | undefined;
}

export function checkAuthentication(
  spec: VirtualRouterSpec,
  version: number,
  secrets: SecretQuestions,
  report: Report,
): void {
  const { authentication } = spec;
  if (authentication === undefined) {
    return;
  }
  const at = within(report, 'authentication');
  checkKnown(authentication.type, 'type', at);
  switch (authentication.type) {
    case AuthenticationType.UNSPECIFIED:
      at('type', 'is missing; give pass or hmac');
      break;
    case AuthenticationType.PASS:
      if (version === 3) {
        report(
          'authentication',
          'pass exists in version 2 only; remove it, or set version: 2 to keep it, or sign with type: hmac',
        );
      }
      if (authentication.hmac !== undefined) {
        at('hmac', 'does not go together with type: pass; remove one');
      }
      if (authentication.secret === '') {
        at('secret', 'is missing; give the name of the Secret that holds the password');
      } else {
        secrets.refer(authentication.secret, 'authentication.secret');
      }
      break;
    case AuthenticationType.HMAC:
      if (authentication.secret !== '') {
        at('secret', 'is for type: pass; name the Secrets of the keys under hmac.keys');
      }
      if (authentication.hmac === undefined) {
        at('hmac', 'is missing; give keys and activeKey');
      } else {
        checkHmac(authentication.hmac, secrets, within(report, 'authentication.hmac'));
        checkStrictness(spec, authentication.hmac, within(report, 'authentication.hmac'));
      }
      break;
  }
}

function checkHmac(hmac: HmacAuthentication, secrets: SecretQuestions, report: Report): void {
  if (hmac.keys.length === 0) {
    report('keys', 'is missing; give at least one key, by id and secret');
  }
  if (hmac.keys.length > MAX_KEYS) {
    report('keys', `has ${hmac.keys.length} keys; an id is 1 to ${MAX_KEYS}`);
    return;
  }
  const ids = new Set<number>();
  for (const [index, { id, secret }] of hmac.keys.entries()) {
    const at = within(report, `keys[${index}]`);
    checkWhole(id, 1, 255, 'id', at);
    if (ids.has(id)) {
      at('id', `${id} is given twice; each key has its own`);
    }
    ids.add(id);
    checkKeySecret(secret, secrets, `authentication.hmac.keys[${index}].secret`, at);
  }
  if (hmac.activeKey === 0) {
    report('activeKey', 'is missing; give the id of the key that signs');
  } else if (!ids.has(hmac.activeKey)) {
    report('activeKey', `there is no key ${hmac.activeKey} among keys; add it, or choose another`);
  }
  checkKnown(hmac.replayGuard, 'replayGuard', report);
  checkKnown(hmac.mode, 'mode', report);
  checkSpan(hmac.timeWindow, TIME_WINDOW, 'timeWindow', report);
}

/** Says nothing of the value itself. */
function checkKeySecret(name: string, secrets: SecretQuestions, path: string, report: Report): void {
  if (name === '') {
    report('secret', 'is missing; give the name of the Secret that holds the key');
    return;
  }
  secrets.refer(name, path);
  const value = secrets.valueOf(name);
  if (value !== undefined && value !== '' && hmacKeyOf(value) === undefined) {
    report(
      'secret',
      `Secret ${JSON.stringify(name)} must hold ${LEAST_KEY_BYTES} to ${MOST_KEY_BYTES} bytes, as text or as "hex:" ` +
        'and twice as many hexadecimal digits',
    );
  }
}

/** keepalived's strict mode has it so, too. */
function checkStrictness(spec: VirtualRouterSpec, hmac: HmacAuthentication, report: Report): void {
  if (spec.strictRfc && hmacModeOf(hmac.mode) !== HmacMode.ENFORCE && hmac.mode !== HmacMode.UNRECOGNIZED) {
    report('mode', 'must be enforce with strictRfc; remove one');
  }
}
