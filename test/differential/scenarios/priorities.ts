/** Priorities that change while all run, equal ones, and owners. */
import { ownerAtOnce } from '../differences.js';
import { IPV6, UNICAST, V2, V3, VMAC } from '../form.js';
import { heal, part, reload, router, type Scenario, scenario, start, step } from '../scenario.js';

const routers = [router({ A: 150, B: 100 })];

export const PRIORITIES: readonly Scenario[] = [
  ...[V3, V2, IPV6, UNICAST, VMAC].map((form) =>
    scenario('priorities', 'lowered and raised again at the active one', form, {
      routers,
      steps: [step(start('A'), 'A'), step(start('B'), 'A'), step(reload('A', 50), 'B'), step(reload('A', 150), 'A')],
      representative: form === UNICAST,
    }),
  ),
  scenario('priorities', 'raised and lowered again at the backup', V3, {
    routers,
    steps: [step(start('A'), 'A'), step(start('B'), 'A'), step(reload('B', 200), 'B'), step(reload('B', 100), 'A')],
  }),
  scenario('priorities', 'changed, but not the order', V3, {
    routers,
    steps: [step(start('A'), 'A'), step(start('B'), 'A'), step(reload('A', 120), 'A'), step(reload('B', 110), 'A')],
  }),
  ...[V3, IPV6, UNICAST].map((form) =>
    scenario('priorities', 'equal: the one that is there stays, of two the greater address', form, {
      routers: [router({ A: 100, B: 100 })],
      steps: [step(start('A'), 'A'), step(start('B'), 'A'), step(part('A', 'B'), 'A B'), step(heal, 'B')],
    }),
  ),
  scenario('priorities', 'the least and the greatest that are no owner', V3, {
    routers: [router({ A: 254, B: 1 })],
    steps: [step(start('B'), 'B'), step(start('A'), 'A'), step(part('A', 'B'), 'A B'), step(heal, 'A')],
  }),
  ...[V3, V2].map((form) =>
    scenario('priorities', 'an owner comes', form, {
      routers: [router({ A: 255, B: 100 })],
      steps: [step(start('B'), 'B'), step(start('A'), 'A'), step(part('A', 'B'), 'A B'), step(heal, 'A')],
    }),
  ),
  scenario('priorities', 'an owner in state BACKUP', V3, {
    routers: [router({ A: 255, B: 100 }, { lines: ['state BACKUP'] })],
    steps: [step(start('B'), 'B'), step(start('A'), 'A', ownerAtOnce('A'))],
  }),
];
