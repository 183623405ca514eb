/** Routers that advertise and that the configuration knows nothing of. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { advertPacket, ipv6AdvertPacket } from '../lab/packet.js';
import { settings } from './router-settings.js';
import { VirtualClock } from './virtual-clock.js';
import { VirtualHost, VirtualLan } from './virtual-host.js';

const SECOND = 1_000_000;
const DOWN_100 = 3_609_375;

function host(...addresses: readonly string[]) {
  const clock = new VirtualClock();
  return { clock, a: new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24', ...addresses]) };
}

function advert(source: string, vrid = 10, priority = 50) {
  return advertPacket({ source, vrid, priority, addresses: ['10.0.0.100'], interval: 100 });
}

describe('an advertisement of one that is no member', () => {
  const known = (more = {}) => settings({ more: { knownSources: ['10.0.0.1', '10.0.0.2'], ...more } });

  test('is told once for each source, counted, and takes part in the election', () => {
    const { a, clock } = host();
    a.configure(known());
    clock.advance(DOWN_100);
    assert.equal(a.router().state, 'active');
    for (const source of ['10.0.0.2', '10.0.0.7', '10.0.0.7', '10.0.0.8']) a.receive(advert(source));
    a.receive(advert('10.0.0.7', 10, 200));
    const notices = a.occurrences('notice').filter(({ notice }) => notice === 'foreign-router');
    assert.deepEqual(
      notices.map(({ router, source }) => [router, source]),
      [
        ['r', '10.0.0.7'],
        ['r', '10.0.0.8'],
      ],
    );
    assert.match(notices[0]?.sentence ?? '', /^10\.0\.0\.7 advertises this virtual router and is none of its members/);
    assert.equal(a.router().counters['foreign-advertisements'], 4);
    assert.equal(a.router().counters['notices.foreign-router'], 2);
    assert.equal(a.router().state, 'backup');
  });

  test('is nothing where the members are not known, and refused where only they are believed', () => {
    const open = host().a;
    open.configure(settings());
    open.receive(advert('10.0.0.7'));
    assert.equal(open.router().counters['foreign-advertisements'], undefined);
    const closed = host().a;
    closed.configure(known({ believedSources: ['10.0.0.2'] }));
    closed.receive(advert('10.0.0.7', 10, 200));
    assert.equal(closed.router().counters['foreign-advertisements'], undefined);
    assert.equal(closed.router().counters['rejected.not-a-peer'], 1);
    assert.equal(closed.occurrences('notice').length, 0);
  });

  test('from ever new sources is told eight times a minute', () => {
    const { a, clock } = host();
    a.configure(known());
    const told = () => a.occurrences('notice').filter(({ notice }) => notice === 'foreign-router').length;
    for (let i = 3; i < 203; i += 1) a.receive(advert(`10.0.0.${i}`));
    assert.equal(told(), 8);
    clock.advance(60 * SECOND);
    a.receive(advert('10.0.0.202'));
    assert.equal(told(), 9);
  });
});

describe('a VRID that this host has no part in', () => {
  const foreign = (a: VirtualHost) => a.status().interfaces[0]?.foreign ?? [];

  test('has a row for each source at its interface, and is told once', () => {
    const { a, clock } = host('fe80::1/64');
    a.configure(settings(), settings({ name: 'r6', vrid: 11, addresses: ['fe80::100'] }));
    a.receive(advert('10.0.0.7', 77));
    a.receive(advert('10.0.0.7', 77));
    a.receive(advert('10.0.0.8', 78));
    // A VRID is one of its family.
    a.receive(ipv6AdvertPacket({ source: 'fe80::7', vrid: 10, priority: 1, addresses: ['fe80::77'], interval: 100 }));
    const lastWallMs = clock.wallMs();
    clock.advance(3 * SECOND);
    assert.deepEqual(foreign(a), [
      { vrid: 77, source: '10.0.0.7', advertisements: 2, lastWallMs },
      { vrid: 78, source: '10.0.0.8', advertisements: 1, lastWallMs },
      { vrid: 10, source: 'fe80::7', advertisements: 1, lastWallMs },
    ]);
    // The other one of the same virtual router, which has taken over.
    a.receive(advert('10.0.0.9', 77));
    const told = a.occurrences('unknownVrid').map(({ interface: device, vrid, source }) => [device, vrid, source]);
    assert.deepEqual(told, [
      ['em1', 77, '10.0.0.7'],
      ['em1', 78, '10.0.0.8'],
      ['em1', 10, 'fe80::7'],
    ]);
  });

  test('makes room for another after 32, and is told eight times a minute', () => {
    const { a } = host();
    a.configure(settings());
    for (let vrid = 100; vrid < 132; vrid += 1) a.receive(advert('10.0.0.7', vrid));
    a.lan.clock.advance(SECOND);
    a.receive(advert('10.0.0.7', 100));
    a.receive(advert('10.0.0.7', 150));
    const vrids = foreign(a).map(({ vrid }) => vrid);
    assert.equal(vrids.length, 32);
    assert.ok(vrids.includes(100) && vrids.includes(150) && !vrids.includes(101), vrids.join());
    assert.equal(a.occurrences('unknownVrid').length, 8);
    assert.equal(a.status().interfaces[0]?.counters['unknown-vrid'], 34);
  });
});
