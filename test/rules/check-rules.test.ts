/** Health checks, kind by kind. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judge, sample, texts } from './sample-resources.js';

const CA = '"-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n"';

describe('a check', () => {
  const rows: readonly (readonly [string, ...string[]])[] = [
    ['http: {url: "http://127.0.0.1:8080/health?x=1"}'],
    [
      `http: {url: "https://[2001:db8::1]/", method: POST, headers: {Host: db.example.org, X-Probe: baton}, body: "{}", status: [2xx, "301", 404-410], bodyContains: ok, bodyMatches: "^(ok|fine)$", tls: {ca: ${CA}, serverName: db.example.org}, connectTo: 192.0.2.1}`,
    ],
    ['tcp: {host: "::1", port: 5432, tls: {insecureSkipVerify: true}}'],
    ['dns: {server: 192.0.2.53, name: example.org., type: AAAA, expect: ["2001:db8::1"], tcp: true}'],
    ['dns: {server: 192.0.2.53}, startJitter: 0s'],
    ['grpc: {host: localhost, port: 443, service: pkg.Service, tls: {}}'],
    ['ping: {host: gw.example.org, size: 0, source: "2001:db8::1"}'],
    ['process: {name: postgres, quorum: 2, quorumMax: 2, upDelay: 5s, downDelay: 1h}'],
    ['process: {name: /usr/lib/postgresql/bin/postgres, fullCommand: true, arguments: [-D, /data], match: partial}'],
    ['process: {name: crashd, quorumMax: 0}'],
    ['file: {path: /run/priority, initialValue: -254, overwrite: true}'],
    ['http: {}', 'http.url: is missing; give http://HOST/PATH or https://HOST/PATH'],
    [
      'http: {url: "ftp://x/", method: get, status: [200-100, 9xx, ok], connectTo: "a b"}',
      'http.url: "ftp://x/" cannot be asked for; write http://HOST[:PORT]/PATH or https://... without "#"',
      'http.method: "get" is no method; write it in capitals, such as GET or HEAD',
      'http.status[0]: "200-100" is no status; write "200", "204-206" or "2xx"',
      'http.status[1]: "9xx" is no status; write "200", "204-206" or "2xx"',
      'http.status[2]: "ok" is no status; write "200", "204-206" or "2xx"',
      'http.connectTo: "a b" is neither an address nor a host name',
    ],
    [
      'http: {url: "http://u:p@x/", tls: {}, headers: {"a b": x, Content-Length: "5", X: "a\\r\\nb"}}',
      'http.url: must not hold a user name or password: resources are shown to everybody who may read them',
      'http.headers.?: "a b" cannot be the name of a header',
      'http.headers.Content-Length: Content-Length is of the connection, which Baton makes; remove it',
      'http.headers.X: must be one line of up to 4096 characters without control characters',
      'http.tls: is for https; write the url with https://, or remove tls',
    ],
    [
      'http: {url: "http://x/#top"}',
      'http.url: "http://x/#top" cannot be asked for; write http://HOST[:PORT]/PATH or https://... without "#"',
    ],
    [
      'http: {url: "http://x/", method: HEAD, bodyContains: ok}',
      'http.method: HEAD gets no body to look at; use GET, or remove bodyContains and bodyMatches',
    ],
    [
      'http: {url: "http://x/", method: CONNECT}',
      'http.method: CONNECT asks for a tunnel; a check needs an answer, such as of GET or HEAD',
    ],
    [
      'tcp: {host: "[::1]", tls: {ca: x, insecureSkipVerify: true, serverName: "-"}}',
      'tcp.host: "[::1]" is not an address; write it without port, zone and brackets',
      'tcp.port: is missing; give 1 to 65535',
      'tcp.tls.ca: has no certificate in PEM form (-----BEGIN CERTIFICATE-----)',
      'tcp.tls.ca: is for nothing with insecureSkipVerify; remove one of them',
      'tcp.tls.serverName: "-" is neither an address nor a host name',
    ],
    [
      'dns: {server: ns.example.org, port: 65536, name: "a..b", type: ANY, expect: [""]}',
      'dns.server: "ns.example.org" is not an address; a DNS server is not found by name',
      'dns.port: must be from 0 to 65535, not 65536',
      'dns.name: "a..b" is not a domain name: labels of 1 to 63 characters with dots between',
      'dns.type: "ANY" is not known; give A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT',
      'dns.expect[0]: is empty; remove it',
    ],
    ['dns: {}', 'dns.server: is missing; give the address of the DNS server'],
    [
      'grpc: {port: 70000, service: "a\\nb"}',
      'grpc.host: is missing; give an address or a host name',
      'grpc.port: must be from 1 to 65535, not 70000',
      'grpc.service: must be one line of up to 4096 characters without control characters',
    ],
    [
      'ping: {host: 192.0.2.1, size: 1401, source: "2001:db8::1"}',
      'ping.size: must be from 0 to 1400, not 1401',
      'ping.source: 2001:db8::1 is an IPv6 address, but IPv4 is needed here',
    ],
    [
      'process: {name: a-name-of-16-byt, match: initial, quorum: 65536, upDelay: 3601s}',
      'process.name: "a-name-of-16-byt" has more than 15 bytes, which is all that the kernel keeps of a name; cut it, or set fullCommand',
      'process.match: compares arguments; give some, or remove it',
      'process.quorum: must be from 0 to 65535, not 65536',
      'process.upDelay: must be from 0s to 1h, not 1h1s',
    ],
    [
      'process: {quorum: 3, quorumMax: 2}',
      'process.name: is missing; give the name of the process, as "ps -o comm" shows it',
      'process.quorumMax: must not be less than quorum, which is 3',
    ],
    [
      'file: {path: priority, overwrite: true}, startJitter: 25h',
      'file.path: "priority" must be an absolute path; Baton searches no PATH',
      'file.overwrite: needs initialValue, which is what would be written',
      'startJitter: must be from 0s to 24h, not 25h',
    ],
    ['file: {}', 'file.path: is missing; give the absolute path of the file'],
  ];
  for (const [spec, ...expected] of rows) {
    test(spec.slice(0, 110), () => {
      const { errors } = judge(sample('Check', 'c', spec));
      assert.deepStrictEqual(
        texts(errors),
        expected.map((line) => `spec.${line}`),
      );
    });
  }

  test('a pattern that takes more than linear time, or is none, is refused with its reason', () => {
    for (const pattern of ['(', '(a)\\\\1', 'a(?=b)']) {
      const { errors } = judge(sample('Check', 'c', `http: {url: "http://x/", bodyMatches: "${pattern}"}`));
      assert.equal(errors.length, 1, pattern);
      assert.match(errors[0]?.message ?? '', /cannot be used: ./u);
    }
  });
});
