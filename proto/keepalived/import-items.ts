/** The virtual routes and rules of a router, which all its hosts must agree on. */
import { Route, Rule } from '../gen/baton/v1/resources.js';
import type { Item, VrrpInstance } from './config.js';
import type { Part } from './import-host.js';
import type { Remarks } from './remarks.js';

/** The first host's; every difference of another is reported. */
export function importRoutes(parts: readonly Part[], remarks: Remarks): Route[] {
  return importItems(parts, 'virtual_routes', ({ routes }) => routes, normalRoute, remarks);
}

/** The first host's; every difference of another is reported. */
export function importRules(parts: readonly Part[], remarks: Remarks): Rule[] {
  return importItems(parts, 'virtual_rules', ({ rules }) => rules, normalRule, remarks);
}

/** Without next hop the member's interface is the default, so that hosts may call it differently. */
function normalRoute(route: Route, instance: VrrpInstance): Route {
  const isDefault = route.via === '' && route.nextHops.length === 0 && route.device === instance.interface;
  return Route.create(isDefault ? { ...route, device: '' } : route);
}

function normalRule(rule: Rule): Rule {
  return Rule.create(rule);
}

function importItems<T>(
  parts: readonly Part[],
  keyword: string,
  list: (instance: VrrpInstance) => readonly Item<T>[],
  normal: (value: T, instance: VrrpInstance) => T,
  remarks: Remarks,
): T[] {
  const first = parts[0]?.instance;
  if (first === undefined) return [];
  const items = list(first).map(({ value }) => normal(value, first));
  const place = `${first.origin.file}:${first.origin.line}`;
  for (const { instance } of parts.slice(1)) {
    const unmatched = new Set(items.map((item) => JSON.stringify(item)));
    for (const { value, origin } of list(instance)) {
      if (unmatched.delete(JSON.stringify(normal(value, instance)))) continue;
      remarks.error(
        origin,
        `${keyword}: this is not among those of ${place}: the members of a router must have the same ones; it is left out`,
      );
    }
    if (unmatched.size > 0) {
      remarks.error(
        instance.origins.get(keyword) ?? instance.origin,
        `${keyword}: ${unmatched.size} of ${place} ${unmatched.size === 1 ? 'is' : 'are'} missing here: the members of a router must have the same ones; taken for all`,
      );
    }
  }
  return items;
}
