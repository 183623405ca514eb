/** `batonctl import`: keepalived.conf files of several hosts become one file of resources, with a report. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import {
  type ImportedHost,
  importKeepalived,
  nodeEdges,
  type Remark,
  readKeepalived,
} from '../../../proto/keepalived/index.js';
import { renderManifest } from '../../../proto/manifest/index.js';
import { writeFileDurably } from '../../../proto/process/durable-file.js';
import { KIND_OF_CASE, kindOf } from '../../../proto/rules/names.js';
import { printableLines, singleLine } from '../../../proto/rules/printable-text.js';
import { Failure, messageOf } from '../failure.js';
import { action, addCommonOptions, type Invocation } from '../invocation.js';
import { type Colour, choosePaint } from '../paint.js';
import type { Surroundings } from '../surroundings.js';

interface ImportOptions {
  readonly output?: string;
  readonly force?: true;
}

/** One argument: a file, with the name that its host shall have as a node. */
export interface HostFile {
  readonly name: string | undefined;
  readonly file: string;
}

export function importCommand(surroundings: Surroundings): Command {
  const command = new Command('import')
    .description('make resources from the keepalived.conf files of the hosts that share virtual routers')
    .argument('<file...>', 'keepalived.conf of one host, or NAME=FILE to name its node (else: its router_id)')
    .option(
      '-o, --output <file>',
      'write the resources there, readable by you only: passwords are in it (default: standard output)',
    )
    .option('--force', 'replace that file if it exists');
  return addCommonOptions(command, { format: false }).action(action(surroundings, importHosts));
}

async function importHosts(
  { surroundings, wantsColours }: Invocation,
  options: ImportOptions,
  args: readonly string[],
): Promise<void> {
  const { stdout, stderr } = surroundings;
  const { output } = options;
  if (output !== undefined && options.force !== true && existsSync(output)) {
    throw new Failure(1, singleLine(`${output} exists already; --force replaces it`));
  }
  const hosts: ImportedHost[] = [];
  const remarks: Remark[] = [];
  for (const { name, file } of args.map(readHostArgument)) {
    const read = readKeepalived(file, nodeEdges, { configId: name });
    remarks.push(...read.remarks);
    hosts.push(name === undefined ? { config: read.config } : { name, config: read.config });
  }
  const imported = importKeepalived(hosts);
  remarks.push(...imported.remarks);

  const paint = choosePaint(stderr, surroundings, wantsColours);
  for (const { severity, file, line, message } of remarks) {
    const word = paint(COLOURS[severity], severity);
    stderr.write(`${printableLines(`${file}:${line}: `)}${word}: ${printableLines(message)}\n`);
  }
  const count = (severity: Remark['severity']): number =>
    remarks.filter((remark) => remark.severity === severity).length;
  const errors = count('error');
  const { resources } = imported;
  const kinds = Object.values(KIND_OF_CASE)
    .map((kind) => ({ kind, count: resources.filter((resource) => kindOf(resource) === kind).length }))
    .filter((one) => one.count > 0)
    .map((one) => `${one.count} ${one.kind}`);
  stderr.write(
    `${hosts.length} ${hosts.length === 1 ? 'file' : 'files'}: ${kinds.length === 0 ? 'no resources' : kinds.join(', ')}; ` +
      `${errors} errors, ${count('warning')} warnings, ${count('note')} notes\n`,
  );
  if (resources.length > 0 && (errors === 0 || output !== undefined)) {
    const text = renderManifest(resources);
    if (output === undefined) stdout.write(text);
    else write(output, text);
  }
  if (errors > 0) {
    const next =
      output === undefined || resources.length === 0
        ? 'nothing is written; with --output FILE the resources are written for you to correct'
        : `${output} is written for you to correct before you apply it`;
    throw new Failure(
      3,
      singleLine(`what would run is not what the files ask for (${errors} errors, see above); ${next}`),
    );
  }
  if (output !== undefined && resources.length > 0) {
    stderr.write(
      `${singleLine(`${output} is written. See what it would change: batonctl apply --dry-run -f ${output}`)}\n`,
    );
  }
}

const COLOURS: Readonly<Record<Remark['severity'], Colour>> = { error: 'red', warning: 'yellow', note: 'dim' };

/** "base1=/etc/keepalived/keepalived.conf", or a file alone; a "=" after a "/" belongs to the file's name. */
export function readHostArgument(text: string): HostFile {
  const equals = text.indexOf('=');
  const slash = text.indexOf('/');
  if (equals < 0 || (slash >= 0 && slash < equals)) return { name: undefined, file: text };
  const name = text.slice(0, equals);
  const file = text.slice(equals + 1);
  if (name === '' || file === '') {
    throw new Failure(2, singleLine(`"${text}" is neither a file nor NAME=FILE`));
  }
  return { name, file };
}

function write(file: string, text: string): void {
  try {
    writeFileDurably(path.resolve(file), text, { mode: 0o600 });
  } catch (error) {
    throw new Failure(1, singleLine(`cannot write ${file}: ${messageOf(error)}`), { cause: error });
  }
}
