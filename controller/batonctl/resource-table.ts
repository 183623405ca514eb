/** Resources as tables, one for each kind. Pure. */
import {
  type CheckSpec,
  type Resource,
  SyncPolicy,
  type Track,
  type VirtualRouterSpec,
} from '../../proto/gen/baton/v1/resources.js';
import { assertNever } from '../../proto/rules/assert-never.js';
import { bfdWithDefaults, familyOfRouter, virtualMacAddressOf } from '../../proto/rules/defaults.js';
import { durationToMicros, formatDuration } from '../../proto/rules/duration.js';
import { KIND_OF_CASE, kindOf } from '../../proto/rules/names.js';
import { ageOf } from './ages.js';
import { renderTable, type TableOptions } from './table.js';

type Spec = NonNullable<Resource['spec']>;

/** A table for each kind that occurs, in the order of the kinds, with its name above when there are several. */
export function renderResources(resources: readonly Resource[], now: number, options: TableOptions = {}): string[] {
  const kinds = Object.values(KIND_OF_CASE).filter((kind) => resources.some((one) => kindOf(one) === kind));
  return kinds.flatMap((kind, index) => {
    const ours = resources.filter((one) => kindOf(one) === kind);
    const table = renderTable(
      ['NAME', ...headOf(ours[0]?.spec), 'GENERATION', 'AGE'],
      ours.map(({ metadata, spec }) => [
        metadata?.name ?? '',
        ...cellsOf(spec, metadata?.labels ?? {}),
        String(metadata?.generation ?? 0),
        ageOf(metadata?.createdAt, now),
      ]),
      options,
    );
    return kinds.length === 1 ? table : [...(index === 0 ? [] : ['']), kind, ...table];
  });
}

function headOf(spec: Spec | undefined): string[] {
  switch (spec?.$case) {
    case undefined:
    case 'secret':
      return [];
    case 'node':
      return ['LABELS', 'ID'];
    case 'virtualRouter':
      return ['VRID', 'VERSION', 'FAMILY', 'ADDRESSES', 'MEMBERS', 'TRACKS', 'MAC', 'RECEIVERS'];
    case 'check':
      return ['KIND', 'SUBJECT', 'INTERVAL', 'TIMEOUT', 'RISE', 'FALL'];
    case 'receiver':
      return ['SERVER', 'SECURITY', 'FROM', 'TO'];
    case 'syncGroup':
      return ['ROUTERS', 'POLICY', 'TRACKS', 'RECEIVERS'];
    case 'bfdSession':
      return ['ENDPOINTS', 'MULTIHOP', 'MIN-TX', 'MULTIPLIER'];
    case 'hostNetwork':
      return ['NODES', 'ADDRESSES', 'ROUTES', 'RULES', 'REQUIRED-BY'];
    default:
      return assertNever(spec);
  }
}

function cellsOf(spec: Spec | undefined, labels: Readonly<Record<string, string>>): string[] {
  switch (spec?.$case) {
    case undefined:
    case 'secret':
      return [];
    case 'node':
      return [list(Object.entries(labels).map(([key, value]) => `${key}=${value}`)), spec.value.id];
    case 'virtualRouter':
      return routerCells(spec.value);
    case 'check': {
      const { kind, interval, timeout, rise, fall } = spec.value;
      return [
        kind?.$case ?? '-',
        subjectOf(kind),
        span(interval, '1s'),
        span(timeout ?? interval, '1s'),
        String(rise || 1),
        String(fall || 1),
      ];
    }
    case 'receiver': {
      const email = spec.value.kind?.value;
      if (email === undefined) return ['-', '-', '-', '-'];
      const security = email.security.replace(/^MAIL_SECURITY_/u, '').toLowerCase();
      return [
        email.port === 0 ? email.host : `${email.host}:${email.port}`,
        security === 'unspecified' ? 'starttls' : security,
        email.from,
        list(email.to),
      ];
    }
    case 'syncGroup': {
      const { routers, policy, track, receivers } = spec.value;
      return [list(routers), policy === SyncPolicy.ANY ? 'any' : 'all', list(track.map(trackCell)), list(receivers)];
    }
    case 'bfdSession': {
      const { endpoints, multihop } = spec.value;
      const { minTx, multiplier } = bfdWithDefaults(spec.value);
      return [
        list(endpoints.map(({ node, neighbor }) => `${node}>${neighbor}`)),
        multihop ? 'yes' : 'no',
        span(minTx, '10ms'),
        String(multiplier),
      ];
    }
    case 'hostNetwork': {
      const { nodes, addresses, routes, rules, requiredBy } = spec.value;
      return [
        list(nodes),
        list(addresses.map(({ address }) => address)),
        String(routes.length),
        String(rules.length),
        list(requiredBy),
      ];
    }
    default:
      return assertNever(spec);
  }
}

function routerCells(spec: VirtualRouterSpec): string[] {
  const { vrid, version, addresses, members, track, receivers, virtualMac } = spec;
  return [
    String(vrid),
    String(version || 3),
    familyOfRouter(spec) === 6 ? 'IPv6' : 'IPv4',
    list(addresses.map(({ address }) => address)),
    list(members.map(({ node, priority }) => `${node}:${priority || 100}`)),
    list(track.map(trackCell)),
    virtualMac === undefined ? '-' : virtualMacAddressOf(spec),
    list(receivers),
  ];
}

function trackCell({ check, interface: name, bfd, route, weight }: Track): string {
  const subject = check || name || (bfd === '' ? `route ${route}` : `bfd ${bfd}`);
  return `${subject}${weight === 0 ? '' : `(${weight > 0 ? '+' : ''}${weight})`}`;
}

/** What a check runs or looks at, in a few words. */
function subjectOf(kind: CheckSpec['kind']): string {
  switch (kind?.$case) {
    case undefined:
      return '-';
    case 'exec':
      return list(kind.value.command, ' ');
    case 'http':
      return `${kind.value.method || 'GET'} ${kind.value.url}`;
    case 'tcp':
    case 'grpc':
      return hostPort(kind.value.host, kind.value.port);
    case 'dns':
      return `${kind.value.name || '.'} ${kind.value.type || 'SOA'} at ${kind.value.server}`;
    case 'ping':
      return kind.value.host;
    case 'process':
      return list([kind.value.name, ...kind.value.arguments], ' ');
    case 'file':
      return kind.value.path;
    default:
      return assertNever(kind);
  }
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function span(duration: Parameters<typeof durationToMicros>[0], otherwise: string): string {
  return duration === undefined ? otherwise : formatDuration(durationToMicros(duration));
}

function list(items: readonly string[], separator = ', '): string {
  return items.length === 0 ? '-' : items.join(separator);
}
