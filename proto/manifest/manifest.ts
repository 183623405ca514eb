/** Resource files: documents of apiVersion, kind, metadata and spec. All of a file or nothing of it. */
import type { Finding } from '../gen/baton/v1/resource_service.js';
import { Resource } from '../gen/baton/v1/resources.js';
import { KIND_OF_CASE, KINDS, type SpecCase } from '../rules/names.js';
import { suggestion } from '../rules/nearest-name.js';
import { type DecodedMessage, Decoder } from './decoder.js';
import { readDocuments, type Tree, type TreeEntry } from './document-reader.js';
import { messageDescriptor } from './schema.js';
import { ProblemList, type SourceProblem, SourceText } from './source-text.js';

export const API_VERSION = 'baton/v1';
/** A document that holds others under `items`, as "get -o json" prints several. */
export const LIST_KIND = 'List';

export interface ParsedManifest {
  /** Empty if there is any problem. */
  readonly resources: Resource[];
  readonly problems: SourceProblem[];
  /** The place in the file that a finding about one of its resources is about; the nearest there is. */
  locate(finding: Finding): SourceProblem;
}

/**
 * Reads one YAML or JSON file of resources. Strict: whatever is not understood is a problem, and a file with a problem
 * yields no resources. Only the form is judged here; whether the values make sense is validateResources' business.
 * @param file How problems call the file.
 */
export function parseManifest(text: string, file: string): ParsedManifest {
  const source = new SourceText(text, file);
  const problems = new ProblemList(source);
  const reader = new ResourceReader(source, problems);
  const documents = readDocuments(source, problems);
  for (const document of documents) {
    reader.read(document);
  }
  if (documents.length === 0 && problems.isEmpty) {
    problems.add(0, '', 'the file holds no resource');
  }
  return {
    resources: problems.isEmpty ? reader.resources : [],
    problems: problems.inOrder(),
    locate: (finding) => {
      const found = reader.places.get(`${finding.resource?.kind}/${finding.resource?.name}`);
      return source.problem(found === undefined ? 0 : nearest(found, finding.path), finding.path, finding.message);
    },
  };
}

/** Where the parts of one resource are. */
interface Places {
  readonly start: number;
  readonly offsets: ReadonlyMap<string, number>;
}

function nearest(places: Places, path: string): number {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(at.lastIndexOf('.'), at.lastIndexOf('['), 0))) {
    const offset = places.offsets.get(at);
    if (offset !== undefined) {
      return offset;
    }
  }
  return places.start;
}

class ResourceReader {
  readonly resources: Resource[] = [];
  readonly places = new Map<string, Places>();
  readonly #source: SourceText;
  readonly #problems: ProblemList;

  constructor(source: SourceText, problems: ProblemList) {
    this.#source = source;
    this.#problems = problems;
  }

