/**
 * Settings of other people's interfaces (net.ipv4.conf.IFACE.*) that something here needs for as long as it runs: raised
 * where they are lower, and given back as they were, unless somebody has changed them since.
 */
import type { Instant } from '../../proto/rules/time.js';
import { type Ipv4Conf, type Rtnetlink, RtnetlinkError } from '../link/rtnetlink.js';
import type { Trouble } from './trouble.js';

type Name = keyof Ipv4Conf;

interface Loan {
  readonly index: number;
  readonly name: Name;
  readonly original: number;
  value: number;
}

export class SysctlLoans {
  /** What each purpose needs, by interface index. */
  readonly #wants = new Map<string, ReadonlyMap<number, Ipv4Conf>>();
  readonly #loans = new Map<string, Loan>();
  #isClosed = false;

  constructor(
    private readonly kernel: Pick<Rtnetlink, 'ipv4Conf' | 'setIpv4Conf'>,
    private readonly trouble: Trouble,
  ) {}

  /** All that a purpose needs, in the place of what it needed before; where purposes differ, the highest value holds. */
  want(purpose: string, wants: ReadonlyMap<number, Ipv4Conf>, now: Instant): void {
    if (wants.size === 0 && !this.#wants.has(purpose)) return;
    if (wants.size === 0) this.#wants.delete(purpose);
    else this.#wants.set(purpose, wants);
    const needed = this.#needed();
    for (const [key, loan] of this.#loans) if (!needed.has(key)) this.#giveBack(key, loan, now);
    for (const [key, need] of needed) this.#raise(key, need, now);
  }

  /** Gives everything back; `keep`: leaves it as it is, for the process that goes on. */
  close(keep: boolean, now: Instant): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!keep) for (const [key, loan] of this.#loans) this.#giveBack(key, loan, now);
    this.#loans.clear();
    this.#wants.clear();
  }

  #needed(): Map<string, Omit<Loan, 'original'>> {
    const needed = new Map<string, Omit<Loan, 'original'>>();
    for (const wants of this.#wants.values()) {
      for (const [index, conf] of wants) {
        for (const [given, value] of Object.entries(conf)) {
          const name = given as Name;
          const key = `${index} ${name}`;
          if ((needed.get(key)?.value ?? -1) < value) needed.set(key, { index, name, value });
        }
      }
    }
    return needed;
  }

  #raise(key: string, { index, name, value }: Omit<Loan, 'original'>, now: Instant): void {
    const loan = this.#loans.get(key);
    if (loan?.value === value) return;
    const current = this.#read(index, name, now);
    if (current === undefined || (loan === undefined && current >= value)) return;
    if (!this.#set(index, name, value, now)) return;
    if (loan === undefined) this.#loans.set(key, { index, name, original: current, value });
    else loan.value = value;
  }

  #giveBack(key: string, { index, name, original, value }: Loan, now: Instant): void {
    this.#loans.delete(key);
    if (this.#read(index, name, now) === value) this.#set(index, name, original, now);
  }

  /** Undefined: there is no such interface any more, or it cannot be read. */
  #read(index: number, name: Name, now: Instant): number | undefined {
    try {
      return this.kernel.ipv4Conf(index)?.[name];
    } catch (error) {
      if (!(error instanceof RtnetlinkError)) throw error;
      this.trouble.failed('a setting of an interface cannot be read', `interface ${index}`, error.message, now);
      return undefined;
    }
  }

  #set(index: number, name: Name, value: number, now: Instant): boolean {
    const outcome = this.kernel.setIpv4Conf(index, { [name]: value });
    if (!outcome.ok && outcome.code !== 'ENODEV') {
      this.trouble.failed('a setting of an interface cannot be changed', `interface ${index}`, outcome.message, now);
    }
    return outcome.ok;
  }
}
