/** What the keepers' tests share: an outbox that is listened to, a table of interfaces, routers. */

import type { Link } from '../../agent/link/rtnetlink.js';
import type { Outcome } from '../../agent/net/system-error.js';
import { InterfaceTable } from '../../agent/runtime/interface-table.js';
import type { FromElection, Occurrence } from '../../agent/runtime/messages.js';
import { Outbox } from '../../agent/runtime/outbox.js';
import { RunningRouter } from '../../agent/runtime/running-router.js';
import { Trouble } from '../../agent/runtime/trouble.js';
import { initialMember } from '../../agent/vrrp/index.js';
import { type SettingsOptions, settings } from './router-settings.js';

export const OK: Outcome = { ok: true };

export function refused(code: string): Outcome {
  return { ok: false, code, errno: 1, message: `cannot do it: ${code}` };
}

export function listener() {
  const told: Occurrence[] = [];
  const outbox = new Outbox({ now: () => 0, wallMs: () => 0 });
  outbox.attach({
    postMessage: (message: FromElection) => void (message.kind === 'occurrence' && told.push(message.occurrence)),
    on: () => undefined,
  });
  outbox.open();
  const of = <Kind extends Occurrence['kind']>(kind: Kind) =>
    told.flatMap((each) => (each.kind === kind ? [each as Extract<Occurrence, { kind: Kind }>] : []));
  return { outbox, trouble: new Trouble(outbox), told, of };
}

/** Ethernet, up, with the MAC address 02:00:00:00:00:INDEX. */
export function link(index: number, name: string, more: Partial<Link> = {}): Link {
  return {
    index,
    name,
    isUp: true,
    flags: 0x1043,
    operationalState: 6,
    type: 1,
    mtu: 1500,
    hardwareAddress: Uint8Array.of(2, 0, 0, 0, 0, index),
    ...more,
  };
}

export function tableOf(...links: readonly Link[]): InterfaceTable {
  const table = new InterfaceTable();
  table.replace(links, []);
  return table;
}

export function running(options: SettingsOptions = {}): RunningRouter {
  return new RunningRouter(settings(options), 0);
}

/** The same router in the active state. */
export function active(router: RunningRouter): RunningRouter {
  router.member = {
    ...initialMember(router.router),
    phase: { name: 'active', lastAdvertAt: 0, adverAt: 1_000_000 },
  };
  return router;
}
