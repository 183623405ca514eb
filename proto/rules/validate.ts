/**
 * Judges a whole set of resources: each by itself, and what they say of each other. An error refuses the set; a
 * warning is accepted and deserves a look. Pure, and total for whatever was decoded from YAML or from the network.
 */
import type { Finding } from '../gen/baton/v1/resource_service.js';
import {
  AuthenticationType,
  type Resource,
  type SecretSpec,
  type Track,
  type VirtualRouterSpec,
} from '../gen/baton/v1/resources.js';
import { checkCheckSpec } from './check-rules.js';
import { judgeCluster } from './cluster-rules.js';
import { PASSWORD_BYTES } from './compile-router.js';
import { checkWhole, quote, type Report, within } from './field-rules.js';
import { checkBfdSession, checkHostNetwork, checkSyncGroup } from './group-rules.js';
import { checkEmail } from './mail-rules.js';
import { isPlainLine, isResourceName, kindOf } from './names.js';
import { suggestion } from './nearest-name.js';
import { lintHostNetwork, lintRouter } from './router-lint.js';
import { type CheckReference, checkRouter, NAME_RULE, type RouterQuestions } from './router-rules.js';
import { type CheckKinds, checkKindsOf } from './tracks.js';

export interface ValidateOptions {
  /** One host's own file: no Node resources, and other members are elsewhere. */
  readonly standalone?: boolean;
}

export interface Validation {
  readonly errors: Finding[];
  readonly warnings: Finding[];
}

/** Longest value of a label and of a secret, in characters. */
const MAX_LABEL_VALUE = 255;
const MAX_SECRET = 4_096;

/** @param resources All of them, secrets with their values: references are only looked for here. */
export function validateResources(resources: readonly Resource[], options: ValidateOptions = {}): Validation {
  const validator = new Validator(resources, options.standalone ?? false);
  validator.run();
  return { errors: validator.errors, warnings: validator.warnings };
}

class Validator {
  readonly errors: Finding[] = [];
  readonly warnings: Finding[] = [];
  readonly #resources: readonly Resource[];
  readonly #standalone: boolean;
  /** Names by kind. */
  readonly #names = new Map<string, Set<string>>();
  readonly #secrets = new Map<string, SecretSpec>();
  readonly #usedChecks = new Set<string>();
  readonly #usedReceivers = new Set<string>();
  readonly #checkKinds: CheckKinds;

  constructor(resources: readonly Resource[], standalone: boolean) {
    this.#resources = resources;
    this.#standalone = standalone;
    this.#checkKinds = checkKindsOf(resources);
    for (const resource of resources) {
      const name = nameOf(resource);
      this.#namesOf(kindOf(resource)).add(name);
      if (resource.spec?.$case === 'secret') {
        this.#secrets.set(name, resource.spec.value);
      }
    }
  }

