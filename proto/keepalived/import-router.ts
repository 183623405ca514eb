/** One virtual router from the instances that several hosts have of it. */
import {
  Announcements,
  AuthenticationType,
  ChecksumForm,
  Hooks,
  Lease,
  type Member,
  type Resource,
  Transport,
  VirtualRouterSpec,
} from '../gen/baton/v1/resources.js';
import { microsToDuration } from '../rules/duration.js';
import { KEEPALIVED_NAME_LABEL } from '../rules/names.js';
import { MICROS_PER_SECOND } from '../rules/time.js';
import type { GarpSettings, VrrpInstance } from './config.js';
import { importAddresses } from './import-addresses.js';
import type { ImportedChecks } from './import-checks.js';
import { importCommand } from './import-command.js';
import type { Part } from './import-host.js';
import type { ImportedReceivers } from './import-mail.js';
import { importTracks } from './import-tracks.js';
import { importTransport } from './import-transport.js';
import { joinedName } from './names.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';
import { showSeconds } from './values.js';

/** The router, and the Secret of its password if it has one. */
export function importRouter(
  name: string,
  parts: readonly [Part, ...Part[]],
  checks: ImportedChecks,
  receivers: ImportedReceivers,
  remarks: Remarks,
): { readonly router: Resource; readonly secret: Resource | undefined } {
  const first = parts[0].instance;
  const secretName = joinedName(name, 'vrrp');
  const password = agreed(parts, 'authentication', (instance) => instance.password, undefined, remarks);
  const version = agreed(parts, 'version', (instance) => instance.version, String, remarks);
  const spec: VirtualRouterSpec = VirtualRouterSpec.create({
    vrid: first.vrid,
    version,
    advertisementInterval: microsToDuration(
      agreed(parts, 'advert_int', (instance) => instance.advertisementInterval, showSeconds, remarks),
    ),
    preempt: parts.every((part) => !part.instance.preempt) ? false : undefined,
    preemptDelay: undefined,
    authentication:
      password === undefined ? undefined : { type: AuthenticationType.PASS, secret: secretName, hmac: undefined },
    transport: Transport.MULTICAST,
    addresses: importAddresses(parts, remarks),
    members: parts.map((part) => memberOf(part)),
    track: [],
    hooks: undefined,
    receivers: receiversOf(parts, receivers, remarks),
    announcements: announcementsOf(agreedGarp(parts, remarks)),
    checksum: checksumOf(parts, version, remarks),
    lease: Lease.UNSPECIFIED,
    strictRfc: false,
    externalPeers: [],
  });
  settlePreempt(parts, spec);
  importTransport(parts, spec, remarks);
  importTracks(parts, checks, spec);
  settleHooks(parts, spec, remarks);
  reportNames(name, parts, remarks);
  const metadata = { generation: 0, createdAt: undefined, updatedAt: undefined };
  return {
    router: {
      metadata: { ...metadata, name, labels: { [KEEPALIVED_NAME_LABEL]: first.name } },
      spec: { $case: 'virtualRouter', value: spec },
    },
    secret:
      password === undefined
        ? undefined
        : {
            metadata: { ...metadata, name: secretName, labels: {} },
            spec: { $case: 'secret', value: { value: password } },
          },
  };
}

function memberOf({ host, instance }: Part): Member {
  return {
    node: host.node,
    interface: instance.interface,
    priority: instance.priority,
    address: '',
    preempt: undefined,
    preemptDelay: undefined,
    hooks: undefined,
    track: [],
  };
}

/** The first host's value; others that differ are errors. Without `show` the values stay unnamed (passwords). */
function agreed<T>(
  parts: readonly [Part, ...Part[]],
  keyword: string,
  get: (instance: VrrpInstance) => T,
  show: ((value: T) => string) | undefined,
  remarks: Remarks,
): T {
  const first = parts[0].instance;
  const value = get(first);
  for (const { instance } of parts.slice(1)) {
    const other = get(instance);
    if (other === value) continue;
    const values = show === undefined ? '' : `: ${show(other)} here, ${show(value)} there`;
    remarks.error(
      placeOf(instance, keyword),
      `${keyword} of ${quoted(instance.name)} differs from that in ${showPlace(placeOf(first, keyword))}${values}; routers that differ in it do not hear each other or do not agree, the latter is taken`,
    );
  }
  return value;
}

function placeOf(instance: VrrpInstance, keyword: string): Origin {
  return instance.origins.get(keyword) ?? instance.origin;
}

function showPlace(origin: Origin): string {
  return `${origin.file}:${origin.line}`;
}

/** What all have stands in the router, what only some have in their members. */
function settlePreempt(parts: readonly Part[], spec: VirtualRouterSpec): void {
  const delays = new Set(parts.map((part) => part.instance.preemptDelay));
  const common = delays.size === 1 ? [...delays][0] : undefined;
  if (common !== undefined && common > 0) spec.preemptDelay = microsToDuration(common);
  for (const [index, { instance }] of parts.entries()) {
    const member = spec.members[index];
    if (member === undefined) continue;
    if (spec.preempt === undefined && !instance.preempt) member.preempt = false;
    if (common === undefined && instance.preemptDelay > 0)
      member.preemptDelay = microsToDuration(instance.preemptDelay);
  }
}

