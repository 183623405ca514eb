/** Settings of routes and rules for tests: everything has a default. */
import type { RouteSettings, RuleSettings } from '../../agent/runtime/messages.js';
import { formatIp, parseIpPrefix } from '../../proto/rules/ip.js';

export function prefix(text: string): { readonly address: string; readonly prefixLength: number } {
  const parsed = parseIpPrefix(text);
  if (parsed === undefined) throw new TypeError(`${text} is not a prefix`);
  return { address: formatIp(parsed.address), prefixLength: parsed.prefixLength };
}

/** @param to prefix, or "default" */
export function route(to: string, more: Partial<RouteSettings> = {}): RouteSettings {
  const destination = to === 'default' ? undefined : prefix(to);
  return {
    text: to,
    family: destination?.address.includes(':') === true ? 6 : 4,
    type: 1,
    ...(destination === undefined ? {} : { to: destination }),
    table: 254,
    protocol: 18,
    tos: 0,
    onLink: false,
    nextHops: [],
    metrics: [],
    lockedMetrics: 0,
    append: false,
    noTrack: false,
    ...more,
  };
}

export function rule(text: string, more: Partial<RuleSettings> = {}): RuleSettings {
  return { text, family: 4, not: false, tos: 0, l3mdev: false, action: 1, table: 100, noTrack: false, ...more };
}
