/** A fault of the program itself in what is done for one router: the others do not notice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recorder } from '../../agent/record/recorder.js';
import { advertPacket } from '../lab/packet.js';
import { settings } from './router-settings.js';
import { VirtualClock } from './virtual-clock.js';
import { VirtualHost, VirtualLan } from './virtual-host.js';

const SECOND = 1_000_000;
const FIRST = settings({ name: 'first', vrid: 10, addresses: ['10.0.0.100'] });
const SECOND_ROUTER = settings({ name: 'second', vrid: 11, priority: 90, addresses: ['10.0.0.101'] });

/** Every step of this router throws while it is broken. */
let broken: string | undefined;

class BreakingRecorder extends Recorder {
  override input(...words: Parameters<Recorder['input']>): void {
    if (words[0].router.name === broken) throw new Error('a fault of the program');
    super.input(...words);
  }
}

function host(context: { after(task: () => void): void }) {
  context.after(() => {
    broken = undefined;
  });
  const clock = new VirtualClock();
  const recording = (give: ConstructorParameters<typeof Recorder>[0]['give']) =>
    new BreakingRecorder({ limit: 1 << 20, wallMs: () => clock.wallMs(), give });
  const it = new VirtualHost('a', new VirtualLan(clock), ['10.0.0.1/24'], { recording });
  assert.deepEqual(it.configure(FIRST, SECOND_ROUTER), []);
  return { clock, it };
}

function faults(it: VirtualHost): readonly string[] {
  return it.occurrences('log').flatMap(({ message }) => (message.includes('fault of the program') ? [message] : []));
}

test('a router that cannot be ticked keeps nobody else from being active, and goes on when it can be', (context) => {
  const { clock, it } = host(context);
  clock.advance(5 * SECOND);
  assert.deepEqual([it.router('first').state, it.router('second').state], ['active', 'active']);
  it.takeLog();
  broken = 'first';
  clock.advance(10 * SECOND);
  const adverts = it.takeLog().filter((line) => line.startsWith('advert '));
  assert.deepEqual([...new Set(adverts)], ['advert 90']);
  assert.equal(adverts.length, 10);
  assert.deepEqual([...new Set(faults(it))], ['a router could not be ticked; this is a fault of the program']);
  broken = undefined;
  clock.advance(10 * SECOND);
  assert.ok(it.takeLog().includes('advert 100'), 'the first one is back');
});

test('a backup whose step throws keeps no other backup from taking over', (context) => {
  const { clock, it } = host(context);
  broken = 'first';
  clock.advance(5 * SECOND);
  assert.equal(it.router('second').state, 'active');
  assert.equal(it.router('first').state, 'backup');
});

test('of packets that came together each is looked at, also after one that cannot be handled', (context) => {
  const { clock, it } = host(context);
  clock.advance(SECOND);
  const advert = (vrid: number) =>
    advertPacket({ source: '10.0.0.7', vrid, priority: 200, addresses: [`10.0.0.${90 + vrid}`], interval: 100 });
  it.receive(advert(10), Uint8Array.of(0x45), advert(11));
  assert.equal(it.router('first').counters['advertisements-received'], 1);
  assert.equal(it.router('second').counters['advertisements-received'], 1);
  broken = 'first';
  it.receive(advert(10), advert(11));
  assert.equal(it.router('second').counters['advertisements-received'], 2);
  assert.deepEqual(faults(it), ['a packet could not be handled; this is a fault of the program']);
});
