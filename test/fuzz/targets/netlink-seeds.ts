/** One good datagram of each kind, made by the writers or by hand where the kernel alone writes such. */
import { type NetlinkWriter, NetlinkWriter as Writer } from '../../../agent/wire/netlink-message.js';
import { writeAddressRequest } from '../../../agent/wire/rtnetlink-address.js';
import { writeMacvlan } from '../../../agent/wire/rtnetlink-link.js';
import { writeRouteRequest } from '../../../agent/wire/rtnetlink-route.js';
import { writeRuleRequest } from '../../../agent/wire/rtnetlink-rule.js';
import { ip, ip6 } from '../../wire/captured.js';

export function netlinkSeeds(): readonly Uint8Array[] {
  return [
    ...addresses(),
    tentative(),
    ...links(),
    ...routes(),
    ...rules(),
    ...errors(),
    ...processes(),
    new Uint8Array(15),
  ];
}

function datagram(...writes: readonly ((writer: NetlinkWriter) => void)[]): Uint8Array {
  const writer = new Writer();
  for (const write of writes) write(writer);
  return writer.datagram().slice();
}

function addresses(): readonly Uint8Array[] {
  const key = { interfaceIndex: 2, address: ip('10.9.0.26'), prefixLength: 24 };
  const key6 = { interfaceIndex: 2, address: ip6('fe80::aa:26'), prefixLength: 64 };
  const flags = {
    noPrefixRoute: true,
    noDad: true,
    optimistic: true,
    home: true,
    manageTemporary: true,
    autojoin: true,
  };
  return [
    datagram(
      (writer) =>
        writeAddressRequest(
          writer,
          'add',
          { ...key, lifetime: 2, label: 'em1:1', broadcast: ip('10.9.0.255') },
          1,
          true,
        ),
      (writer) => writeAddressRequest(writer, 'delete', key6, 2, false),
    ),
    datagram((writer) => writeAddressRequest(writer, 'renew', { ...key6, ...flags, lifetime: 'forever' }, 1, true)),
    datagram((writer) =>
      writeAddressRequest(
        writer,
        'add',
        { ...key, peer: ip('10.9.1.1'), lifetime: 9, preferredLifetime: 0, scope: 253 },
        1,
        true,
      ),
    ),
  ];
}

/** Of the kernel: duplicate address detection has not ended. */
function tentative(): Uint8Array {
  return datagram((writer) => {
    writer.begin(20, 0, 0);
    writer.bytes(Uint8Array.of(10, 64, 0x40, 253, 2, 0, 0, 0));
    writer.ipAddress(1, ip6('fe80::aa:26'));
    writer.end();
  });
}

function links(): readonly Uint8Array[] {
  const request = { name: 'vrrp.10', baseIndex: 2, address: Uint8Array.of(0, 0, 0x5e, 0, 1, 10), alias: 'baton' };
  const link = (attributes: (writer: NetlinkWriter) => void) =>
    datagram((writer) => {
      writer.begin(16, 0, 0);
      writer.bytes(Uint8Array.of(0, 0, 1, 0, 2, 0, 0, 0, 0x41, 0, 0, 0, 0, 0, 0, 0));
      attributes(writer);
      writer.end();
    });
  return [
    datagram((writer) => writeMacvlan(writer, request, 1)),
    link((writer) => {
      writer.text(3, 'em1');
      writer.uint32(4, 1500);
      writer.uint32(5, 7);
      writer.uint32(10, 3);
      writer.uint8(16, 6);
      writer.text(20, 'an alias');
      const specific = writer.open(26);
      const inet = writer.open(2);
      writer.attribute(1, new Uint8Array(33 * 4));
      writer.close(inet);
      writer.close(specific);
    }),
    link((writer) => {
      writer.text(3, 'veth0');
      writer.uint32(5, 7);
      writer.uint32(37, 0);
      const specific = writer.open(26);
      const inet = writer.open(2);
      writer.attribute(1, new Uint8Array(8));
      writer.close(inet);
      writer.close(specific);
    }),
  ];
}