function settleHooks(parts: readonly Part[], spec: VirtualRouterSpec, remarks: Remarks): void {
  const hooks = parts.map((part) => hooksOf(part, remarks));
  const contents = new Set(hooks.map((entry) => JSON.stringify(entry)));
  if (contents.size === 1) {
    spec.hooks = hooks[0];
    return;
  }
  for (const [index, entry] of hooks.entries()) {
    const member = spec.members[index];
    if (member !== undefined) member.hooks = entry;
  }
}

function hooksOf({ host, instance }: Part, remarks: Remarks): Hooks | undefined {
  const { notifyFifo, vrrpNotifyFifo } = host.config.global;
  const fifo = vrrpNotifyFifo ?? notifyFifo;
  const command = (source: VrrpInstance['hooks']['any']): Hooks['any'] =>
    importCommand(source, host.findProgram, remarks);
  const { master, backup, fault, stop, any } = instance.hooks;
  if ([master, backup, fault, stop, any, fifo].every((entry) => entry === undefined)) return undefined;
  return Hooks.create({
    active: command(master),
    backup: command(backup),
    fault: command(fault),
    stop: command(stop),
    any: command(any),
    fifo: fifo?.value ?? '',
  });
}

function receiversOf(parts: readonly Part[], receivers: ImportedReceivers, remarks: Remarks): string[] {
  const names = new Set<string>();
  const alerting = parts.filter((part) => part.instance.smtpAlert);
  for (const { host, instance } of alerting) {
    const name = receivers.nameOf(host);
    if (name !== undefined) names.add(name);
    else {
      remarks.note(
        placeOf(instance, 'smtp_alert'),
        'smtp_alert: the file has no smtp_server with notification_email, so no mail is sent, by keepalived and by Baton',
      );
    }
  }
  const silent = parts.find((part) => !part.instance.smtpAlert);
  if (names.size > 0 && silent !== undefined) {
    remarks.warning(
      silent.instance.origin,
      `${quoted(silent.instance.name)} has no smtp_alert, unlike other hosts' instances; the controller mails state changes on all of them`,
    );
  }
  return [...names];
}

function agreedGarp(parts: readonly [Part, ...Part[]], remarks: Remarks): GarpSettings {
  const first = parts[0].instance;
  for (const { instance } of parts.slice(1)) {
    if (JSON.stringify(instance.garp) === JSON.stringify(first.garp)) continue;
    remarks.warning(
      instance.origin,
      `garp settings of ${quoted(instance.name)} differ from those in ${showPlace(first.origin)}, which are taken for all members`,
    );
  }
  return first.garp;
}

/** Undefined when all are the defaults that keepalived and Baton share. */
function announcementsOf(garp: GarpSettings): Announcements | undefined {
  const five = 5 * MICROS_PER_SECOND;
  const announcements = Announcements.create({
    repeat: garp.masterRepeat === 5 ? undefined : garp.masterRepeat,
    delay: garp.masterDelay === five ? undefined : microsToDuration(garp.masterDelay),
    refresh: garp.masterRefresh === 0 ? undefined : microsToDuration(garp.masterRefresh),
    refreshRepeat: garp.masterRefreshRepeat === 1 ? undefined : garp.masterRefreshRepeat,
    lowerPriorityRepeat: garp.lowerPriorityRepeat === garp.masterRepeat ? undefined : garp.lowerPriorityRepeat,
    lowerPriorityDelay:
      garp.lowerPriorityDelay === garp.masterDelay ? undefined : microsToDuration(garp.lowerPriorityDelay),
  });
  return Object.values(announcements).every((value) => value === undefined || value === false)
    ? undefined
    : announcements;
}

/** keepalived sends the pseudo-header form in version 3 unless v3_checksum_as_v2 is set. */
function checksumOf(parts: readonly [Part, ...Part[]], version: 2 | 3, remarks: Remarks): ChecksumForm {
  if (version === 2) return ChecksumForm.UNSPECIFIED;
  const without = agreed(
    parts,
    'v3_checksum_as_v2',
    (instance) => instance.checksumWithoutPseudoHeader,
    String,
    remarks,
  );
  return without ? ChecksumForm.MESSAGE_ONLY : ChecksumForm.PSEUDO_HEADER;
}

function reportNames(name: string, parts: readonly [Part, ...Part[]], remarks: Remarks): void {
  const first = parts[0].instance;
  if (name !== first.name) {
    remarks.note(
      first.origin,
      `vrrp_instance ${quoted(first.name)} is router ${name} in Baton; label ${KEEPALIVED_NAME_LABEL} keeps its name for notify scripts and FIFO readers`,
    );
  }
  for (const { instance } of parts.slice(1)) {
    if (instance.name === first.name) continue;
    remarks.warning(
      instance.origin,
      `vrrp_instance ${quoted(instance.name)} is the same router as ${quoted(first.name)} in ${showPlace(first.origin)} (VRID ${first.vrid}, same addresses); notify scripts and FIFO readers get the latter name`,
    );
  }
}
