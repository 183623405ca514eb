/**
 * What the others see of the active router: while a router is not active it asks now and then for the virtual addresses,
 * and for the active router's own address, and looks at who answers. Expected is one MAC address for each, the virtual
 * one or the active router's own.
 *
 *   verifyInterval ──▶ round: questions, five at a time ──▶ a second for answers ──▶ sightings, notices
 *
 * It asks from the router's own interface, never from the macvlan: that would tell switches a wrong port for the virtual
 * MAC address.
 */
import { familyOf, formatIp, type IpAddress, isLinkLocal, prefixContains } from '../../proto/rules/ip.js';
import { type Instant, MICROS_PER_SECOND, type Micros } from '../../proto/rules/time.js';
import type { Claim } from '../net/claim.js';
import type { Outcome } from '../net/system-error.js';
import { activeDownInterval } from '../vrrp/index.js';
import { hardwareAddressText } from '../wire/ethernet.js';
import type { InterfaceTable } from './interface-table.js';
import type { Outbox } from './outbox.js';
import { Pace } from './pace.js';
import type { RunningRouter, Sighting } from './running-router.js';
import type { Timed } from './timed.js';
import type { Trouble } from './trouble.js';

const ANSWERED_WITHIN: Micros = MICROS_PER_SECOND;
/** Together 50 questions a second for the whole host. */
const BATCH = 5;
const BATCH_EVERY: Micros = MICROS_PER_SECOND / 10;
/** So many advertisement intervals after a change of who is active, nobody is judged by old or missing answers. */
const CALM = 3;
const VRIDS = 256;
/** Coprime with 256: neighbouring VRIDs ask at quite different times. */
const SPREAD = 101;
/** Of one address: whoever answers with ever new MAC addresses fills no memory. */
const MOST_MACS = 8;
/** One question may be lost. */
const SILENT_ROUNDS = 2;
/** Notices of one router in a minute, and the pause between two of a kind of one address. */
const TOLD_IN_MINUTE = 6;
const TOLD_EVERY: Micros = 60 * MICROS_PER_SECOND;

/** The part of a channel that is used here. */
export interface AskingChannel {
  /** Undefined: nothing to ask with. */
  solicit(addresses: readonly IpAddress[], source: bigint | undefined): Outcome | undefined;
  /** Hears claims to these addresses; none: stops. */
  watch(who: object, addresses: readonly IpAddress[]): Outcome | undefined;
}

export interface VerificationTools {
  readonly channels: { get(name: string): AskingChannel | undefined };
  readonly table: InterfaceTable;
  readonly outbox: Outbox;
  readonly trouble: Trouble;
}

interface Question {
  readonly device: string;
  readonly address: IpAddress;
  /** Who answered. */
  readonly macs: Set<string>;
}

interface Round {
  readonly startedAt: Instant;
  /** Source address of the active router; undefined: none is heard. */
  readonly active: IpAddress | undefined;
  readonly questions: readonly Question[];
  /** For the active router's own address. */
  readonly ownQuestion: Question | undefined;
  asked: number;
  /** Of the last question; undefined: not all have been asked. */
  endsAt: Instant | undefined;
}

type Verdict = 'fine' | 'address-unanswered' | 'address-answered-by-other';

/** What is remembered of one address. */
interface Judgement {
  verdict: Verdict;
  isTold: boolean;
  /** What was last told, and when. */
  told: { readonly verdict: Verdict; readonly at: Instant } | undefined;
  silentRounds: number;
}

/** What is known of one router, from round to round. */
interface Watch {
  askAt: Instant;
  active: IpAddress | undefined;
  /** MAC addresses that answered for the active router's own address, lately. */
  activeMacs: ReadonlySet<string>;
  silentRounds: number;
  readonly judgements: Map<IpAddress, Judgement>;
  readonly pace: Pace;
  round: Round | undefined;
}

export class Verification implements Timed {
  readonly #watches = new Map<RunningRouter, Watch>();
  /** Those that are in a round, in turn. */
  readonly #asking = new Set<RunningRouter>();
  /** The questions of those, by address. */
  readonly #questions = new Map<IpAddress, Set<Question>>();
  #batchAt: Instant = 0;
  #nextAt: Instant | undefined;

  constructor(private readonly tools: VerificationTools) {}

