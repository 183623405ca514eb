/** Names: kinds of resources, and what may be called how. */
import type {
  BfdSessionSpec,
  HostNetworkSpec,
  Resource,
  SyncGroupSpec,
  VirtualRouterSpec,
} from '../gen/baton/v1/resources.js';

/** Name of the oneof case of a resource's spec: "virtualRouter". */
export type SpecCase = NonNullable<Resource['spec']>['$case'];

/** Kinds as YAML and the API write them, by the case of the spec. */
export const KIND_OF_CASE: Readonly<Record<SpecCase, string>> = {
  node: 'Node',
  virtualRouter: 'VirtualRouter',
  check: 'Check',
  receiver: 'Receiver',
  secret: 'Secret',
  syncGroup: 'SyncGroup',
  bfdSession: 'BfdSession',
  hostNetwork: 'HostNetwork',
};

export const KINDS: readonly string[] = Object.values(KIND_OF_CASE);

/** "VirtualRouter"; empty for a resource without spec. */
export function kindOf(resource: Resource): string {
  return resource.spec === undefined ? '' : KIND_OF_CASE[resource.spec.$case];
}

/** The exact kind, whatever the case it is typed in and whether in plural ("virtualrouters"); undefined if there is none. */
export function findKind(text: string): string | undefined {
  const wanted = text.toLowerCase();
  return KINDS.find((kind) => [kind.toLowerCase(), `${kind.toLowerCase()}s`].includes(wanted));
}

/** Label of a VirtualRouter that an import sets: keepalived's name for it, which hooks go on printing. */
export const KEEPALIVED_NAME_LABEL = 'keepalived-name';

/** A virtual router with its name. */
export interface NamedRouter {
  readonly name: string;
  /** What hooks and FIFO lines call it. */
  readonly displayName: string;
  readonly spec: VirtualRouterSpec;
}

/** Every virtual router, sorted by name. */
export function routersOf(resources: readonly Resource[]): readonly NamedRouter[] {
  return resources
    .flatMap(({ metadata, spec }) => {
      if (spec?.$case !== 'virtualRouter') {
        return [];
      }
      const name = metadata?.name ?? '';
      return [{ name, displayName: metadata?.labels[KEEPALIVED_NAME_LABEL] || name, spec: spec.value }];
    })
    .sort((a, b) => compareText(a.name, b.name));
}

/** A sync group with its name. */
export interface NamedGroup {
  readonly name: string;
  /** What hooks and FIFO lines call it. */
  readonly displayName: string;
  readonly spec: SyncGroupSpec;
}

/** Every sync group, sorted by name. */
export function groupsOf(resources: readonly Resource[]): readonly NamedGroup[] {
  return resources
    .flatMap(({ metadata, spec }) => {
      if (spec?.$case !== 'syncGroup') {
        return [];
      }
      const name = metadata?.name ?? '';
      return [{ name, displayName: metadata?.labels[KEEPALIVED_NAME_LABEL] || name, spec: spec.value }];
    })
    .sort((a, b) => compareText(a.name, b.name));
}

/** Every BFD session, sorted by name. */
export function bfdSessionsOf(
  resources: readonly Resource[],
): readonly { readonly name: string; readonly spec: BfdSessionSpec }[] {
  return resources
    .flatMap(({ metadata, spec }) =>
      spec?.$case === 'bfdSession' ? [{ name: metadata?.name ?? '', spec: spec.value }] : [],
    )
    .sort((a, b) => compareText(a.name, b.name));
}

/** Every host network, sorted by name. */
export function hostNetworksOf(
  resources: readonly Resource[],
): readonly { readonly name: string; readonly spec: HostNetworkSpec }[] {
  return resources
    .flatMap(({ metadata, spec }) =>
      spec?.$case === 'hostNetwork' ? [{ name: metadata?.name ?? '', spec: spec.value }] : [],
    )
    .sort((a, b) => compareText(a.name, b.name));
}

/** Order by UTF-16 code units, the same on every machine. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** 1 to 63 characters of a-z, 0-9, "-", "_" and ".", beginning and ending with a letter or digit. */
export function isResourceName(text: string): boolean {
  return /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/.test(text);
}

/** Linux' rule (dev_valid_name): 1 to 15 bytes, not "." or "..", no "/", ":" or white space; here only visible ASCII. */
export function isInterfaceName(text: string): boolean {
  return /^[!-.0-9;-~]{1,15}$/.test(text) && text !== '.' && text !== '..';
}

/** An address label (ip-address(8)): as an interface name, but ":" is welcome. */
export function isAddressLabel(text: string): boolean {
  return /^[!-.0-~]{1,15}$/.test(text);
}

/** A login name that the kernel's users could have. */
export function isUserName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_.-]{0,30}\$?$/.test(text);
}

/** Whether text can be printed in one line without surprise: no control, format (bidirectional) or line separators. */
export function isPlainLine(text: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text);
}
