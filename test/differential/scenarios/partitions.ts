/** The switch loses frames between members that all have a link. */
import { IPV6, UNICAST, V2, V3, VMAC } from '../form.js';
import { heal, mute, part, router, type Scenario, scenario, start, step } from '../scenario.js';

const routers = [router({ A: 150, B: 100 })];
const both = [step(start('A'), 'A'), step(start('B'), 'A')];

export const PARTITIONS: readonly Scenario[] = [
  ...[V3, V2, IPV6, UNICAST, VMAC].map((form) =>
    scenario('partitions', 'both ways, healed', form, {
      routers,
      steps: [...both, step(part('A', 'B'), 'A B'), step(heal, 'A')],
      representative: form === IPV6,
    }),
  ),
  ...[V3, UNICAST].map((form) =>
    scenario('partitions', 'the backup does not hear the active one', form, {
      routers,
      steps: [...both, step(mute('A', 'B'), 'A B'), step(heal, 'A')],
    }),
  ),
  scenario('partitions', 'the active one does not hear the backup', V3, {
    routers,
    steps: [...both, step(mute('B', 'A'), 'A'), step(heal, 'A')],
  }),
  scenario('partitions', 'twice', V3, {
    routers,
    steps: [...both, step(part('A', 'B'), 'A B'), step(heal, 'A'), step(part('A', 'B'), 'A B'), step(heal, 'A')],
  }),
];