  /** With every configuration: these ask from now on, if they are to ask at all. */
  configure(routers: readonly RunningRouter[], now: Instant): void {
    const wanted = new Set(routers.filter(({ settings }) => settings.verifyInterval > 0));
    for (const [router, watch] of this.#watches) {
      if (wanted.has(router)) continue;
      this.#end(router, watch);
      router.sightings.clear();
      this.#watches.delete(router);
    }
    for (const router of wanted) {
      const { verifyInterval } = router.settings;
      const known = this.#watches.get(router);
      if (known === undefined) this.#watches.set(router, newWatch(now + jitterOf(router)));
      else known.askAt = Math.min(known.askAt, now + verifyInterval);
    }
    this.#plan();
  }

  /** Another station said on the interface that it has an address. */
  heard(device: string, claim: Claim): void {
    for (const { device: asked, macs } of this.#questions.get(claim.address) ?? []) {
      if (asked === device && macs.size < MOST_MACS) macs.add(hardwareAddressText(claim.hardwareAddress));
    }
  }

  get nextAt(): Instant | undefined {
    return this.#nextAt;
  }

  onTime(now: Instant): void {
    if (this.#nextAt === undefined || now < this.#nextAt) return;
    for (const [router, watch] of this.#watches) {
      const { round } = watch;
      if (round === undefined) {
        if (now >= watch.askAt) this.#begin(router, watch, now);
        continue;
      }
      if (round.endsAt === undefined || now < round.endsAt) continue;
      this.#end(router, watch);
      // A timer that is set to the past looks like one that was late.
      watch.askAt = Math.max(watch.askAt, now);
      if (isSettled(router, watch, round, now)) this.#judge(router, watch, round, now);
    }
    if (now >= this.#batchAt) this.#askBatch(now);
    this.#plan();
  }

  /** Starts a round, unless there is nothing to ask or it is too early to judge. */
  #begin(router: RunningRouter, watch: Watch, now: Instant): void {
    const { verifyInterval } = router.settings;
    watch.askAt = Math.max(watch.askAt + verifyInterval, now + 1);
    if (!isWatching(router)) {
      watch.judgements.clear();
      router.sightings.clear();
      watch.active = undefined;
      return;
    }
    const active = activeOf(router, now);
    const calm = CALM * router.router.advertisementInterval;
    if (active !== watch.active) {
      watch.active = active;
      watch.activeMacs = new Set();
      watch.silentRounds = 0;
      watch.askAt = now + calm;
      return;
    }
    if (now - router.movedAt < calm) {
      watch.askAt = router.movedAt + calm;
      return;
    }
    const questions = this.#questionsOf(router, active);
    if (questions.length === 0) return;
    const own = active === undefined ? undefined : newQuestion(router.settings.interface, active);
    watch.round = {
      startedAt: now,
      active,
      questions: own === undefined ? questions : [own, ...questions],
      ownQuestion: own,
      asked: 0,
      endsAt: undefined,
    };
    this.#asking.add(router);
    for (const question of watch.round.questions) {
      const others = this.#questions.get(question.address);
      if (others === undefined) this.#questions.set(question.address, new Set([question]));
      else others.add(question);
    }
    // Deaf, it would take everybody for silent.
    if (!this.#listen(router, watch, watch.round, now)) this.#end(router, watch);
  }

  /** The advertised addresses, but those that this host has itself. None where they cannot be reached on the link. */
  #questionsOf(router: RunningRouter, active: IpAddress | undefined): readonly Question[] {
    const { table } = this.tools;
    const link = table.link(router.settings.interface);
    if (link === undefined || !link.isUp) return [];
    if (router.unicastPeers !== undefined && (active === undefined || !this.#isOnLink(link.index, active))) return [];
    return router.wanted.flatMap(({ isAdvertised, address, settings }) => {
      const device = table.link(settings.device);
      if (!isAdvertised || device === undefined || table.hasOn(device.index, address)) return [];
      return [newQuestion(settings.device, address)];
    });
  }

  #isOnLink(index: number, address: IpAddress): boolean {
    if (isLinkLocal(address)) return true;
    for (const known of this.tools.table.addressesOn(index)) {
      if (familyOf(known.address) === familyOf(address) && prefixContains(known, address)) return true;
    }
    return false;
  }

  #askBatch(now: Instant): void {
    let left = BATCH;
    for (const router of this.#asking) {
      const watch = this.#watches.get(router);
      const round = watch?.round;
      if (watch === undefined || round === undefined) continue;
      while (left > 0 && round.endsAt === undefined) {
        left -= 1;
        if (!this.#askNext(router, round, now)) {
          // Nobody is judged by questions that were not asked.
          this.#end(router, watch);
          break;
        }
      }
      if (left === 0) break;
    }
    if (left < BATCH) this.#batchAt = now + BATCH_EVERY;
  }

  /** False: it cannot be asked. */
  #askNext(router: RunningRouter, round: Round, now: Instant): boolean {
    const question = round.questions[round.asked];
    round.asked += 1;
    if (round.asked >= round.questions.length) round.endsAt = now + ANSWERED_WITHIN;
    if (question === undefined) return true;
    const { device, address } = question;
    const { channels, table, trouble } = this.tools;
    const link = table.link(device);
    const source =
      familyOf(address) === 4 || link === undefined ? undefined : table.sourceOn(link.index, 6, isLinkLocal);
    const outcome = channels.get(device)?.solicit([address], typeof source === 'bigint' ? source : undefined);
    if (outcome === undefined) return false;
    if (outcome.ok) {
      router.count('verifications');
      return true;
    }
    router.count(`errors.verifications.${outcome.code}`);
    trouble.failed('who has a virtual address could not be asked', device, outcome.message, now);
    return false;
  }

