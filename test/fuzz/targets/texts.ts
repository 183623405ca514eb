/** Files that people write: keepalived.conf, manifests, agent.yaml. */

import { Resource } from '../../../proto/gen/baton/v1/resources.js';
import { importKeepalived, KEYWORDS, looksLikeKeepalived, readKeepalived } from '../../../proto/keepalived/index.js';
import { parseConfigFile, parseManifest, renderManifest, toPlain } from '../../../proto/manifest/index.js';
import { isResourceName, kindOf } from '../../../proto/rules/names.js';
import { memoryFiles } from '../../keepalived/memory-files.js';
import { must, mustEqual, type Target, TEXT_BUDGET } from '../target.js';
import { keepalivedSeeds, manifestSeeds } from './text-seeds.js';

const textOf = (input: Uint8Array) => Buffer.from(input).toString('utf8');
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));

const KEEPALIVED_FILES = [
  'block',
  'comment',
  'complete-addresses',
  'complete-instance',
  'complete-tracks',
  'decode',
  'definitions',
  'glob',
  'import',
  'import-addresses',
  'import-authentication',
  'import-bfd',
  'import-checks',
  'import-command',
  'import-groups',
  'import-hooks',
  'import-host',
  'import-items',
  'import-mail',
  'import-network',
  'import-router',
  'import-tracks',
  'interface-name',
  'lines',
  'lint',
  'looks-like',
  'names',
  'option-reader',
  'preprocessor',
  'read',
  'read-addresses',
  'read-authentication',
  'read-command',
  'read-garp',
  'read-global',
  'read-hmac',
  'read-instance',
  'read-network',
  'read-number',
  'read-peers',
  'read-routes',
  'read-rules',
  'read-sync-group',
  'read-tracked',
  'read-tracks',
  'read-virtual-mac',
  'read-vrrp-script',
  'read-weight',
  'remarks',
  'rtnetlink-names',
  'sequence',
  'tree',
  'values',
  'words',
].map((name) => `proto/keepalived/${name}.ts`);

const keywords = [...new Set(Object.values(KEYWORDS).flatMap((table) => [...table.keys()]))];

/** Between the files of several hosts in one input. */
const NEXT_HOST = '\f';
const MOST_HOSTS = 4;

export function keepalivedTarget(): Target {
  const readOne = (content: string) => {
    const files = {
      '/k/a': content,
      '/k/b.conf': 'vrrp_sync_group G { group { A } }\n',
      '/k/key': '0123456789abcdef\n',
      '/etc/iproute2/rt_tables': '# names\n100 blue\n0x65 red\nbad\n',
    };
    const memory = memoryFiles(files);
    const host = {
      environment: (name: string) => (name === 'X' ? 'x' : undefined),
      readFile: memory.readFile,
    };
    return readKeepalived('/k/a', { ...memory, host }, { configId: 'h' });
  };
  const readAll = (input: Uint8Array) => textOf(input).split(NEXT_HOST).slice(0, MOST_HOSTS).map(readOne);
  const findProgram = (name: string) => (name === 'true' ? '/usr/bin/true' : undefined);
  return {
    name: 'keepalived-conf',
    what: 'keepalived.conf of one to four hosts, and their import',
    files: KEEPALIVED_FILES,
    group: 'keepalived.conf',
    seeds: keepalivedSeeds().map(bytesOf),
    dictionary: [NEXT_HOST, 'include b.conf\n', 'include /k/a\n', ...keywords.map((word) => `${word} `)].map(bytesOf),
    repairs: [],
    maxLength: 4_096,
    isText: true,
    budget: {
      ...TEXT_BUDGET,
      memory: 4_194_304,
      memoryPerByte: 16_384,
      steps: 100_000,
      stepsPerByte: 3_000,
      // Repetitions (~SEQ) are bounded by what they make, not by how long the file is.
      ms: 10_000,
    },
    read: readAll,
    run: (input) => {
      const hosts = readAll(input);
      const own = hosts.length === 1 ? { findProgram } : {};
      const imported = importKeepalived(hosts.map(({ config }, index) => ({ config, name: `h${index}`, ...own })));
      const lines = textOf(input).split('\n').length;
      const remarks = [...hosts.flatMap((host) => host.remarks), ...imported.remarks];
      for (const { file, line, message } of remarks) {
        const last = file === '/k/a' ? Math.max(1, lines) : 1;
        must(line >= 1 && line <= last, 'remarks are about lines that are there', () => `${file}:${line}: ${message}`);
        must(!/[\p{Cc}]/u.test(message), 'remarks are plain text', () => JSON.stringify(message));
      }
      for (const { metadata } of imported.resources) {
        must(isResourceName(metadata?.name ?? ''), 'names of resources', () => String(metadata?.name));
        imported.originOf('VirtualRouter', metadata?.name ?? '');
      }
      looksLikeKeepalived(textOf(input));
      // What is imported is a manifest like any other.
      if (imported.resources.length > 0) {
        const { resources, problems } = parseManifest(renderManifest(imported.resources), 'imported');
        mustEqual(problems, [], 'what is imported can be written and read');
        mustEqual(resources.map(toPlain), imported.resources.map(toPlain), 'decode(encode(m)) = m');
      }
      const worst = remarks.some(({ severity }) => severity === 'error') ? 'errors' : 'read';
      return `${worst}, ${hosts.some(({ config }) => config.instances.length > 0) ? 'instances' : 'none'}`;
    },
  };
}

