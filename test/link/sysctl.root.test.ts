import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostSysctl } from '../../agent/link/sysctl.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { KernelEdge } from './kernel-edge.js';

const skip = labUnavailable();

test('settings of an interface are read and set', { skip }, async (t) => {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  const { sysctl, acts, rtnetlink } = await KernelEdge.start(a);
  for (const [family, key, value] of [
    [4, 'promote_secondaries', 1],
    [6, 'accept_ra', 2],
    [4, 'arp_ignore', 0],
  ] as const) {
    const place = { family, interfaceName: 'em1', key };
    assert.deepEqual(await sysctl.write(place, value), { ok: true });
    assert.deepEqual(await sysctl.read(place), { ok: true, value });
    assert.equal((await a.run('sysctl', '-n', `net.ipv${family}.conf.em1.${key}`)).trim(), `${value}`);
  }
  // A name with a dot.
  const made = await rtnetlink.createMacvlan({
    name: 'vrrp.10',
    baseIndex: await acts.index('em1'),
    address: Uint8Array.of(0, 0, 0x5e, 0, 1, 10),
    alias: '',
  });
  assert.ok(made.ok);
  assert.deepEqual(await sysctl.write({ family: 6, interfaceName: 'vrrp.10', key: 'accept_dad' }, 0), { ok: true });

  const absent = await sysctl.read({ family: 4, interfaceName: 'none', key: 'rp_filter' });
  assert.equal(
    absent.ok ? '' : absent.message,
    'cannot read net.ipv4.conf.none.rp_filter: ENOENT (there is no such interface or setting)',
  );
  const invalid = await sysctl.write({ family: 4, interfaceName: 'em1', key: 'arp_ignore' }, Number.NaN);
  assert.equal(invalid.ok ? '' : invalid.code, 'EINVAL');
  await acts.dropPrivileges();
  const denied = await sysctl.write({ family: 4, interfaceName: 'em1', key: 'arp_ignore' }, 1);
  assert.match(
    denied.ok ? '' : denied.message,
    /^cannot set net\.ipv4\.conf\.em1\.arp_ignore to 1: EACCES \(CAP_NET_ADMIN/,
  );
});

test('names that lead elsewhere are refused', () => {
  for (const place of [
    { family: 4, interfaceName: '..', key: 'rp_filter' },
    { family: 4, interfaceName: '../../..', key: 'rp_filter' },
    { family: 4, interfaceName: '', key: 'rp_filter' },
    { family: 4, interfaceName: 'em1', key: '../../../kernel/hostname' },
    { family: 6, interfaceName: 'em1 ', key: 'accept_ra' },
  ] as const) {
    const read = hostSysctl.read(place);
    assert.equal(read.ok ? '' : read.code, 'EINVAL', JSON.stringify(place));
    const write = hostSysctl.write(place, 1);
    assert.equal(write.ok ? '' : write.code, 'EINVAL', JSON.stringify(place));
  }
});
