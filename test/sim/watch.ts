/** What must hold on one host alone, looked at with every step of one member. */
import { type Effect, type Input, type Member, pauseLimit } from '../../agent/vrrp/index.js';
import type { SimNode } from './node.js';
import { wrongAnswer } from './oracle.js';
import type { Surroundings, Transitioned } from './surroundings.js';

type AdvertisementInput = Extract<Input, { readonly kind: 'advertisement' }>;

/** Notices that a member remembers at most. */
const MOST_NOTICED = 64;
/** Advertisements of an active router are so far apart, whatever is sent to it. */
const ANSWER_PAUSE = 1_000;

export class Watch {
  readonly #world: Surroundings;
  readonly #node: SimNode;

  constructor(world: Surroundings, node: SimNode) {
    this.#world = world;
    this.#node = node;
  }

  /** Before it is sent. */
  advertisement(priority: number, before: Member, input: Input | undefined): void {
    const node = this.#node;
    if (priority === 0) return;
    const { router, member, host, lastSent, silentSince } = node;
    const wanted = node.judged.priority;
    if (priority !== wanted) node.violate('priority', `advertises ${priority}, ought to be ${wanted}`);
    const wasActive = before.phase.name === 'active';
    const isActive = member.phase.name === 'active';
    const isOnItsWay = wasActive && (router.higherPrioritySendAdvertisement || host.stopping);
    if ((!isActive && !isOnItsWay) || isHandingOver(member)) {
      node.violate('effects', `advertises ${priority} while ${member.phase.name}`);
    }
    if (!wasActive) return;
    const { now } = this.#world.timeline;
    if (silentSince !== undefined && now - silentSince > pauseLimit(router, wanted)) {
      node.violate('P2', `advertises after ${now - silentSince} us of silence without having stepped down`);
    }
    const isAnswer = input?.kind === 'advertisement' && isActive && !isHandingOver(before);
    if (isAnswer && lastSent !== undefined && now - lastSent < ANSWER_PAUSE) {
      node.violate('I-10', `answers ${now - lastSent} us after its last advertisement`);
    }
  }

  /** After a step, its effects carried out. */
  step(before: Member, input: Input | undefined, effects: readonly Effect[]): void {
    const node = this.#node;
    const { phase, tracks, noticed } = node.member;
    let name = before.phase.name;
    for (const effect of effects) {
      if (effect.kind !== 'transitioned') continue;
      if (effect.from !== name || effect.to === name) node.violate('effects', `reports ${effect.from} -> ${effect.to}`);
      this.#leaving(effect);
      this.#yieldingAlong(effect, effects);
      name = effect.to;
    }
    if (name !== phase.name) node.violate('I-7', `${name} became ${phase.name} without a transition (${input?.kind})`);
    this.#addresses(phase.name);
    if (input?.kind === 'advertisement') this.#yielding(before, input, effects);
    if ((phase.name === 'active' || phase.name === 'backup') && node.judged.fails) {
      node.violate('I-5', `${phase.name} although a check of weight 0 fails`);
    }
    if (noticed.length > MOST_NOTICED) node.violate('I-10', `${noticed.length} notices are remembered`);
    if (tracks !== before.tracks && Object.keys(tracks).length > node.router.tracks.length) {
      node.violate('I-10', `${Object.keys(tracks).length} tracks are remembered`);
    }
  }

  /** What may be resumed, and that nobody is active at an address that somebody else answered for. */
  transition({ to, reason }: Transitioned): void {
    if (to !== 'active') return;
    const node = this.#node;
    if (reason.code === 'resumed') {
      const away = this.#world.timeline.now - (node.resumable?.at ?? Number.NEGATIVE_INFINITY);
      if (away > pauseLimit(node.router, node.judged.priority)) {
        node.violate('P2', `goes on after ${away} us of silence`);
      }
    }
    const wantsToKnow = reason.code === 'active-down' || reason.code === 'owner-startup';
    if (node.router.duplicateProbe === 'refuse' && wantsToKnow && node.probe !== 'unanswered') {
      node.violate('probe', `active although its probe is ${node.probe ?? 'not sent'}`);
    }
    node.probe = undefined;
  }

  /** A tick that comes too early. */
  earlyTick(): void {
    const node = this.#node;
    const { core } = this.#world;
    const now = core.now(node.host);
    const deadline = core.nextDeadline(node.router, node.member);
    if (deadline === undefined || now >= deadline) return;
    const { member, effects } = core.step(node.router, node.member, { kind: 'tick' }, now);
    // Coming back from a pause, any input steps down, ticks too.
    if (effects.some((effect) => effect.kind === 'pausedTooLong')) return;
    if (effects.length > 0 || (member !== node.member && asText(member) !== asText(node.member))) {
      node.violate('tick', 'an early tick changed something');
    }
  }

  #leaving({ from, to, reason }: Transitioned): void {
    const node = this.#node;
    if (from !== 'initialize' || to === 'fault' || reason.code === 'resumed') return;
    if (node.router.tracks.some(({ id, weight }) => weight === 0 && !node.knows(id))) {
      node.violate('init', `becomes ${to} before every check has a result`);
    }
    const startsActive = node.router.priority === 255 && node.router.duplicateProbe !== 'refuse';
    if (startsActive && to !== 'active' && node.team.group === undefined) {
      node.violate('init', `the owner becomes ${to}`);
    }
  }

  #addresses(name: string): void {
    const node = this.#node;
    const { installed, kernel, holds } = node;
    if (installed !== (name === 'active')) {
      node.violate(name === 'fault' ? 'I-5' : 'I-4', `${name}, addresses ${installed}`);
    }
    if (holds && !installed && node.resumable === undefined) node.violate('I-4', `holds the addresses while ${name}`);
    if (installed && !holds && !kernel.isLeaseOver) node.violate('I-4', 'active without the addresses');
    if (installed && kernel.addresses !== node.router.addresses && !isHandingOver(node.member)) {
      node.violate('I-4', 'holds other addresses than it is configured with');
    }
  }

  #yielding(before: Member, input: AdvertisementInput, effects: readonly Effect[]): void {
    if (before.phase.name !== 'active' || before.phase.handover) return;
    if (effects.some((effect) => effect.kind === 'pausedTooLong')) return;
    const node = this.#node;
    const wrong = wrongAnswer(node.router, node.judged.priority, input, {
      hasYielded: node.member.phase.name === 'backup',
      hasAnswered: effects.some((effect) => effect.kind === 'advertise' && effect.priority > 0),
      willAnswer: this.#answersInAMoment(),
    });
    if (wrong !== undefined) node.violate('election', wrong);
  }

  /** Whoever yields with its group is silent: somebody else has said that it is active. */
  #yieldingAlong({ from, to, reason }: Transitioned, effects: readonly Effect[]): void {
    if (from !== 'active' || to !== 'backup' || reason.code !== 'group' || reason.why?.code === 'address-lost') return;
    if (effects.some((effect) => effect.kind === 'advertise')) this.#node.violate('group', 'does not yield in silence');
  }

  /** Whether it has just advertised and will again. */
  #answersInAMoment(): boolean {
    const node = this.#node;
    const { core, timeline } = this.#world;
    const next = core.nextDeadline(node.router, node.member);
    if (node.lastSent === undefined || next === undefined) return false;
    return next - core.now(node.host) <= node.lastSent + ANSWER_PAUSE - timeline.now;
  }
}

function isHandingOver({ phase }: Member): boolean {
  return phase.name === 'active' && phase.handover !== undefined;
}

/** Addresses of IPv6 are no JSON. */
function asText(member: Member): string {
  return JSON.stringify(member, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}
