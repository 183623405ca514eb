/** A member is frozen for longer than anybody waits for it, and goes on. */
import { lease, wokenUp } from '../differences.js';
import { IPV6, UNICAST, V2, V3, VMAC } from '../form.js';
import { freeze, router, type Scenario, scenario, start, step, thaw } from '../scenario.js';

export const PAUSES: readonly Scenario[] = [
  ...[V3, V2, IPV6, UNICAST, VMAC].map((form) =>
    scenario('pauses', 'the active one is frozen, and goes on', form, {
      routers: [router({ A: 150, B: 100 })],
      steps: [
        step(start('A'), 'A'),
        step(start('B'), 'A'),
        step(freeze('A'), 'B', lease({ dead: 'A', others: 'B', virtually: form.virtualMac })),
        step(thaw('A'), 'A', wokenUp('A', 150)),
      ],
      representative: form === V3,
    }),
  ),
  scenario('pauses', 'the backup is frozen, and goes on', V3, {
    routers: [router({ A: 150, B: 100 })],
    steps: [step(start('A'), 'A'), step(start('B'), 'A'), step(freeze('B'), 'A'), step(thaw('B'), 'A')],
  }),
];
