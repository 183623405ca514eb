import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Outcome } from '../../agent/net/system-error.js';
import type { Host } from '../lab/host.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';
import { bytesOf, ip, ip6 } from '../wire/captured.js';
import { KernelEdge } from './kernel-edge.js';

const skip = labUnavailable('ping', 'tcpdump');

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24', '10.9.0.26/24'] });
  const b = await lab.host('b', { addresses: ['10.9.0.2/24'] });
  const edge = await KernelEdge.start(a);
  return { lab, a, b, edge, em1: await edge.acts.index('em1') };
}
const OK = { ok: true };
const code = (outcome: Outcome) => (outcome.ok ? 'ok' : outcome.code);
const table = async (host: Host) => {
  const listed = await host.attempt('nft', 'list', 'table', 'inet', 'baton');
  return listed.exit === 0 ? listed.stdout : undefined;
};
const answers = async (from: Host, address: string) =>
  (await from.attempt('ping', '-c', '1', '-W', '1', address)).exit === 0;

test('the table is as nft(8) shows it, in use from the first call on, and gone at the end', { skip }, async (t) => {
  const { a, edge, em1 } = await laboratory(t);
  assert.equal(await table(a), undefined);
  const addresses = [
    { address: ip('10.9.0.26') },
    { address: ip6('2001:db8::26') },
    { address: ip6('fe80::aa:26'), interfaceIndex: em1 },
  ];
  assert.deepEqual(await edge.firewall.dropTraffic(addresses), OK);
  assert.deepEqual(await edge.firewall.blockReports([em1]), OK);
  const shown = (await table(a))?.replaceAll(/\s+/g, ' ') ?? '';
  for (const part of [
    'set dropped4 { type ipv4_addr elements = { 10.9.0.26 } }',
    'set dropped6 { type ipv6_addr elements = { 2001:db8::26 } }',
    'set dropped_link_local { type ipv6_addr . iface_index elements = { fe80::aa:26 . "em1" } }',
    'set quiet { type iface_index elements = { "em1" } }',
    'chain input { type filter hook input priority filter - 1; policy accept; ip daddr @dropped4 drop icmpv6 type 135-136 accept ip6 daddr @dropped6 drop ip6 daddr . iif @dropped_link_local drop }',
    'chain output { type filter hook output priority filter - 1; policy accept; oif @quiet meta l4proto igmp drop oif @quiet icmpv6 type 131-133 drop oif @quiet icmpv6 type mld2-listener-report drop }',
  ]) {
    assert.ok(shown.includes(part), `${part}\n${shown}`);
  }
  // Again is fine; removing what is not there as well.
  assert.deepEqual(await edge.firewall.dropTraffic(addresses), OK);
  assert.deepEqual(await edge.firewall.allowTraffic([{ address: ip('10.9.0.99') }, ...addresses]), OK);
  assert.deepEqual(await edge.firewall.allowTraffic(addresses), OK);
  assert.deepEqual(await edge.firewall.allowReports([em1, 77]), OK);
  assert.doesNotMatch((await table(a)) ?? '', /elements/);
  await edge.firewall.close();
  assert.equal(await table(a), undefined);
});

test('traffic to the addresses is dropped, that to others is not, and neighbours are answered', { skip }, async (t) => {
  const { a, b, edge, em1 } = await laboratory(t);
  await a.ip('address add 2001:db8::26/64 dev em1 nodad', 'address add fe80::aa:26/64 dev em1 nodad');
  await b.ip('address add 2001:db8::2/64 dev em1 nodad', 'address add fe80::aa:2/64 dev em1 nodad');
  const virtual = ['10.9.0.26', '2001:db8::26', 'fe80::aa:26%em1'];
  for (const address of virtual) {
    await until(`an answer of ${address}`, 5000, () => answers(b, address));
  }
  const addresses = [
    { address: ip('10.9.0.26') },
    { address: ip6('2001:db8::26') },
    { address: ip6('fe80::aa:26'), interfaceIndex: em1 },
  ];
  assert.deepEqual(await edge.firewall.dropTraffic(addresses), OK);
  await b.ip('neighbor flush all');
  for (const address of virtual) assert.equal(await answers(b, address), false, address);
  assert.equal(await answers(b, '10.9.0.1'), true);
  // Neighbour discovery went through nevertheless.
  const mac = await a.mac();
  for (const address of ['10.9.0.26', '2001:db8::26', 'fe80::aa:26']) {
    assert.match(await b.run('ip', 'neighbor', 'show', address), new RegExp(mac), address);
  }
  // The same link-local address on another interface is another.
  assert.deepEqual(await edge.firewall.allowTraffic(addresses), OK);
  assert.deepEqual(await edge.firewall.dropTraffic([{ address: ip6('fe80::aa:26'), interfaceIndex: 1 }]), OK);
  for (const address of virtual) assert.equal(await answers(b, address), true, address);
});

