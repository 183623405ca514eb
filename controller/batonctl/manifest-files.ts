/** Resource files named on the command line: read, parsed, and able to say where a finding of the controller is. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Finding } from '../../proto/gen/baton/v1/resource_service.js';
import type { Resource } from '../../proto/gen/baton/v1/resources.js';
import { formatSourceProblem, type ParsedManifest, parseManifest } from '../../proto/manifest/index.js';
import { kindOf } from '../../proto/rules/names.js';
import { printableLines, singleLine } from '../../proto/rules/printable-text.js';
import { Failure, messageOf } from './failure.js';

interface ManifestFile {
  /** As the user named it. */
  readonly name: string;
  readonly text: string;
  readonly parsed: ParsedManifest;
}

export interface Manifests {
  readonly resources: readonly Resource[];
  /** A finding with the place in the files that it is about, if it is about something in them. */
  readonly describe: (finding: Finding) => string;
}

const EXTENSIONS: ReadonlySet<string> = new Set(['.yaml', '.yml', '.json']);

/**
 * @param names Files, directories (their .yaml, .yml and .json files, not those of directories in them), or "-".
 * @throws Failure: 1 when something cannot be read, 3 when it cannot be understood
 */
export async function readManifests(names: readonly string[], readStdin: () => Promise<string>): Promise<Manifests> {
  const files: ManifestFile[] = [];
  for (const name of names) {
    if (name === '-') {
      const text = await readStdin();
      files.push({ name: 'standard input', text, parsed: parseManifest(text, '<stdin>') });
    } else {
      for (const file of filesOf(name)) {
        const text = readText(file);
        files.push({ name: file, text, parsed: parseManifest(text, file) });
      }
    }
  }
  const problems = files.flatMap(({ text, parsed }) =>
    parsed.problems.map((problem) => formatSourceProblem(problem, text)),
  );
  if (problems.length > 0) throw new Failure(3, printableLines(problems.join('\n')));
  refuseDuplicates(files);
  return {
    resources: files.flatMap(({ parsed }) => parsed.resources),
    describe: (finding) => printableLines(describe(finding, files)),
  };
}

function filesOf(name: string): string[] {
  try {
    if (!statSync(name).isDirectory()) return [name];
    const found = readdirSync(name, { withFileTypes: true })
      .filter(
        (entry) => !entry.isDirectory() && EXTENSIONS.has(path.extname(entry.name)) && !entry.name.startsWith('.'),
      )
      .map((entry) => path.join(name, entry.name))
      .sort();
    if (found.length === 0) throw new Failure(1, singleLine(`there is no .yaml, .yml or .json file in ${name}`));
    return found;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(1, singleLine(`cannot read ${name}: ${messageOf(error)}`), { cause: error });
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(1, singleLine(`cannot read ${file}: ${messageOf(error)}`), { cause: error });
  }
}

/** Within one file the parser sees to it. */
function refuseDuplicates(files: readonly ManifestFile[]): void {
  const seen = new Map<string, string>();
  for (const { name, parsed } of files) {
    for (const resource of parsed.resources) {
      const key = `${kindOf(resource)} ${resource.metadata?.name ?? ''}`;
      const first = seen.get(key);
      if (first !== undefined) throw new Failure(3, singleLine(`${key} is declared twice: in ${first} and in ${name}`));
      seen.set(key, name);
    }
  }
}

function describe(finding: Finding, files: readonly ManifestFile[]): string {
  const { resource } = finding;
  const home = files.find(({ parsed }) =>
    parsed.resources.some(
      (candidate) => kindOf(candidate) === resource?.kind && candidate.metadata?.name === resource.name,
    ),
  );
  if (home !== undefined) return formatSourceProblem(home.parsed.locate(finding), home.text);
  const subject = resource === undefined ? '' : `${resource.kind} ${resource.name}`;
  return singleLine([subject, finding.path, finding.message].filter((part) => part !== '').join(': '));
}
