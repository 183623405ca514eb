/**
 * interface_up_down_delays: Baton and keepalived, from the same keepalived.conf, see the same changes of their interfaces
 * and the same not, and none before its delay is over. How much later is the machine's affair.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Host } from '../lab/host.js';
import { keepalivedFile, vrrpInstance } from '../lab/keepalived.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { throughout, until } from '../lab/until.js';
import { Contender, type Kind } from './contender.js';
import { SLACK_MS } from './stage.js';

const skip = labUnavailable('keepalived');
const DOWN_MS = 1500;
const UP_MS = 1000;
/** Shorter than both. */
const BLINK_MS = 400;
/** Longer than both, and than all that a test waits for. */
const LONG_UP_MS = 30_000;

/** One instance for each interface that it follows; `own` has its addresses and advertisements on the delayed one itself. */
const INSTANCES = { delayed: 'VI_1', undelayed: 'VI_2', late: 'VI_3', own: 'VI_4' } as const;
type Instance = keyof typeof INSTANCES;

/** em2 to em4 are on a second LAN, em4 is down at first. */
function conf(): string {
  const instance = (which: Instance, vrid: number, device: string, followed: string) =>
    vrrpInstance(INSTANCES[which], {
      vrid,
      priority: 100,
      // A delay is bounded by what the others wait before they give an instance on the interface up.
      interval: 1,
      interface: device,
      addresses: [`10.9.0.${100 + vrid}/32`],
      more: followed === '' ? [] : [`track_interface {\n    ${followed}\n  }`],
    });
  return keepalivedFile(
    ['interface_up_down_delays {', `  em2 ${DOWN_MS / 1000} ${UP_MS / 1000}`, `  em4 1 ${LONG_UP_MS / 1000}`, '}'].join(
      '\n',
    ),
    instance('delayed', 1, 'em1', 'em2'),
    instance('undelayed', 2, 'em1', 'em3'),
    instance('late', 3, 'em1', 'em4'),
    instance('own', 4, 'em2', ''),
  );
}

interface Seat {
  readonly lab: Lab;
  readonly host: Host;
  readonly contender: Contender;
}

async function seat(t: TestContext, kind: Kind): Promise<Seat> {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const host = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  await lab.attach(host, 'em2', '10.9.1.1/24');
  await lab.attach(host, 'em3');
  await lab.attach(host, 'em4');
  await host.ip('link set em4 down');
  return { lab, host, contender: await Contender.start(kind, host, conf()) };
}

/** What takes an interface down and up: the host itself, or the other end of its cable. */
const WAYS: readonly { readonly title: string; readonly set: (at: Seat, state: 'down' | 'up') => Promise<void> }[] = [
  { title: 'set down', set: ({ host }, state) => host.ip(`link set em2 ${state}`, `link set em3 ${state}`) },
  {
    title: 'carrier lost',
    set: ({ lab, host }, state) =>
      lab.switchHost.ip(...['em2', 'em3'].map((device) => `link set ${lab.portOf(host, device)} ${state}`)),
  },
];

test('interface_up_down_delays', { skip, concurrency: 2 }, async (t) => {
  const kinds: readonly Kind[] = ['keepalived', 'baton'];
  await Promise.all(kinds.map((kind) => t.test(kind, async (own) => await asTheFileSays(own, kind))));
});

async function asTheFileSays(t: TestContext, kind: Kind): Promise<void> {
  const at = await seat(t, kind);
  const isInFault = async (which: Instance) => (await at.contender.account(INSTANCES[which])).state === 'fault';
  /** How long after the change the instance was first seen in fault, or out of it, in ms. */
  const changed = async (which: Instance, wanted: 'in fault' | 'well', sinceMs: number): Promise<number> => {
    await until(
      `${which} to be ${wanted}`,
      SLACK_MS,
      async () => (await isInFault(which)) === (wanted === 'in fault'),
      () => at.host.tails(),
    );
    return performance.now() - sinceMs;
  };
  const stays = (what: string, forMs: number, which: readonly Instance[], wanted: 'in fault' | 'well') =>
    throughout(what, forMs, async () => {
      const faults = await Promise.all(which.map(isInFault));
      return faults.every((fault) => fault === (wanted === 'in fault'));
    });
  for (const which of ['delayed', 'undelayed', 'own'] as const) await changed(which, 'well', performance.now());

  for (const { title, set } of WAYS) {
    await t.test(`${title}: a change counts once its delay is over, one without delay at once`, async () => {
      let since = performance.now();
      await set(at, 'down');
      await changed('undelayed', 'in fault', since);
      for (const which of ['delayed', 'own'] as const) {
        const took = await changed(which, 'in fault', since);
        assert.ok(took >= DOWN_MS, `${which} in fault after ${took.toFixed(0)} ms`);
      }
      since = performance.now();
      await set(at, 'up');
      await changed('undelayed', 'well', since);
      for (const which of ['delayed', 'own'] as const) {
        const took = await changed(which, 'well', since);
        assert.ok(took >= UP_MS, `${which} well after ${took.toFixed(0)} ms`);
      }
    });

    await t.test(`${title}: a change that does not last is none`, async () => {
      await set(at, 'down');
      await pause(BLINK_MS);
      await set(at, 'up');
      await stays('no fault', DOWN_MS, ['delayed', 'own'], 'well');
      const since = performance.now();
      await set(at, 'down');
      await changed('delayed', 'in fault', since);
      await changed('own', 'in fault', since);
      await set(at, 'up');
      await pause(BLINK_MS);
      await set(at, 'down');
      await stays('the fault', UP_MS, ['delayed', 'own'], 'in fault');
      await set(at, 'up');
      for (const which of ['delayed', 'own'] as const) await changed(which, 'well', performance.now());
    });
  }

  await t.test('the first time that an interface is up does not wait', async () => {
    assert.equal(await isInFault('late'), true);
    await at.host.ip('link set em4 up');
    await changed('late', 'well', performance.now());
  });
}
