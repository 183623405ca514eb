/**
 * What network checks may reach. A check sends requests from this host at a controller's wish and its status shows the
 * beginning of the answer, so it could be used to look into what only this host reaches. Unless the owner lists
 * targets, requests that only read may go anywhere but to a cloud's metadata service.
 */
import { domainToASCII } from 'node:url';
import type { BundleCheck } from '../../proto/gen/baton/v1/bundle.js';
import type { CheckSpec } from '../../proto/gen/baton/v1/resources.js';
import { type IpAddress, type IpPrefix, parseIp, parseIpPrefix, prefixContains } from '../../proto/rules/ip.js';

/** RFC 9110 section 9.2.1. */
const SAFE_METHODS: readonly string[] = ['', 'GET', 'HEAD', 'OPTIONS'];
/** Where clouds hand out credentials to whoever asks from the host: most of them, then containers', Azure's, Alibaba's. */
const METADATA: readonly IpPrefix[] = [
  '169.254.169.254/32',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
  '169.254.170.2/32',
  '169.254.170.23/32',
  'fd00:ec2::23/128',
  '168.63.129.16/32',
  '100.100.100.200/32',
].flatMap((text) => parseIpPrefix(text) ?? []);
/** What they are called. */
const METADATA_NAMES: readonly string[] = ['metadata.google.internal', 'metadata.goog', 'instance-data.ec2.internal'];

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
  const address = addressOf(target);
  if (isMetadataAddress(address) || METADATA_NAMES.includes(target.replace(/\.$/u, ''))) {
    return `${target} is a cloud's metadata service, which hands out credentials; ${how}`;
  }
  if (spec?.kind?.$case !== 'http') return undefined;
  const { method, body } = spec.kind.value;
  if (!SAFE_METHODS.includes(method)) return `a ${method} request may change something at ${target}; ${how}`;
  // A server that looks for no body after GET takes it for the next request, of any method.
  if (body !== '') return `a request with a body may change something at ${target}; ${how}`;
  return undefined;
}

/**
 * Why an address that a name leads to may not be asked; absent when it may. A name that the owner lists may lead anywhere.
 *
 * @param rules Of policy.probes.
 */
export function resolvedRefusal(name: string, address: string, rules: readonly string[]): string | undefined {
  if (rules.length > 0 || !isMetadataAddress(addressOf(address))) return undefined;
  return `${name} leads to ${address}, a cloud's metadata service, which hands out credentials; list "${name}" in policy.probes of this host's agent.yaml to allow it`;
}

function isMetadataAddress(address: IpAddress | undefined): boolean {
  return address !== undefined && METADATA.some((prefix) => prefixContains(prefix, address));
}

/**
 * The address that a host stands for, if it is one, as the host's resolver reads it: 2852039166 and 0xa9.254.43518 are
 * IPv4 addresses to it. One mapped into IPv6 is the IPv4 address that is asked; a zone is not looked at.
 */
function addressOf(host: string): IpAddress | undefined {
  const text = host.includes(':') ? host.replace(/%.*$/u, '') : domainToASCII(host);
  const address = parseIp(text);
  return typeof address === 'bigint' && address >> 32n === 0xffffn ? Number(address & 0xffff_ffffn) : address;
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
  const address = addressOf(target);
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
