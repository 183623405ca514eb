/**
 * Names to addresses, by the host's own means (/etc/hosts, resolver). The host looks names up in a few threads that file
 * access shares, and one look-up can hang for half a minute: so only two are ever under way, equal ones share one, and
 * whoever asked gives up at his own time.
 */
import { lookup as hostLookup, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';

/** One look-up by the host; as node:dns's lookup with `all`. */
export type LookupEdge = (
  host: string,
  done: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** Why an address that a name leads to must not be asked; absent when it may. */
export type AddressJudge = (host: string, address: string) => string | undefined;

const MAX_UNDER_WAY = 2;

export const byHost: LookupEdge = (host, done) => hostLookup(host, { all: true, order: 'verbatim' }, done);

/** The name has no address, or nobody could say. */
export class LookupError extends Error {
  readonly code: string;

  /** @param reason a sentence; absent: what the code means */
  constructor(host: string, code: string, reason = reasonOf(host, code)) {
    super(reason);
    this.name = 'LookupError';
    this.code = code;
  }
}

/** The caller's time is over. */
export class GivenUpError extends Error {
  readonly code = 'GIVEN_UP';

  constructor() {
    super('given up');
    this.name = 'GivenUpError';
  }
}

export class NameLookup {
  readonly #edge: LookupEdge;
  readonly #judge: AddressJudge;
  readonly #underWay = new Map<string, Promise<readonly LookupAddress[]>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param judge is asked about every address that a name leads to, whenever the name is asked for */
  constructor(edge: LookupEdge = byHost, judge: AddressJudge = () => undefined) {
    this.#edge = edge;
    this.#judge = judge;
  }

  /**
   * At least one address, in the host's order. An address is its own answer, with its zone ("fe80::1%eth0") if it has
   * one. Rejects with LookupError, or with GivenUpError when `signal` is aborted.
   */
  async addressesOf(host: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
    const family = isIP(host);
    if (family !== 0) return [{ address: host, family }];
    signal.throwIfAborted();
    let shared = this.#underWay.get(host);
    if (shared === undefined) {
      shared = this.#queued(host);
      this.#underWay.set(host, shared);
      const forget = () => this.#underWay.delete(host);
      shared.then(forget, forget);
    }
    const addresses = await unlessAborted(shared, signal);
    for (const { address } of addresses) {
      const refusal = this.#judge(host, address);
      // One of them is enough: whoever answers for the name may have put the others beside it.
      if (refusal !== undefined) throw new LookupError(host, 'EPERM', refusal);
    }
    return addresses;
  }

  async #queued(host: string): Promise<readonly LookupAddress[]> {
    if (this.#running >= MAX_UNDER_WAY) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
    try {
      return await new Promise((resolve, reject) => {
        this.#edge(host, (error, addresses) => {
          if (error !== null) reject(new LookupError(host, error.code ?? error.message));
          else if (addresses.length === 0) reject(new LookupError(host, 'ENODATA'));
          else resolve(addresses);
        });
      });
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}

function reasonOf(host: string, code: string): string {
  if (code === 'ENOTFOUND' || code === 'ENODATA') return `the name ${host} has no address`;
  if (code === 'EAI_AGAIN') return `the name ${host} cannot be looked up now: no name server answered`;
  return `the name ${host} cannot be looked up: ${code}`;
}

/** What the promise gives; rejects with GivenUpError as soon as `signal` is aborted. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new GivenUpError());
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