export function manifestTarget(): Target {
  return {
    name: 'manifest',
    what: 'resources in YAML and JSON',
    files: ['document-reader', 'decoder', 'manifest', 'scalar', 'source-text', 'command-line'].map(
      (name) => `proto/manifest/${name}.ts`,
    ),
    group: 'manifests',
    seeds: manifestSeeds().map(bytesOf),
    dictionary: [
      'apiVersion: baton/v1\n',
      'kind: ',
      'spec:\n',
      'metadata:\n  name: a\n',
      '---\n',
      '&a ',
      '*a',
      '<<: ',
      '!!str ',
      '{',
      '[',
      '- ',
      '? ',
      '|',
      '>',
      '"',
      "'",
      '%YAML 1.1\n',
      '\t',
    ].map(bytesOf),
    repairs: [],
    maxLength: 2_048,
    isText: true,
    budget: { ...TEXT_BUDGET, memory: 1_048_576, memoryPerByte: 16_384, ms: 50 },
    read: (input) => parseManifest(textOf(input), 'a.yaml'),
    run: (input) => {
      const { resources, problems, locate } = parseManifest(textOf(input), 'a.yaml');
      must(
        problems.length === 0 || resources.length === 0,
        'all or nothing',
        () => `${problems.length} ${resources.length}`,
      );
      const last = textOf(input).split('\n').length;
      for (const { line, column, message } of problems) {
        must(
          line >= 1 && line <= last && column >= 1,
          'problems are in the file',
          () => `${line}:${column}: ${message}`,
        );
      }
      if (resources.length === 0)
        return `problems: ${(problems[0]?.message ?? '').replaceAll(/"[^"]*"|\d+/g, '').slice(0, 40)}`;
      for (const resource of [...resources, Resource.fromPartial({ metadata: { name: 'nobody' } })]) {
        const about = { kind: kindOf(resource), name: resource.metadata?.name ?? '' };
        const { line } = locate({ resource: about, path: 'spec.members[1].priority', message: '' });
        must(line >= 1 && line <= last, 'a finding has its place', () => String(line));
      }
      const again = parseManifest(renderManifest(resources), 'b.yaml');
      mustEqual(again.problems, [], 'what is read can be written and read');
      mustEqual(again.resources.map(toPlain), resources.map(toPlain), 'decode(encode(m)) = m');
      for (const resource of resources)
        mustEqual(Resource.decode(Resource.encode(resource).finish()), resource, 'on the wire');
      return resources[0]?.spec?.$case ?? 'nothing';
    },
  };
}

export function agentConfigTarget(): Target {
  return {
    name: 'agent-yaml',
    what: "agent.yaml, the host owner's file",
    files: ['proto/manifest/config-file.ts'],
    group: 'manifests',
    seeds: ['', 'checks:\n  allowedDirectories: [/usr/bin]\n', '{}', 'a: b\n', '---\n---\na: 1\n'].map(bytesOf),
    dictionary: ['checks:\n', 'hooks:\n', 'allowed', '- ', 'true', '1s'].map(bytesOf),
    repairs: [],
    maxLength: 1_024,
    isText: true,
    budget: { ...TEXT_BUDGET, memory: 1_048_576, memoryPerByte: 16_384, ms: 50 },
    read: (input) => parseConfigFile(textOf(input), 'agent.yaml', 'baton.v1.AgentConfig'),
    run: (input) => {
      const { config, problems } = parseConfigFile(textOf(input), 'agent.yaml', 'baton.v1.AgentConfig');
      mustEqual(config === undefined, problems.length > 0, 'all or nothing');
      return config === undefined ? 'problems' : 'read';
    },
  };
}
