/**
 * From something that happens to the active host to the frame on the wire that says so: a check that fails (with and
 * without a weight), a tracked link that is lost, a virtual address that somebody removes.
 */

import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Host } from '../lab/host.js';
import { Program } from '../lab/program.js';
import { until } from '../lab/until.js';
import { Capture, type SeenAdvert } from './capture.js';
import { type Conduct, Contest, type Samples } from './contest.js';
import { Contestant, wallMs } from './contestant.js';
import type { Kind } from './figure.js';
import type { Row } from './row.js';
import { oneRouter, onStage, pauseUpTo, type Stage, VIRTUAL_ADDRESS } from './stage.js';

const INTERVAL_MS = 1000;
const PRIORITY = 100;
const WEIGHT = -30;
const START_MS = 30_000;
/** Of the interface on the active host; the other end gets the next free one. */
const CABLE_INDEX = 900;
const NOTICED_MS = 10_000;
const QUANTITIES = {
  check: 'failing check to priority 0 ms',
  weight: 'failing check to lower priority ms',
  link: 'lost link to priority 0 ms',
  address: 'removed address to its announcement ms',
};

export const NOTICES: Row = {
  name: 'notices',
  summary: 'from a failing check, a lost link and a removed address to the frame that says so, at adverts of 1 s',
  run: async (conduct) => {
    const contest = await Contest.hold(conduct, (kind) => onStage((stage) => happenings(stage, kind, conduct)));
    const figure = (what: string, quantity: string) =>
      contest.figure(`${what}, 1 s adverts, median`, 'ms', quantity, 'median', { kind: 'times', factor: 1.2 });
    return {
      figures: [
        figure('failing check to advert of priority 0', QUANTITIES.check),
        figure('failing check to advert of lower priority', QUANTITIES.weight),
        figure('lost tracked link to advert of priority 0', QUANTITIES.link),
        figure('removed virtual address until announced again', QUANTITIES.address),
      ],
      turns: contest.turns,
      notes: contest.failures,
    };
  },
};

async function happenings(stage: Stage, kind: Kind, { quick }: Conduct): Promise<Samples> {
  const { lab, one, observer } = stage;
  // A cable of its own, whose other end can be taken down: the carrier is lost, the interface stays up. With one index at
  // both ends the kernel would tell of it up to a second later, as it does where there is no hurry.
  await one.ip(
    `link add em2 index ${CABLE_INDEX} type veth peer name em2 netns ${observer.namespace}`,
    'link set em2 up',
  );
  await observer.ip('link set em2 up');
  const capture = await Capture.open(observer);
  const fault = new FailingCheck(lab.directory, 'fault');
  const weight = new FailingCheck(lab.directory, 'weight');
  const config = oneRouter({
    priority: PRIORITY,
    intervalMs: INTERVAL_MS,
    blocks: [fault.block(), weight.block(WEIGHT)],
    more: ['track_script {', '  fault', '  weight', '}', 'track_interface {', '  em2', '}'],
  });
  Contestant.start(kind, one, config);
  const shell = ipShell(one);
  const otherEnd = ipShell(observer);
  const samples: Record<string, number[]> = Object.fromEntries(Object.values(QUANTITIES).map((name) => [name, []]));
  const measured = (name: string, ms: number): void => void samples[name]?.push(ms);
  const untilActive = async (): Promise<void> => {
    const sinceMs = wallMs();
    const isFull = ({ priority, atMs }: SeenAdvert) => priority === PRIORITY && atMs > sinceMs;
    await capture.untilAdvert(`${kind} to be active`, START_MS, isFull);
    await one.untilHolds(VIRTUAL_ADDRESS, START_MS);
    await pause(1500);
    await pauseUpTo(INTERVAL_MS);
  };

  for (let each = 0; each < (quick ? 1 : 3); each += 1) {
    await untilActive();
    const noticed = async (what: string, priority: number, sinceMs: number): Promise<number> => {
      const says = (advert: SeenAdvert) => advert.priority === priority && advert.atMs >= sinceMs;
      return (await capture.untilAdvert(`${kind} to notice ${what}`, NOTICED_MS, says)).atMs - sinceMs;
    };

    measured(QUANTITIES.check, await noticed('the check', 0, await fault.fail()));
    fault.mend();
    await untilActive();

    measured(QUANTITIES.weight, await noticed('the weighed check', PRIORITY + WEIGHT, await weight.fail()));
    weight.mend();
    await untilActive();

    const cutAtMs = wallMs();
    otherEnd.write('link set em2 down\n');
    measured(QUANTITIES.link, await noticed('the lost link', 0, cutAtMs));
    otherEnd.write('link set em2 up\n');
    await untilActive();

    const removedAtMs = wallMs();
    shell.write(`address delete ${VIRTUAL_ADDRESS}/32 dev em1\n`);
    const announced = await until(`${kind} to notice the removed address`, NOTICED_MS, () =>
      capture.update().announcements.find(({ address, atMs }) => address === VIRTUAL_ADDRESS && atMs > removedAtMs),
    );
    measured(QUANTITIES.address, announced.atMs - removedAtMs);
  }
  return samples;
}

/** A check script that fails while its file is missing, and writes down when it first did. */
class FailingCheck {
  readonly #healthy: string;
  readonly #failedAt: string;
  readonly #script: string;

  constructor(
    directory: string,
    readonly name: string,
  ) {
    const file = (suffix: string) => path.join(directory, `${name}.${suffix}`);
    [this.#healthy, this.#failedAt, this.#script] = [file('healthy'), file('failed-at'), file('sh')];
    writeFileSync(this.#healthy, '');
    const text = `[ -e ${this.#healthy} ] && exit 0\necho $EPOCHREALTIME >> ${this.#failedAt}\nexit 1\n`;
    writeFileSync(this.#script, `#!/bin/bash\n${text}`);
    chmodSync(this.#script, 0o755);
  }

  /** vrrp_script of this name. */
  block(weight?: number): string {
    const weightLine = weight === undefined ? '' : `  weight ${weight}\n`;
    return `vrrp_script ${this.name} {\n  script "${this.#script}"\n  interval 1\n  fall 1\n  rise 1\n${weightLine}}`;
  }

  /** Waits until a run has failed; gives when it did. Wall clock, milliseconds with fractions. */
  async fail(): Promise<number> {
    rmSync(this.#failedAt, { force: true });
    rmSync(this.#healthy);
    const text = await until(
      `the check ${this.name} to be run`,
      NOTICED_MS,
      () => existsSync(this.#failedAt) && /^.*\n/.exec(readFileSync(this.#failedAt, 'utf8'))?.[0],
    );
    return Number(text.replace(',', '.')) * 1000;
  }

  mend(): void {
    writeFileSync(this.#healthy, '');
  }
}

/** ip(8) in the host's namespace that carries out each line as it comes: no process has to be started meanwhile. */
function ipShell(host: Host): Program {
  const child = spawn('ip', ['-n', host.namespace, '-force', '-batch', '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
  return host.adopt(new Program(`ip(8) on ${host.name}`, child));
}
