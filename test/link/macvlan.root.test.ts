import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Outcome } from '../../agent/net/system-error.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';
import { bytesOf, ip } from '../wire/captured.js';
import { KernelEdge } from './kernel-edge.js';

const skip = labUnavailable();

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  const edge = await KernelEdge.start(a);
  const em1 = await edge.acts.index('em1');
  return {
    lab,
    a,
    edge,
    em1,
    request: { name: 'vrrp.10', baseIndex: em1, address: bytesOf('00005e00010a'), alias: 'baton web' },
  };
}
const code = (outcome: Outcome | { readonly ok: true }) => ('code' in outcome ? outcome.code : 'ok');

test('a macvlan is made private, down, with its settings, used, and removed', { skip }, async (t) => {
  const { lab, a, edge, em1, request } = await laboratory(t);
  const { rtnetlink } = edge;
  const b = await lab.host('b', { addresses: ['10.9.0.2/24'] });
  await edge.acts.openMonitor();
  const made = await rtnetlink.createMacvlan({
    ...request,
    ipv4Conf: { arpIgnore: 1, acceptLocal: 1, rpFilter: 0, promoteSecondaries: 1 },
  });
  assert.ok(made.ok, JSON.stringify(made));
  const { index, ...link } = made.link;
  assert.deepEqual(
    { ...link, operationalState: undefined },
    {
      name: 'vrrp.10',
      isUp: false,
      flags: 0x1002,
      operationalState: undefined,
      type: 1,
      mtu: 1500,
      hardwareAddress: bytesOf('00005e00010a'),
      kind: 'macvlan',
      parentIndex: em1,
      alias: 'baton web',
    },
  );
  const shown = await a.run('ip', '-d', 'link', 'show', 'vrrp.10');
  assert.match(shown, /macvlan mode private/);
  assert.match(shown, /addrgenmode none/);
  assert.match(shown, /alias baton web/);
  const sysctl = async (key: string) => (await a.run('sysctl', '-n', `net.ipv4.conf.vrrp/10.${key}`)).trim();
  assert.equal(await sysctl('arp_ignore'), '1');
  assert.equal(await sysctl('accept_local'), '1');
  assert.equal(await sysctl('rp_filter'), '0');
  assert.equal(await sysctl('promote_secondaries'), '1');

  assert.equal(code(await rtnetlink.setLink(index, { up: true })), 'ok');
  const vip = { interfaceIndex: index, address: ip('10.9.0.26'), prefixLength: 32, lifetime: 'forever' as const };
  assert.deepEqual(await rtnetlink.addAddresses([vip]), [{ ok: true }]);
  await until('the interface to be up', 3000, async () => (await rtnetlink.link('vrrp.10'))?.isUp === true);
  // IPv6: no link-local address of its own comes.
  assert.doesNotMatch(await a.run('ip', '-6', 'address', 'show', 'vrrp.10'), /inet6/);
  // Else the base interface would answer as well, and ask others in the virtual address's name, with its own MAC address.
  assert.equal(code(await rtnetlink.setIpv4Conf(em1, { arpIgnore: 1, arpAnnounce: 2 })), 'ok');
  await b.run('ping', '-c', '1', '-W', '2', '10.9.0.26');
  assert.match(await b.run('ip', 'neighbor', 'show', '10.9.0.26'), /00:00:5e:00:01:0a/);

  assert.equal(code(await rtnetlink.createMacvlan(request)), 'EEXIST');
  assert.equal(code(await rtnetlink.deleteLink(index)), 'ok');
  assert.equal(code(await rtnetlink.deleteLink(index)), 'ENODEV');
  await edge.untilEvent({ event: 'linkRemoved', name: 'vrrp.10', alias: 'baton web' });
  assert.equal(await rtnetlink.link('vrrp.10'), undefined);
});

