import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Claim } from '../../agent/net/claim.js';
import { Probe } from '../../agent/runtime/probe.js';
import type { RunningRouter } from '../../agent/runtime/running-router.js';
import { formatIp, type IpAddress } from '../../proto/rules/ip.js';
import { active, link, listener, OK, running, tableOf } from './kept.js';
import { ip } from './router-settings.js';

const SECOND = 1_000_000;

/** Each call is a turn of the election loop. */
function inTurns(probe: Probe) {
  const turn =
    <Rest extends readonly unknown[]>(work: (...rest: Rest) => void, nowOf: (...rest: Rest) => number) =>
    (...rest: Rest): void => {
      work(...rest);
      probe.flush(nowOf(...rest));
    };
  return {
    start: turn(probe.start.bind(probe), (_router, now) => now),
    hold: turn(probe.hold.bind(probe), (_router, now) => now),
    release: (router: RunningRouter, now: number) => turn(probe.release.bind(probe), (_router) => now)(router),
    listen: (router: RunningRouter, on: boolean, now: number) =>
      turn(probe.listen.bind(probe), (_router, _on) => now)(router, on),
    forget: turn(probe.forget.bind(probe), (_router, now) => now),
    heard: turn(probe.heard.bind(probe), (_device, _claim, now) => now),
    onTime: turn(probe.onTime.bind(probe), (now) => now),
    get nextAt() {
      return probe.nextAt;
    },
  };
}

function probing() {
  const asked: string[] = [];
  const watched = new Map<string, readonly string[]>();
  const known = new Set<RunningRouter>();
  const conflicts: string[] = [];
  const defended: string[] = [];
  const { outbox, trouble, of } = listener();
  const probe = new Probe({
    channels: {
      get: (name) => ({
        probe: (addresses: readonly IpAddress[]) => {
          asked.push(`${name} ${addresses.map(formatIp).join('+')}`);
          return OK;
        },
        watch: (router: RunningRouter, addresses: readonly IpAddress[]) => {
          known.add(router);
          watched.set(name, addresses.map(formatIp));
          return OK;
        },
      }),
    },
    table: tableOf(link(2, 'em1'), link(3, 'em2')),
    outbox,
    trouble,
    wanting: (address, device) =>
      [...known].filter(({ wanted }) => wanted.some((each) => each.address === address && each.device === device)),
    onConflict: (router) => conflicts.push(router.name),
    defend: (_router, wanted) => defended.push(formatIp(wanted.address)),
  });
  return { probe: inTurns(probe), asked, watched, conflicts, defended, of };
}

function claim(mac: string, kind: Claim['kind'] = 'answer', address = '10.0.0.100'): Claim {
  return { address: ip(address), kind, hardwareAddress: Uint8Array.from(mac.split(':'), (byte) => parseInt(byte, 16)) };
}

const STRANGER = '02:aa:aa:aa:aa:aa';
const warn = (duplicateProbe: 'off' | 'warn' | 'refuse' = 'warn') => running({ router: { duplicateProbe } });

test('while the addresses are held: a stranger counts when it is still there after a second, and is told of once', () => {
  const { probe, asked, watched, conflicts, defended, of } = probing();
  const router = active(warn());
  probe.start(router, 0);
  probe.hold(router, 0);
  assert.deepEqual(asked, ['em1 10.0.0.100']);
  assert.deepEqual(watched.get('em1'), ['10.0.0.100']);
  probe.heard('em1', claim(STRANGER), 10_000);
  assert.deepEqual(of('addressConflict'), [], 'it may be the predecessor');
  assert.equal(probe.nextAt, 1 * SECOND);
  probe.onTime(1 * SECOND);
  assert.equal(asked.length, 2, 'asked once more');
  probe.heard('em1', claim(STRANGER), 1_010_000);
  const [told] = of('addressConflict');
  assert.equal(told?.mac, STRANGER);
  assert.equal(told?.address, '10.0.0.100');
  assert.deepEqual([...router.conflicts.values()], [{ address: '10.0.0.100', mac: STRANGER, lastAt: 1_010_000 }]);
  assert.deepEqual(defended, ['10.0.0.100']);
  for (let ms = 2; ms < 9; ms++) probe.heard('em1', claim(STRANGER), ms * SECOND);
  assert.equal(of('addressConflict').length, 1);
  assert.equal(defended.length, 1, 'RFC 5227: once in ten seconds');
  probe.heard('em1', claim(STRANGER, 'announcement'), 12 * SECOND);
  assert.equal(defended.length, 2);
  probe.heard('em1', claim(STRANGER), 700 * SECOND);
  assert.equal(of('addressConflict').length, 2, 'it is still there after ten minutes');
  assert.deepEqual(conflicts, [], 'the election goes on');
});

