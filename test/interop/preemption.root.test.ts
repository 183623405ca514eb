/**
 * Who may take over from whom and when, by Baton and by keepalived from the same keepalived.conf: preemption, its delay,
 * missed advertisements, what is said to a lower and a higher priority.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Holders } from '../lab/holders.js';
import { keepalivedConf } from '../lab/keepalived.js';
import { labUnavailable } from '../lab/lab.js';
import { advertPacket } from '../lab/packet.js';
import { Tap } from '../lab/tap.js';
import { throughout, until } from '../lab/until.js';
import { Contender, type Kind, ROLES } from './contender.js';
import { DOWN_MS, INTERVAL_MS, openStage, SLACK_MS } from './stage.js';

const skip = labUnavailable('keepalived');
const VRID = 42;
const VIP = '10.9.0.100';
const KINDS: readonly Kind[] = ['baton', 'keepalived'];

function conf(priority: number, ...more: readonly string[]): string {
  const addresses = [`${VIP}/32`];
  return keepalivedConf({ vrid: VRID, priority, interval: INTERVAL_MS / 1000, interface: 'em1', addresses, more });
}

async function watchedStage(t: TestContext) {
  const stage = await openStage(t);
  return { ...stage, holders: await Holders.watch(VIP, stage.one, stage.two), tap: await Tap.open(stage.client) };
}

for (const [first, second] of ROLES) {
  test(`nopreempt: ${first} of the higher priority waits for ${second}`, { skip }, async (t) => {
    const { one, two, holders } = await watchedStage(t);
    const lower = await Contender.start(second, two, conf(100));
    await two.untilHolds(VIP, DOWN_MS + SLACK_MS);
    const higher = await Contender.start(first, one, conf(150, 'nopreempt'));
    await throughout(`${second} stays active`, 2 * DOWN_MS, () => holders.now.join() === 'two');
    assert.deepEqual(await higher.account(), { state: 'backup', priority: 150 });
    await lower.stop();
    await one.untilHolds(VIP, DOWN_MS + SLACK_MS);
    assert.equal((await higher.account()).state, 'active');
    await Contender.start(second, two, conf(200, 'nopreempt'));
    await throughout(`${first} stays active`, 1.5 * DOWN_MS, () => holders.now.join() === 'one');
  });

  test(`preempt_delay: ${first} lets ${second} go on for it`, { skip }, async (t) => {
    const { one, two, holders } = await watchedStage(t);
    await Contender.start(second, two, conf(100));
    await two.untilHolds(VIP, DOWN_MS + SLACK_MS);
    const startedAt = Date.now();
    await Contender.start(first, one, conf(150, 'preempt_delay 1.5'));
    await one.untilHolds(VIP, 1500 + DOWN_MS + SLACK_MS);
    await two.untilHolds(VIP, SLACK_MS, false);
    const took = (holders.holdings.find(({ host }) => host === 'one')?.fromMs ?? 0) - startedAt;
    t.diagnostic(`taken over after ${took} ms`);
    assert.ok(took >= 1500, `taken over after ${took} ms`);
    assert.equal(holders.holdings.length, 2, JSON.stringify(holders.holdings));
  });
}

for (const kind of KINDS) {
  test(`down_timer_adverts: ${kind} waits for six missed advertisements`, { skip }, async (t) => {
    const { one, two, client, holders, tap } = await watchedStage(t);
    const other = kind === 'baton' ? 'keepalived' : 'baton';
    const active = await Contender.start(other, one, conf(150));
    await one.untilHolds(VIP, DOWN_MS + SLACK_MS);
    await Contender.start(kind, two, conf(100, 'down_timer_adverts 6'));
    await throughout('it stays backup', DOWN_MS, () => holders.now.join() === 'one');
    await active.kill();
    await two.untilHolds(VIP, 7 * INTERVAL_MS + SLACK_MS);
    const last = tap.adverts(one.address).at(-1)?.atMs ?? 0;
    const took = (holders.holdings.find(({ host }) => host === 'two')?.fromMs ?? 0) - last;
    // RFC 9568 section 6.1, with six: 6 x 200 ms and the skew of priority 100, (256 - 100) / 256 x 200 ms.
    const expected = 6 * INTERVAL_MS + 121.9;
    t.diagnostic(`${took.toFixed(0)} ms after the last advertisement, ${expected} expected, ${client.name} saw it`);
    assert.ok(took > expected - 15 && took < expected + 200, `${took} ms`);
  });

  test(`what ${kind} says to a lower and to a higher priority`, { skip }, async (t) => {
    const { one, client, holders, tap } = await watchedStage(t);
    const forged = (priority: number) =>
      advertPacket({ source: client.address, vrid: VRID, priority, addresses: [VIP], interval: INTERVAL_MS / 10 });
    const nextAdvert = async () => {
      const seen = tap.adverts(one.address).length;
      return await until('an advertisement', SLACK_MS, () => tap.adverts(one.address)[seen]);
    };
    /** From a foreign advertisement just after one of its own to its next. */
    const answersAfter = async (priority: number) => {
      await nextAdvert();
      const sentAt = performance.timeOrigin + performance.now();
      const next = nextAdvert();
      tap.send(forged(priority));
      return (await next).atMs - sentAt;
    };
    const contender = await Contender.start(kind, one, conf(100));
    await one.untilHolds(VIP, DOWN_MS + SLACK_MS);

    await t.test('a lower priority is answered at once', async () => {
      const after = await answersAfter(50);
      assert.ok(after < INTERVAL_MS / 2, `${after} ms`);
    });

    await t.test('with lower_prio_no_advert it is not', async () => {
      contender.reload(conf(100, 'lower_prio_no_advert'));
      await nextAdvert();
      await until('the reload to count', SLACK_MS, async () => (await answersAfter(50)) > INTERVAL_MS / 2);
      const after = await answersAfter(50);
      assert.ok(after > INTERVAL_MS / 2 && after < 1.5 * INTERVAL_MS, `${after} ms`);
    });

    for (const [options, count] of [
      [['lower_prio_no_advert'], 0],
      [['higher_prio_send_advert'], 1],
    ] as const) {
      await t.test(`${count} advertisements before it yields to a higher priority`, async () => {
        contender.reload(conf(100, ...options));
        // Two intervals: the reload is in force.
        for (let seen = 0; seen < 3; seen++) await nextAdvert();
        const before = tap.adverts(one.address).length;
        tap.send(forged(200));
        await until('it to yield', SLACK_MS, () => holders.now.length === 0);
        assert.equal(tap.adverts(one.address).length - before, count);
        await one.untilHolds(VIP, DOWN_MS + SLACK_MS);
      });
    }
  });
}
