/**
 * Keeps virtual routing rules in the kernel: added after the routes, removed before them. A rule without a priority gets
 * one from the kernel, and is known by everything else of it.
 */
import type { Instant } from '../../proto/rules/time.js';
import { isRequestedRule, type Rtnetlink, RtnetlinkError, type Rule, type RuleRequest } from '../link/rtnetlink.js';
import { OK, type Outcome } from '../net/system-error.js';
import { type Asked, ItemKeeper, type ItemKernel } from './item-keeper.js';
import type { RuleSettings } from './messages.js';
import type { Outbox } from './outbox.js';
import { prefixOf } from './route-keeper.js';
import type { RunningRouter } from './running-router.js';

/**
 * RTPROT_KEEPALIVED of linux/rtnetlink.h, which stands for VRRP in ip-rule(8): those of other programs and of the
 * administrator are never taken for ours.
 */
export const RULE_PROTOCOL = 18;

type RuleCalls = Pick<Rtnetlink, 'changeRules' | 'rules'>;

export class RuleKeeper {
  readonly items: ItemKeeper<RuleSettings, RuleRequest>;

  constructor(kernel: RuleCalls, outbox: Outbox) {
    this.items = new ItemKeeper(new RuleKernel(kernel), outbox);
  }

  /** Adds a router's rules, or after a change of its settings what is new; what it no longer wants is removed. */
  sync(router: RunningRouter): void {
    this.items.sync(router, router.settings.rules);
    this.#mirror(router);
  }

  remove(router: RunningRouter): void {
    this.items.remove(router);
    router.heldRules.clear();
  }

  /** Puts back what is no longer there. True: one is lost, as ItemKeeper.restore says. */
  restore(router: RunningRouter, now: Instant): boolean {
    const isLost = this.items.restore(router, router.settings.rules, now);
    this.#mirror(router);
    return isLost;
  }

  removeLeftovers(router: RunningRouter): void {
    this.items.removeLeftovers(router, router.settings.rules);
  }

  #mirror(router: RunningRouter): void {
    router.heldRules.clear();
    for (const { text } of router.settings.rules) if (this.items.isHeld(router, text)) router.heldRules.add(text);
  }
}

class RuleKernel implements ItemKernel<RuleSettings, RuleRequest> {
  readonly kind = 'rule';

  constructor(private readonly kernel: RuleCalls) {}

  ask(settings: RuleSettings): Asked<RuleRequest> {
    const { text: _text, noTrack: _noTrack, from, to, ...rest } = settings;
    const source = prefixOf(from);
    const destination = prefixOf(to);
    return {
      ok: true,
      request: {
        ...rest,
        ...(source === undefined ? {} : { from: source }),
        ...(destination === undefined ? {} : { to: destination }),
        protocol: RULE_PROTOCOL,
      },
    };
  }

  /** The kernel would add a rule without a priority again and again: what is there is looked up. */
  add(requests: readonly RuleRequest[]): readonly Outcome[] {
    let there: readonly Rule[];
    try {
      there = this.kernel.rules();
    } catch (error) {
      if (!(error instanceof RtnetlinkError)) throw error;
      const { code, errno, message } = error;
      return requests.map(() => ({ ok: false, code, errno, message }));
    }
    const absent = requests.filter((request) => !there.some((rule) => isRequestedRule(request, rule)));
    const added = absent.length === 0 ? [] : this.kernel.changeRules('add', absent);
    return requests.map((request) => {
      const index = absent.indexOf(request);
      return index < 0 ? EXISTS : (added[index] ?? EXISTS);
    });
  }

  claim(requests: readonly RuleRequest[]): readonly Outcome[] {
    return this.add(requests).map((outcome) => (!outcome.ok && outcome.code === 'EEXIST' ? OK : outcome));
  }

  remove(requests: readonly RuleRequest[]): readonly Outcome[] {
    return this.removeLeft(requests).map((outcome) => (!outcome.ok && outcome.code === 'ENOENT' ? OK : outcome));
  }

  isThere(request: RuleRequest): boolean {
    try {
      return this.kernel.rules().some((rule) => isRequestedRule(request, rule));
    } catch (error) {
      if (!(error instanceof RtnetlinkError)) throw error;
      return false;
    }
  }

  removeLeft(requests: readonly RuleRequest[]): readonly Outcome[] {
    return this.kernel.changeRules('delete', requests);
  }
}

const EXISTS: Outcome = { ok: false, code: 'EEXIST', errno: 17, message: 'the rule is there already' };
