/** Three members, of which the next one takes over. */
import { lease } from '../differences.js';
import { IPV6, UNICAST, V2, V3, VMAC } from '../form.js';
import { kill, router, type Scenario, scenario, start, step, stop } from '../scenario.js';

export const THREE_MEMBERS: readonly Scenario[] = [
  ...[V3, V2, IPV6, UNICAST, VMAC].map((form) =>
    scenario('three members', 'one after the other goes', form, {
      routers: [router({ A: 200, B: 150, C: 100 })],
      steps: [
        step(start('C'), 'C'),
        step(start('B'), 'B'),
        step(start('A'), 'A'),
        step(stop('A'), 'B'),
        step(kill('B'), 'C', lease({ dead: 'B', others: 'C', virtually: form.virtualMac })),
      ],
      representative: form === V3,
    }),
  ),
];
