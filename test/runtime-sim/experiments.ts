/**
 * Single disturbances of a settled world, each with what must follow and by when. They are chosen at random; one that
 * does not apply does nothing.
 */
import { constants } from 'node:os';
import { leaseDuration, pauseLimit } from '../../agent/vrrp/timers.js';
import { DuplicateProbe } from '../../proto/gen/baton/v1/resources.js';
import type { Instant, Micros } from '../../proto/rules/time.js';
import { forge, malformed } from './forgery.js';
import type { SimHost } from './host.js';
import { LEASE_SLOWNESS } from './kernel.js';
import { addressesOf, FATAL, type RouterPlan, routerOf, settingsFor } from './plan.js';
import { CALM } from './segment.js';
import { labels, longestDown, SLACK, type World } from './world.js';

/** One router that somebody is active for, and who else could be. */
interface Scene {
  readonly world: World;
  readonly router: RouterPlan;
  readonly active: SimHost;
  /** Candidates that hear it. */
  readonly others: readonly SimHost[];
}

type Experiment = (scene: Scene) => void;

const EXPERIMENTS: readonly Experiment[] = [
  crashed,
  crashed,
  plannedStop,
  plannedStop,
  pausedTooLong,
  pausedBackup,
  suspended,
  suspended,
  checkFails,
  linkLost,
  malformedPackets,
  forged,
  forgedStop,
  addressRemoved,
  renewalsRefused,
  additionsRefused,
  sameConfiguration,
  workerLost,
  clockStepped,
  allButOneLost,
];

/** True if anything moved, so that the world has to settle. */
export function experiment(world: World): boolean {
  const router = world.random.pick(world.plan.routers);
  const component = world.components().find((hosts) => world.activeOf(router, hosts).length === 1);
  const active = component?.find((host) => host.isActive(router.name));
  if (component === undefined || active === undefined) return false;
  const others = component.filter((host) => host !== active && world.isCandidate(host, router));
  const chosen = world.random.pick(EXPERIMENTS);
  world.log(`experiment: ${chosen.name} with ${router.name}, active on ${active.label}, others ${labels(others)}`);
  world.forgetTransitions();
  chosen({ world, router, active, others });
  return world.transitions.length > 0;
}

function crashed(scene: Scene): void {
  const { world, router, active } = scene;
  const since = world.timeline.now;
  active.crash('process');
  const bound = takeoverBound(scene, longestDown(router));
  world.run(bound);
  expectTakeover(scene, since, bound);
  if (!router.leased) return;
  world.run(Math.max(0, since + leaseOf(scene) + LEASE_SLOWNESS + SLACK - world.timeline.now));
  if (active.holdsAny(router))
    world.violate('I-4', `${active.label} is dead and has addresses longer than their lease`);
}

function plannedStop(scene: Scene): void {
  const { world, router, active, others } = scene;
  const { policy } = world.plan;
  const since = world.timeline.now;
  active.stop(true);
  const patience = world.longestDown + SLACK;
  const isHitless = others.length > 0 && policy === undefined && router.probe !== DuplicateProbe.REFUSE;
  while (world.timeline.now < since + patience + SLACK) {
    world.run(Math.max(1_000, Math.floor(patience / 500)));
    if (isHitless && ![active, ...others].some((host) => host.holdsAny(router))) {
      world.violate('P8', 'nobody holds the addresses for a moment of a planned stop');
    }
    if (active.process === undefined && isTaken(scene)) break;
  }
  if (active.process !== undefined) world.violate('stop', `${active.label} does not come to an end`);
  if (active.holdsAny(router)) world.violate('I-4', `${active.label} has stopped and holds addresses`);
  if (isHitless) expectTakeover(scene, since, world.timeline.now - since);
}

/** Comes back after the others' patience and its own lease: it steps down before it says a word. */
function pausedTooLong(scene: Scene): void {
  const { world, router, active, others } = scene;
  active.pause();
  const since = world.timeline.now;
  const bound = Math.max(takeoverBound(scene, longestDown(router)), leaseOf(scene) + LEASE_SLOWNESS + SLACK);
  world.run(bound);
  expectTakeover(scene, since, takeoverBound(scene, longestDown(router)));
  if (router.leased && active.holdsAny(router)) world.violate('P2', `${active.label} is frozen and holds addresses`);
  world.run(world.random.between(0, world.longestDown));
  const adverts = active.process?.adverts;
  world.forgetTransitions();
  active.resume();
  world.run(1);
  if (active.isActive(router.name)) world.violate('pause', `${active.label} comes back and is still active`);
  if (active.process?.adverts !== adverts && others.length > 0 && world.plan.routers.length === 1) {
    world.violate('pause', `${active.label} comes back and advertises before it has stepped down`);
  }
}

