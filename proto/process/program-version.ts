/** The version that the programs say they are: that of the package.json they were built from. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Such as "0.1.0"; "unknown" when no package.json of Baton lies above the program. Reads a file: call it once. */
export function readProgramVersion(): string {
  let directory = path.dirname(fileURLToPath(import.meta.url));
  for (;;) {
    try {
      const found: unknown = JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8'));
      if (isOurs(found)) return found.version;
    } catch {
      // None here: look one directory further up.
    }
    const parent = path.dirname(directory);
    if (parent === directory) return 'unknown';
    directory = parent;
  }
}

function isOurs(found: unknown): found is { readonly version: string } {
  return (
    typeof found === 'object' &&
    found !== null &&
    'name' in found &&
    found.name === 'baton' &&
    'version' in found &&
    typeof found.version === 'string'
  );
}
