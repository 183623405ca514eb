import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ipv4Conf } from '../../agent/link/rtnetlink.js';
import { SysctlLoans } from '../../agent/runtime/sysctl-loans.js';
import { listener, OK, refused } from './kept.js';

const NONE: Required<Ipv4Conf> = {
  forwarding: 0,
  acceptRedirects: 0,
  sendRedirects: 0,
  rpFilter: 0,
  arpFilter: 0,
  arpAnnounce: 0,
  arpIgnore: 0,
  promoteSecondaries: 0,
  acceptLocal: 0,
};

function lending(conf: Partial<Ipv4Conf> = {}) {
  const interfaces = new Map<number, Required<Ipv4Conf>>([[2, { ...NONE, ...conf }]]);
  const { trouble, of } = listener();
  const loans = new SysctlLoans(
    {
      ipv4Conf: (index) => interfaces.get(index),
      setIpv4Conf: (index, change) => {
        const now = interfaces.get(index);
        if (now === undefined) return refused('ENODEV');
        interfaces.set(index, { ...now, ...change });
        return OK;
      },
    },
    trouble,
  );
  return { loans, interfaces, of, at: (name: keyof Ipv4Conf) => interfaces.get(2)?.[name] };
}

const want = (conf: Ipv4Conf) => new Map([[2, conf]]);
const NOTHING = new Map<number, Ipv4Conf>();

test('a setting is raised while it is needed, by the highest need, and then as it was', () => {
  const { loans, at } = lending();
  loans.want('x', want({ arpIgnore: 1 }), 0);
  loans.want('y', want({ arpIgnore: 2, arpAnnounce: 2 }), 0);
  assert.deepEqual([at('arpIgnore'), at('arpAnnounce')], [2, 2]);
  loans.want('y', NOTHING, 0);
  assert.deepEqual([at('arpIgnore'), at('arpAnnounce')], [1, 0]);
  loans.want('x', NOTHING, 0);
  assert.equal(at('arpIgnore'), 0);
});

test('what is high enough is not touched', () => {
  const { loans, at } = lending({ arpIgnore: 8 });
  loans.want('x', want({ arpIgnore: 1 }), 0);
  loans.want('x', NOTHING, 0);
  assert.equal(at('arpIgnore'), 8);
});

test('what somebody changed meanwhile is theirs', () => {
  const { loans, at, interfaces } = lending();
  loans.want('x', want({ arpIgnore: 1 }), 0);
  interfaces.set(2, { ...NONE, arpIgnore: 3 });
  loans.close(false, 0);
  assert.equal(at('arpIgnore'), 3);
});

test('the process that goes on has them as they are', () => {
  const { loans, at } = lending();
  loans.want('x', want({ arpIgnore: 1 }), 0);
  loans.close(true, 0);
  assert.equal(at('arpIgnore'), 1);
});

test('an interface that is gone has nothing to be given back, and is nothing to report', () => {
  const { loans, interfaces, of } = lending();
  loans.want('x', want({ arpIgnore: 1 }), 0);
  interfaces.delete(2);
  loans.want('x', NOTHING, 0);
  loans.want('x', want({ arpIgnore: 1 }), 0);
  assert.deepEqual(of('log'), []);
});