/** A backup that was away finds its timer expired and the advertisements of that time in its socket. */
function pausedBackup({ world, others }: Scene): void {
  const [backup] = others.filter((host) => world.plan.routers.every(({ name }) => !host.isActive(name)));
  // A queue has room for so many packets, and the last of them must be fresh.
  if (backup === undefined || world.probes) return;
  world.expectNothing('although the active router was never silent', () => {
    backup.pause();
    world.run(Math.min(20 * world.interval, 2 * world.longestDown));
    backup.resume();
    world.run(2 * world.interval);
  });
}

/** The process after it goes on: nobody notices. */
function suspended(scene: Scene): void {
  const { world, active } = scene;
  const { random } = world;
  const served = world.plan.routers.filter(({ name }) => active.isActive(name));
  const settings = settingsFor(world.plan, active.place.number);
  const patience = Math.min(
    ...served.flatMap((router) =>
      world.plan.hosts.map((_, number) => {
        const other = routerOf(settingsFor(world.plan, number), router.name).router;
        const own = routerOf(settings, router.name).router;
        return Math.min(pauseLimit(own, own.priority), pauseLimit(other, 254));
      }),
    ),
  );
  // The worker may take a third of its time to put the configuration in force, and leases are a third over.
  const isInTime = patience > 1_000_000;
  const away = isInTime ? random.between(1_000, patience / 3 - 200_000) : random.between(1_000, 100_000);
  active.suspend();
  world.run(away);
  if (active.process !== undefined) world.violate('suspend', `${active.label} does not end`);
  active.start();
  const others = world.hosts.filter((host) => host !== active);
  world.run(world.longestDown + world.interval);
  if (!isInTime) return;
  const moved = world.transitions.find(({ host }) => others.includes(host));
  if (moved !== undefined) world.violate('resume', `${moved.host.label} becomes ${moved.to} (${moved.cause})`);
  for (const router of served) {
    if (!active.isActive(router.name) || !active.holds(router)) {
      world.violate('resume', `${active.label} does not go on with ${router.name}`);
    }
  }
}

function checkFails(scene: Scene): void {
  const { world, router, active } = scene;
  const since = world.timeline.now;
  active.turn(FATAL, 'down');
  world.run(SLACK);
  if (active.isActive(router.name) || active.holdsAny(router)) {
    world.violate('I-5', `${active.label}: the check of ${router.name} fails and it goes on`);
  }
  const bound = takeoverBound(scene, router.version === 2 ? 1_000_000 : router.interval) + SLACK;
  world.run(bound);
  expectTakeover(scene, since, bound);
  active.turn(FATAL, 'up');
  world.run(SLACK);
}

function linkLost(scene: Scene): void {
  const { world, router, active } = scene;
  const since = world.timeline.now;
  active.kernel.setLink(router.device, false);
  world.run(SLACK);
  if (active.isActive(router.name)) world.violate('I-5', `${active.label} is active without its interface`);
  const bound = takeoverBound(scene, longestDown(router)) + SLACK;
  world.run(bound);
  expectTakeover(scene, since, bound);
  active.kernel.setLink(router.device, true);
  world.run(SLACK);
}

function malformedPackets({ world }: Scene): void {
  world.expectNothing('although nothing but nonsense was sent', () => {
    malformed(world, 20);
    world.run(2 * world.interval);
  });
}

/** I-11: one believed packet that makes everybody yield, with an interval that nobody may adopt. */
function forged(scene: Scene): void {
  const { world, router, active, others } = scene;
  const longest = 40_950_000;
  const isBeyond = longest > Math.max(4 * router.interval, router.interval + 1_000_000);
  if (!isBeyond) return;
  forge(world, 255, longest, router);
  world.run(takeoverBound(scene, longestDown(router)) + SLACK);
  if (![active, ...others].some((host) => host.isActive(router.name))) {
    world.violate('I-11', `one forged packet costs ${router.name} more than a down interval`);
  }
}

/** Somebody says in the active router's name that it stops: it contradicts at once. */
function forgedStop(scene: Scene): void {
  const { world, router, others } = scene;
  const settings = others.map((host) => routerOf(settingsFor(world.plan, host.place.number), router.name).router);
  const span = router.version === 2 ? 1_000_000 : router.interval;
  const shortest = Math.min(...settings.map(({ priority }) => ((256 - Math.min(255, priority + 60)) / 256) * span));
  if (shortest < 2 * SLACK) return;
  const segment = world.segments.get(router.device);
  world.expectNothing('although the active router contradicts', () => {
    // Heard by all at once: a backup that hears it after the answer cannot know.
    if (segment !== undefined) segment.weather = { ...CALM, longestDelay: 20 };
    forge(world, 0, router.interval, router);
    world.calmWeather();
    world.run(2 * world.interval);
  });
}

function addressRemoved({ world, router, active }: Scene): void {
  world.expectNothing('although the address can be put back', () => {
    active.kernel.removeAddress(world.random.pick(addressesOf(router)));
    world.run(SLACK);
    if (!active.holds(router))
      world.violate('restore', `${active.label} does not put an address of ${router.name} back`);
    world.run(world.interval);
  });
}

