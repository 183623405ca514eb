/** Cables that are pulled out. */
import { IPV6, UNICAST, V2, V3, VMAC, VMAC_IPV6 } from '../form.js';
import { cut, mend, router, type Scenario, scenario, start, step } from '../scenario.js';

const routers = [router({ A: 150, B: 100 })];
const both = [step(start('A'), 'A'), step(start('B'), 'A')];

export const LINKS: readonly Scenario[] = [
  ...[V3, V2, IPV6, UNICAST, VMAC, VMAC_IPV6].map((form) =>
    scenario('links', 'of the active one', form, {
      routers,
      steps: [...both, step(cut('A'), 'B'), step(mend('A'), 'A')],
      representative: form === IPV6,
    }),
  ),
  scenario('links', 'of the backup', V3, {
    routers,
    steps: [...both, step(cut('B'), 'A'), step(mend('B'), 'A')],
  }),
  scenario('links', 'of all', V3, {
    routers,
    steps: [...both, step(cut('A', 'B'), ''), step(mend('B'), 'B'), step(mend('A'), 'A')],
  }),
  scenario('links', 'of the active one, which is told not to mind', V3, {
    routers: [router({ A: 150, B: 100 }, { lines: ['dont_track_primary'] })],
    steps: [...both, step(cut('A'), 'A B'), step(mend('A'), 'A')],
  }),
];
