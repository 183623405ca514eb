/**
 * The process of the churn row: the production runtime of two agents on virtual hosts in simulated time, to which
 * something happens every minute; after each simulated hour the garbage is collected and the heap measured.
 *
 *   node --expose-gc churn-main.js HOURS      standard output: one ChurnHour in JSON a line
 */
import process from 'node:process';
import { setImmediate as breathe } from 'node:timers/promises';
import { advertPacket } from '../lab/packet.js';
import { settings } from '../runtime/router-settings.js';
import { VirtualClock } from '../runtime/virtual-clock.js';
import { VirtualHost, VirtualLan } from '../runtime/virtual-host.js';
import { Random } from '../sim/random.js';
import type { ChurnHour } from './churn.js';

const SECOND = 1_000_000;
const ROUTERS = 5;
const SEED = 20_260_101;
const NUMBERS = Array.from({ length: ROUTERS }, (_, index) => index + 1);

const collect = globalThis.gc;
if (collect === undefined) throw new Error('start this with node --expose-gc');

const random = new Random(SEED);
const clock = new VirtualClock();
const lan = new VirtualLan(clock);
const hosts = [new VirtualHost('a', lan, ['10.0.0.1/24']), new VirtualHost('b', lan, ['10.0.0.2/24'])];
const account = { adverts: 0, transitions: 0, happenings: 0 };

for (const [index, host] of hosts.entries()) configure(host, 150 - 50 * index);
for (let hour = 1; hour <= Number(process.argv[2]); hour += 1) {
  for (let minute = 0; minute < 60; minute += 1) {
    happen(random.pick(hosts));
    for (let step = 0; step < 6; step += 1) {
      clock.advance(10 * SECOND);
      for (const host of hosts) tidy(host);
    }
  }
  await breathe();
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ hour, bytes: heapUsed + external, ...account } satisfies ChurnHour)}\n`);
}

function configure(host: VirtualHost, priority: number): void {
  // All routers, or some of them: those that leave and come back are part of the churn.
  const routers = NUMBERS.slice(0, random.between(2, ROUTERS)).map((number) =>
    settings({
      name: `r${number}`,
      vrid: number,
      priority,
      addresses: [`10.0.0.${100 + number}`],
      tracks: [{ id: 'check c', weight: number % 2 === 0 ? -80 : 0, reverse: false }],
    }),
  );
  const problems = host.configure(...routers);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  host.tell({ kind: 'track', id: 'check c', state: 'up' });
}

/** One thing that happens to a host and, where it is an ailment, is over after a while. */
function happen(host: VirtualHost): void {
  account.happenings += 1;
  switch (random.between(0, 6)) {
    case 0:
      host.tell({ kind: 'track', id: 'check c', state: 'down' });
      later(() => host.tell({ kind: 'track', id: 'check c', state: 'up' }));
      break;
    case 1:
      host.isPlugged = false;
      later(() => {
        host.isPlugged = true;
      });
      break;
    case 2:
      host.setLink('em1', false);
      later(() => host.setLink('em1', true));
      break;
    case 3:
      configure(host, random.between(1, 254));
      break;
    case 4: {
      const held = NUMBERS.map((number) => `10.0.0.${100 + number}`).filter((address) => host.holds(address));
      if (held.length > 0) host.removeAddress(random.pick(held));
      break;
    }
    case 5:
      // Strangers, each with an address of its own: what is kept of them must be bounded.
      for (let stranger = 0; stranger < 50; stranger += 1) {
        const source = `10.${random.between(1, 250)}.${random.between(0, 250)}.${random.between(1, 250)}`;
        const vrid = random.between(1, 255);
        host.receive(advertPacket({ source, vrid, priority: 1, addresses: ['10.0.0.250'], interval: 100 }));
      }
      break;
    default:
      clock.sleep(5 * SECOND);
  }
}

function later(task: () => void): void {
  clock.alarm(clock.now() + random.between(1, 20) * SECOND, task);
}

/** What the virtual host remembers for its tests is no memory of the agent. */
function tidy(host: VirtualHost): void {
  host.status();
  account.adverts += host.takeLog().filter((line) => line.startsWith('advert')).length;
  account.transitions += host.occurrences('transition').length;
  host.messages.length = 0;
  host.requests.length = 0;
}
