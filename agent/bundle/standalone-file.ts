/**
 * A file of the host's own, keepalived.conf or Baton YAML, made into the bundle of this node: the way of a resource
 * from a controller, without the controller. Everything there is to say about the file comes out as remarks.
 */
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import type { Resource } from '../../proto/gen/baton/v1/resources.js';
import type { SourceEdges } from '../../proto/keepalived/index.js';
import { routersOf } from '../../proto/rules/names.js';

/** Something about a file. Lines and columns count from 1; 0 when the file as a whole is meant. */
export interface FileRemark {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly severity: 'error' | 'warning' | 'note';
  readonly message: string;
}

export interface JudgedFile {
  readonly remarks: readonly FileRemark[];
  /** What this node is to run; absent when there is an error. */
  readonly runnable?: { readonly node: string; readonly bundle: Bundle; readonly content: Uint8Array };
}

/** The resources of a file, or nothing when there is an error. */
interface ReadResources {
  readonly resources: readonly Resource[];
  readonly remarks: readonly FileRemark[];
  /** The node that the file is of; absent where it does not say. */
  readonly node?: string;
  /** Where the file speaks of a resource; the file as a whole when it is not known. */
  readonly place: (kind: string, name: string, path: string) => Pick<FileRemark, 'file' | 'line' | 'column'>;
}

/** Who this node is. */
export interface NodeNames {
  /** As the operator said; absent: what the file says, else the host's name. */
  readonly given: string | undefined;
  readonly hostName: string;
}

/** A keepalived.conf says by its router_id which node it is; a YAML file is of several nodes and does not. */
export async function judgeFile(file: string, names: NodeNames, edges: SourceEdges): Promise<JudgedFile> {
  const content = edges.readFile(file);
  if (!content.ok) return { remarks: [wholeFile(file, `cannot read ${file}: ${content.detail}`)] };
  const text = Buffer.from(content.bytes).toString('utf8');
  const { looksLikeKeepalived } = await import('../../proto/keepalived/index.js');
  const read = looksLikeKeepalived(text)
    ? await readKeepalivedFile(file, names, edges)
    : await readManifestFile(file, text);
  const remarks = [...read.remarks];
  if (hasErrors(remarks)) return { remarks };
  const { compileBundle } = await import('../../proto/rules/compile.js');
  const { validateResources } = await import('../../proto/rules/validate.js');
  const { errors, warnings } = validateResources(read.resources, { standalone: true });
  for (const [severity, findings] of [
    ['error', errors],
    ['warning', warnings],
  ] as const) {
    for (const { resource, path, message } of findings) {
      const kind = resource?.kind ?? '';
      const name = resource?.name ?? '';
      const subject = kind === '' ? '' : `${kind} ${name}: `;
      const place = read.place(kind, name, path);
      // Mail is the controller's business; what is wrong with it must not keep an agent without one from running.
      if (kind === 'Receiver') {
        const unused = `${subject}${message} (an agent without a controller sends no mail)`;
        remarks.push({ ...place, severity: 'warning', message: unused });
      } else remarks.push({ ...place, severity, message: `${subject}${message}` });
    }
  }
  const members = membersOf(read.resources);
  const node = read.node ?? names.given ?? names.hostName;
  if (members.size > 0 && !members.has(node)) {
    const names = [...members].sort().join(', ');
    remarks.push(wholeFile(file, `no router has a member for node "${node}"; say --node NAME with one of: ${names}`));
  }
  if (members.size === 0 && !hasErrors(remarks)) {
    remarks.push({
      ...wholeFile(file, 'the file has no virtual router: there is nothing to run'),
      severity: 'warning',
    });
  }
  if (hasErrors(remarks)) return { remarks };
  const bundle = compileBundle(read.resources, node);
  return { remarks, runnable: { node, bundle, content: Bundle.encode(bundle).finish() } };
}

/** "file:12:3: error: message", as compilers write it. */
export function formatRemark(remark: FileRemark): string {
  const { file, line, column, severity, message } = remark;
  const place = [file, ...(line > 0 ? [line] : []), ...(line > 0 && column > 0 ? [column] : [])].join(':');
  return `${place}: ${severity}: ${message}`;
}

export function hasErrors(remarks: readonly FileRemark[]): boolean {
  return remarks.some(({ severity }) => severity === 'error');
}

async function readKeepalivedFile(file: string, names: NodeNames, edges: SourceEdges): Promise<ReadResources> {
  const { findProgram, importKeepalived, readKeepalived } = await import('../../proto/keepalived/index.js');
  const read = readKeepalived(file, edges, { configId: names.given, hostName: names.hostName });
  const name = names.given ?? read.config.global.routerId?.value ?? names.hostName;
  const imported = importKeepalived([{ name, config: read.config, findProgram }]);
  const [node] = membersOf(imported.resources);
  const remarks = [...read.remarks, ...imported.remarks].map((remark) => ({ ...remark, column: 0 }));
  return {
    resources: imported.resources,
    remarks,
    // One host's file: every router in it has one member, this node.
    ...(node === undefined ? {} : { node }),
    place: (kind, name) => ({ ...(imported.originOf(kind, name) ?? { file, line: 0 }), column: 0 }),
  };
}

async function readManifestFile(file: string, text: string): Promise<ReadResources> {
  const { parseManifest } = await import('../../proto/manifest/index.js');
  const { resources, problems, locate } = parseManifest(text, file);
  return {
    resources,
    remarks: problems.map(({ file: at, line, column, message }) => ({
      file: at,
      line,
      column,
      severity: 'error',
      message,
    })),
    place: (kind, name, path) => {
      const found = locate({ resource: { kind, name }, path, message: '' });
      return { file: found.file, line: found.line, column: found.column };
    },
  };
}

function membersOf(resources: readonly Resource[]): Set<string> {
  return new Set(routersOf(resources).flatMap(({ spec }) => spec.members.map((member) => member.node)));
}

function wholeFile(file: string, message: string): FileRemark {
  return { file, line: 0, column: 0, severity: 'error', message };
}
