/**
 * One scenario played by one cast, in a laboratory of its own. Each step is done, then nothing is done until everything
 * has settled, then it is written down what was seen since the step before:
 *
 *   A states VI_1       notifications of A: "BACKUP 150, MASTER 150"; of its sync group as "A states G"
 *   A adverts VI_1      priorities that A advertised, on the wire, as far as they are others than before: "150, 0"
 *   A addresses VI_1    what A's kernel told of the virtual address: "held, lost"
 *   LAN holders VI_1    whose kernels have the address in the end: "A B"
 *   LAN answers VI_1    who answers ARP or neighbour solicitations for it in the end: "A", "A virtually"
 *   LAN gap VI_1        where a difference of it is named: whether there was a time in which nobody had the address
 */
import { Holders } from '../lab/holders.js';
import { Lab } from '../lab/lab.js';
import { Chronicle } from './chronicle.js';
import { CHECK, hostAddress, virtualAddress } from './conf.js';
import { downMs, leaseEndMs } from './form.js';
import { Member } from './member.js';
import {
  type Action,
  actionText,
  type Cast,
  MEMBERS,
  type MemberName,
  playerOf,
  type RouterPlan,
  type Scenario,
  type Step,
} from './scenario.js';
import type { Turns } from './turns.js';
import { Wire } from './wire.js';

/** By key, as above; what is not there was not seen. */
export type Observation = ReadonlyMap<string, string>;

export interface Performance {
  readonly cast: Cast;
  /** One for each step. */
  readonly observations: readonly Observation[];
  readonly seconds: number;
  /** Last lines of the members' output, by program. */
  readonly tails: Readonly<Record<string, string>>;
  /** Why it was not played to its end. */
  readonly failure?: string;
}

/** Shorter times without a holder are those between two hosts' kernels, or between those who write down what they say. */
const GAP_MS = 120;
/**
 * An address that is there for less than that was not held: a program that was frozen in the middle of a renewal ends it as
 * it goes on, before it can know that it was away.
 */
const BRIEF_MS = 20;