test('a predecessor that goes within its second is no stranger', () => {
  const { probe, of } = probing();
  const router = active(warn());
  probe.start(router, 0);
  probe.hold(router, 0);
  probe.heard('em1', claim(STRANGER), 10_000);
  probe.heard('em1', claim(STRANGER, 'announcement'), 900_000);
  for (let second = 1; second < 200; second++) probe.onTime(second * SECOND);
  assert.deepEqual(of('addressConflict'), []);
});

test('a stranger that answers a moment before its second is over is asked again at its end', () => {
  const { probe, asked, of } = probing();
  const router = active(warn());
  probe.start(router, 0);
  probe.hold(router, 0);
  probe.heard('em1', claim(STRANGER), 2_000);
  probe.onTime(1 * SECOND);
  probe.heard('em1', claim(STRANGER), 1_001_000);
  assert.deepEqual(of('addressConflict'), []);
  assert.equal(probe.nextAt, 1_002_000);
  probe.onTime(1_002_000);
  assert.equal(asked.length, 3);
  probe.heard('em1', claim(STRANGER), 1_003_000);
  assert.equal(of('addressConflict').length, 1);
});

test('before the addresses are claimed every answer counts at once, and only for as long as it is waited for', () => {
  const { probe, watched, conflicts, of } = probing();
  const router = warn('refuse');
  probe.start(router, 0);
  probe.heard('em1', claim(STRANGER), 1_000);
  assert.deepEqual(conflicts, ['r']);
  assert.equal(of('addressConflict').length, 1);
  assert.deepEqual(watched.get('em1'), [], 'not listened for any more');

  probe.start(router, 10 * SECOND);
  assert.equal(probe.nextAt, 10_500_000);
  probe.onTime(10_500_000);
  assert.deepEqual(watched.get('em1'), []);
  // Somebody else became active meanwhile: that is how it should be.
  probe.heard('em1', claim(STRANGER), 10_600_000);
  assert.deepEqual(conflicts, ['r']);
  assert.equal(probe.nextAt, undefined);
});

test('nobody of this host or of this virtual router is a stranger', () => {
  const { probe, conflicts } = probing();
  const router = warn('refuse');
  probe.start(router, 0);
  for (const mac of ['02:00:00:00:00:02', '02:00:00:00:00:03', '00:00:5e:00:01:0a', '00:00:5e:00:02:0a']) {
    probe.heard('em1', claim(mac), 1);
  }
  assert.deepEqual(conflicts, []);
  probe.heard('em2', claim(STRANGER), 2);
  probe.heard('em1', claim(STRANGER, 'answer', '10.0.0.99'), 2);
  assert.deepEqual(conflicts, [], 'elsewhere, or another address');
  probe.heard('em1', claim('00:00:5e:00:01:0b'), 3);
  assert.deepEqual(conflicts, ['r'], 'another virtual router is one');
});

test('what was given up or is not to be asked for is not asked for', () => {
  const { probe, asked, watched, of } = probing();
  const router = active(warn());
  probe.hold(router, 0);
  probe.release(router, 500_000);
  assert.equal(probe.nextAt, undefined);
  assert.deepEqual(watched.get('em1'), []);
  probe.heard('em1', claim(STRANGER), 600_000);
  const off = active(warn('off'));
  probe.hold(off, SECOND);
  assert.equal(probe.nextAt, undefined);
  assert.deepEqual(asked, []);
  assert.deepEqual(of('addressConflict'), []);
});

test('held addresses are asked for once a minute', () => {
  const { probe, asked } = probing();
  probe.hold(active(warn()), 0);
  const at: number[] = [];
  for (let turns = 0; turns < 4; turns++) {
    const next = probe.nextAt ?? 0;
    at.push(next / SECOND);
    probe.onTime(next);
  }
  assert.deepEqual(at, [1, 61, 121, 181]);
  assert.equal(asked.length, 4);
});

test('a handover listens for itself, whether or not the addresses are watched', () => {
  const { probe, watched } = probing();
  const router = active(warn('off'));
  probe.listen(router, true, 0);
  assert.deepEqual(watched.get('em1'), ['10.0.0.100']);
  probe.release(router, 0);
  assert.deepEqual(watched.get('em1'), ['10.0.0.100']);
  probe.listen(router, false, 0);
  assert.deepEqual(watched.get('em1'), []);
});

test('whoever claims from ever new MAC addresses fills no memory', () => {
  const { probe } = probing();
  const router = active(warn());
  probe.hold(router, 0);
  for (let i = 0; i < 1000; i++) {
    const mac = `02:aa:aa:aa:${(i >> 8).toString(16)}:${(i & 255).toString(16)}`;
    probe.heard('em1', claim(mac), i);
    probe.heard('em1', claim(mac), 2 * SECOND + i);
  }
  assert.ok(router.conflicts.size <= 16);
});
