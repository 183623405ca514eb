import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, test } from 'node:test';
import { settings } from './router-settings.js';
import { VirtualClock } from './virtual-clock.js';
import { VirtualHost, VirtualLan } from './virtual-host.js';

const SECOND = 1_000_000;
const VIP = '10.0.0.100';
const DOWN_100 = 3_609_375;

/** A lone host, active. */
function activeHost(options = {}) {
  const clock = new VirtualClock();
  const a = new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24']);
  a.configure(settings(options));
  clock.advance(DOWN_100);
  assert.equal(a.router().state, 'active');
  a.takeLog();
  return { a, clock };
}

describe('interfaces', () => {
  test('link down is a fault at once, link up recovers', () => {
    const { a, clock } = activeHost();
    a.setLink('em1', false);
    clock.settle();
    assert.equal(a.router().state, 'fault');
    assert.deepEqual(a.router().holdReasons, ['interface em1 failed']);
    assert.ok(!a.holds(VIP));
    a.setLink('em1', true);
    clock.settle();
    assert.equal(a.router().state, 'backup');
    clock.advance(DOWN_100);
    assert.ok(a.holds(VIP));
    assert.deepEqual(
      a.occurrences('transition').map(({ to }) => to),
      ['backup', 'active', 'fault', 'backup', 'active'],
    );
  });

  test('an interface deleted and made anew under its name gets new sockets and recovers', () => {
    const { a, clock } = activeHost();
    a.removeLink('em1');
    clock.settle();
    assert.equal(a.router().state, 'fault');
    assert.deepEqual(a.router().holdReasons, ['interface em1 failed', 'source address failed']);
    assert.equal(a.openSockets, 1);
    assert.deepEqual(a.occurrences('address'), []);
    assert.deepEqual(a.router().heldAddresses, []);
    a.addLink('em1');
    a.addAddress('em1', '10.0.0.1/24');
    clock.advance(DOWN_100);
    assert.equal(a.router().state, 'active');
    assert.ok(a.holds(VIP));
    assert.equal(a.openSockets, 4);
  });

  test('one that is renamed is gone, until it has its name again', () => {
    const { a, clock } = activeHost();
    a.renameLink('em1', 'old');
    clock.settle();
    assert.equal(a.router().state, 'fault');
    assert.equal(a.openSockets, 1);
    a.renameLink('old', 'em1');
    clock.advance(DOWN_100);
    assert.equal(a.router().state, 'active');
    assert.ok(a.holds(VIP));
  });

  test('one that does not exist yet is a fault, not a refusal', () => {
    const clock = new VirtualClock();
    const a = new VirtualHost('a', new VirtualLan(clock), [], { withLink: false });
    assert.deepEqual(a.configure(settings()), []);
    assert.equal(a.router().state, 'fault');
    a.addLink('em1');
    a.addAddress('em1', '10.0.0.1/24');
    clock.settle();
    assert.equal(a.router().state, 'backup');
  });

  test('on which no socket can be opened is a fault, and tried again', () => {
    const clock = new VirtualClock();
    const a = new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24']);
    a.openFails = constants.errno.EPERM;
    a.configure(settings());
    assert.equal(a.router().state, 'fault');
    assert.match(String(a.occurrences('log')[0]?.fields['detail']), /EPERM/);
    a.openFails = undefined;
    clock.advance(SECOND);
    assert.equal(a.router().state, 'backup');
  });

  test('on which the group cannot be joined is a fault, and tried again: nobody is active and deaf', () => {
    const clock = new VirtualClock();
    const a = new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24']);
    a.configure(settings({ more: { peers: ['10.0.0.2'] } }));
    a.multicastFails = constants.errno.ENOBUFS;
    a.configure(settings());
    assert.equal(a.router().state, 'fault');
    assert.match(String(a.occurrences('log')[0]?.fields['detail']), /ENOBUFS/);
    a.multicastFails = undefined;
    clock.advance(SECOND);
    assert.equal(a.router().state, 'backup');
  });

  test('a socket that breaks is opened again', () => {
    const { a, clock } = activeHost();
    a.breakSockets();
    clock.advance(SECOND);
    assert.equal(a.openSockets, 4);
    assert.equal(a.router().state, 'active');
  });

  test('a watch that breaks is opened again and misses nothing', () => {
    const { a, clock } = activeHost();
    a.breakWatch();
    a.setLink('em1', false);
    clock.advance(SECOND);
    assert.equal(a.router().state, 'fault');
  });

  test('events that were lost are made up for by a dump', () => {
    const { a, clock } = activeHost();
    const link = a.links.get('em1');
    assert.ok(link);
    a.links.set('em1', { ...link, isUp: false });
    a.overrun();
    clock.settle();
    assert.equal(a.router().state, 'fault');
  });
});