  read(tree: Tree, insideList = false): void {
    if (tree.kind === 'refused') {
      return;
    }
    if (tree.kind !== 'mapping') {
      this.#problem(tree.offset, '', 'a resource must be a mapping with apiVersion, kind, metadata and spec');
      return;
    }
    const entries = new Map(tree.entries.map((entry) => [entry.key, entry]));
    this.#checkApiVersion(tree, entries.get('apiVersion'));
    const kind = this.#text(tree, entries.get('kind'), 'kind', `one of ${KINDS.join(', ')}`);
    if (kind === LIST_KIND && !insideList) {
      this.#readList(tree, entries);
      return;
    }
    const specCase = CASES.find((name) => KIND_OF_CASE[name] === kind);
    if (specCase === undefined) {
      if (kind !== undefined) {
        const offset = entries.get('kind')?.value.offset ?? tree.offset;
        this.#problem(
          offset,
          'kind',
          `there is no kind ${JSON.stringify(kind)}${suggestion(kind, KINDS) || `; kinds are ${KINDS.join(', ')}`}`,
        );
      }
      return;
    }
    this.#unknownFields(tree, ['apiVersion', 'kind', 'metadata', 'spec']);
    this.#readResource(tree, entries, specCase);
  }

  #readResource(tree: Tree, entries: ReadonlyMap<string, TreeEntry>, specCase: SpecCase): void {
    const offsets = new Map<string, number>();
    const decoder = new Decoder(this.#problems, offsets);
    const descriptor = messageDescriptor('baton.v1.Resource');
    const part = (name: string, typeName: string): DecodedMessage | undefined => {
      const entry = entries.get(name);
      // A node has nothing to specify.
      if (entry === undefined || (entry.value.kind === 'empty' && entry.value.text === '')) {
        if (name === 'spec' && specCase === 'node') {
          return {};
        }
        this.#problem(entry?.keyOffset ?? tree.offset, name, `${KIND_OF_CASE[specCase]} needs ${name}`);
        return undefined;
      }
      offsets.set(name, entry.value.offset);
      return decoder.message(messageDescriptor(typeName), entry.value, name);
    };
    const metadata = part('metadata', 'baton.v1.Metadata');
    const specType = descriptor.field[specCase]?.message?.typeName ?? '';
    const spec = part('spec', specType);
    const name = metadata?.['name'];
    if (metadata !== undefined && name === '') {
      this.#problem(
        offsets.get('metadata.name') ?? offsets.get('metadata') ?? tree.offset,
        'metadata.name',
        `${KIND_OF_CASE[specCase]} needs a name`,
      );
    }
    if (metadata === undefined || spec === undefined || typeof name !== 'string' || name === '') {
      return;
    }
    const identity = `${KIND_OF_CASE[specCase]}/${name}`;
    const twin = this.places.get(identity);
    if (twin !== undefined) {
      const line = this.#source.lineOf(twin.start);
      this.#problem(
        tree.offset,
        'metadata.name',
        `${KIND_OF_CASE[specCase]} ${JSON.stringify(name)} is declared twice, first in line ${line}`,
      );
      return;
    }
    this.places.set(identity, { start: tree.offset, offsets });
    // The decoder built exactly what the descriptors of these messages say; fromPartial gives it its type.
    const decoded = { metadata, spec: { $case: specCase, value: spec } } as unknown as Resource;
    this.resources.push(Resource.fromPartial(decoded));
  }

  #readList(tree: Tree & { readonly kind: 'mapping' }, entries: ReadonlyMap<string, TreeEntry>): void {
    this.#unknownFields(tree, ['apiVersion', 'kind', 'metadata', 'items']);
    const items = entries.get('items')?.value;
    if (items?.kind === 'refused') {
      return;
    }
    if (items?.kind !== 'list') {
      this.#problem(items?.offset ?? tree.offset, 'items', 'a List needs items, a list of resources');
      return;
    }
    for (const item of items.items) {
      this.read(item, true);
    }
  }

  #checkApiVersion(tree: Tree, entry: TreeEntry | undefined): void {
    const version = this.#text(tree, entry, 'apiVersion', API_VERSION);
    if (version !== undefined && version !== API_VERSION) {
      const message = `${JSON.stringify(version)} is not known; this version of Baton reads ${API_VERSION}`;
      this.#problem(entry?.value.offset ?? tree.offset, 'apiVersion', message);
    }
  }

  #text(tree: Tree, entry: TreeEntry | undefined, name: string, wanted: string): string | undefined {
    if (entry?.value.kind === 'text') {
      return entry.value.text;
    }
    if (entry?.value.kind !== 'refused') {
      this.#problem(entry?.value.offset ?? tree.offset, name, `a resource needs ${name}, which must be ${wanted}`);
    }
    return undefined;
  }

  #unknownFields(tree: Tree & { readonly kind: 'mapping' }, known: readonly string[]): void {
    for (const { key, keyOffset } of tree.entries) {
      if (!known.includes(key)) {
        const hint = suggestion(key, known) || `; known here: ${known.join(', ')}`;
        this.#problem(keyOffset, key, `unknown field ${JSON.stringify(key.slice(0, 80))}${hint}`);
      }
    }
  }

  #problem(offset: number, path: string, message: string): void {
    this.#problems.add(offset, path, message);
  }
}

// Object.keys of a Record with literal keys.
const CASES = Object.keys(KIND_OF_CASE) as SpecCase[];