  run(): void {
    const seen = new Set<string>();
    for (const resource of this.#resources) {
      this.#checkMetadata(resource);
      const identity = `${kindOf(resource)}/${nameOf(resource)}`;
      if (seen.has(identity)) {
        this.#error(resource, 'metadata.name', `there are two resources ${identity}; remove one`);
      }
      seen.add(identity);
      this.#checkSpec(resource);
    }
    judgeCluster(this.#resources, this.#checkKinds, {
      error: (resource, path, message) => this.#error(resource, path, message),
      warning: (resource, path, message) => this.#warning(resource, path, message),
    });
    this.#lintUnused();
  }

  #checkMetadata(resource: Resource): void {
    const name = nameOf(resource);
    if (!isResourceName(name)) {
      this.#error(
        resource,
        'metadata.name',
        name === '' ? 'is missing' : `${quote(name)} cannot be used: ${NAME_RULE}`,
      );
    }
    for (const [key, value] of Object.entries(resource.metadata?.labels ?? {})) {
      const path = `metadata.labels.${isPlainLine(key) ? key : '?'}`;
      if (!/^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/.test(key)) {
        const rule = '1 to 63 letters, digits, "-", "_", "." and "/", beginning and ending with a letter or digit';
        this.#error(resource, path, `${quote(key)} cannot be a label: ${rule}`);
      }
      if (!isPlainLine(value) || value.length > MAX_LABEL_VALUE) {
        this.#error(resource, path, `must have up to ${MAX_LABEL_VALUE} characters, all of them printable`);
      }
    }
  }

  #checkSpec(resource: Resource): void {
    const report = within((path, message) => this.#error(resource, path, message), 'spec');
    const warn = within((path, message) => this.#warning(resource, path, message), 'spec');
    const { spec } = resource;
    switch (spec?.$case) {
      case undefined:
        report('', 'is missing, or of a kind that this version of Baton does not know');
        break;
      case 'node':
        break;
      case 'virtualRouter':
        checkRouter(spec.value, this.#routerQuestions(report, warn), report);
        this.#checkTracked(spec.value.track, 'track', report, warn);
        for (const [index, { track }] of spec.value.members.entries()) {
          this.#checkTracked(track, `members[${index}].track`, report, warn);
        }
        lintRouter(spec.value, { standalone: this.#standalone, checkKinds: this.#checkKinds }, warn);
        this.#lintPassword(spec.value, warn);
        break;
      case 'check':
        checkCheckSpec(spec.value, report);
        break;
      case 'receiver':
        if (spec.value.kind === undefined) {
          report('', 'does not say how to tell; give email');
        } else {
          const checkReference = this.#referenceCheck(within(report, 'email'), warn);
          const checkSecret = (name: string, path: string): void => checkReference('Secret', name, path);
          checkEmail(spec.value.kind.value, checkSecret, within(report, 'email'));
        }
        break;
      case 'secret':
        this.#checkSecret(spec.value, report);
        break;
      case 'syncGroup':
        checkSyncGroup(spec.value, this.#checkKinds, this.#referenceCheck(report, warn), report);
        this.#checkTracked(spec.value.track, 'track', report, warn);
        break;
      case 'bfdSession':
        checkBfdSession(spec.value, this.#referenceCheck(report, warn), report);
        break;
      case 'hostNetwork':
        checkHostNetwork(spec.value, this.#referenceCheck(report, warn), report);
        lintHostNetwork(spec.value, warn);
        break;
    }
  }

  #routerQuestions(report: Report, warn: Report): RouterQuestions {
    return {
      checkReference: this.#referenceCheck(report, warn),
      secretOf: (name) => this.#secrets.get(name)?.value,
      checkKinds: this.#checkKinds,
    };
  }

  #checkTracked(tracks: readonly Track[], path: string, report: Report, warn: Report): void {
    const checkReference = this.#referenceCheck(report, warn);
    for (const [index, track] of tracks.entries()) {
      if (track.check !== '') {
        checkReference('Check', track.check, `${path}[${index}].check`);
      } else if (track.bfd !== '') {
        checkReference('BfdSession', track.bfd, `${path}[${index}].bfd`);
      }
    }
  }

  /** Says nothing of the value itself but its length. */
  #checkSecret(secret: SecretSpec, report: Report): void {
    if (secret.value === '') {
      report('value', 'is missing; secrets are never read back, so give the value again');
    } else if (secret.value.includes('\0')) {
      report('value', 'must not hold the character NUL');
    } else {
      checkWhole(secret.value.length, 1, MAX_SECRET, 'value', (path) =>
        report(path, `must have up to ${MAX_SECRET} characters, not ${secret.value.length}`),
      );
    }
  }

  #lintPassword(spec: VirtualRouterSpec, warn: Report): void {
    if (spec.authentication?.type !== AuthenticationType.PASS) {
      return;
    }
    const value = this.#secrets.get(spec.authentication?.secret ?? '')?.value ?? '';
    if (new TextEncoder().encode(value).length > PASSWORD_BYTES) {
      warn(
        'authentication.secret',
        `is longer than ${PASSWORD_BYTES} bytes; only the first ${PASSWORD_BYTES} are sent`,
      );
    }
  }

  #referenceCheck(report: Report, warn: Report): CheckReference {
    return (kind, name, path) => {
      if (kind === 'Check') {
        this.#usedChecks.add(name);
      } else if (kind === 'Receiver') {
        this.#usedReceivers.add(name);
      }
      const known = this.#namesOf(kind);
      if (known.has(name) || (kind === 'Node' && this.#standalone)) {
        return;
      }
      const hint = suggestion(name, known);
      if (kind === 'Node') {
        // No hint: the node with the nearest name is usually the next host of the same cluster.
        warn(path, `no node ${quote(name)} has joined yet`);
      } else if (name === '') {
        report(path, `is missing; give the name of a ${kind}`);
      } else {
        report(path, `there is no ${kind} ${quote(name)}${hint}`);
      }
    };
  }

  #lintUnused(): void {
    for (const resource of this.#resources) {
      const name = nameOf(resource);
      if (resource.spec?.$case === 'check' && !this.#usedChecks.has(name)) {
        this.#warning(resource, '', 'no router tracks this check, so it never runs');
      } else if (resource.spec?.$case === 'receiver' && !this.#usedReceivers.has(name)) {
        this.#warning(resource, '', 'no router names this receiver, so it is never told anything');
      }
    }
  }

  #namesOf(kind: string): Set<string> {
    const names = this.#names.get(kind) ?? new Set();
    this.#names.set(kind, names);
    return names;
  }

  #error(resource: Resource, path: string, message: string): void {
    this.errors.push({ resource: { kind: kindOf(resource), name: nameOf(resource) }, path, message });
  }

  #warning(resource: Resource, path: string, message: string): void {
    this.warnings.push({ resource: { kind: kindOf(resource), name: nameOf(resource) }, path, message });
  }
}

function nameOf(resource: Resource): string {
  return resource.metadata?.name ?? '';
}
