/** One virtual router from the instances that several hosts have of it. */
import {
  type Announcements,
  ChecksumForm,
  type Hooks,
  Lease,
  Member,
  type Resource,
  Transport,
  VirtualRouterSpec,
} from '../gen/baton/v1/resources.js';
import { type DurationMessage, microsToDuration } from '../rules/duration.js';
import { KEEPALIVED_NAME_LABEL } from '../rules/names.js';
import { MICROS_PER_SECOND, type Micros } from '../rules/time.js';
import { agreed, type Parts, placeOf, showPlace } from './agreement.js';
import type { GarpSettings, VrrpInstance } from './config.js';
import { importAddresses } from './import-addresses.js';
import { type ImportedSecret, importAuthentication } from './import-authentication.js';
import { importHooks } from './import-hooks.js';
import type { Part } from './import-host.js';
import { importRoutes, importRules } from './import-items.js';
import type { ImportedReceivers } from './import-mail.js';
import { type ImportedTracked, importTracks } from './import-tracks.js';
import { importTransport } from './import-transport.js';
import { quoted, type Remarks } from './remarks.js';
import { showSeconds } from './values.js';

/** What a router refers to. */
export interface RouterSurroundings {
  readonly tracked: ImportedTracked;
  readonly receivers: ImportedReceivers;
}

/** The router, and the Secrets of its password or keys. */
export function importRouter(
  name: string,
  parts: Parts,
  { tracked, receivers }: RouterSurroundings,
  remarks: Remarks,
): { readonly router: Resource; readonly spec: VirtualRouterSpec; readonly secrets: readonly ImportedSecret[] } {
  const first = parts[0].instance;
  const version = agreed(parts, 'version', (instance) => instance.version, String, remarks);
  const { authentication, secrets } = importAuthentication(name, parts, remarks);
  const addresses = importAddresses(parts, 'addresses', remarks);
  const spec = VirtualRouterSpec.create({
    vrid: first.vrid,
    version,
    advertisementInterval: microsToDuration(
      agreed(parts, 'advert_int', (instance) => instance.advertisementInterval, showSeconds, remarks),
    ),
    ...(parts.every((part) => !part.instance.preempt) ? { preempt: false } : {}),
    ...(authentication === undefined ? {} : { authentication }),
    transport: Transport.MULTICAST,
    addresses,
    members: parts.map((part) => memberOf(part)),
    receivers: receiversOf(parts, receivers, remarks),
    checksum: checksumOf(parts, version, remarks),
    lease: Lease.UNSPECIFIED,
    excludedAddresses: importAddresses(parts, 'excludedAddresses', remarks),
    noAddresses: addresses.length === 0,
    routes: importRoutes(parts, remarks),
    rules: importRules(parts, remarks),
  });
  spec.announcements = announcementsOf(agreedGarp(parts, remarks));
  settlePreempt(parts, spec);
  settleSwitches(parts, spec, remarks);
  importTransport(parts, spec, remarks);
  importTracks(parts, tracked, spec);
  settleHooks(parts, spec, remarks);
  reportNames(name, parts, remarks);
  return {
    router: {
      metadata: {
        name,
        labels: { [KEEPALIVED_NAME_LABEL]: first.name },
        generation: 0,
        createdAt: undefined,
        updatedAt: undefined,
      },
      spec: { $case: 'virtualRouter', value: spec },
    },
    spec,
    secrets,
  };
}

function memberOf({ host, instance }: Part): Member {
  return Member.create({ node: host.node, interface: instance.interface, priority: instance.priority });
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
  if (
    instance.priorityChanges &&
    host.config.global.notifyFifo === undefined &&
    host.config.global.vrrpNotifyFifo === undefined
  ) {
    remarks.note(
      placeOf(instance, 'notify_priority_changes'),
      'notify_priority_changes: the file has no notify_fifo, so nobody is told of them, by keepalived and by Baton',
    );
  }
  return importHooks(host, instance.hooks, instance.priorityChanges, remarks);
}

