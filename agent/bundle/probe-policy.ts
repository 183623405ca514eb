/**
 * What network checks may reach. A check sends requests from this host at a controller's wish and its status shows the
 * beginning of the answer, so it could be used to look into what only this host reaches. Unless the owner lists
 * targets, requests that only read may go anywhere but to a cloud's metadata service.
 */
import type { BundleCheck } from '../../proto/gen/baton/v1/bundle.js';
import type { CheckSpec } from '../../proto/gen/baton/v1/resources.js';
import { type IpPrefix, parseIp, parseIpPrefix, prefixContains } from '../../proto/rules/ip.js';

/** RFC 9110 section 9.2.1. */
const SAFE_METHODS: readonly string[] = ['', 'GET', 'HEAD', 'OPTIONS'];
/** Where clouds hand out credentials to whoever asks from the host. */
const METADATA: readonly IpPrefix[] = ['169.254.169.254/32', 'fd00:ec2::254/128', 'fd20:ce::254/128'].flatMap(
  (text) => parseIpPrefix(text) ?? [],
);

/** Why a check may not be run as it is; absent when it may. @param rules Of policy.probes. */
export function probeRefusal({ spec }: BundleCheck, rules: readonly string[]): string | undefined {
  const target = targetOf(spec?.kind);
  if (target === undefined) return undefined;
  if (rules.length > 0) {
    return rules.some((rule) => matchesTarget(rule, target))
      ? undefined
      : `${target} is not allowed by policy.probes in this host's agent.yaml (${rules.join(', ')})`;
  }
  const how = `list "${target}" in policy.probes of this host's agent.yaml to allow it`;
  const address = parseIp(target);
  if (address !== undefined && METADATA.some((prefix) => prefixContains(prefix, address))) {
    return `${target} is a cloud's metadata service, which hands out credentials; ${how}`;
  }
  if (spec?.kind?.$case === 'http' && !SAFE_METHODS.includes(spec.kind.value.method)) {
    return `a ${spec.kind.value.method} request may change something at ${target}; ${how}`;
  }
  return undefined;
}

/** Host that the check connects to, in lower case; absent: it connects to none. */
function targetOf(kind: CheckSpec['kind']): string | undefined {
  switch (kind?.$case) {
    case 'http': {
      const { url, connectTo } = kind.value;
      return (connectTo || hostOf(url)).toLowerCase();
    }
    case 'tcp':
    case 'grpc':
    case 'ping':
      return kind.value.host.toLowerCase();
    case 'dns':
      return kind.value.server.toLowerCase();
    default:
      return undefined;
  }
}

/** The URL's host as the request's own parser has it, so that 0x7f.1 is judged as the address that it is. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/gu, '') : url;
}

/** An address lies in a prefix; a name is the rule, or with "*." in front ends like it. */
function matchesTarget(rule: string, target: string): boolean {
  const prefix = parseIpPrefix(rule);
  const address = parseIp(target);
  if (prefix !== undefined || address !== undefined) {
    return prefix !== undefined && address !== undefined && prefixContains(prefix, address);
  }
  const wanted = rule.toLowerCase();
  return wanted.startsWith('*.') ? target.endsWith(wanted.slice(1)) : target === wanted;
}

/** What in the rules can never match. */
export function mistakesInProbes(rules: readonly string[]): string[] {
  return rules
    .filter(
      (rule) => parseIpPrefix(rule) === undefined && !/^(\*\.)?[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?\.?$/iu.test(rule),
    )
    .map((rule) => `policy.probes: "${rule}" is neither a prefix nor a host name`);
}
