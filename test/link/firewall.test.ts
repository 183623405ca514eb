import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { NftablesFirewall } from '../../agent/link/firewall.js';
import { OK, type Outcome, refusal, SocketOpenError } from '../../agent/net/system-error.js';
import { attributesOf, messagesOf, NetlinkWriter } from '../../agent/wire/netlink-message.js';
import { ip } from '../wire/captured.js';

const { EINVAL, ENOENT, EOPNOTSUPP, EPROTONOSUPPORT, ENOMEM } = constants.errno;

/** A kernel that says what it is told to say, and remembers what it was asked: message types, and whose table it is. */
function kernel(...answers: (number | undefined)[]) {
  const asked: string[] = [];
  const open = () => ({
    transact: (doing: string, write: (writer: NetlinkWriter, sequence: number) => number): Outcome => {
      const writer = new NetlinkWriter();
      const count = write(writer, 1);
      const messages = [...messagesOf(writer.datagram())];
      assert.equal(messages.length, count + 1, 'the end is not counted');
      const inside = messages.slice(1, -1).map(({ type, payload }) => {
        const isOwned = type === 0xa00 && attributesOf(payload, 4).has(2);
        return `${type & 0xff}${isOwned ? ' owned' : ''}`;
      });
      assert.equal(messages.at(-2)?.flags === undefined, false);
      assert.equal((messages.at(-2)?.flags ?? 0) & 4, 4, 'the last message asks for an acknowledgement');
      asked.push(inside.join(', '));
      const errno = answers.shift();
      return errno === undefined ? OK : refusal(errno, doing);
    },
    close: () => void asked.push('close'),
  });
  return { firewall: new NftablesFirewall(open), asked };
}
const one = [{ address: ip('10.9.0.26') }];
const two = [{ address: ip('10.9.0.27') }];
/** Table made, removed, made anew; sets; chains; rules; elements. */
const INSTALLED = '0, 2, 0 owned, 9, 9, 9, 9, 3, 3, 6, 6, 6, 6, 6, 6, 6, 12';
const UNOWNED = INSTALLED.replace(' owned', '');

test('the first call makes the table, further ones change it, what changes nothing asks nothing', () => {
  const { firewall, asked } = kernel();
  assert.deepEqual(firewall.allowTraffic(one), OK);
  assert.deepEqual(firewall.dropTraffic([]), OK);
  assert.deepEqual(asked, []);
  assert.deepEqual(firewall.dropTraffic(one), OK);
  assert.deepEqual(firewall.dropTraffic([...one, ...two]), OK);
  assert.deepEqual(firewall.dropTraffic([...one, ...two]), OK);
  assert.deepEqual(firewall.allowTraffic(one), OK);
  assert.deepEqual(firewall.blockReports([3, 4]), OK);
  firewall.close();
  assert.deepEqual(asked, [INSTALLED, '12', '14', '12', '0, 2', 'close']);
});

test('what was refused is asked for again the next time', () => {
  const { firewall, asked } = kernel(undefined, ENOMEM);
  assert.deepEqual(firewall.dropTraffic(one), OK);
  const refused = firewall.dropTraffic(two);
  assert.equal(refused.ok ? '' : refused.code, 'ENOMEM');
  assert.deepEqual(firewall.dropTraffic(two), OK);
  assert.deepEqual(asked, [INSTALLED, '12', '12']);
});

test('a table that somebody removed comes back whole', () => {
  const { firewall, asked } = kernel(undefined, ENOENT);
  firewall.dropTraffic(one);
  assert.deepEqual(firewall.blockReports([3]), OK);
  // Two sets have elements now.
  assert.deepEqual(asked, [INSTALLED, '12', `${INSTALLED}, 12`]);
});

test('a kernel that knows no owners of tables (before Linux 5.12) gets one without', () => {
  for (const errno of [EINVAL, EOPNOTSUPP]) {
    const { firewall, asked } = kernel(errno);
    assert.deepEqual(firewall.dropTraffic(one), OK);
    assert.deepEqual(firewall.leave(), OK);
    assert.deepEqual(asked, [INSTALLED, UNOWNED, 'close'], 'it is left as it is');
  }
});

test('left to the next process without an owner', () => {
  const { firewall, asked } = kernel();
  assert.deepEqual(firewall.leave(), OK);
  firewall.dropTraffic(one);
  assert.deepEqual(firewall.leave(), OK);
  firewall.close();
  assert.deepEqual(asked, [INSTALLED, UNOWNED.replace('0, 2, 0', '2, 0'), 'close']);
});

test('a kernel without nftables says so, at each try, and there is nothing to clear', () => {
  const { firewall } = kernel(EOPNOTSUPP, EOPNOTSUPP, EOPNOTSUPP);
  assert.deepEqual(firewall.clear(), OK);
  const refused = firewall.dropTraffic(one);
  assert.match(
    refused.ok ? '' : refused.message,
    /^cannot drop traffic to virtual addresses: \w+ \(this kernel has no nftables/,
  );

  const without = new NftablesFirewall(() => {
    throw new SocketOpenError(refusal(EPROTONOSUPPORT, 'open a netfilter socket'));
  });
  const unopened = without.blockReports([1]);
  assert.match(unopened.ok ? '' : unopened.message, /EPROTONOSUPPORT \(this kernel has no nftables/);
  assert.deepEqual(without.clear(), OK);
  without.close();
});
