import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settings } from './router-settings.js';
import { VirtualClock } from './virtual-clock.js';
import { VirtualHost, VirtualLan } from './virtual-host.js';

const SECOND = 1_000_000;
const VIP = '10.0.0.100';
const DOWN_100 = 3_609_375;
const TRACK = { id: 'virtual mac', weight: 0, reverse: false };

function lone(virtualMac = {}) {
  const clock = new VirtualClock();
  const a = new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24']);
  const mac = { name: 'vrrp.10', address: '00:00:5e:00:01:0a', transmitOnBase: false, ...virtualMac };
  const configured = settings({ tracks: [TRACK], more: { virtualMac: mac } });
  a.configure(configured);
  clock.settle();
  return { clock, a, configured };
}

/** Interface that an address is on. */
function deviceOf(a: VirtualHost, address: string): string | undefined {
  const found = a.addresses.find((each) => a.holds(address) && String(each.address) === String(0x0a000064));
  return [...a.links.values()].find(({ index }) => index === found?.interfaceIndex)?.name;
}

describe('a router with a virtual MAC', () => {
  test('sends from its macvlan and has its addresses there, with the source of the interface below', () => {
    const { clock, a } = lone();
    assert.equal(a.links.get('vrrp.10')?.hardwareAddress?.join(), '0,0,94,0,1,10');
    assert.equal(a.router().state, 'backup');
    assert.equal(a.router().sourceAddress, '10.0.0.1');
    clock.advance(DOWN_100);
    assert.equal(deviceOf(a, VIP), 'vrrp.10');
    assert.ok(a.takeLog().includes('advert 100 on vrrp.10'));
  });

  test('sends on the interface below where that is wanted', () => {
    const { clock, a } = lone({ transmitOnBase: true });
    clock.advance(DOWN_100);
    assert.equal(deviceOf(a, VIP), 'vrrp.10');
    assert.ok(a.takeLog().includes('advert 100'));
  });

  test('waits in fault until its interface is there and up, and gets it back when somebody takes it away', () => {
    const { clock, a } = lone();
    clock.advance(DOWN_100);
    a.removeLink('vrrp.10');
    clock.settle();
    assert.ok(a.links.has('vrrp.10'));
    clock.advance(2 * DOWN_100);
    assert.equal(a.router().state, 'active');
    assert.equal(deviceOf(a, VIP), 'vrrp.10');
  });

  test('that goes takes its interface along, after it has handed over', () => {
    const { clock, a } = lone();
    clock.advance(DOWN_100);
    a.configure();
    assert.ok(a.links.has('vrrp.10'));
    clock.advance(4 * SECOND);
    assert.ok(!a.links.has('vrrp.10'));
  });

  test('leaves its interface to the next process, and takes it along at the end', () => {
    const { clock, a, configured } = lone();
    clock.advance(DOWN_100);
    a.tell({ kind: 'suspend' });
    assert.ok(a.links.has('vrrp.10'));
    const before = a.links.get('vrrp.10')?.index;
    a.restart();
    a.configure(configured);
    clock.settle();
    assert.equal(a.links.get('vrrp.10')?.index, before);
    a.election.shutdown(false);
    assert.ok(!a.links.has('vrrp.10'));
  });
});