/** Settings that a router has once for all of its members. What they change decides how much a difference matters. */
function settleSwitches(parts: Parts, spec: VirtualRouterSpec, remarks: Remarks): void {
  const one = <T>(keyword: string, get: (instance: VrrpInstance) => T, severity: 'error' | 'warning'): T =>
    agreed(parts, keyword, get, (value) => String(value), remarks, severity);
  spec.multicastGroup = one('mcast_dst_ip', (instance) => instance.multicastGroup ?? '', 'error');
  if (!one('accept', (instance) => instance.accept, 'error')) spec.accept = false;
  const downTimer = one('down_timer_adverts', (instance) => instance.downTimerAdverts, 'error');
  if (downTimer !== 3) spec.downTimerAdvertisements = downTimer;
  spec.lowerPriorityNoAdvertisement = one(
    'lower_prio_no_advert',
    (instance) => instance.lowerPriorityNoAdvert,
    'warning',
  );
  spec.higherPrioritySendAdvertisement = one(
    'higher_prio_send_advert',
    (instance) => instance.higherPrioritySendAdvert,
    'warning',
  );
  // Only the member with priority 255 says anything here, and it is the only one that it means anything to.
  spec.ownerIgnoreAdvertisements = parts.some(({ instance }) => instance.ownerIgnoresAdverts);
  spec.timerExpiredBackup = one('timer_expired_backup', (instance) => instance.timerExpiredBackup, 'warning');
  spec.promoteSecondaries = one('promote_secondaries', (instance) => instance.promoteSecondaries, 'warning');
  const startupDelay = one('vrrp_startup_delay', (instance) => instance.startupDelay, 'warning');
  if (startupDelay > 0) spec.startupDelay = microsToDuration(startupDelay);
  const bootDelay = one('vrrp_delay_after_boot', (instance) => instance.bootDelay, 'warning');
  if (bootDelay > 0) spec.bootDelay = microsToDuration(bootDelay);
  spec.untrackedInterface = one('dont_track_primary', (instance) => instance.untrackedInterface, 'warning');
  const hasMac = one('use_vmac', (instance) => instance.virtualMac !== undefined, 'error');
  if (!hasMac) return;
  const show = (value: string | undefined): string => value ?? 'the usual one';
  spec.virtualMac = {
    name: agreed(parts, 'use_vmac', ({ virtualMac }) => virtualMac?.name, show, remarks, 'warning') ?? '',
    address: agreed(parts, 'use_vmac', ({ virtualMac }) => virtualMac?.address, show, remarks, 'error') ?? '',
    transmitOnBase: one('vmac_xmit_base', ({ virtualMac }) => virtualMac?.transmitOnBase ?? false, 'warning'),
  };
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

function agreedGarp(parts: Parts, remarks: Remarks): GarpSettings {
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
  const span = (value: Micros): DurationMessage | undefined => (value === 0 ? undefined : microsToDuration(value));
  const announcements: Announcements = {
    repeat: garp.masterRepeat === 5 ? undefined : garp.masterRepeat,
    delay: garp.masterDelay === five ? undefined : microsToDuration(garp.masterDelay),
    refresh: garp.masterRefresh === 0 ? undefined : microsToDuration(garp.masterRefresh),
    refreshRepeat: garp.masterRefreshRepeat === 1 ? undefined : garp.masterRefreshRepeat,
    lowerPriorityRepeat: garp.lowerPriorityRepeat === garp.masterRepeat ? undefined : garp.lowerPriorityRepeat,
    lowerPriorityDelay:
      garp.lowerPriorityDelay === garp.masterDelay ? undefined : microsToDuration(garp.lowerPriorityDelay),
    arpInterval: span(garp.arpInterval),
    neighborInterval: span(garp.neighborInterval),
    extraRefresh: span(garp.extraRefresh),
    extraRefreshAll: garp.extraRefresh > 0 && garp.extraRefreshAll,
  };
  return Object.values(announcements).every((value) => value === undefined || value === false)
    ? undefined
    : announcements;
}

/** keepalived sends the pseudo-header form in version 3 unless v3_checksum_as_v2 is set. */
function checksumOf(parts: Parts, version: 2 | 3, remarks: Remarks): ChecksumForm {
  if (version === 2 || parts[0].instance.family === 6) return ChecksumForm.UNSPECIFIED;
  const without = agreed(
    parts,
    'v3_checksum_as_v2',
    (instance) => instance.checksumWithoutPseudoHeader,
    String,
    remarks,
  );
  return without ? ChecksumForm.MESSAGE_ONLY : ChecksumForm.PSEUDO_HEADER;
}

function reportNames(name: string, parts: Parts, remarks: Remarks): void {
  const first = parts[0].instance;
  if (name !== first.name.toLowerCase()) {
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