test('multicast reports of a quiet interface stay in, other traffic goes out', { skip }, async (t) => {
  const { a, b, edge, em1 } = await laboratory(t);
  /** A macvlan with virtual addresses comes up and joins a group: what leaves by it until it can be pinged through. */
  const leaves = async (isQuiet: boolean) => {
    const address = bytesOf('00005e00010a');
    const made = await edge.rtnetlink.createMacvlan({ name: 'vrrp.10', baseIndex: em1, address, alias: 'baton web' });
    assert.ok(made.ok);
    const interfaceIndex = made.link.index;
    if (isQuiet) assert.deepEqual(await edge.firewall.blockReports([interfaceIndex]), OK);
    const tap = b.start('tcpdump', '-lnn', '-i', 'em1', 'ether src 00:00:5e:00:01:0a');
    await tap.untilSays('listening on', 5000);
    assert.deepEqual(await edge.rtnetlink.setLink(interfaceIndex, { up: true }), OK);
    const vip = { interfaceIndex, prefixLength: 32, lifetime: 'forever' as const, noDad: true };
    const vips = [ip('10.9.0.27'), ip6('2001:db8::27'), ip6('fe80::27')].map((each) => ({ ...vip, address: each }));
    assert.deepEqual(await edge.rtnetlink.addAddresses(vips), [OK, OK, OK]);
    await a.run(process.execPath, '-e', JOIN, '10.9.0.27');
    await a.attempt('ping', '-c', '1', '-W', '1', '-I', 'vrrp.10', '10.9.0.2');
    await tap.untilSays(/ARP|ICMP echo/, 5000);
    const lines = tap.lines.join('\n');
    await tap.kill();
    assert.deepEqual(await edge.rtnetlink.deleteLink(interfaceIndex), OK);
    return lines;
  };
  const loud = await leaves(false);
  assert.match(loud, /igmp/i);
  assert.match(loud, /multicast listener report/i);
  assert.doesNotMatch(await leaves(true), /igmp|multicast listener|router solicitation/i);
});

const JOIN = `const s = require('node:dgram').createSocket('udp4');
  s.bind(0, () => { s.addMembership('239.1.2.3', process.argv[1]); setTimeout(() => process.exit(0), 300); })`;

test('a former run that left its table is replaced in one step; one that is still there is told', {
  skip,
}, async (t) => {
  const { a, edge } = await laboratory(t);
  const next = await KernelEdge.start(a);
  assert.deepEqual(await edge.firewall.dropTraffic([{ address: ip('10.9.0.26') }]), OK);
  const refused = await next.firewall.dropTraffic([{ address: ip('10.9.0.27') }]);
  assert.equal(code(refused), 'EPERM');
  assert.match(refused.ok ? '' : refused.message, /another process owns the table inet baton/);
  assert.match((await table(a)) ?? '', /10\.9\.0\.26/);

  assert.deepEqual(await edge.firewall.leave(), OK);
  edge.program.signal('SIGKILL');
  await edge.program.ended;
  assert.match((await table(a)) ?? '', /10\.9\.0\.26/, 'in force without us');
  assert.deepEqual(await next.firewall.dropTraffic([{ address: ip('10.9.0.27') }]), OK);
  const shown = (await table(a)) ?? '';
  assert.match(shown, /10\.9\.0\.27/);
  assert.doesNotMatch(shown, /10\.9\.0\.26/);

  assert.deepEqual(await next.firewall.leave(), OK);
  assert.deepEqual(await next.firewall.clear(), OK);
  assert.equal(await table(a), undefined);
  assert.deepEqual(await next.firewall.clear(), OK, 'nothing to remove');
});

test('the table survives that others flush everything, and not that the process is killed', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  assert.deepEqual(await edge.firewall.dropTraffic([{ address: ip('10.9.0.26') }]), OK);
  await a.attempt('nft', 'flush', 'ruleset');
  assert.match((await table(a)) ?? '', /10\.9\.0\.26/);
  edge.program.signal('SIGKILL');
  await until('the table to go', 3000, async () => (await table(a)) === undefined);
});

test('thousands of addresses at once, and no rights', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  const many = Array.from({ length: 3000 }, (_, i) => ({ address: ip('10.20.0.0') + i }));
  assert.deepEqual(await edge.firewall.dropTraffic(many), OK);
  assert.equal((await table(a))?.match(/10\.20\.\d+\.\d+/g)?.length, 3000);
  assert.deepEqual(await edge.firewall.allowTraffic(many.slice(1)), OK);
  assert.equal((await table(a))?.match(/10\.20\.\d+\.\d+/g)?.length, 1);
  const denied = await KernelEdge.start(a);
  await denied.acts.dropPrivileges();
  const refused = await denied.firewall.blockReports([1]);
  assert.equal(code(refused), 'EPERM');
  assert.match(refused.ok ? '' : refused.message, /CAP_NET_ADMIN is needed/);
});
