/** Every supported keyword of global_defs, vrrp_script and vrrp_instance, each default and each oddity. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeepalivedConfig } from '../../proto/keepalived/index.js';
import { instanceText, readText, shown } from './memory-files.js';

type Instance = KeepalivedConfig['instances'][number];

function instanceOf(lines: string, before = ''): { instance: Instance; remarks: string[] } {
  const { config, remarks } = readText(`${before}${instanceText(lines)}`);
  const [instance] = config.instances;
  assert.ok(instance !== undefined, shown(remarks).join('\n'));
  return { instance, remarks: shown(remarks) };
}

test('an instance that says nothing has the defaults of keepalived', () => {
  const { instance, remarks } = instanceOf('');
  const { origin, origins, ...values } = instance;
  assert.deepEqual(remarks, []);
  assert.equal(origin.line, 1);
  assert.equal(origins.get('virtual_router_id')?.line, 3);
  assert.deepEqual(values, {
    name: 'VI_1',
    vrid: 10,
    version: 2,
    interface: 'em1',
    initialState: undefined,
    priority: 100,
    preempt: true,
    preemptDelay: 0,
    advertisementInterval: 1_000_000,
    family: 4,
    password: undefined,
    hmac: undefined,
    sourceAddress: undefined,
    unicastPeers: undefined,
    unicastTtl: undefined,
    faultWithoutPeers: false,
    multicastGroup: undefined,
    addresses: [
      {
        address: '192.0.2.10',
        family: 4,
        prefixLength: 32,
        device: undefined,
        label: undefined,
        broadcast: undefined,
        scope: undefined,
        peer: undefined,
        preferredLifetime: undefined,
        flags: new Set(),
        trackGroup: undefined,
        origin: { file: '/etc/keepalived/keepalived.conf', line: 4 },
      },
    ],
    excludedAddresses: [],
    routes: [],
    rules: [],
    virtualMac: undefined,
    virtualMacElsewhere: false,
    accept: true,
    downTimerAdverts: 3,
    lowerPriorityNoAdvert: false,
    higherPrioritySendAdvert: false,
    ownerIgnoresAdverts: false,
    timerExpiredBackup: 0,
    startupDelay: 0,
    bootDelay: 0,
    untrackedInterface: false,
    promoteSecondaries: false,
    trackInterfaces: [],
    trackScripts: [],
    trackFiles: [],
    trackProcesses: [],
    trackBfds: [],
    hooks: {
      master: undefined,
      backup: undefined,
      fault: undefined,
      stop: undefined,
      any: undefined,
      deleted: undefined,
      lowerPriority: undefined,
    },
    priorityChanges: false,
    smtpAlert: false,
    garp: {
      masterRepeat: 5,
      masterDelay: 5_000_000,
      masterRefresh: 0,
      masterRefreshRepeat: 1,
      lowerPriorityRepeat: 5,
      lowerPriorityDelay: 5_000_000,
      arpInterval: 0,
      neighborInterval: 0,
      extraRefresh: 0,
      extraRefreshAll: false,
    },
    checksumWithoutPseudoHeader: false,
  });
});

test('plain settings of an instance', () => {
  for (const [lines, field, expected] of [
    ['priority 1', 'priority', 1],
    ['priority 254', 'priority', 254],
    ['priority 010', 'priority', 10],
    ['version 3', 'version', 3],
    ['advert_int 3', 'advertisementInterval', 3_000_000],
    ['version 3\nadvert_int 0.01', 'advertisementInterval', 10_000],
    ['version 3\nadvert_int .25', 'advertisementInterval', 250_000],
    ['nopreempt', 'preempt', false],
    ['preempt', 'preempt', true],
    ['nopreempt\npreempt', 'preempt', true],
    ['preempt_delay 1.5', 'preemptDelay', 1_500_000],
    ['preempt_delay 1000', 'preemptDelay', 1_000_000_000],
    ['state BACKUP', 'initialState', 'BACKUP'],
    ['mcast_src_ip 192.0.2.1', 'sourceAddress', '192.0.2.1'],
    ['smtp_alert', 'smtpAlert', true],
    ['smtp_alert true', 'smtpAlert', true],
    ['smtp_alert off', 'smtpAlert', false],
    ['v3_checksum_as_v2', 'checksumWithoutPseudoHeader', true],
    ['authentication {\nauth_type PASS\nauth_pass "a b"\n}', 'password', 'a b'],
    ['mcast_dst_ip 224.0.0.18', 'multicastGroup', undefined],
    ['mcast_dst_ip 224.0.0.19', 'multicastGroup', '224.0.0.19'],
    ['down_timer_adverts 5', 'downTimerAdverts', 5],
    ['accept', 'accept', true],
    ['no_accept', 'accept', false],
    ['lower_prio_no_advert', 'lowerPriorityNoAdvert', true],
    ['lower_prio_no_advert off', 'lowerPriorityNoAdvert', false],
    ['higher_prio_send_advert yes', 'higherPrioritySendAdvert', true],
    ['priority 255\nowner_ignore_adverts', 'ownerIgnoresAdverts', true],
    ['nopreempt\ntimer_expired_backup', 'timerExpiredBackup', 254],
    ['nopreempt\nthread_timer_expired 120', 'timerExpiredBackup', 120],
    ['promote_secondaries', 'promoteSecondaries', true],
    ['notify_priority_changes on', 'priorityChanges', true],
    ['use_vmac_addr', 'virtualMacElsewhere', true],
  ] as const) {
    const { instance, remarks } = instanceOf(lines);
    assert.deepEqual(instance[field], expected, lines);
    assert.deepEqual(remarks, [], lines);
  }
});

test('settings that keepalived changes or drops: the same here, with a remark at their line', () => {
  for (const [lines, field, expected, remark] of [
    ['priority 0', 'priority', 100, /^error 5: priority '0' is not a whole number from 1 to 255; 100 is used/u],
    ['priority 256', 'priority', 100, /^error 5/u],
    ['priority -1', 'priority', 100, /^error 5/u],
    ['priority 1e2', 'priority', 100, /^error 5/u],
    ['priority 0x10', 'priority', 100, /^error 5/u],
    ['priority 1.5', 'priority', 100, /^error 5/u],
    ['state MASTER\npriority nonsense', 'priority', 100, /^error 6/u],
    ['advert_int 0', 'advertisementInterval', 1_000_000, /^error 5/u],
    [
      'advert_int 0.001',
      'advertisementInterval',
      1_000_000,
      /^error 5: advert_int '0.001' is not a time from 0.01s to 255s/u,
    ],
    ['advert_int 1s', 'advertisementInterval', 1_000_000, /^error 5/u],
    ['advert_int NaN', 'advertisementInterval', 1_000_000, /^error 5/u],
    ['advert_int 256', 'advertisementInterval', 1_000_000, /^error 5/u],
    ['advert_int 1.5', 'advertisementInterval', 2_000_000, /^warning 5: advert_int 1.5s is taken as 2s: version 2/u],
    ['advert_int 1.4', 'advertisementInterval', 1_000_000, /^warning 5/u],
    ['advert_int 0.3', 'advertisementInterval', 1_000_000, /^warning 5/u],
    ['version 3\nadvert_int 0.123', 'advertisementInterval', 120_000, /^warning 6/u],
    ['version 3\nadvert_int 50', 'advertisementInterval', 40_950_000, /^warning 6/u],
    ['version 4', 'version', 2, /^error 5/u],
    ['version 3\nversion 2', 'version', 3, /^warning 6: version stands in line 5 already; the first one counts/u],
    ['priority 3\npriority 4', 'priority', 4, /^warning 6: priority stands in line 5 already; the last one counts/u],
    ['state master', 'initialState', 'BACKUP', /^error 5/u],
    ['state MASTER', 'priority', 255, /^warning 5: state MASTER without priority makes 'VI_1' the owner/u],
    ['priority 255\nnopreempt', 'preempt', true, /^warning 6: nopreempt has no effect with priority 255/u],
    ['preempt_delay 1001', 'preemptDelay', 0, /^error 5/u],
    ['nopreempt\npreempt_delay 5', 'preemptDelay', 0, /^warning 6: preempt_delay has no effect with nopreempt/u],
    ['nopreempt off', 'preempt', false, /^error 5: nopreempt takes no value/u],
    ['mcast_src_ip 192.0.2', 'sourceAddress', undefined, /^error 5/u],
    ['smtp_alert maybe', 'smtpAlert', false, /^error 5/u],
    [
      'version 3\nauthentication {\nauth_type PASS\nauth_pass secret\n}',
      'password',
      undefined,
      /^warning 6: authentication is ignored in version 3/u,
    ],
    ['authentication {\nauth_type PASS\n}', 'password', undefined, /^warning 5/u],
    ['authentication {\nauth_pass secret\n}', 'password', undefined, /^warning 5/u],
    ['authentication {\nauth_type AH\nauth_pass secret\n}', 'password', undefined, /^error 5/u],
    [
      'authentication {\nauth_type PASS\nauth_pass t9rveMP0Z9S1\n}',
      'password',
      't9rveMP0',
      /^warning 7: auth_pass has 12 bytes; only the first 8/u,
    ],
    [
      'authentication {\nauth_type PASS\nauth_pass secre\u{e9}\u{e9}\n}',
      'password',
      'secre\u{e9}',
      /^warning 7: auth_pass has 9 bytes/u,
    ],
    ['mcast_dst_ip 192.0.2.9', 'multicastGroup', undefined, /^error 5: mcast_dst_ip: .* is not an IPv4 multicast/u],
    ['mcast_dst_ip ff02::13', 'multicastGroup', undefined, /^error 5: mcast_dst_ip: .* is not an IPv4 multicast/u],
    ['down_timer_adverts 0', 'downTimerAdverts', 3, /^error 5/u],
    ['down_timer_adverts 101', 'downTimerAdverts', 3, /^error 5/u],
    [
      'timer_expired_backup',
      'timerExpiredBackup',
      0,
      /^warning 5: timer_expired_backup has no effect without nopreempt/u,
    ],
    ['nopreempt\ntimer_expired_backup 255', 'timerExpiredBackup', 0, /^error 6/u],
    [
      'owner_ignore_adverts',
      'ownerIgnoresAdverts',
      false,
      /^warning 5: owner_ignore_adverts has no effect with priority 100/u,
    ],
    ['accept off', 'accept', true, /^error 5: accept takes no value/u],
    ['mcast_src_ip fe80::1', 'sourceAddress', undefined, /^error 5: .* is not of the instance's family, IPv4/u],
    ['use_ipvlan', 'priority', 100, /^warning 5: use_ipvlan: ipvlan is not supported/u],
    ['unicast_src_ip 192.0.2.1', 'unicastPeers', undefined, /^warning 5: 'VI_1' has no usable unicast_peer/u],
  ] as const) {
    const { instance, remarks } = instanceOf(lines);
    assert.deepEqual(instance[field], expected, lines);
    assert.equal(remarks.filter((line) => !line.startsWith('note')).length, 1, `${lines}: ${remarks.join('\n')}`);
    assert.match(remarks.find((line) => !line.startsWith('note')) ?? '', remark);
  }
});

test('state MASTER clears nopreempt and preempt_delay, whatever the order', () => {
  for (const lines of ['state MASTER\npriority 90\nnopreempt', 'nopreempt\npriority 90\nstate MASTER']) {
    const { instance, remarks } = instanceOf(lines);
    assert.equal(instance.preempt, true);
    assert.equal(instance.priority, 90);
    assert.ok(remarks.some((line) => line.includes('nopreempt has no effect with state MASTER')));
  }
  const delayed = instanceOf('state MASTER\npriority 90\npreempt_delay 9');
  assert.equal(delayed.instance.preemptDelay, 0);
});

test('a password never stands in a remark', () => {
  for (const lines of [
    'authentication {\nauth_type PASS\nauth_pass hushhush1234 hushhush\n}',
    'authentication {\nauth_type hushhush\nauth_pass hushhush\n}',
    'authentication {\nauth_pass\nhushhush\n}',
    'authentication {\nauth_type PASS\nauth_pas hushhush\n}',
    'authentication {\nauth_type PASS\nauth_pass "hushhush\n}',
    'authentication {\nhushhush {\n}\n}',
    'auth_pass hushhush',
    'auth_hmac {\nkey 1 hushhush\n}',
  ]) {
    const { remarks } = instanceOf(lines);
    assert.ok(remarks.length > 0, lines);
    assert.doesNotMatch(remarks.join('\n'), /hushhush/u, lines);
  }
});

test('virtual addresses with all their options', () => {
  const { instance, remarks } = instanceOf(`virtual_ipaddress {
 192.0.2.20/24 dev em2 label em2:vip brd +
 192.0.2.21/25 broadcast 192.0.2.127
 192.0.2.22/30 brd -
 192.0.2.23 scope link peer 192.0.2.24 noprefixroute no_track use_vmac autojoin
 192.0.2.25 scope 0
}`);
  assert.deepEqual(remarks, []);
  assert.deepEqual(
    instance.addresses
      .slice(1)
      .map(({ origin, address, prefixLength, device, label, broadcast, scope, peer, flags }) =>
        [origin.line, `${address}/${prefixLength}`, device, label, broadcast, scope, peer, ...flags].join(' '),
      ),
    [
      '6 192.0.2.20/24 em2 em2:vip +  ',
      '7 192.0.2.21/25   192.0.2.127  ',
      '8 192.0.2.22/30   -  ',
      '9 192.0.2.23/32    link 192.0.2.24/32 noprefixroute no_track use_vmac autojoin',
      '10 192.0.2.25/32     ',
    ],
  );
});

test('virtual addresses that cannot be read or only in part', () => {
  for (const [line, kept, remark] of [
    ['192.0.2.999', 0, /^error 5: '192.0.2.999' is not an IP address/u],
    ['192.0.2', 0, /^error 5/u],
    ['01.2.3.4', 0, /^error 5/u],
    [
      'fe80::1/64',
      0,
      /^error 5: IPv6 address in 'VI_1', which is an IPv4 instance.*write it into virtual_ipaddress_excl/u,
    ],
    ['192.0.2.30/33', 1, /^error 5: '192.0.2.30\/33': the prefix length/u],
    ['192.0.2.30 192.0.2.31', 1, /^error 5: '192.0.2.31' stands on the line of '192.0.2.30'.*it will not be moved/u],
    ['192.0.2.30 label sixteencharacter', 0, /^error 5.*longer than 15/u],
    ['192.0.2.30 dev sixteencharacter', 0, /^error 5.*cannot exist/u],
    ['192.0.2.30 brd', 0, /^error 5.*the value is missing/u],
    ['192.0.2.30 brd x', 0, /^error 5.*broadcast 'x'/u],
    ['192.0.2.30 brd +', 1, /^warning 5.*a prefix of length 32 has no broadcast address/u],
    ['192.0.2.30 dev em1 dev em2', 0, /^error 5.*dev is given twice/u],
    ['192.0.2.30 lable x:1', 1, /^warning 5: '192.0.2.30': unknown option 'lable' is ignored.*did you mean 'label'/u],
    ['192.0.2.10', 0, /^warning 5: virtual address 192.0.2.10 is there already/u],
    ['192.0.2.30 scope nonsense', 1, /^error 5: 192.0.2.30: scope 'nonsense' is not known/u],
    ['192.0.2.30 peer 192.0.2.31/32', 1, /^warning 5: 192.0.2.30: keepalived's manual has a prefix length after peer/u],
    ['192.0.2.30 peer nonsense', 1, /^error 5: 192.0.2.30: peer 'nonsense'/u],
    ['192.0.2.30 peer fe80::1', 1, /^error 5: 192.0.2.30: peer 'fe80::1' is of the other family/u],
    ['192.0.2.30 -nodad', 1, /^note 5: 192.0.2.30: -nodad means nothing for IPv4/u],
    ['192.0.2.30 preferred_lft 0', 1, /^note 5: 192.0.2.30: preferred_lft means nothing for IPv4/u],
    ['192.0.2.30 track_group g', 1, /^warning 5.*unknown option 'track_group'/u],
  ] as const) {
    const { instance, remarks } = instanceOf(`virtual_ipaddress { ${line} }`);
    assert.equal(instance.addresses.length, 1 + kept, line);
    assert.match(remarks[0] ?? '', remark);
  }
  const many = instanceOf(
    `virtual_ipaddress {\n${Array.from({ length: 300 }, (_, i) => `198.51.${100 + (i >> 8)}.${i & 255}`).join('\n')}\n}`,
  );
  assert.equal(many.instance.addresses.length, 255);
  assert.equal(many.instance.excludedAddresses.length, 46);
  assert.deepEqual(
    many.remarks.map((line) => line.slice(0, 60)),
    ['warning 260: more virtual addresses than the 255 that an adver'].map((line) => line.slice(0, 60)),
  );
});

test('the own interface may go untracked, and the boot may be waited for', () => {
  const { config, remarks } = readText(
    `global_defs {\nvrrp_delay_after_boot 30\n}\n${instanceText('dont_track_primary')}`,
  );
  assert.deepEqual(
    config.instances.map(({ untrackedInterface, bootDelay }) => [untrackedInterface, bootDelay]),
    [[true, 30_000_000]],
  );
  assert.deepEqual(
    shown(remarks).filter((line) => !line.startsWith('note')),
    [],
  );
});

test("keepalived's own version 2 over IPv6 is carried over with a warning", () => {
  const { config, remarks } = readText(
    'vrrp_instance A {\ninterface em1\nvirtual_router_id 1\nversion 2\nvirtual_ipaddress { fe80::1 }\n}',
  );
  assert.deepEqual(
    config.instances.map(({ version }) => version),
    [2],
  );
  assert.match(shown(remarks)[0] ?? '', /^warning 4: version 2 has no IPv6/u);
});

test('instances that cannot run are left out with an error', () => {
  for (const [text, remark] of [
    [
      'vrrp_instance A {\ninterface em1\nvirtual_ipaddress { 192.0.2.1 }\n}',
      /^error 1: 'A' has no valid virtual_router_id/u,
    ],
    [
      'vrrp_instance A {\ninterface em1\nvirtual_router_id 0\nvirtual_ipaddress { 192.0.2.1 }\n}',
      /^error 3: virtual_router_id '0'/u,
    ],
    ['vrrp_instance A {\ninterface em1\nvirtual_router_id 256\nvirtual_ipaddress { 192.0.2.1 }\n}', /^error 3/u],
    [
      'vrrp_instance A {\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n}',
      /^error 1: 'A' has no valid interface/u,
    ],
    [
      'vrrp_instance A {\ninterface ../../etc\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n}',
      /^error 2: interface '..\/..\/etc' cannot exist/u,
    ],
    ['vrrp_instance A {\ninterface "em 1"\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n}', /^error 2/u],
    ['vrrp_instance A {\ninterface em1\nvirtual_router_id 1\nversion 3\n}', /^error 1: 'A' has no virtual_ipaddress/u],
    [
      'vrrp_instance A {\ninterface em1\nvirtual_router_id 1\nversion 2\nstrict_mode\nvirtual_ipaddress { fe80::1 }\n}',
      /^error 4: version 2 has no IPv6 .* strict mode/u,
    ],
    ['vrrp_instance {\n}', /^error 1: vrrp_instance needs a value/u],
  ] as const) {
    const { config, remarks } = readText(text);
    assert.equal(config.instances.length, 0, text);
    assert.match(shown(remarks).find((line) => line.startsWith('error')) ?? '', remark);
  }
});

test('names and VRIDs that stand twice', () => {
  const twice = readText(instanceText('priority 3') + instanceText('priority 4', 'VI_1', 11));
  assert.deepEqual(
    twice.config.instances.map((instance) => instance.vrid),
    [10],
  );
  assert.match(shown(twice.remarks)[0] ?? '', /^error 7: vrrp_instance 'VI_1' stands in .*:1 already/u);
  const shared = readText(instanceText('', 'A', 10) + instanceText('', 'B', 10));
  assert.match(shown(shared.remarks)[0] ?? '', /^error 9: 'A' and 'B' both use VRID 10 on em1/u);
});

test('unicast peers', () => {
  const { instance, remarks } = instanceOf(`unicast_src_ip 192.0.2.1
unicast_peer {
 192.0.2.2
 192.0.2.3 min_ttl 254 max_ttl 255
 192.0.2.2
 fe80::2
 host.example
}`);
  assert.deepEqual(
    instance.unicastPeers?.map((peer) => `${peer.value} ${peer.origin.line}`),
    ['192.0.2.2 7', '192.0.2.3 8'],
  );
  assert.deepEqual(
    instance.unicastPeers?.map((peer) => [peer.minTtl, peer.maxTtl]),
    [
      [undefined, undefined],
      [254, 255],
    ],
  );
  assert.equal(instance.sourceAddress, '192.0.2.1');
  assert.deepEqual(
    remarks.map((line) => line.split(' ').slice(0, 4).join(' ')),
    ['warning 9: unicast_peer 192.0.2.2', "error 11: unicast_peer 'host.example'", 'error 10: IPv6 address'],
  );
});

const SCRIPTS = `vrrp_script good {
 script "/bin/check a 'b c'"
 interval 2
 timeout 1.5
 weight -5
 rise 2
 fall 3
 user nobody
}
vrrp_script plain {
 script /bin/plain
}
vrrp_script turned {
 script /bin/turned
 weight 7 reverse
}
`;

test('vrrp_script with everything and with nothing', () => {
  const { config, remarks } = readText(`${SCRIPTS}${instanceText('track_script {\ngood\nplain\nturned\n}')}`);
  assert.deepEqual(shown(remarks), []);
  assert.deepEqual(
    config.scripts.slice(0, 2).map(({ origin, command, ...rest }) => ({
      ...rest,
      line: origin.line,
      words: command.words,
      user: command.user,
    })),
    [
      {
        name: 'good',
        line: 1,
        words: ['/bin/check', 'a', 'b c'],
        user: 'nobody',
        interval: 2_000_000,
        timeout: 1_500_000,
        weight: -5,
        reverse: false,
        rise: 2,
        fall: 3,
        order: 1,
      },
      {
        name: 'plain',
        line: 10,
        words: ['/bin/plain'],
        user: undefined,
        interval: 1_000_000,
        timeout: 1_000_000,
        weight: 0,
        reverse: false,
        rise: 1,
        fall: 1,
        order: 2,
      },
    ],
  );
  assert.deepEqual(
    config.instances[0]?.trackScripts.map(({ name, weight, reverse }) => ({ name, weight, reverse })),
    [
      { name: 'good', weight: -5, reverse: false },
      { name: 'plain', weight: 0, reverse: false },
      { name: 'turned', weight: 7, reverse: true },
    ],
  );
});

test('track entries: weights of their own, and those that keepalived drops', () => {
  for (const [line, expected, remark] of [
    ['good weight 9', { weight: 9, reverse: false }, undefined],
    ['good weight 9 reverse', { weight: 9, reverse: true }, undefined],
    ['turned weight 9 noreverse', { weight: 9, reverse: false }, undefined],
    ['good weight 254', { weight: 253, reverse: false }, /^warning/u],
    ['good weight -254', { weight: -253, reverse: false }, /^warning/u],
    ['good weight 9 sideways', { weight: 9, reverse: false }, /^warning/u],
    ['good weight 255', { weight: -5, reverse: false }, /^error.*the entry counts without it/u],
    ['turned weight 9', { weight: 9, reverse: true }, undefined],
    ['good weight x', { weight: 0, reverse: false }, /^error/u],
    ['good weight', undefined, /^error/u],
    ['good wieght 9', undefined, /^error.*'wieght' is not "weight"/u],
    ['good plain', undefined, /^error/u],
    ['absent', undefined, /^error.*there is no vrrp_script of that name/u],
  ] as const) {
    const { config, remarks } = readText(`${SCRIPTS}${instanceText(`track_script { ${line} }`)}`);
    const found = config.instances[0]?.trackScripts.map(({ weight, reverse }) => ({ weight, reverse }));
    const relevant = shown(remarks).filter((shownRemark) => !shownRemark.startsWith('note'));
    assert.deepEqual(found, expected === undefined ? [] : [expected], line);
    if (remark === undefined) assert.deepEqual(relevant, [], line);
    else assert.match(relevant[0] ?? '', remark);
  }
  const twice = readText(`${SCRIPTS}${instanceText('track_script { good\ngood weight 3 }')}`);
  assert.deepEqual(
    twice.config.instances[0]?.trackScripts.map((entry) => entry.weight),
    [-5],
  );
});

test('a script that stands below its instance is tracked, which keepalived would not do', () => {
  const { config, remarks } = readText(`${instanceText('track_script { good }')}${SCRIPTS}`);
  assert.equal(config.instances[0]?.trackScripts.length, 1);
  assert.match(shown(remarks)[0] ?? '', /^warning 5: track_script 'good': its vrrp_script stands further down/u);
});

test('scripts with mistakes', () => {
  for (const [lines, field, expected, remark] of [
    ['interval 0', 'interval', 1_000_000, /^warning 3: interval must be more than 0/u],
    ['interval x', 'interval', 1_000_000, /^error 3/u],
    ['timeout 0', 'timeout', 1_000_000, /^warning 3/u],
    ['interval 7\ntimeout -1', 'timeout', 7_000_000, /^error 4/u],
    ['rise 0', 'rise', 1, /^error 3/u],
    ['fall x', 'fall', 1, /^error 3/u],
    ['weight 254', 'weight', 0, /^error 3/u],
    ['weight -3 sideways', 'weight', -3, /^warning 3/u],
    ['init_fail', 'fall', 1, /^warning 3: init_fail/u],
    ['user nobody nogroup', 'fall', 1, /^warning 3: user: group 'nogroup'/u],
    ['user ../x', 'fall', 1, /^error 3/u],
    ['script /bin/other', 'fall', 1, /^warning 3: script is given twice/u],
  ] as const) {
    const { config, remarks } = readText(
      `vrrp_script s {\nscript /bin/x\n${lines}\n}\n${instanceText('track_script { s }')}`,
    );
    assert.equal(config.scripts[0]?.[field], expected, lines);
    assert.match(shown(remarks)[0] ?? '', remark);
  }
  const bare = readText(`vrrp_script s {\ninterval 3\n}\n${instanceText()}`);
  assert.match(shown(bare.remarks)[0] ?? '', /^error 1: vrrp_script 's' has no script/u);
});

test('command lines: what keepalived runs and what it leaves out', () => {
  for (const [line, words, remark] of [
    ['script "/bin/x -a b"', ['/bin/x', '-a', 'b'], undefined],
    ["script '/bin/x -a b'", ['/bin/x', '-a', 'b'], undefined],
    ['script /bin/x -a b', ['/bin/x'], /^warning 2: script: keepalived runs '\/bin\/x' without the words after it/u],
    ['script "</dev/tcp/127.0.0.1/80"', ['/bin/bash', '-c', '</dev/tcp/127.0.0.1/80'], /^warning 2/u],
    ['script "</run/ready"', ['/bin/sh', '-c', '</run/ready'], /^warning 2/u],
    ['script "/bin/a && /bin/b"', ['/bin/a', '&&', '/bin/b'], /^warning 2: '&&' is passed to the program/u],
    ['script "/bin/sh -c \'a && b\'"', ['/bin/sh', '-c', 'a && b'], undefined],
  ] as const) {
    const { config, remarks } = readText(`vrrp_script s {\n${line}\n}\n${instanceText('track_script { s }')}`);
    assert.deepEqual(config.scripts[0]?.command.words, words);
    if (remark === undefined) assert.deepEqual(shown(remarks), [], line);
    else assert.match(shown(remarks)[0] ?? '', remark);
  }
});

test('notify: the five hooks, their users, the first of two counts', () => {
  const { instance, remarks } = instanceOf(
    `notify_master "/bin/h m" root
notify_backup /bin/h
notify_fault "/bin/h f"
notify_stop '/bin/h s'
notify "/bin/h any"
notify_backup /bin/other`,
    'global_defs {\n script_user nobody\n}\n',
  );
  const { master, backup, fault, stop, any } = instance.hooks;
  assert.deepEqual(
    [master, backup, fault, stop, any].map((hook) => hook?.words.join(' ')),
    ['/bin/h m', '/bin/h', '/bin/h f', '/bin/h s', '/bin/h any'],
  );
  assert.deepEqual([master?.user, backup?.user], ['root', 'nobody']);
  assert.match(remarks[0] ?? '', /^note 8: notify_master: 'root' is the user/u);
  assert.match(remarks[1] ?? '', /^warning 13: notify_backup is there already/u);
  assert.match(
    instanceOf('notify_master /bin/h --flag').remarks[0] ?? '',
    /^error 5: notify_master: '--flag' stands where the user's name is expected/u,
  );
});

test('track_interface: the own interface is left out, as in keepalived', () => {
  const { instance, remarks } = instanceOf('track_interface {\nem1 weight 5\nem2 weight 3 reverse\nem3\n}');
  assert.deepEqual(
    instance.trackInterfaces.map(({ name, weight, reverse }) => `${name} ${weight} ${reverse}`),
    ['em2 3 true', 'em3 0 false'],
  );
  assert.match(remarks[0] ?? '', /^note 6: track_interface em1 is the instance's own interface/u);
});

test('priority 255 never moves: weighted tracks are left out', () => {
  const { instance, remarks } = instanceOf('priority 255\ntrack_interface {\nem2 weight 3\nem3\n}');
  assert.deepEqual(
    instance.trackInterfaces.map(({ name }) => name),
    ['em3'],
  );
  assert.match(remarks[0] ?? '', /^warning 7: 'em2' has weight 3, but priority 255 never moves/u);
});

test('gratuitous ARP: instance over global over default, and the lower-priority burst follows the global one', () => {
  const global =
    'global_defs {\n vrrp_garp_master_repeat 2\n vrrp_garp_master_delay 7\n vrrp_garp_master_refresh 60\n}\n';
  assert.deepEqual(instanceOf('garp_master_delay 9\ngarp_master_refresh_repeat 3', global).instance.garp, {
    masterRepeat: 2,
    masterDelay: 9_000_000,
    masterRefresh: 60_000_000,
    masterRefreshRepeat: 3,
    lowerPriorityRepeat: 2,
    lowerPriorityDelay: 7_000_000,
    arpInterval: 0,
    neighborInterval: 0,
    extraRefresh: 0,
    extraRefreshAll: false,
  });
  const spaced = instanceOf(
    'garp_extra_if all 60',
    'global_defs {\n vrrp_garp_interval 0.5\n vrrp_gna_interval .000001\n vrrp_garp_extra_if 9\n}\n',
  ).instance.garp;
  assert.deepEqual(
    [spaced.arpInterval, spaced.neighborInterval, spaced.extraRefresh, spaced.extraRefreshAll],
    [500_000, 1, 60_000_000, true],
  );
  assert.match(instanceOf('garp_extra_if all').remarks[0] ?? '', /^error 5: garp_extra_if needs whole seconds/u);
  const lower = instanceOf('garp_lower_prio_repeat 0\ngarp_lower_prio_delay 1\ngarp_master_repeat 0').instance.garp;
  assert.deepEqual([lower.lowerPriorityRepeat, lower.lowerPriorityDelay, lower.masterRepeat], [0, 1_000_000, 1]);
  const minimal = instanceOf('', 'global_defs {\n vrrp_min_garp\n}\n').instance.garp;
  assert.deepEqual([minimal.masterRepeat, minimal.masterDelay], [1, 0]);
  assert.match(instanceOf('garp_master_delay 3.5').remarks[0] ?? '', /^warning 5: .*cut to 3 whole seconds/u);
  assert.match(instanceOf('garp_master_repeat x').remarks[0] ?? '', /^error 5/u);
});

test('global_defs', () => {
  const { config, remarks } = readText(`global_defs {
 notification_email { a@example.org
   b@example.org "C D <c@example.org>"
 }
 notification_email { d@example.org }
 notification_email_from k@example.org
 smtp_server mail.example.org 2525
 smtp_connect_timeout 5
 smtp_helo_name k.example.org
 router_id LVS_1
 notify_fifo /run/all.fifo
 vrrp_notify_fifo /run/vrrp.fifo
 vrrp_mcast_group4 224.0.0.18
}
${instanceText()}`);
  assert.deepEqual(shown(remarks), []);
  const { global } = config;
  assert.deepEqual(
    global.notificationEmail.map((entry) => `${entry.value} ${entry.origin.line}`),
    ['a@example.org 2', 'b@example.org 3', 'C D <c@example.org> 3', 'd@example.org 5'],
  );
  assert.equal(global.notificationEmailFrom?.value, 'k@example.org');
  assert.deepEqual(global.smtpServer?.value, { host: 'mail.example.org', port: 2525 });
  assert.equal(global.smtpConnectTimeout?.value, 5_000_000);
  assert.equal(global.smtpHeloName?.value, 'k.example.org');
  assert.equal(global.routerId?.value, 'LVS_1');
  assert.equal(global.notifyFifo?.value, '/run/all.fifo');
  assert.equal(global.vrrpNotifyFifo?.value, '/run/vrrp.fifo');
});

test('global settings that instances inherit', () => {
  const of = (line: string, lines = ''): Instance => instanceOf(lines, `global_defs {\n ${line}\n}\n`).instance;
  assert.equal(of('vrrp_version 3').version, 3);
  assert.equal(of('vrrp_version 3', 'version 2').version, 2);
  assert.equal(of('smtp_alert').smtpAlert, true);
  assert.equal(of('smtp_alert\n smtp_alert_vrrp off').smtpAlert, false);
  assert.equal(of('smtp_alert off\n smtp_alert_vrrp').smtpAlert, true);
  assert.equal(of('smtp_alert_vrrp', 'smtp_alert off').smtpAlert, false);
  assert.equal(of('v3_checksum_as_v2').checksumWithoutPseudoHeader, true);
  const auth = 'authentication {\nauth_type PASS\nauth_pass abc\n}\npreempt_delay 3';
  const strict = of('vrrp_strict', auth);
  assert.deepEqual([strict.password, strict.preemptDelay, strict.garp.lowerPriorityRepeat], [undefined, 0, 0]);
  assert.equal(of('vrrp_strict', `${auth}\nstrict_mode off`).password, 'abc');
});

test('global settings with mistakes', () => {
  for (const [line, remark] of [
    ['smtp_server', /^error 2: smtp_server needs/u],
    ['smtp_server h 70000', /^error 2: smtp_server: port '70000'/u],
    ['smtp_connect_timeout x', /^error 2/u],
    ['vrrp_version 4', /^error 2/u],
    ['vrrp_mcast_group4 ff02::12', /^error 2: vrrp_mcast_group4: 'ff02::12' is not an IPv4 multicast address/u],
    ['vrrp_mcast_group6 2001:db8::1', /^error 2: vrrp_mcast_group6: .* is not an IPv6 multicast address/u],
    ['vrrp_mcast_group6 ff05::12', /^warning 2: vrrp_mcast_group6: ff05::12 is not link-local/u],
    ['vrrp_garp_interval 0', /^error 2: vrrp_garp_interval '0'/u],
    ['vrrp_garp_interval 2', /^warning 2: vrrp_garp_interval 2s: a burst takes very long/u],
    ['vrrp_startup_delay 4000', /^warning 2: vrrp_startup_delay 4000s is taken as 3600s/u],
    ['vrrp_delay_after_boot 4000', /^warning 2: vrrp_delay_after_boot 4000s is taken as 3600s/u],
    ['vmac_prefix averylongprefix', /^error 2: vmac_prefix/u],
    ['default_interface em/1', /^error 2: default_interface/u],
    ['random_seed x', /^error 2/u],
    ['notify_fifo relative', /^error 2/u],
    ['notify_fifo /run/f user group', /^warning 2: notify_fifo: owner 'user group'/u],
    ['script_user', /^error 2/u],
    ['vrrp_down_timer_adverts 0', /^error 2/u],
    ['router_id a b', /^warning 2: router_id: 'b' after the value/u],
  ] as const) {
    const { remarks } = readText(`global_defs {\n${line}\n}\n${instanceText()}`);
    assert.match(shown(remarks)[0] ?? '', remark);
  }
});

test('a file without instances says so', () => {
  assert.match(shown(readText('').remarks)[0] ?? '', /^warning 1: the file has no vrrp_instance/u);
});
