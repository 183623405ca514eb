/** Carries out the core's effects, in their order. A failure is counted and told; none is thrown. */
import { assertNever } from '../../proto/rules/assert-never.js';
import { type Instant, MICROS_PER_SECOND } from '../../proto/rules/time.js';
import type { Outcome } from '../net/system-error.js';
import { describeNotice, describeReason, type Effect, type Ipv4 } from '../vrrp/index.js';
import { AdvertisementTemplate } from '../wire/advertisement.js';
import { formatIpv4, VRRP_GROUP } from '../wire/ipv4-address.js';
import type { AddressKeeper } from './address-keeper.js';
import type { Channels } from './channels.js';
import type { ElectionClock } from './edges.js';
import type { Outbox } from './outbox.js';
import type { RunningRouter, WantedAddress } from './running-router.js';
import type { Trouble } from './trouble.js';

/** An active router that hears lower-priority advertisements tells of them at most this often. */
const LOWER_PRIORITY_TOLD_EVERY = MICROS_PER_SECOND;

export interface EffectTools {
  readonly keeper: AddressKeeper;
  readonly channels: Channels;
  readonly outbox: Outbox;
  readonly trouble: Trouble;
  readonly clock: ElectionClock;
}

type Transition = Extract<Effect, { readonly kind: 'transitioned' }>;

export class EffectRunner {
  readonly #renewals = new Set<RunningRouter>();

  constructor(private readonly tools: EffectTools) {}

  run(router: RunningRouter, effect: Effect, now: Instant): void {
    const { keeper, outbox } = this.tools;
    switch (effect.kind) {
      case 'advertise':
        this.#advertise(router, effect.priority, now);
        return;
      case 'addAddresses':
        keeper.add(router);
        return;
      case 'syncAddresses':
        // What is no longer wanted was removed with the change of the settings.
        keeper.add(router, missing(router));
        return;
      case 'removeAddresses':
        this.#renewals.delete(router);
        keeper.remove(router);
        return;
      case 'renewAddresses':
        this.#renewals.add(router);
        return;
      case 'announceAddresses':
        this.announce(router, router.wanted, effect.repeat, now);
        return;
      case 'listenForAnnouncements':
        this.#listen(router, effect.on, now);
        return;
      case 'transitioned':
        this.#transitioned(router, effect);
        return;
      case 'pausedTooLong':
        outbox.tell({ kind: 'leaseLost', router: router.name, away: effect.away });
        return;
      case 'noticed': {
        const { notice, source } = effect;
        router.count(`notices.${notice}`);
        outbox.tell({
          kind: 'notice',
          router: router.name,
          notice,
          ...(source === undefined ? {} : { source: formatIpv4(source) }),
          sentence: describeNotice(notice, source),
        });
        return;
      }
      case 'lowerPriorityHeard':
        this.#lowerPriorityHeard(router, effect.source, effect.priority, now);
        return;
      default:
        assertNever(effect);
    }
  }

  /** At the end of every turn: the leases of all routers that were due in it, together. */
  flush(): void {
    if (this.#renewals.size === 0) return;
    const routers = [...this.#renewals];
    this.#renewals.clear();
    this.tools.keeper.renew(routers);
  }

  /** Adds and announces what an active router wants and does not hold. */
  addMissing(router: RunningRouter, now: Instant): void {
    const addresses = missing(router);
    if (addresses.length === 0) return;
    this.tools.keeper.add(router, addresses);
    this.announce(router, addresses, Math.max(1, router.router.announcements.repeat), now);
  }

  /** Gratuitous ARP, `repeat` rounds over these addresses, each on its own interface. */
  announce(router: RunningRouter, addresses: readonly WantedAddress[], repeat: number, now: Instant): void {
    const byDevice = new Map<string, Ipv4[]>();
    for (const { device, address } of addresses) {
      const others = byDevice.get(device);
      if (others === undefined) byDevice.set(device, [address]);
      else others.push(address);
    }
    for (const [device, announced] of byDevice) {
      const outcome = this.tools.channels.get(device)?.announce(announced, repeat);
      if (outcome === undefined) continue;
      router.count('announcements', announced.length * repeat);
      this.#judge(router, outcome, 'announcements', 'an address could not be announced', device, now);
    }
  }

  #advertise(router: RunningRouter, priority: number, now: Instant): void {
    const channel = this.tools.channels.get(router.settings.interface);
    const templates = templatesOf(router);
    if (channel === undefined || templates.length === 0) {
      router.count('errors.no-source');
      return;
    }
    for (const template of templates) {
      const outcome = channel.send(template.packet(priority), template.destination);
      if (outcome === undefined) {
        router.count('errors.no-socket');
        continue;
      }
      if (outcome.ok) router.count('advertisements-sent');
      const on = `${router.name} on ${channel.name}`;
      this.#judge(router, outcome, 'advertisements', 'an advertisement could not be sent', on, now);
    }
  }

  #judge(router: RunningRouter, outcome: Outcome, of: string, what: string, on: string, now: Instant): void {
    if (outcome.ok) return;
    router.count(`errors.${of}.${outcome.code}`);
    this.tools.trouble.failed(what, on, outcome.message, now);
  }

  #listen(router: RunningRouter, on: boolean, now: Instant): void {
    router.announced.clear();
    for (const device of new Set(router.wanted.map((wanted) => wanted.device))) {
      const outcome = this.tools.channels.get(device)?.listen(router, on);
      if (outcome !== undefined) this.#judge(router, outcome, 'listen', 'cannot listen for announcements', device, now);
    }
  }

  #transitioned(router: RunningRouter, { from, to, reason, effectivePriority }: Transition): void {
    router.count('transitions');
    router.sinceWallMs = this.tools.clock.wallMs();
    router.cause = reason.code;
    router.sentence = describeReason(reason);
    this.tools.outbox.tell({
      kind: 'transition',
      router: router.name,
      vrid: router.router.vrid,
      from,
      to,
      cause: router.cause,
      sentence: router.sentence,
      effectivePriority,
      ...('peer' in reason ? { peer: formatIpv4(reason.peer) } : {}),
    });
  }

  #lowerPriorityHeard(router: RunningRouter, source: Ipv4, priority: number, now: Instant): void {
    router.count('lower-priority-heard');
    const toldAt = router.lowerPriorityToldAt;
    if (toldAt !== undefined && now - toldAt < LOWER_PRIORITY_TOLD_EVERY) return;
    router.lowerPriorityToldAt = now;
    this.tools.outbox.tell({
      kind: 'lowerPriorityHeard',
      router: router.name,
      source: formatIpv4(source),
      priority,
      effectivePriority: router.effectivePriority,
    });
  }
}

function missing(router: RunningRouter): readonly WantedAddress[] {
  return router.wanted.filter(({ key }) => !router.held.has(key));
}

/** One encoded advertisement for each destination; none without a source address. */
function templatesOf(router: RunningRouter): readonly AdvertisementTemplate[] {
  if (router.templates !== undefined) return router.templates;
  const { source, settings } = router;
  if (source === undefined) return [];
  const { version, vrid, advertisementInterval, addresses } = settings.router;
  router.templates = (router.unicastPeers ?? [VRRP_GROUP]).map(
    (destination) =>
      new AdvertisementTemplate({
        version,
        vrid,
        interval: advertisementInterval,
        addresses,
        source,
        destination,
        ...(settings.password === undefined ? {} : { password: settings.password }),
        checksum: settings.checksum,
      }),
  );
  return router.templates;
}