test('an interface is changed: up, address, alias, MTU', { skip }, async (t) => {
  const { a, edge, request } = await laboratory(t);
  const made = await edge.rtnetlink.createMacvlan(request);
  assert.ok(made.ok);
  const change = { up: true, hardwareAddress: bytesOf('00005e00010b'), alias: 'baton other', mtu: 1400 };
  assert.equal(code(await edge.rtnetlink.setLink(made.link.index, change)), 'ok');
  const shown = await a.run('ip', '-d', 'link', 'show', 'vrrp.10');
  assert.match(shown, /UP/);
  assert.match(shown, /00:00:5e:00:01:0b/);
  assert.match(shown, /mtu 1400/);
  assert.match(shown, /alias baton other/);
  assert.equal(code(await edge.rtnetlink.setLink(made.link.index, { up: false })), 'ok');
  assert.equal((await edge.rtnetlink.link('vrrp.10'))?.isUp, false);
});

test('net.ipv4.conf of an interface is read and set; what is not named stays', { skip }, async (t) => {
  const { a, edge, em1 } = await laboratory(t);
  const before = await edge.rtnetlink.ipv4Conf(em1);
  assert.ok(before !== undefined);
  const conf = {
    forwarding: 1,
    acceptRedirects: 0,
    sendRedirects: 0,
    rpFilter: 2,
    arpFilter: 1,
    arpAnnounce: 2,
    arpIgnore: 1,
    promoteSecondaries: 1,
    acceptLocal: 1,
  };
  assert.equal(code(await edge.rtnetlink.setIpv4Conf(em1, conf)), 'ok');
  assert.deepEqual(await edge.rtnetlink.ipv4Conf(em1), conf);
  for (const [key, value] of Object.entries(conf)) {
    const name = key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    assert.equal((await a.run('sysctl', '-n', `net.ipv4.conf.em1.${name}`)).trim(), `${value}`, name);
  }
  assert.equal(code(await edge.rtnetlink.setIpv4Conf(em1, { arpIgnore: before.arpIgnore })), 'ok');
  assert.deepEqual(await edge.rtnetlink.ipv4Conf(em1), { ...conf, arpIgnore: before.arpIgnore });
  assert.equal(await edge.rtnetlink.ipv4Conf(9999), undefined);
  assert.equal(code(await edge.rtnetlink.setIpv4Conf(9999, { arpIgnore: 1 })), 'ENODEV');
});

test('what cannot be made says why, and leaves nothing', { skip }, async (t) => {
  const { a, edge, request } = await laboratory(t);
  const { rtnetlink } = edge;
  for (const [change, expected] of [
    [{ name: 'longer-than-15-bytes' }, 'EINVAL'],
    [{ name: '' }, 'EINVAL'],
    [{ name: 'a/b' }, 'EINVAL'],
    [{ address: bytesOf('00') }, 'EINVAL'],
    [{ address: bytesOf('01005e000001') }, 'EADDRNOTAVAIL'],
    [{ alias: 'x'.repeat(256) }, 'EINVAL'],
    [{ baseIndex: 9999 }, 'ENODEV'],
    [{ baseIndex: 1 }, 'EINVAL'],
  ] as const) {
    const made = await rtnetlink.createMacvlan({ ...request, ...change });
    assert.equal(code(made), expected, JSON.stringify(change));
    assert.match('message' in made ? made.message : '', /^cannot make macvlan interface /);
  }
  assert.equal(code(await rtnetlink.setLink(1, { alias: 'x'.repeat(256) })), 'EINVAL');
  await edge.acts.dropPrivileges();
  assert.equal(code(await rtnetlink.createMacvlan(request)), 'EPERM');
  assert.doesNotMatch(await a.run('ip', '-d', 'link'), /macvlan/);
});

test('without IPv6 on the host it is made all the same', { skip }, async (t) => {
  const { a, edge, request } = await laboratory(t);
  await a.run('sysctl', '-q', '-w', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1');
  const made = await edge.rtnetlink.createMacvlan({ ...request, ipv4Conf: { arpIgnore: 1 } });
  assert.ok(made.ok, JSON.stringify(made));
  assert.equal((await edge.rtnetlink.ipv4Conf(made.link.index))?.arpIgnore, 1);
});
