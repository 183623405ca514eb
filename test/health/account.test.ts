import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findAccount } from '../../agent/health/account.js';

const files = {
  passwd: 'root:x:0:0:root:/root:/bin/bash\nkeepalived_script:x:998:997::/:/usr/sbin/nologin\nbroken:x:abc:1::/:\n',
  group: 'root:x:0:\nadm:x:4:syslog\nkeepalived_script:x:997:\n',
};

test('a user runs in its own group, or in a named one', () => {
  assert.deepEqual(findAccount('keepalived_script', files), { ok: true, account: { uid: 998, gid: 997 } });
  assert.deepEqual(findAccount('keepalived_script:adm', files), { ok: true, account: { uid: 998, gid: 4 } });
  assert.deepEqual(findAccount('keepalived_script adm', files), { ok: true, account: { uid: 998, gid: 4 } });
  assert.deepEqual(findAccount('998:0', files), { ok: true, account: { uid: 998, gid: 0 } });
});

test('a number needs no line of its own', () => {
  assert.deepEqual(findAccount('12345', files), { ok: true, account: { uid: 12345, gid: 12345 } });
  assert.deepEqual(findAccount('998', files), { ok: true, account: { uid: 998, gid: 997 } });
});

test('what cannot be resolved is refused by its name', () => {
  for (const [user, reason] of [
    ['nobody-here', 'user "nobody-here" is not in /etc/passwd'],
    ['root:nogroup', 'group "nogroup" is not in /etc/group'],
    ['broken', 'user "broken" is not in /etc/passwd'],
    ['4294967295', 'user "4294967295" is not in /etc/passwd'],
    ['a b c', '"a b c" is not a user: write USER or USER:GROUP'],
    ['', '"" is not a user: write USER or USER:GROUP'],
  ] as const) {
    assert.deepEqual(findAccount(user, files), { ok: false, reason });
  }
});
