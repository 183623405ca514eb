/**
 * Resources in which every field of the schema says something: what tests of the schema as a whole start from. Valid,
 * without an error.
 */
const TLS = '{ca: "-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n", serverName: x.example.org}';

export const WHOLE_SCHEMA = `
---
{apiVersion: baton/v1, kind: Node, metadata: {name: a, labels: {rack: r1}}}
---
{apiVersion: baton/v1, kind: Node, metadata: {name: b}}
---
apiVersion: baton/v1
kind: VirtualRouter
metadata: {name: six, labels: {keepalived-name: VI_6}}
spec:
  vrid: 60
  advertisementInterval: 500ms
  preempt: false
  addresses:
    - address: 2001:db8::1/64
      device: em2
      peer: 2001:db8::2/127
      noPrefixRoute: true
      preferredLifetime: 5s
      home: true
      noDad: true
      manageTemporary: true
      noTrack: true
      virtualMac: true
  excludedAddresses:
    - {address: 192.0.2.60/24, label: "em1:60", broadcast: +, scope: link}
    - {address: 239.1.2.3, autojoin: true}
  members:
    - {node: a, interface: em1, address: 2001:db8::11, priority: 150}
    - {node: b, interface: em1, address: 2001:db8::12}
  externalPeers: [2001:db8::99]
  peers: members
  multicastGroup: ff02::1:12
  virtualMac: {name: vip60, address: "02:00:00:00:00:60", transmitOnBase: true}
  accept: false
  lease: off
  downTimerAdvertisements: 5
  lowerPriorityNoAdvertisement: true
  higherPrioritySendAdvertisement: true
  timerExpiredBackup: 200
  startupDelay: 5s
  bootDelay: 30s
  untrackedInterface: true
  duplicateProbe: refuse
  promoteSecondaries: true
  verifyInterval: 30s
  authentication:
    type: hmac
    hmac:
      keys: [{id: 1, secret: key1}, {id: 2, secret: key2}]
      activeKey: 2
      replayGuard: monotonic
      timeWindow: 7s
      mode: permissive
  announcements:
    repeat: 3
    delay: 2s
    refresh: 60s
    refreshRepeat: 2
    lowerPriorityRepeat: 1
    lowerPriorityDelay: 1s
    arpInterval: 1ms
    neighborInterval: 2ms
    extraRefresh: 30s
    extraRefreshAll: true
  routes:
    - {to: "2001:db8:1::/48", via: "fe80::1", device: em1, source: 2001:db8::1, table: "100", metric: 5, protocol: static, onLink: true, metrics: {mtu: 1400}, lockedMetrics: [mtu], congestionControl: bbr, preference: high, noTrack: true, append: true}
    - {to: 10.1.0.0/16, type: blackhole, tos: 16}
    - {to: 10.2.0.0/16, nextHops: [{via: 192.0.2.3, device: em1, weight: 5, onLink: true}, {via: 192.0.2.4}], scope: site}
  rules:
    - {from: 192.0.2.0/24, to: 198.51.100.0/24, family: inet, priority: 100, not: true, inputInterface: em1, outputInterface: em2, mark: 1, mask: 255, tos: 16, ipProtocol: tcp, sourcePorts: 80-90, destinationPorts: "443", users: "1000", table: "100", suppressPrefixLength: 0, suppressGroup: 3, noTrack: true}
    - {family: inet, l3mdev: true}
    - {family: inet, priority: 5, action: goto 10}
  track:
    - {check: load, weight: 2, reverse: true, upDelay: 30s, downDelay: 1s}
    - {interface: em3, weight: -10}
    - {bfd: uplink}
    - {route: "::/0", table: "100"}
  hooks:
    active: {command: [/bin/active, x], user: nobody, timeout: 5s}
    backup: /bin/backup
    fault: /bin/fault
    stop: /bin/stop
    any: /bin/any
    fifo: /run/fifo
    lowerPriorityHeard: /bin/lower
    deleted: /bin/deleted
    priorityChanges: true
  receivers: [ops]
---
apiVersion: baton/v1
kind: VirtualRouter
metadata: {name: uni}
spec:
  vrid: 61
  version: 2
  transport: unicast
  addresses: [192.0.2.61/24]
  preempt: false
  preemptDelay: 3s
  authentication: {type: pass, secret: password}
  members:
    - {node: a, interface: em1, address: 192.0.2.11, preempt: true, preemptDelay: 4s, hooks: {any: /bin/own}, track: [{check: exec, weight: -250}], priority: 200}
    - {node: b, interface: em1, address: 192.0.2.12}
  unicast: {ttl: 64, minTtl: 60, maxTtl: 100, peerTtl: [{address: 192.0.2.12, minTtl: 61, maxTtl: 62}]}
---
apiVersion: baton/v1
kind: VirtualRouter
metadata: {name: strict}
spec:
  vrid: 62
  strictRfc: true
  checksum: pseudo_header
  ownerIgnoreAdvertisements: true
  addresses: [192.0.2.62/24]
  members:
    - {node: a, interface: em1, priority: 255}
    - {node: b, interface: em1}
  track: [{check: http}, {check: tcp}, {check: dns}, {check: grpc}, {check: ping}, {check: process}]
---
apiVersion: baton/v1
kind: VirtualRouter
metadata: {name: vote}
spec:
  vrid: 63
  noAddresses: true
  transport: unicast
  unicast: {faultWithoutPeers: true}
  members: [{node: a, interface: em1}]
---
apiVersion: baton/v1
kind: SyncGroup
metadata: {name: both}
spec:
  routers: [uni, strict]
  policy: any
  trackingWeight: true
  track: [{interface: em4}]
  hooks: {any: /bin/group}
  receivers: [team]
---
apiVersion: baton/v1
kind: BfdSession
metadata: {name: uplink}
spec:
  endpoints:
    - {node: a, neighbor: 192.0.2.254, source: 192.0.2.11, interface: em1}
    - {node: b, neighbor: 192.0.2.254}
  minRx: 300ms
  minTx: 200ms
  idleTx: 2s
  multiplier: 3
  passive: true
  multihop: true
  maxHops: 3
---
apiVersion: baton/v1
kind: HostNetwork
metadata: {name: base}
spec:
  nodes: [a, b]
  addresses: [{address: 198.51.100.1/24, device: lo}]
  routes: [{to: default, via: 192.0.2.254}]
  rules: [{from: 198.51.100.0/24, table: "200"}]
  requiredBy: [uni]
  announcementLimits: [{interfaces: [em1], arpInterval: 5ms, neighborInterval: 6ms}]
  interfaceDelays: [{interface: em1, down: 100ms, up: 1s}]
---
apiVersion: baton/v1
kind: Check
metadata: {name: exec}
spec: {exec: {command: [/bin/check, x], user: nobody}, interval: 5s, timeout: 2s, rise: 2, fall: 3, startJitter: 3s}
---
{apiVersion: baton/v1, kind: Check, metadata: {name: load}, spec: {file: {path: /run/load, initialValue: 5, overwrite: true}}}
---
apiVersion: baton/v1
kind: Check
metadata: {name: http}
spec:
  http: {url: "https://192.0.2.1/x", method: POST, headers: {X-A: b}, body: text, status: ["204"], bodyContains: ok, bodyMatches: "^ok$", tls: ${TLS}, connectTo: 192.0.2.2}
---
{apiVersion: baton/v1, kind: Check, metadata: {name: tcp}, spec: {tcp: {host: db, port: 5432, tls: {insecureSkipVerify: true}}}}
---
apiVersion: baton/v1
kind: Check
metadata: {name: dns}
spec: {dns: {server: 192.0.2.53, port: 5353, name: a.example, type: A, expect: [192.0.2.1], tcp: true}}
---
{apiVersion: baton/v1, kind: Check, metadata: {name: grpc}, spec: {grpc: {host: svc, port: 1, service: s, tls: {}}}}
---
{apiVersion: baton/v1, kind: Check, metadata: {name: ping}, spec: {ping: {host: 192.0.2.1, size: 0, source: 192.0.2.11}}}
---
apiVersion: baton/v1
kind: Check
metadata: {name: process}
spec: {process: {name: postgres, arguments: [-D], match: partial, fullCommand: true, quorum: 2, quorumMax: 3, upDelay: 1s, downDelay: 2s}}
---
apiVersion: baton/v1
kind: Receiver
metadata: {name: ops}
spec:
  email:
    host: mail.example.org
    port: 2525
    security: tls
    authentication: {username: u, secret: password}
    from: baton@example.org
    to: [ops@example.org]
    timeout: 10s
    heloName: baton.example.org
    ca: "-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n"
---
{apiVersion: baton/v1, kind: Receiver, metadata: {name: team}, spec: {email: {host: m, from: a@b, to: [c@d]}}}
---
{apiVersion: baton/v1, kind: Secret, metadata: {name: password}, spec: {value: "12345678"}}
---
{apiVersion: baton/v1, kind: Secret, metadata: {name: key1}, spec: {value: "0123456789abcdef0123456789abcdef"}}
---
{apiVersion: baton/v1, kind: Secret, metadata: {name: key2}, spec: {value: "hex:${'ab'.repeat(32)}"}}
`;
