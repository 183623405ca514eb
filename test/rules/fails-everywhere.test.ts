/**
 * A check that fails on every node is no reason to move an address: nobody is better off. With weight -253 or less a
 * failing member keeps the priority 1, and an equal priority does not take over.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SECOND, sampleRouter } from '../vrrp/sample-router.js';
import { QuietHost, QuietLan } from './quiet-lan.js';

const CHECK = 'check dependency';

function lanWith(weight: number): QuietLan {
  const hosts = [150, 100, 200].map((priority, index) => {
    const router = sampleRouter({ priority, leased: false, tracks: [{ id: CHECK, weight, reverse: false }] });
    return new QuietHost(`h${index}`, 0xc000_0201 + index, undefined, [router], { [CHECK]: 'up' });
  });
  const lan = new QuietLan(hosts);
  lan.run(30 * SECOND);
  assert.deepEqual(states(lan), ['backup', 'backup', 'active']);
  lan.transitions.length = 0;
  return lan;
}

function states(lan: QuietLan): string[] {
  return lan.hosts.map((host) => host.stateOf('pg'));
}

function fail(lan: QuietLan, ...order: readonly number[]): void {
  for (const index of order) {
    const host = lan.hosts[index];
    assert.ok(host);
    lan.turn(host, CHECK, 'down');
  }
}

for (const weight of [-253, -254]) {
  test(`weight ${weight}: what fails everywhere at once moves nothing`, () => {
    const lan = lanWith(weight);
    fail(lan, 0, 1, 2);
    lan.run(60 * SECOND);
    assert.deepEqual(lan.transitions, []);
    assert.deepEqual(states(lan), ['backup', 'backup', 'active']);
  });

  test(`weight ${weight}: the backups first, the active one within a second: nothing moves`, () => {
    const lan = lanWith(weight);
    fail(lan, 1, 0);
    lan.run(SECOND);
    fail(lan, 2);
    lan.run(60 * SECOND);
    assert.deepEqual(lan.transitions, []);
  });

  test(`weight ${weight}: the active one first; a backup whose check fails before its timer is up does not take over`, () => {
    const lan = lanWith(weight);
    fail(lan, 2);
    lan.run(2 * SECOND);
    fail(lan, 0, 1);
    lan.run(60 * SECOND);
    assert.deepEqual(lan.transitions, []);
  });

  test(`weight ${weight}: what fails on the active one alone moves the address; when it fails there too, nothing more`, () => {
    const lan = lanWith(weight);
    fail(lan, 2);
    lan.run(30 * SECOND);
    assert.deepEqual(states(lan), ['active', 'backup', 'backup']);
    lan.transitions.length = 0;
    fail(lan, 1, 0);
    lan.run(60 * SECOND);
    assert.deepEqual(lan.transitions, []);
    assert.deepEqual(states(lan), ['active', 'backup', 'backup']);
  });

  test(`weight ${weight}: when the active one dies while all fail, another one serves`, () => {
    const lan = lanWith(weight);
    fail(lan, 0, 1, 2);
    lan.run(10 * SECOND);
    const dying = lan.hosts[2];
    assert.ok(dying);
    lan.feed(dying, 'pg', { kind: 'shutdown', handover: false });
    lan.run(30 * SECOND);
    assert.equal(states(lan).filter((state) => state === 'active').length, 1);
  });
}

test('weight 0, for comparison: what fails everywhere leaves nobody', () => {
  const lan = lanWith(0);
  fail(lan, 0, 1, 2);
  lan.run(60 * SECOND);
  assert.deepEqual(states(lan), ['fault', 'fault', 'fault']);
});