  #end(router: RunningRouter, watch: Watch): void {
    const { round } = watch;
    if (round === undefined) return;
    watch.round = undefined;
    this.#asking.delete(router);
    for (const question of round.questions) {
      const all = this.#questions.get(question.address);
      all?.delete(question);
      if (all?.size === 0) this.#questions.delete(question.address);
    }
    for (const device of devicesOf(round)) this.tools.channels.get(device)?.watch(watch, []);
  }

  #listen(router: RunningRouter, watch: Watch, round: Round, now: Instant): boolean {
    const { channels, trouble } = this.tools;
    for (const device of devicesOf(round)) {
      const asked = round.questions.filter((question) => question.device === device);
      const addresses = asked.map(({ address }) => address);
      const outcome = channels.get(device)?.watch(watch, addresses);
      if (outcome?.ok === true) continue;
      if (outcome !== undefined) {
        router.count(`errors.listen.${outcome.code}`);
        trouble.failed('cannot listen for who answers for virtual addresses', device, outcome.message, now);
      }
      return false;
    }
    return true;
  }

  #judge(router: RunningRouter, watch: Watch, round: Round, now: Instant): void {
    const { active, questions, ownQuestion } = round;
    if (ownQuestion !== undefined) {
      watch.silentRounds = ownQuestion.macs.size > 0 ? 0 : watch.silentRounds + 1;
      if (ownQuestion.macs.size > 0) watch.activeMacs = ownQuestion.macs;
      else if (watch.silentRounds >= SILENT_ROUNDS) watch.activeMacs = new Set();
    }
    const asked = questions.filter((question) => question !== ownQuestion);
    keepOnly(router.sightings, asked);
    keepOnly(watch.judgements, asked);
    for (const { address, macs } of asked) {
      const [mac] = macs;
      const isOfActive = mac !== undefined && (isVirtualMac(router, mac) || watch.activeMacs.has(mac));
      const isExpected = active === undefined ? macs.size === 0 : macs.size === 1 && isOfActive;
      // The answer that it is to be compared with may have been lost.
      const isUnsure = macs.size === 1 && watch.activeMacs.size === 0 && watch.silentRounds < SILENT_ROUNDS;
      if (!isExpected && isUnsure) continue;
      const sighting: Sighting = { macs: [...macs].sort(), lastAt: now, isExpected };
      router.sightings.set(address, sighting);
      if (active !== undefined) this.#tell(router, watch, address, active, sighting, now);
    }
  }

  #tell(
    router: RunningRouter,
    watch: Watch,
    address: IpAddress,
    active: IpAddress,
    { macs, isExpected }: Sighting,
    now: Instant,
  ): void {
    const judgement = watch.judgements.get(address) ?? newJudgement();
    watch.judgements.set(address, judgement);
    judgement.silentRounds = macs.length === 0 ? judgement.silentRounds + 1 : 0;
    if (macs.length === 0 && judgement.silentRounds < SILENT_ROUNDS) return;
    const found: Verdict = macs.length === 0 ? 'address-unanswered' : 'address-answered-by-other';
    const verdict: Verdict = isExpected ? 'fine' : found;
    if (verdict !== judgement.verdict) {
      judgement.verdict = verdict;
      judgement.isTold = false;
    }
    if (verdict === 'fine' || judgement.isTold) return;
    const { told } = judgement;
    if (told?.verdict === verdict && now - told.at < TOLD_EVERY) return;
    if (!watch.pace.allows(now)) return;
    judgement.isTold = true;
    judgement.told = { verdict, at: now };
    router.count(`notices.${verdict}`);
    const other = macs.find((mac) => !watch.activeMacs.has(mac) && !isVirtualMac(router, mac)) ?? macs[0];
    this.tools.outbox.tell({
      kind: 'notice',
      router: router.name,
      notice: verdict,
      ...(other === undefined ? {} : { source: other }),
      sentence: sentenceOf(formatIp(address), formatIp(active), macs, [...watch.activeMacs].sort()),
    });
  }

  #plan(): void {
    let next: Instant | undefined;
    const by = (at: Instant): void => {
      if (next === undefined || at < next) next = at;
    };
    for (const { round, askAt } of this.#watches.values()) {
      if (round === undefined) by(askAt);
      else by(round.endsAt ?? this.#batchAt);
    }
    this.#nextAt = next;
  }
}

