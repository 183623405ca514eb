/** What is known, believed and told of those who advertise, and of those who claim our addresses. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HmacSettings } from '../../agent/runtime/messages.js';
import { PeerTable } from '../../agent/runtime/peer-table.js';
import { RejectedSenders } from '../../agent/runtime/rejected-senders.js';
import { advertPacket } from '../lab/packet.js';
import { ip, settings } from './router-settings.js';
import { VirtualClock } from './virtual-clock.js';
import { VirtualHost, VirtualLan } from './virtual-host.js';

const SECOND = 1_000_000;
const VIP = '10.0.0.100';
const DOWN_100 = 3_609_375;

function lan() {
  const clock = new VirtualClock();
  const network = new VirtualLan(clock);
  return { clock, host: (name: string, address: string) => new VirtualHost(name, network, [`${address}/24`]) };
}

function heard(more: object = {}) {
  return advertPacket({ source: '10.0.0.7', vrid: 10, priority: 200, addresses: [VIP], interval: 100, ...more });
}

describe('a peer', () => {
  const source = ip('10.0.0.7');
  /** Peers as they are after advertisements at these instants, in milliseconds, 1 s apart by their interval. */
  const after = (...instants: readonly number[]) => {
    const table = new PeerTable();
    for (const at of instants) table.heard(source, 100, SECOND, undefined, undefined, at * 1000);
    return table.get(source);
  };

  test('has lost what its interval promised and what did not come', () => {
    assert.equal(after(0, 1000, 2000)?.lost, 0);
    assert.equal(after(0, 1000, 3000, 4000)?.lost, 1);
    assert.equal(after(0, 3010, 4000)?.lost, 2);
  });

  test('has lost nothing while it was not active, or had said that it stops', () => {
    assert.equal(after(0, 1000, 60_000)?.lost, 0);
    const table = new PeerTable();
    table.heard(source, 0, SECOND, undefined, undefined, 0);
    table.heard(source, 100, SECOND, undefined, undefined, 2 * SECOND);
    assert.equal(table.get(source)?.lost, 0);
  });

  test('has a jitter as RFC 3550 section 6.4.1 has it, which answers in between do not move', () => {
    assert.equal(after(0, 1000, 2000)?.jitter, 0);
    // |1016 - 1000| / 16 = 1 ms, then 1 + (0 - 1) / 16.
    assert.equal(after(0, 1016)?.jitter, 1_000);
    assert.equal(after(0, 1016, 2016)?.jitter, 937.5);
    assert.equal(after(0, 100, 200)?.jitter, 0);
  });
});

describe('senders that are refused', () => {
  test('have a row for each reason, and the newest 32 are kept', () => {
    const table = new RejectedSenders();
    for (let i = 0; i < 40; i += 1) table.note(`10.0.0.${i}`, 'bad-ttl', i);
    table.note('10.0.0.39', 'bad-checksum', 50);
    table.note('10.0.0.10', 'bad-ttl', 60);
    const rows = [...table.rows];
    assert.equal(rows.length, 32);
    assert.deepEqual(rows.at(-1), { source: '10.0.0.10', reason: 'bad-ttl', count: 2, lastAt: 60 });
    assert.ok(!rows.some(({ source }) => source === '10.0.0.5'));
  });

  test('are in the status', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings());
    a.receive(heard({ ttl: 254 }));
    clock.advance(SECOND);
    const [row] = a.router().rejected;
    assert.deepEqual([row?.source, row?.reason, row?.count], ['10.0.0.7', 'bad-ttl', 1]);
    assert.equal(a.status().wallMs - (row?.lastWallMs ?? 0), 1000);
  });

  test('are all but those that are believed', () => {
    const { host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings({ more: { believedSources: ['10.0.0.8'] } }));
    a.receive(heard());
    a.receive(heard({ source: '10.0.0.8' }));
    assert.deepEqual(
      a.router().peers.map(({ address }) => address),
      ['10.0.0.8'],
    );
    assert.equal(a.router().counters['rejected.not-a-peer'], 1);
  });

  test('are unicast peers from farther away than they may be', () => {
    const { host } = lan();
    const a = host('a', '10.0.0.1');
    const unicast = {
      ttl: 64,
      minTtl: 60,
      maxTtl: 255,
      peerTtl: [{ address: '10.0.0.8', minTtl: 255, maxTtl: 255 }],
    };
    a.configure(settings({ more: { peers: ['10.0.0.7', '10.0.0.8'], unicast } }));
    const to = { destination: '10.0.0.1' };
    a.receive(heard({ ...to, ttl: 59 }));
    a.receive(heard({ ...to, ttl: 60 }));
    a.receive(heard({ ...to, source: '10.0.0.8', ttl: 254 }));
    assert.equal(a.router().counters['rejected.bad-ttl'], 2);
    assert.equal(a.router().peers.length, 1);
  });
});

