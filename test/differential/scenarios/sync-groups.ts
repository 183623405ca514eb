/** Two routers on two LANs that move together. */
import { handover, lease, leftovers } from '../differences.js';
import { IPV6, UNICAST, V2, V3, VMAC } from '../form.js';
import {
  cutSecond,
  fail,
  heal,
  kill,
  mendSecond,
  part,
  recover,
  router,
  type Scenario,
  scenario,
  start,
  step,
  stop,
} from '../scenario.js';

const routers = [router({ A: 50, B: 30 }), router({ A: 50, B: 30 }, { name: 'VI_2', vrid: 52, lan: 2 })];
const group = ['VI_1', 'VI_2'];
const both = [step(start('A'), 'A'), step(start('B'), 'A')];

export const SYNC_GROUPS: readonly Scenario[] = [
  ...[V3, V2, IPV6, UNICAST, VMAC].map((form) =>
    scenario('sync groups', 'one link of the active ones is cut: both move', form, {
      routers,
      group,
      steps: [...both, step(cutSecond('A'), 'B'), step(mendSecond('A'), 'A')],
      representative: form === V3,
    }),
  ),
  scenario('sync groups', 'the active ones stop', V3, {
    routers,
    group,
    steps: [...both, step(stop('A'), 'B', handover('A')), step(start('A'), 'A')],
  }),
  scenario('sync groups', 'the active ones die', V3, {
    routers,
    group,
    steps: [...both, step(kill('A'), 'B', lease({ dead: 'A', others: 'B' })), step(start('A'), 'A', leftovers('A'))],
  }),
  scenario('sync groups', 'parted on one LAN only: nothing moves', V3, {
    routers,
    group,
    steps: [...both, step(part('A', 'B'), 'A'), step(heal, 'A')],
  }),
  scenario('sync groups', 'a check of the group', V3, {
    routers,
    group,
    groupLines: ['track_script { healthy weight 0 }'],
    steps: [...both, step(fail('A'), 'B'), step(recover('A'), 'A')],
  }),
];