function routes(): readonly Uint8Array[] {
  const plain = {
    type: 1,
    table: 254,
    protocol: 18,
    tos: 0,
    onLink: false,
    nextHops: [],
    metrics: [],
    lockedMetrics: 0,
    append: false,
  };
  return [
    datagram((writer) =>
      writeRouteRequest(
        writer,
        'add',
        {
          ...plain,
          family: 4,
          destination: { address: ip('10.1.0.0'), prefixLength: 16 },
          gateway: ip6('fe80::1'),
          interfaceIndex: 2,
          source: ip('10.9.0.26'),
          metric: 5,
          metrics: [{ metric: 2, value: 1400 }],
          lockedMetrics: 4,
          congestionControl: 'bbr',
          onLink: true,
        },
        1,
        true,
      ),
    ),
    datagram((writer) =>
      writeRouteRequest(
        writer,
        'replace',
        {
          ...plain,
          family: 6,
          table: 1000,
          preference: 1,
          nextHops: [
            { gateway: ip6('fe80::1'), interfaceIndex: 2, weight: 1, onLink: false },
            { gateway: ip6('fe80::2'), interfaceIndex: 3, weight: 256, onLink: true },
          ],
        },
        1,
        true,
      ),
    ),
    ...[4, 5].map((type) =>
      datagram((writer) => writeRouteRequest(writer, 'add', { ...plain, family: 4, type, append: true }, 1, true)),
    ),
    datagram((writer) =>
      writeRouteRequest(
        writer,
        'delete',
        { ...plain, family: 4, destination: { address: 0, prefixLength: 0 } },
        1,
        true,
      ),
    ),
  ];
}

function rules(): readonly Uint8Array[] {
  const plain = { not: false, tos: 0, l3mdev: false, action: 1 };
  return [
    datagram((writer) =>
      writeRuleRequest(
        writer,
        'add',
        {
          ...plain,
          family: 4,
          not: true,
          from: { address: ip('10.1.0.0'), prefixLength: 16 },
          to: { address: ip('10.2.0.0'), prefixLength: 16 },
          priority: 100,
          inputInterface: 'em1',
          outputInterface: 'em2',
          mark: 1,
          mask: 0xffffffff,
          ipProtocol: 6,
          sourcePorts: { first: 1, last: 2 },
          destinationPorts: { first: 80, last: 81 },
          users: { first: 0, last: 1000 },
          table: 1000,
          suppressPrefixLength: 0,
          suppressGroup: 0xffffffff,
          protocol: 18,
        },
        1,
        true,
      ),
    ),
    datagram((writer) =>
      writeRuleRequest(
        writer,
        'delete',
        { ...plain, family: 6, action: 2, target: 200, l3mdev: true, table: 100 },
        1,
        true,
      ),
    ),
  ];
}

function errors(): readonly Uint8Array[] {
  const error = (flags: number, echoed: number) =>
    datagram((writer) => {
      writer.begin(2, flags, 1);
      writer.bytes(Uint8Array.of(0xef, 0xff, 0xff, 0xff, echoed, 0, 0, 0, 20, 0, 5, 0, 1, 0, 0, 0, 0, 0, 0, 0));
      writer.bytes(new Uint8Array(echoed - 16));
      writer.text(1, 'the kernel says why');
      writer.end();
    });
  return [
    error(0x200, 24),
    error(0x300, 16),
    error(0, 16),
    datagram((writer) => {
      writer.begin(3, 2, 1);
      writer.bytes(new Uint8Array(4));
      writer.end();
    }),
  ];
}

function processes(): readonly Uint8Array[] {
  return [0, 1, 2, 0x200, 0x80000000].flatMap((what) => [event(what, 60), event(what, 44)]);
}

function event(what: number, length: number): Uint8Array {
  return datagram((writer) => {
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 1, true);
    view.setUint32(4, 1, true);
    view.setUint32(20, what, true);
    for (const at of [36, 40, 44, 48]) if (at + 4 <= length) view.setUint32(at, 77, true);
    writer.begin(3, 0, 0);
    writer.bytes(bytes);
    writer.end();
  });
}