describe('signed advertisements', () => {
  const hmac = (mode: HmacSettings['mode'], key = 'k'): HmacSettings => ({
    keys: [{ id: 7, key: new Uint8Array(Buffer.from(key.repeat(32))) }],
    activeKey: 7,
    replayGuard: 'time',
    timeWindow: 5 * SECOND,
    mode,
  });

  test('are believed by who has the key, and by nobody else who demands one', () => {
    const { clock, host } = lan();
    const [a, b, c] = [host('a', '10.0.0.1'), host('b', '10.0.0.2'), host('c', '10.0.0.3')];
    a.configure(settings({ priority: 150, more: { hmac: hmac('enforce') } }));
    b.configure(settings({ more: { hmac: hmac('enforce') } }));
    c.configure(settings({ priority: 50, more: { hmac: hmac('enforce', 'x') } }));
    clock.advance(6 * SECOND);
    assert.deepEqual([a.router().state, b.router().state, c.router().state], ['active', 'backup', 'active']);
    assert.equal(b.router().peers[0]?.authentication, 'signed');
    assert.equal(b.router().authentication, 'hmac key 7, enforce');
    assert.ok(Number(b.router().counters['rejected.auth-invalid']) > 0);
  });

  test('go on without a gap while the fleet is taken from none to all by three steps', () => {
    const { clock, host } = lan();
    const [a, b] = [host('a', '10.0.0.1'), host('b', '10.0.0.2')];
    const step = (who: VirtualHost, mode?: HmacSettings['mode']) =>
      who.configure(
        settings({ priority: who === a ? 150 : 100, ...(mode === undefined ? {} : { more: { hmac: hmac(mode) } }) }),
      );
    step(a);
    step(b);
    clock.advance(6 * SECOND);
    for (const mode of ['receive-only', 'permissive', 'enforce'] as const) {
      for (const who of [a, b]) {
        step(who, mode);
        clock.advance(5 * SECOND);
        assert.deepEqual([a.router().state, b.router().state], ['active', 'backup'], `${who.name} ${mode}`);
      }
    }
    assert.equal(b.router().peers[0]?.authentication, 'signed');
    assert.equal(b.occurrences('transition').length, 1);
  });
});

describe('other holders of an address', () => {
  const STRANGER = Uint8Array.of(2, 9, 9, 9, 9, 9);

  test('keep a router that is told to refuse from becoming active, and are told', () => {
    const { clock, host } = lan();
    const a = host('a', '10.0.0.1');
    a.configure(settings({ router: { duplicateProbe: 'refuse' } }));
    clock.advance(DOWN_100);
    assert.deepEqual(a.takeLog(), [`probe ${VIP}`]);
    a.claim(VIP, STRANGER, 'answer');
    clock.advance(SECOND);
    assert.equal(a.router().state, 'backup');
    assert.deepEqual(
      a.router().conflicts.map(({ address, mac }) => [address, mac]),
      [[VIP, '02:09:09:09:09:09']],
    );
    assert.equal(a.occurrences('addressConflict').length, 1);
    clock.advance(4 * SECOND);
    assert.equal(a.router().state, 'active');
  });
});

test('traffic to addresses that are not accepted is dropped from before they are there until they are gone', () => {
  const { clock, host } = lan();
  const a = host('a', '10.0.0.1');
  a.configure(settings({ more: { accept: false } }));
  clock.advance(DOWN_100);
  a.election.shutdown(false);
  const log = a.takeLog().filter((line) => !line.startsWith('arp'));
  assert.deepEqual(log, [
    `drop ${VIP}`,
    `add ${VIP}/32 3`,
    'advert 100',
    'advert 0',
    `delete ${VIP}/32`,
    `allow ${VIP}`,
  ]);
});