describe('source address', () => {
  test('is the first address of the interface that is not virtual; without one there is a fault', () => {
    const clock = new VirtualClock();
    const a = new VirtualHost('a', new VirtualLan(clock), [`${VIP}/24`, '10.0.0.5/24', '10.0.0.1/24']);
    a.configure(settings());
    assert.equal(a.router().sourceAddress, '10.0.0.5');
    a.removeAddress('10.0.0.5');
    clock.settle();
    assert.equal(a.router().sourceAddress, '10.0.0.1');
    a.removeAddress('10.0.0.1');
    clock.settle();
    assert.equal(a.router().state, 'fault');
    assert.deepEqual(a.router().holdReasons, ['source address failed']);
    a.addAddress('em1', '10.0.0.9/24');
    clock.settle();
    assert.equal(a.router().state, 'backup');
  });

  test('that is configured must be on this host', () => {
    const clock = new VirtualClock();
    const a = new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24', '10.0.0.2/24']);
    a.configure(settings({ more: { sourceAddress: '10.0.0.2' } }));
    assert.equal(a.router().sourceAddress, '10.0.0.2');
    a.removeAddress('10.0.0.2');
    clock.settle();
    assert.equal(a.router().state, 'fault');
  });
});

describe('virtual addresses that others touch', () => {
  test('one removed by hand is back at once, announced and told', () => {
    const { a, clock } = activeHost();
    a.removeAddress(VIP);
    clock.settle();
    assert.ok(a.holds(VIP));
    assert.deepEqual(a.takeLog(), [`add ${VIP}/32 3`, `arp ${VIP} x1`]);
    assert.deepEqual(
      a.occurrences('address').map(({ change, address, interface: on }) => [change, address, on]),
      [['restored', `${VIP}/32`, 'em1']],
    );
    assert.equal(a.router().state, 'active');
  });

  test('one that something else keeps removing is put back each time, and told by the minute', () => {
    const { a, clock } = activeHost();
    for (let time = 0; time < 500; time += 1) {
      a.removeAddress(VIP);
      clock.settle();
    }
    assert.ok(a.holds(VIP));
    assert.equal(a.router().counters['restorations'], 500);
    assert.equal(a.occurrences('address').length, 1);
    clock.advance(60 * SECOND);
    a.removeAddress(VIP);
    clock.settle();
    assert.deepEqual(
      a.occurrences('address').map(({ change, detail }) => [change, detail]),
      [
        ['restored', 'something else, or the kernel along with another address, removed it; it was put back'],
        [
          'restored',
          'something else, or the kernel along with another address, removed it; it was put back; 499 times more since this was last told',
        ],
      ],
    );
  });

  test('one that cannot be put back makes the router step down', () => {
    const { a, clock } = activeHost();
    a.addFails = constants.errno.EPERM;
    a.removeAddress(VIP);
    clock.settle();
    assert.equal(a.router().state, 'backup');
    assert.equal(a.router().cause, 'address-lost');
    assert.deepEqual(
      a.occurrences('address').map(({ change }) => change),
      ['removed-by-other', 'add-failed'],
    );
    assert.ok(a.takeLog().includes('advert 0'));
  });

  test('one that cannot be added is told once, tried again with each renewal, and told when it succeeds', () => {
    const clock = new VirtualClock();
    const a = new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24']);
    a.configure(settings());
    a.addFails = constants.errno.EPERM;
    clock.advance(DOWN_100 + 5 * SECOND);
    assert.equal(a.router().state, 'active');
    assert.deepEqual(a.router().heldAddresses, []);
    assert.deepEqual(
      a.occurrences('address').map(({ change }) => change),
      ['add-failed'],
    );
    a.addFails = undefined;
    clock.advance(2 * SECOND);
    assert.ok(a.holds(VIP));
    assert.deepEqual(a.router().heldAddresses, [`${VIP}/32`]);
  });

  test('one without a lease that cannot be added is tried again every second', () => {
    const clock = new VirtualClock();
    const a = new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24']);
    a.configure(settings({ leased: false }));
    a.addFails = constants.errno.ENOBUFS;
    clock.advance(DOWN_100 + 5 * SECOND);
    a.addFails = undefined;
    clock.advance(SECOND);
    assert.ok(a.holds(VIP));
    assert.deepEqual(
      a.occurrences('address').map(({ change }) => change),
      ['add-failed', 'restored'],
    );
    const requests = a.requests.length;
    clock.advance(10 * SECOND);
    assert.equal(a.requests.length, requests);
  });

  test('one added by hand on a backup is told once, and left alone', () => {
    const clock = new VirtualClock();
    const a = new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24']);
    a.configure(settings());
    a.addAddress('em1', `${VIP}/32`);
    a.addAddress('em1', '10.0.0.200/32');
    clock.settle();
    assert.ok(a.holds(VIP));
    assert.deepEqual(
      a.occurrences('notice').map(({ notice }) => notice),
      ['address-held-while-not-active'],
    );
  });

  test('one that the kernel removes along with one of ours is back at once', () => {
    const { a, clock } = activeHost({ addresses: ['10.0.0.101', '10.0.0.102'] });
    // As a secondary address of the subnet goes with its primary: in the name of whoever removed the primary.
    a.removeAddress('10.0.0.102', true);
    clock.settle();
    assert.ok(a.holds('10.0.0.102'));
    assert.deepEqual(
      a.occurrences('address').map(({ change, address }) => [change, address]),
      [['restored', '10.0.0.102/32']],
    );
  });

  test('news of our own removals do not undo what was added since', () => {
    const { a, clock } = activeHost();
    // Removed by fault and added again before the kernel's news of the removal are read.
    a.configure();
    a.configure(settings({ priority: 255 }));
    clock.advance(SECOND);
    assert.ok(a.holds(VIP));
    assert.deepEqual(a.occurrences('address'), []);
  });
});
