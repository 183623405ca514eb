import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import process from 'node:process';
import { test } from 'node:test';
import type { AddressRequest, Rtnetlink } from '../../agent/link/rtnetlink.js';
import type { Edges } from '../../agent/runtime/edges.js';
import { openBootClock, openHostEdges } from '../../agent/runtime/host-edges.js';
import { rehearse } from '../../agent/runtime/rehearsal.js';

const skip = process.getuid?.() === 0 ? false : 'needs root: it opens raw sockets';

test('the rehearsal takes over, fails and steps down, touches nothing of the host, and leaves nothing open', {
  skip,
}, () => {
  const edges = openHostEdges(openBootClock());
  const asked: AddressRequest[] = [];
  let removed = 0;
  const openRtnetlink = (): Rtnetlink => {
    const real = edges.openRtnetlink();
    return {
      ...bound(real),
      addAddresses: (requests) => {
        asked.push(...requests);
        return real.addAddresses(requests);
      },
      deleteAddresses: (keys) => {
        removed += keys.length;
        return real.deleteAddresses(keys);
      },
    };
  };
  const before = hostAddresses(edges.openRtnetlink);
  rehearse(edges);
  const descriptors = readdirSync('/proc/self/fd').length;
  // What goes wrong in the loop is told, not thrown: so it is also noted here.
  const reached: string[] = [];
  const forbidden =
    (what: string): (() => never) =>
    () => {
      reached.push(what);
      throw new Error(`the rehearsal reached for the real ${what}`);
    };
  const all: Edges = {
    ...edges,
    openRtnetlink,
    startTimer: forbidden('timer'),
    defer: forbidden('turns of the loop'),
    openVrrpSender: forbidden('senders'),
    openGroupMembership: forbidden('groups'),
    openLinkMonitor: forbidden('link monitor'),
    openFirewall: forbidden('packet filter'),
    sysctl: { read: forbidden('sysctl'), write: forbidden('sysctl') },
  };
  const sentences = [...rehearse(all)];
  assert.deepEqual(reached, []);
  for (const what of ['check rehearsal', 'interface rehearsal']) {
    assert.ok(
      sentences.some((sentence) => sentence.includes(what)),
      `nothing failed for ${what}: ${sentences.join('; ')}`,
    );
  }
  assert.equal(readdirSync('/proc/self/fd').length, descriptors, 'descriptors');
  assert.equal(new Set(asked.map(({ address }) => typeof address)).size, 2, 'both families took over');
  // In each of 12 rounds, of either family: because another one is silent, and after a check was in fault.
  assert.ok(asked.length >= 12 * 2 * 2, `${asked.length} takeovers`);
  assert.equal(removed, asked.length, 'each is given up again');
  const indexes = new Set(asked.map(({ interfaceIndex }) => interfaceIndex));
  for (const link of withRtnetlink(edges.openRtnetlink, (kernel) => kernel.links())) {
    assert.ok(!indexes.has(link.index), `${link.name} was meant`);
  }
  assert.deepEqual(hostAddresses(edges.openRtnetlink), before);
});

function withRtnetlink<Result>(open: () => Rtnetlink, use: (kernel: Rtnetlink) => Result): Result {
  const kernel = open();
  try {
    return use(kernel);
  } finally {
    kernel.close();
  }
}

function hostAddresses(open: () => Rtnetlink): readonly string[] {
  return withRtnetlink(open, (kernel) =>
    kernel
      .addresses()
      .map(({ interfaceIndex, address, prefixLength }) => `${interfaceIndex} ${address}/${prefixLength}`),
  );
}

/** Every call of a kernel, to be overridden one by one. */
function bound(kernel: Rtnetlink): Rtnetlink {
  return {
    portId: kernel.portId,
    foreignMessages: () => kernel.foreignMessages(),
    addAddresses: (requests) => kernel.addAddresses(requests),
    renewAddresses: (requests) => kernel.renewAddresses(requests),
    deleteAddresses: (keys) => kernel.deleteAddresses(keys),
    links: () => kernel.links(),
    link: (name) => kernel.link(name),
    addresses: () => kernel.addresses(),
    changeRoutes: (change, requests) => kernel.changeRoutes(change, requests),
    routes: (of) => kernel.routes(of),
    changeRules: (change, requests) => kernel.changeRules(change, requests),
    rules: () => kernel.rules(),
    createMacvlan: (request) => kernel.createMacvlan(request),
    setLink: (index, change) => kernel.setLink(index, change),
    deleteLink: (index) => kernel.deleteLink(index),
    setIpv4Conf: (index, conf) => kernel.setIpv4Conf(index, conf),
    ipv4Conf: (index) => kernel.ipv4Conf(index),
    close: () => kernel.close(),
  };
}
