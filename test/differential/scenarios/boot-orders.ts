/** Who starts first, and what the others do about it. */
import { IPV6, UNICAST, UNICAST_IPV6, V2, V3, VMAC, VMAC_IPV6 } from '../form.js';
import { cut, mend, router, type Scenario, scenario, start, step } from '../scenario.js';

const routers = [router({ A: 150, B: 100 })];

export const BOOT_ORDERS: readonly Scenario[] = [
  ...[V3, UNICAST].map((form) =>
    scenario('boot orders', 'the better one first', form, {
      routers,
      steps: [step(start('A'), 'A'), step(start('B'), 'A')],
    }),
  ),
  ...[V3, V2, IPV6, UNICAST, UNICAST_IPV6, VMAC, VMAC_IPV6].map((form) =>
    scenario('boot orders', 'the lesser one first', form, {
      routers,
      steps: [step(start('B'), 'B'), step(start('A'), 'A')],
      representative: form === VMAC || form === V2,
    }),
  ),
  scenario('boot orders', 'both without a link, which comes for both at once', V3, {
    routers,
    steps: [step(cut('A', 'B'), ''), step(start('A'), ''), step(start('B'), ''), step(mend('A', 'B'), 'A')],
  }),
  scenario('boot orders', 'a startup delay', V3, {
    routers,
    globalLines: ['vrrp_startup_delay 2'],
    patienceMs: 8000,
    steps: [step(start('B'), 'B'), step(start('A'), 'A')],
  }),
];