/** @param starts what programs are started in turn with */
export async function perform(scenario: Scenario, cast: Cast, starts: Turns): Promise<Performance> {
  const from = performance.now();
  const observations: Observation[] = [];
  const seconds = () => (performance.now() - from) / 1000;
  const lab = await Lab.open();
  let play: Play | undefined;
  try {
    play = await Play.prepare(lab, scenario, cast, starts);
    for (const step of scenario.steps) observations.push(await play.do(step));
    return { cast, observations, seconds: seconds(), tails: play.tails() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const doing = scenario.steps[observations.length];
    const failure = doing === undefined ? reason : `${actionText(doing.action)}: ${reason}`;
    return { cast, observations, seconds: seconds(), tails: play?.tails() ?? {}, failure };
  } finally {
    play?.close();
    await lab.close();
  }
}

class Play {
  readonly #chronicle = new Chronicle();
  readonly #members = new Map<MemberName, Member>();
  readonly #holders = new Map<string, Holders>();
  #wire: Wire | undefined;
  /** How many changes of a member's address have been told. */
  readonly #changesTold = new Map<string, number>();
  #heals: (() => Promise<void>)[] = [];

  private constructor(
    private readonly lab: Lab,
    private readonly scenario: Scenario,
    private readonly starts: Turns,
  ) {}

  /** Hosts, cables and observers; nobody has started. */
  static async prepare(lab: Lab, scenario: Scenario, cast: Cast, starts: Turns): Promise<Play> {
    const play = new Play(lab, scenario, starts);
    try {
      await play.#set(cast);
    } catch (error) {
      // A pipe that stays open would keep the process from ending.
      play.close();
      throw error;
    }
    return play;
  }

  async #set(cast: Cast): Promise<void> {
    const { lab, scenario } = this;
    const hasSecondLan = scenario.routers.some(
      ({ lan, lines }) => lan === 2 || lines.some((line) => / em2 /.test(line)),
    );
    const ports = new Map<string, string>();
    for (const name of scenario.members) {
      const address = (lan: 1 | 2) => [`${hostAddress(name, lan, 4)}/24`, `${hostAddress(name, lan, 6)}/64 nodad`];
      const linkLocal = `fe80::${MEMBERS.indexOf(name) + 1}`;
      const host = await lab.host(name, { addresses: address(1), linkLocal });
      ports.set(host.port, name);
      if (hasSecondLan) {
        await lab.attach(host, 'em2', ...address(2), `${linkLocal}/64 nodad`);
        ports.set(lab.portOf(host, 'em2'), name);
      }
      const member = await Member.make(scenario, name, playerOf(cast, name), host, (subject, text) =>
        this.#chronicle.record(`${name} states ${subject}`, text),
      );
      this.#members.set(name, member);
    }
    const hosts = [...this.#members.values()].map(({ host }) => host);
    for (const router of scenario.routers) {
      const address = virtualAddress(router, scenario.form.family);
      const onChange = () => this.#chronicle.happened();
      this.#holders.set(router.name, await Holders.report(address, onChange, ...hosts));
    }
    const nameOf = (vrid: number) => scenario.routers.find((router) => router.vrid === vrid)?.name ?? `VRID ${vrid}`;
    this.#wire = await Wire.open(lab.switchHost, ports, 2 * scenario.form.intervalMs, (name, vrid, priority) =>
      this.#chronicle.record(`${name} adverts ${nameOf(vrid)}`, String(priority)),
    );
  }

  async do({ action, differences }: Step): Promise<Observation> {
    const from = Date.now();
    await this.#act(action);
    await this.#chronicle.settled(this.#quietMs(action));
    const seen = new Map<string, string>();
    for (const [key, texts] of this.#chronicle.take()) seen.set(key, texts.join(', '));
    for (const router of this.scenario.routers) {
      for (const name of this.scenario.members) {
        const changes = this.#newChanges(router, name);
        if (changes.length > 0) seen.set(`${name} addresses ${router.name}`, changes.join(', '));
      }
      seen.set(`LAN holders ${router.name}`, [...(this.#holders.get(router.name)?.now ?? [])].sort().join(' '));
      seen.set(`LAN answers ${router.name}`, (await this.#whoAnswers(router)).join(' '));
      if (differences.some(({ aspect }) => aspect === 'gap'))
        seen.set(`LAN gap ${router.name}`, this.#hasGap(router, from) ? 'yes' : 'no');
    }
    return seen;
  }

  tails(): Readonly<Record<string, string>> {
    const members = [...this.#members.values()].flatMap((member) =>
      member
        .tails()
        .map((tail, run) => [`${member.kind} as ${member.name}${run === 0 ? '' : `, started again (${run})`}`, tail]),
    );
    const time = (atMs: number | undefined) =>
      atMs === undefined ? 'the end' : new Date(atMs).toISOString().slice(11, 23);
    const held = [...this.#holders].flatMap(([router, { holdings }]) =>
      holdings.map(({ host, fromMs, untilMs }) => `${host} held ${router} from ${time(fromMs)} until ${time(untilMs)}`),
    );
    const outside = [...held, ...(this.#wire?.silences ?? [])].join('\n');
    return Object.fromEntries([...members, ['seen from outside', outside]]);
  }

  close(): void {
    for (const member of this.#members.values()) member.close();
  }

  async #act(action: Action): Promise<void> {
    switch (action.kind) {
      case 'start':
        await this.starts.take(() => this.#member(action.member).start());
        break;
      case 'stop':
      case 'kill':
      case 'freeze':
      case 'thaw':
      case 'fail':
      case 'recover':
        await this.#member(action.member)[action.kind]();
        break;
      case 'cut':
      case 'mend':
        await Promise.all(
          action.members.map((name) => this.lab[action.kind](this.#member(name).host, `em${action.lan}`)),
        );
        break;
      case 'lose': {
        const [one, other] = [this.#member(action.from).host, this.#member(action.to).host];
        this.#heals.push(await this.lab.drop(one, other));
        if (action.both) this.#heals.push(await this.lab.drop(other, one));
        break;
      }
      case 'heal': {
        const heals = this.#heals;
        this.#heals = [];
        for (const heal of heals) await heal();
        break;
      }
      case 'write':
        this.#member(action.member).write(action.number);
        break;
      case 'reload':
        this.#member(action.member).reload(action.priority);
        break;
      case 'removeAddress': {
        const { host } = this.#member(action.member);
        const router = this.scenario.routers.find(({ name }) => name === action.router);
        if (router === undefined) throw new TypeError(`there is no router ${action.router}`);
        const address = virtualAddress(router, this.scenario.form.family);
        const held = (await host.kernelAddresses(this.scenario.form.family)).find((each) => each.address === address);
        if (held === undefined) throw new TypeError(`${action.member} does not hold ${address}`);
        await host.ip(`address delete ${address}/${held.prefixLength} dev ${held.device}`);
        break;
      }
    }
  }

  /** Two down intervals, unless something is to come that is announced by nothing. */
  #quietMs({ kind }: Action): number {
    const { form, patienceMs } = this.scenario;
    const isCheck = kind === 'fail' || kind === 'recover';
    const checkMs = isCheck ? CHECK.intervalMs * (Math.max(CHECK.rise, CHECK.fall) + 1) : 0;
    return (
      Math.max(2 * downMs(form), kind === 'kill' || kind === 'freeze' ? leaseEndMs(form) : 0) + checkMs + patienceMs
    );
  }

  async #whoAnswers(router: RouterPlan): Promise<readonly string[]> {
    return (await this.#wire?.whoAnswers(router.lan, virtualAddress(router, this.scenario.form.family))) ?? [];
  }

  /** What the member's kernel told of the router's address since the last time. */
  #newChanges(router: RouterPlan, name: MemberName): readonly string[] {
    const changes = (this.#holders.get(router.name)?.holdings ?? [])
      .filter(({ host, fromMs, untilMs }) => host === name && (untilMs === undefined || untilMs - fromMs > BRIEF_MS))
      .flatMap(({ untilMs }) => (untilMs === undefined ? ['held'] : ['held', 'lost']));
    const key = `${name} ${router.name}`;
    const told = this.#changesTold.get(key) ?? 0;
    this.#changesTold.set(key, changes.length);
    return changes.slice(told);
  }

  #hasGap({ name }: RouterPlan, fromMs: number): boolean {
    const spans = [...(this.#holders.get(name)?.holdings ?? [])].sort((a, b) => a.fromMs - b.fromMs);
    let heldUntil = fromMs;
    for (const span of spans) {
      if (span.fromMs > heldUntil + GAP_MS) return true;
      heldUntil = Math.max(heldUntil, span.untilMs ?? Number.POSITIVE_INFINITY);
    }
    return heldUntil !== Number.POSITIVE_INFINITY;
  }

  #member(name: MemberName): Member {
    const member = this.#members.get(name);
    if (member === undefined) throw new TypeError(`there is no member ${name}`);
    return member;
  }
}
