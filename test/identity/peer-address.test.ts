import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerAddress } from '../../controller/identity/peer-address.js';

test('a peer is written as people write addresses', () => {
  for (const [peer, written] of [
    ['10.0.0.6:45716', '10.0.0.6:45716'],
    ['::ffff:10.0.0.6:45716', '10.0.0.6:45716'],
    ['fd00::2:45716', '[fd00::2]:45716'],
    ['::1:7443', '[::1]:7443'],
    ['[::1]:7443', '[::1]:7443'],
    ['unknown', 'unknown'],
  ] as const) {
    assert.equal(peerAddress(peer), written);
  }
});
