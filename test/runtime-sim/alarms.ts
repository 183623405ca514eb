/**
 * How good the controller's knowledge of two active routers, and of none, is: measured against the kernels and elections
 * themselves, sample by sample.
 */
import type { Instant, Micros } from '../../proto/rules/time.js';
import type { ControlledAgent } from './controlled-agent.js';
import type { Controller } from './controller.js';
import type { World } from './world.js';

/** What is so for longer than this must be known; what an agent tells is told within a moment. */
export const TOLD_WITHIN: Micros = 1_000_000;
/** For this long after a disturbance of hosts or connections an alarm may rest on what was true before. */
const DISTURBED_FOR: Micros = 32_000_000;

export interface AlarmCounts {
  /** Times that a problem lasted, known to agents that could tell of it. */
  real: number;
  detected: number;
  /** Alarms that were raised. */
  raised: number;
  /** Of these, with nothing behind them, and nothing that could have misled anybody. */
  mistaken: number;
  /** Of these, resting on what an agent that was paused, cut off or dead had last said. */
  outdated: number;
  /** From the start of the problem to the alarm, in microseconds. */
  readonly delays: number[];
}

type Kind = 'two' | 'none';

interface Watched {
  realSince: Instant | undefined;
  realUntil: Instant;
  isDetected: boolean;
  isRaised: boolean;
}

export class Alarms {
  readonly counts: Readonly<Record<Kind, AlarmCounts>> = { two: noCounts(), none: noCounts() };
  /** When a host or a connection was last disturbed. */
  disturbedAt: Instant = 0;
  readonly #watched = new Map<string, Watched>();

  constructor(
    private readonly world: World,
    private readonly controller: Controller,
    private readonly agents: readonly ControlledAgent[],
  ) {}

  /** To be called every few hundredths of a second. */
  sample(): void {
    const { world, controller, agents } = this;
    const overview = controller.overview();
    if (overview === undefined) {
      this.#watched.clear();
      return;
    }
    const able = world.hosts.filter((host) => host.isRunning && agents[host.place.number]?.isConnected === true);
    for (const router of world.plan.routers) {
      const problems = overview.routers.find(({ name }) => name === router.name)?.problems ?? [];
      const active = able.filter((host) => host.isActive(router.name));
      this.#judge(
        'two',
        router.name,
        active.length > 1,
        problems.some((text) => / active routers: /.test(text)),
      );
      const isNobody = able.length === world.hosts.length && active.length === 0;
      this.#judge('none', router.name, isNobody, problems.includes('no active router'));
    }
  }

  /** What operators are told of, but who answered for an address in the last ten minutes. */
  get present(): readonly string[] {
    const routers = this.controller.overview()?.routers ?? [];
    return routers.flatMap(({ name, problems }) =>
      problems.filter((text) => !text.includes(' answers for ')).map((text) => `${name}: ${text}`),
    );
  }

  #judge(kind: Kind, router: string, isReal: boolean, isRaised: boolean): void {
    const { now } = this.world.timeline;
    const counts = this.counts[kind];
    const key = `${kind} ${router}`;
    const watched = this.#watched.get(key) ?? {
      realSince: undefined,
      realUntil: -1,
      isDetected: false,
      isRaised: false,
    };
    this.#watched.set(key, watched);
    if (isReal) {
      watched.realSince ??= now;
      watched.realUntil = now;
      if (isRaised && !watched.isDetected) {
        watched.isDetected = true;
        counts.delays.push(now - watched.realSince);
      }
    } else if (watched.realSince !== undefined) {
      if (watched.realUntil - watched.realSince > TOLD_WITHIN) {
        counts.real += 1;
        if (watched.isDetected) counts.detected += 1;
        else
          this.world.violate(
            'I-9',
            `${router}: ${kind} active for ${watched.realUntil - watched.realSince} us and no alarm`,
          );
      }
      watched.realSince = undefined;
      watched.isDetected = false;
    }
    if (isRaised && !watched.isRaised) {
      counts.raised += 1;
      const isExcused = now - watched.realUntil < TOLD_WITHIN || now - this.disturbedAt < DISTURBED_FOR;
      if (!isReal && isExcused) counts.outdated += 1;
      if (!isReal && !isExcused) {
        counts.mistaken += 1;
        this.world.violate('I-9', `${router}: an alarm (${kind} active) with nothing behind it`);
      }
    }
    watched.isRaised = isRaised;
  }
}

function noCounts(): AlarmCounts {
  return { real: 0, detected: 0, raised: 0, mistaken: 0, outdated: 0, delays: [] };
}
