/** Checks that fail and recover, of every weight. */
import { IPV6, UNICAST, V2, V3, VMAC } from '../form.js';
import {
  cutSecond,
  fail,
  mendSecond,
  recover,
  router,
  type Scenario,
  scenario,
  start,
  step,
  write,
} from '../scenario.js';

const script = (weight: string) => `track_script { healthy ${weight} }`;
const pair = (...lines: readonly string[]) => [router({ A: 150, B: 100 }, { lines })];
const both = [step(start('A'), 'A'), step(start('B'), 'A')];

export const CHECKS: readonly Scenario[] = [
  ...[V3, V2, UNICAST].map((form) =>
    scenario('checks', 'of weight 0 at the active one: fault', form, {
      routers: pair(script('weight 0')),
      steps: [...both, step(fail('A'), 'B'), step(recover('A'), 'A')],
      representative: form === V3,
    }),
  ),
  ...[V3, IPV6, VMAC].map((form) =>
    scenario('checks', 'of a negative weight at the active one', form, {
      routers: pair(script('weight -60')),
      steps: [...both, step(fail('A'), 'B'), step(recover('A'), 'A')],
    }),
  ),
  scenario('checks', 'of a positive weight at the active one', V3, {
    routers: [router({ A: 110, B: 100 }, { lines: [script('weight 20')] })],
    steps: [...both, step(fail('A'), 'B'), step(recover('A'), 'A')],
  }),
  scenario('checks', 'of a weight that is too small to matter', V3, {
    routers: pair(script('weight -20')),
    steps: [...both, step(fail('A'), 'A'), step(recover('A'), 'A')],
  }),
  scenario('checks', 'of weight 0 at the backup, then at both', V3, {
    routers: pair(script('weight 0')),
    steps: [...both, step(fail('B'), 'A'), step(fail('A'), ''), step(recover('B'), 'B'), step(recover('A'), 'A')],
  }),
  scenario('checks', 'of a weight that leaves priority 1, at both', V3, {
    routers: pair(script('weight -253')),
    steps: [...both, step(fail('A'), 'B'), step(fail('B'), 'B'), step(recover('A'), 'A'), step(recover('B'), 'A')],
  }),
  scenario('checks', 'that fails from the start', V3, {
    routers: pair(script('weight 0')),
    steps: [step(fail('A'), ''), step(start('B'), 'B'), step(start('A'), 'B'), step(recover('A'), 'A')],
  }),
  scenario('checks', 'a file whose number counts', V3, {
    routers: pair('track_file { number weight 1 }'),
    steps: [...both, step(write('B', 60), 'B'), step(write('A', 20), 'A'), step(write('A', -20), 'B')],
  }),
  ...[V3, VMAC].map((form) =>
    scenario('checks', 'an interface elsewhere', form, {
      routers: pair('track_interface { em2 }'),
      steps: [...both, step(cutSecond('A'), 'B'), step(mendSecond('A'), 'A')],
    }),
  ),
  scenario('checks', 'an interface elsewhere, with a weight', V3, {
    routers: pair('track_interface { em2 weight -80 }'),
    steps: [...both, step(cutSecond('A'), 'B'), step(mendSecond('A'), 'A')],
  }),
];