function devicesOf({ questions }: Round): ReadonlySet<string> {
  return new Set(questions.map(({ device }) => device));
}

/** It takes part and is not active. */
function isWatching({ member: { phase } }: RunningRouter): boolean {
  return phase.name === 'backup' || phase.name === 'fault';
}

/** Nothing has moved since the round began: the answers are of one and the same active router. */
function isSettled(router: RunningRouter, watch: Watch, round: Round, now: Instant): boolean {
  return isWatching(router) && router.movedAt < round.startedAt && activeOf(router, now) === watch.active;
}

/** Source address of the router that is active now, as far as this one hears. */
function activeOf(router: RunningRouter, now: Instant): IpAddress | undefined {
  const { phase } = router.member;
  if (phase.name === 'backup' && phase.activeRouter !== undefined) return phase.activeRouter.source;
  let newest: { readonly source: IpAddress; readonly lastHeardAt: Instant } | undefined;
  for (const peer of router.peers.rows) {
    const patience = activeDownInterval(router.router, 1, peer.interval);
    if (peer.priority === 0 || now - peer.lastHeardAt > patience) continue;
    if (newest === undefined || peer.lastHeardAt > newest.lastHeardAt) newest = peer;
  }
  return newest?.source;
}

/** The virtual router's own, as RFC 9568 section 7.3 or the configuration has it. */
function isVirtualMac({ settings, router }: RunningRouter, mac: string): boolean {
  if (settings.virtualMac?.address.toLowerCase() === mac) return true;
  return /^00:00:5e:00:0[12]:/.test(mac) && Number.parseInt(mac.slice(15), 16) === router.vrid;
}

function jitterOf({ settings, router }: RunningRouter): Micros {
  return Math.floor((settings.verifyInterval * ((router.vrid * SPREAD) % VRIDS)) / VRIDS);
}

function newWatch(askAt: Instant): Watch {
  return {
    askAt,
    active: undefined,
    activeMacs: new Set(),
    silentRounds: 0,
    judgements: new Map(),
    pace: new Pace(TOLD_IN_MINUTE),
    round: undefined,
  };
}

function newQuestion(device: string, address: IpAddress): Question {
  return { device, address, macs: new Set() };
}

function newJudgement(): Judgement {
  return { verdict: 'fine', isTold: false, told: undefined, silentRounds: 0 };
}

function keepOnly(rows: Map<IpAddress, unknown>, asked: readonly Question[]): void {
  const addresses = new Set(asked.map(({ address }) => address));
  for (const address of rows.keys()) if (!addresses.has(address)) rows.delete(address);
}

function sentenceOf(address: string, active: string, macs: readonly string[], activeMacs: readonly string[]): string {
  if (macs.length === 0) return `nobody answers for ${address}, though ${active} advertises that it is active`;
  const own = activeMacs.length === 0 ? 'which answers for none of its own' : `which has ${activeMacs.join(', ')}`;
  const verb = macs.length === 1 ? 'answers' : 'answer';
  return `${macs.join(' and ')} ${verb} for ${address}; the active router is ${active}, ${own}`;
}