/** Not for so long that a lease could end. */
function renewalsRefused(scene: Scene): void {
  const { world, active } = scene;
  const shortest = Math.min(...world.plan.routers.map((router) => leaseOf({ ...scene, router })));
  world.expectNothing('although every lease could be renewed in time', () => {
    active.kernel.refusal = { errno: constants.errno.ENOBUFS, verbs: new Set(['renew']) };
    world.run(Math.floor(shortest / 3) - 2 * SLACK);
    active.kernel.refusal = undefined;
    const until = world.timeline.now + shortest;
    while (world.timeline.now < until) {
      world.run(100_000);
      for (const router of world.plan.routers) {
        if (active.isActive(router.name) && !active.holds(router)) {
          world.violate('I-4', `${active.label} lets a lease of ${router.name} end`);
        }
      }
    }
  });
}

/** Who takes over cannot have the addresses for a while: it is tried again, with a lease or without one. */
function additionsRefused(scene: Scene): void {
  const { world, router, active, others } = scene;
  if (others.length === 0) return;
  for (const host of others) {
    host.kernel.refusal = { errno: constants.errno.ENOBUFS, verbs: new Set(['add', 'renew']) };
  }
  active.crash('process');
  world.run(takeoverBound(scene, longestDown(router)));
  for (const host of others) host.kernel.refusal = undefined;
  world.run(1_000_000 + SLACK);
  for (const host of others) {
    if (host.isActive(router.name) && !host.holds(router)) {
      world.violate('I-4', `${host.label} is active for ${router.name} and does not try again to have its addresses`);
    }
  }
}

function sameConfiguration({ world }: Scene): void {
  world.expectNothing('although the configuration says the same', () => {
    world.plan = { ...world.plan, generation: world.plan.generation + 1 };
    for (const host of world.hosts) host.push(world.plan);
    world.run(2 * world.interval);
  });
}

function workerLost({ world, router, active }: Scene): void {
  world.expectNothing('although only a worker died', () => {
    active.loseWorker();
    for (let step = 0; step < 10; step++) {
      world.run(Math.max(400_000, world.interval));
      if (!active.holds(router)) world.violate('I-4', `${active.label} loses addresses with its worker`);
    }
    if (active.backlog > 5_000) world.violate('I-10', `${active.label} had kept ${active.backlog} occurrences`);
  });
}

/** The wall clock only labels; a signature's time is judged by it, so signed routers are left out. */
function clockStepped({ world, active }: Scene): void {
  if (world.plan.routers.some(({ hmac }) => hmac !== undefined)) return;
  world.expectNothing('although only a wall clock was set', () => {
    active.wallError = world.random.pick([3_600_000, -3_600_000, -86_400_000]);
    world.run(2 * world.longestDown);
    active.wallError = 0;
    world.run(world.interval);
  });
}

/** All advertisements but one of a down interval are lost. */
function allButOneLost({ world }: Scene): void {
  const skews = world.plan.routers.flatMap((router) =>
    world.hosts.map((host) => {
      const span = router.version === 2 ? 1_000_000 : router.interval;
      return ((256 - world.priorityOf(host, router)) / 256) * span;
    }),
  );
  if (Math.min(...skews) < SLACK) return;
  const window = Math.min(...world.plan.routers.map(({ missed, interval }) => (missed - 1) * interval)) - SLACK;
  world.expectNothing('although not enough advertisements were lost', () => {
    for (const segment of world.segments.values()) segment.weather = { ...CALM, loss: 1 };
    world.run(window);
    for (const segment of world.segments.values()) segment.weather = CALM;
    world.run(2 * world.longestDown);
  });
}

/** By when somebody else has taken over, if it is `wait` that the others have to wait. */
function takeoverBound({ world, router }: Scene, wait: Micros): Micros {
  // Of a group each member's timer runs out by itself, and starts anew if the others are not ready.
  const group = world.plan.policy === undefined ? wait : 2 * world.longestDown;
  // Who died answers for its addresses until their lease ends.
  const probe = router.probe === DuplicateProbe.REFUSE ? world.longestLease + world.longestDown + 600_000 : 0;
  return group + probe + SLACK;
}

function isTaken({ world, router, others }: Scene): boolean {
  return world.transitions.some(({ to, host, router: name }) => {
    return to === 'active' && name === router.name && others.includes(host);
  });
}

function expectTakeover(scene: Scene, since: Instant, bound: Micros): void {
  const { world, router, others } = scene;
  // With the policy any, one that keeps some members keeps the others from taking over.
  if (others.length === 0 || world.plan.policy === 'any') return;
  const taken = world.transitions.filter(({ to, host, router: name, at }) => {
    return to === 'active' && name === router.name && others.includes(host) && at <= since + bound;
  });
  if (taken.length === 0) world.violate('I-2', `nobody took ${router.name} over within ${bound} us`);
}

function leaseOf({ world, router, active }: Scene): Micros {
  return leaseDuration(routerOf(settingsFor(world.plan, active.place.number), router.name).router);
}
