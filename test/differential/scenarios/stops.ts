/** A member is stopped as planned. */
import { handover } from '../differences.js';
import { IPV6, UNICAST, UNICAST_IPV6, V2, V3, VMAC } from '../form.js';
import { router, type Scenario, scenario, start, step, stop } from '../scenario.js';

const routers = [router({ A: 50, B: 30 })];

export const STOPS: readonly Scenario[] = [
  ...[V3, V2, IPV6, UNICAST, UNICAST_IPV6, VMAC].map((form) =>
    scenario('stops', 'the active one stops and comes back', form, {
      routers,
      steps: [step(start('A'), 'A'), step(start('B'), 'A'), step(stop('A'), 'B', handover('A')), step(start('A'), 'A')],
      representative: form === V3,
    }),
  ),
  scenario('stops', 'the backup stops and comes back', V3, {
    routers,
    steps: [step(start('A'), 'A'), step(start('B'), 'A'), step(stop('B'), 'A'), step(start('B'), 'A')],
  }),
  scenario('stops', 'all stop, one after the other', V3, {
    routers,
    steps: [step(start('A'), 'A'), step(start('B'), 'A'), step(stop('A'), 'B', handover('A')), step(stop('B'), '')],
  }),
];
