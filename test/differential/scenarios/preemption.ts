/** Whether, and when, the better one takes the role away from who has it. */
import { handover } from '../differences.js';
import { IPV6, UNICAST, V2, V3, VMAC } from '../form.js';
import { fail, heal, part, recover, reload, router, type Scenario, scenario, start, step, stop } from '../scenario.js';

const pair = (...lines: readonly string[]) => [router({ A: 150, B: 100 }, { lines })];

export const PREEMPTION: readonly Scenario[] = [
  ...[V3, V2, IPV6, UNICAST, VMAC].map((form) =>
    scenario('preemption', 'nopreempt: who has it keeps it', form, {
      routers: [router({ A: 50, B: 30 }, { lines: ['nopreempt'] })],
      steps: [step(start('B'), 'B'), step(start('A'), 'B'), step(stop('B'), 'A', handover('B')), step(start('B'), 'A')],
      representative: form === V3,
    }),
  ),
  ...[V3, UNICAST].map((form) =>
    scenario('preemption', 'preempt_delay: later', form, {
      routers: pair('preempt_delay 3'),
      patienceMs: 3500,
      steps: [step(start('B'), 'B'), step(start('A'), 'A')],
    }),
  ),
  scenario('preemption', 'nopreempt: of two that are active the better one stays', V3, {
    routers: pair('nopreempt'),
    steps: [step(start('B'), 'B'), step(start('A'), 'B'), step(part('A', 'B'), 'A B'), step(heal, 'A')],
  }),
  scenario('preemption', 'nopreempt: a fault takes it away for good', V3, {
    routers: pair('nopreempt', 'track_script { healthy weight 0 }'),
    steps: [step(start('A'), 'A'), step(start('B'), 'A'), step(fail('A'), 'B'), step(recover('A'), 'B')],
  }),
  scenario('preemption', 'nopreempt: a priority that is raised takes nothing', V3, {
    routers: pair('nopreempt'),
    steps: [step(start('A'), 'A'), step(start('B'), 'A'), step(reload('B', 200), 'A'), step(reload('A', 50), 'A')],
  }),
];
