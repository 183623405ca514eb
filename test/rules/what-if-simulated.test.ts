/** Predictions against the election itself: what is said to come, comes. And what weights mean for a check that fails everywhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Supposition, whatIf } from '../../proto/rules/what-if.js';
import { Random } from '../sim/random.js';
import { SECOND, sampleRouter } from '../vrrp/sample-router.js';
import { QuietHost, QuietLan } from './quiet-lan.js';

const TRACKS = ['check a', 'check b', 'check c'] as const;
const WEIGHTS = [0, 0, -20, 30, -254, 100];

function randomLan(random: Random): QuietLan {
  const routers = random.chance(0.6) ? ['r1'] : ['r1', 'r2'];
  const policy = random.chance(0.5) ? 'all' : 'any';
  const group = routers.length > 1 ? ({ name: 'g', policy, routers } as const) : undefined;
  const owner = group === undefined && random.chance(0.1) ? 0 : -1;
  const tracks = TRACKS.map((id) => ({
    id,
    weight: WEIGHTS[random.between(0, WEIGHTS.length - 1)] ?? 0,
    reverse: false,
  }));
  const hosts = Array.from({ length: random.between(2, 4) }, (_, index) => {
    const settings = routers.map((name, at) =>
      sampleRouter({
        name,
        leased: false,
        vrid: at + 1,
        priority: index === owner ? 255 : random.between(1, 25) * 10,
        preemptMode: index === owner || random.chance(0.7),
        tracks: tracks.filter(() => random.chance(0.5)),
        ...(group && { group: group.name }),
      }),
    );
    const states = Object.fromEntries(TRACKS.map((id) => [id, random.chance(0.8) ? 'up' : 'down'] as const));
    return new QuietHost(`h${index}`, 0xc000_0201 + index, group, settings, states);
  });
  return new QuietLan(hosts);
}

test('what is predicted of a random LAN comes true in the election', () => {
  let moved = 0;
  let unpredictable = 0;
  for (let seed = 1; seed <= 1000; seed += 1) {
    const random = new Random(seed);
    const lan = randomLan(random);
    lan.run(60 * SECOND);
    const host = lan.hosts[random.between(0, lan.hosts.length - 1)];
    assert.ok(host);
    const tracked = [...host.members.values()][0]?.router.tracks ?? [];
    const track = tracked[0];
    if (track === undefined) continue;
    const suppositions: Supposition[] = [
      { kind: 'track', subject: track.id, state: host.tracks[track.id] === 'up' ? 'down' : 'up' },
    ];
    const answer = whatIf({
      router: 'r1',
      node: host.name,
      suppositions,
      scope: 'fleet',
      reports: lan.hosts.map((one) => ({ node: one.name, status: one.status(), connected: true })),
    });
    assert.ok(answer.ok, `seed ${seed}`);
    const before = lan.hosts.map((one) => one.stateOf('r1')).join(' ');
    for (const one of suppositions) if (one.kind === 'track') lan.turn(host, one.subject, one.state);
    lan.run(90 * SECOND);
    const { members, group, contested } = answer.forecast;
    if (contested.length > 0) {
      unpredictable += 1;
      continue;
    }
    const predicted = new Map(members.map(({ node, stateThen }) => [node, stateThen]));
    const actual = new Map(lan.hosts.map((one) => [one.name, one.stateOf('r1')]));
    assert.deepEqual(
      lan.hosts.map(({ name }) => predicted.get(name)),
      [...actual.values()],
      `seed ${seed}, ${host.name} ${track.id}, was ${before}`,
    );
    const then = (group?.routers ?? []).map(({ router, stateThen }) => [router, stateThen]);
    assert.deepEqual(
      then,
      then.map(([router = '']) => [router, host.stateOf(router)]),
      `seed ${seed}, the group on ${host.name}`,
    );
    if (before !== [...actual.values()].join(' ')) moved += 1;
  }
  assert.ok(unpredictable < 20, `${unpredictable} were not predicted`);
  assert.ok(moved > 50, `${moved} of them moved something`);
});
