/** Packets that no member sends, byte by byte: some are believed, the others must change nothing. */
import { formatIp, parseIp } from '../../proto/rules/ip.js';
import { MICROS_PER_SECOND, type Micros } from '../../proto/rules/time.js';
import { type AdvertFields, advertPacket, ipv4Packet, ipv6AdvertPacket } from '../lab/packet.js';
import { type RouterPlan, sourceOf } from './plan.js';
import type { World } from './world.js';

const STRANGER = -1;

/** One advertisement of a stranger, for a router at random; whoever demands no signature believes it. */
export function forge(
  world: World,
  priority: number,
  interval: Micros,
  router = world.random.pick(world.plan.routers),
) {
  world.log(`forged for ${router.name}: priority ${priority}, interval ${interval} us`);
  send(world, router, encode(router, { ...fieldsOf(world, router), priority, interval: unitsOf(router, interval) }));
}

/** Packets of which none may have an effect, since each breaks a rule of reception. */
export function malformed(world: World, count: number): void {
  world.log(`${count} malformed packets`);
  for (let index = 0; index < count; index++) {
    const router = world.random.pick(world.plan.routers);
    send(world, router, broken(world, router));
  }
}

function broken(world: World, router: RouterPlan): Uint8Array {
  const { random } = world;
  const fields = { ...fieldsOf(world, router), priority: random.pick([0, 200, 255]) };
  const spoilt = random.pick<() => Uint8Array>([
    () => encode(router, { ...fields, ttl: random.between(0, 254) }),
    () => encode(router, { ...fields, version: router.version === 2 ? 3 : 2 }),
    () => encode(router, { ...fields, type: random.pick([0, 2, 15]) }),
    () => encode(router, { ...fields, vrid: random.between(100, 255) }),
    () => encode(router, { ...fields, truncateTo: random.between(0, 7) }),
    () => encode(router, { ...fields, count: random.between(5, 255) }),
    () => encode(router, { ...fields, interval: 0 }),
    () => flipped(encode(router, fields), router, random.between(1, 255)),
    () => encode(router, { ...fields, addresses: [] }),
    () =>
      ipv4Packet(
        '10.0.1.250',
        '224.0.0.18',
        Uint8Array.from({ length: random.between(0, 40) }, () => random.between(0, 15)),
      ),
  ]);
  return spoilt();
}

/** One wrong byte in the message: its checksum is wrong. */
function flipped(packet: Uint8Array, router: RouterPlan, by: number): Uint8Array {
  const at = (router.family === 6 ? 40 : 20) + 2;
  packet[at] = (packet[at] ?? 0) ^ by;
  return packet;
}

function fieldsOf(world: World, router: RouterPlan): AdvertFields {
  const segment = world.plan.devices.indexOf(router.device) + 1;
  // A peer's own address where only peers are heard, as a stranger would have it.
  const peer = formatIp(sourceOf(world.plan, router, 0));
  const stranger = router.family === 6 ? 'fe80::dead' : `10.0.${segment}.250`;
  return {
    source: router.isUnicast ? peer : stranger,
    version: router.version,
    vrid: router.vrid,
    priority: 255,
    addresses: router.addresses.map((address) => address.split('/')[0] ?? ''),
    interval: unitsOf(router, router.interval),
  };
}

function encode(router: RouterPlan, fields: AdvertFields): Uint8Array {
  return router.family === 6 ? ipv6AdvertPacket(fields) : advertPacket(fields);
}

function unitsOf({ version, interval: own }: RouterPlan, interval: Micros): number {
  return version === 2 ? own / MICROS_PER_SECOND : Math.min(4_095, Math.round(interval / 10_000));
}

function send(world: World, router: RouterPlan, bytes: Uint8Array): void {
  const destination = parseIp(router.family === 6 ? 'ff02::12' : '224.0.0.18');
  if (destination === undefined) throw new TypeError('the multicast group');
  world.segments.get(router.device)?.broadcast(STRANGER, { kind: 'packet', bytes, destination });
}
