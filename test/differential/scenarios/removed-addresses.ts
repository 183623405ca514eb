/** Somebody removes a virtual address by hand. */
import { putBack } from '../differences.js';
import { IPV6, UNICAST, V2, V3, VMAC } from '../form.js';
import { removeAddress, router, type Scenario, scenario, start, step } from '../scenario.js';

export const REMOVED_ADDRESSES: readonly Scenario[] = [
  ...[V3, V2, IPV6, UNICAST, VMAC].map((form) =>
    scenario('removed addresses', 'at the active one', form, {
      routers: [router({ A: 150, B: 100 })],
      steps: [step(start('A'), 'A'), step(start('B'), 'A'), step(removeAddress('A'), 'A', putBack('A', 150))],
      representative: form === V3,
    }),
  ),
];
