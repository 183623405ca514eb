/** RFC 9568 sections 1 and 2. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settings } from '../runtime/router-settings.js';
import { alone, SECOND, settings6, watch } from './watched-host.js';

test('R-1-1 an IPv4 and an IPv6 virtual router of one VRID on one interface are two instances', () => {
  const { clock, host } = watch();
  const [a, b] = [host('a', '10.0.0.1/24', 'fe80::1/64'), host('b', '10.0.0.2/24', 'fe80::2/64')];
  a.configure(settings({ name: 'v4', priority: 150 }), settings6({ name: 'v6', priority: 100 }));
  b.configure(settings({ name: 'v4', priority: 100 }), settings6({ name: 'v6', priority: 150 }));
  clock.advance(10 * SECOND);
  assert.deepEqual([a.router('v4').state, a.router('v6').state], ['active', 'backup']);
  assert.deepEqual([b.router('v4').state, b.router('v6').state], ['backup', 'active']);
});

test('R-2.5-1 an active router that was held up for longer than the others wait says so', () => {
  const { clock, a } = alone(settings({ interval: 10_000 }));
  clock.advance(SECOND);
  assert.equal(a.router().state, 'active');
  // Three intervals of 10 ms and a skew of 6.09 ms: the others took over while this thread did not run.
  clock.sleep(36_094);
  clock.advance(1);
  assert.deepEqual(
    a.occurrences('leaseLost').map(({ router }) => router),
    ['r'],
  );
  assert.equal(a.occurrences('transition').at(-1)?.cause, 'paused');

  const quick = alone(settings({ interval: 10_000 }));
  quick.clock.advance(SECOND);
  quick.clock.sleep(25_000);
  quick.clock.advance(1);
  assert.deepEqual(quick.a.occurrences('leaseLost'), [], 'nobody has taken over from it');
});
