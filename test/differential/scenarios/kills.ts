/** A member dies without a word. */
import { lease, leftovers } from '../differences.js';
import { IPV6, UNICAST, V2, V3, VMAC, VMAC_IPV6 } from '../form.js';
import { kill, router, type Scenario, scenario, start, step } from '../scenario.js';

const routers = [router({ A: 150, B: 100 })];

export const KILLS: readonly Scenario[] = [
  ...[V3, V2, IPV6, UNICAST, VMAC, VMAC_IPV6].map((form) =>
    scenario('kills', 'the active one dies and comes back', form, {
      routers,
      steps: [
        step(start('A'), 'A'),
        step(start('B'), 'A'),
        step(kill('A'), 'B', lease({ dead: 'A', others: 'B', virtually: form.virtualMac })),
        step(start('A'), 'A', leftovers('A')),
      ],
      representative: form === V3,
    }),
  ),
  scenario('kills', 'the backup dies and comes back', V3, {
    routers,
    steps: [step(start('A'), 'A'), step(start('B'), 'A'), step(kill('B'), 'A'), step(start('B'), 'A')],
  }),
  scenario('kills', 'the last one dies and comes back', V3, {
    routers: [router({ A: 150 })],
    steps: [step(start('A'), 'A'), step(kill('A'), '', lease({ dead: 'A' })), step(start('A'), 'A', leftovers('A'))],
  }),
];
