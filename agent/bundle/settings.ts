/**
 * A bundle as the two threads want it: settings of the routers, groups and host networks for the elections, of the
 * checks, BFD sessions and hooks for the worker. The one place where messages become the core's parameters; what it
 * lets through is in range.
 */
import type { Bundle, BundleBfdSession, BundleHostNetwork } from '../../proto/gen/baton/v1/bundle.js';
import type { Refusal } from '../../proto/gen/baton/v1/events.js';
import { SyncPolicy } from '../../proto/gen/baton/v1/resources.js';
import { durationToMicros } from '../../proto/rules/duration.js';
import type { BfdSessionSettings } from '../bfd/settings.js';
import type { CheckSettings } from '../health/check-settings.js';
import type { ElectionSettings, HostNetworkSettings } from '../runtime/messages.js';
import { addressSettings } from './address-settings.js';
import { checkSettings } from './check-settings.js';
import { routeSettings, ruleSettings } from './route-settings.js';
import { routerSettings } from './router-settings.js';

export interface BundleSettings {
  readonly election: ElectionSettings;
  readonly checks: readonly CheckSettings[];
  readonly bfdSessions: readonly BfdSessionSettings[];
}

export const NO_SETTINGS: BundleSettings = {
  election: { routers: [], groups: [], hostNetworks: [] },
  checks: [],
  bfdSessions: [],
};

export type SettingsResult =
  | { readonly ok: true; readonly settings: BundleSettings }
  | { readonly ok: false; readonly refusals: readonly Refusal[] };

/** Never throws: what cannot be translated is refused with its path in the bundle. */
export function settingsOf(bundle: Bundle): SettingsResult {
  const refusals: Refusal[] = [];
  const checkNames = new Set(bundle.checks.map(({ name }) => name));
  const sessionNames = new Set(bundle.bfdSessions.map(({ name }) => name));
  const groups = new Map(bundle.groups.flatMap(({ name, routers }) => routers.map((router) => [router, name])));
  const routers = bundle.routers.map((router) => {
    const context = {
      checks: checkNames,
      bfdSessions: sessionNames,
      group: groups.get(router.name),
      requiredNetworks: bundle.hostNetworks
        .filter(({ spec }) => spec?.requiredBy.includes(router.name) ?? false)
        .map(({ name }) => name),
    };
    return routerSettings(router, context, (field, reason) => {
      refusals.push({ path: `routers[${router.name}].${field}`, reason });
    });
  });
  const settings: BundleSettings = {
    election: {
      routers,
      groups: bundle.groups.map(({ name, routers: members, policy }) => ({
        name,
        routers: members,
        policy: policy === SyncPolicy.ANY ? 'any' : 'all',
      })),
      hostNetworks: bundle.hostNetworks.map((network) => hostNetworkSettings(network, refusals)),
    },
    checks: bundle.checks.map((check) => checkSettings(check, refusals)),
    bfdSessions: bundle.bfdSessions.map(sessionSettings),
  };
  return refusals.length > 0 ? { ok: false, refusals } : { ok: true, settings };
}

function hostNetworkSettings({ name, spec }: BundleHostNetwork, refusals: Refusal[]): HostNetworkSettings {
  const refuse = (field: string, reason: string): void => {
    refusals.push({ path: `host_networks[${name}].spec.${field}`, reason });
  };
  const { addresses = [], routes = [], rules = [], announcementLimits = [], interfaceDelays = [] } = spec ?? {};
  return {
    name,
    addresses: addresses.map((address, index) => {
      if (address.device === '') refuse(`addresses[${index}].device`, 'it is empty');
      return addressSettings(address, address.device, (reason) => refuse(`addresses[${index}]`, reason));
    }),
    routes: routes.map((route, index) =>
      routeSettings(route, 4, (field, reason) => refuse(`routes[${index}].${field}`, reason)),
    ),
    rules: rules.map((rule, index) =>
      ruleSettings(rule, 4, (field, reason) => refuse(`rules[${index}].${field}`, reason)),
    ),
    announcementLimits: announcementLimits.map(({ interfaces, arpInterval, neighborInterval }) => ({
      interfaces,
      spacing: { arp: durationToMicros(arpInterval), neighbor: durationToMicros(neighborInterval) },
    })),
    interfaceDelays: interfaceDelays.map((delay) => ({
      interface: delay.interface,
      down: durationToMicros(delay.down),
      up: durationToMicros(delay.up),
    })),
  };
}

function sessionSettings(message: BundleBfdSession): BfdSessionSettings {
  return {
    name: message.name,
    neighbor: message.neighbor,
    ...(message.source === '' ? {} : { source: message.source }),
    ...(message.interface === '' ? {} : { interface: message.interface }),
    minRx: durationToMicros(message.minRx),
    minTx: durationToMicros(message.minTx),
    idleTx: durationToMicros(message.idleTx),
    multiplier: message.multiplier,
    passive: message.passive,
    multihop: message.multihop,
    maxHops: message.maxHops,
  };
}
