/**
 * The last bundle that was put in force, kept so that the agent runs it at its next start with no controller in sight,
 * and the one before it. At every moment, power cuts included, the directory holds whole files only: a new one is
 * written and synced under another name and then renamed. A file that does not match its own checksum is set aside.
 */
import { createHash } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import type { BundleIdentity } from '../../proto/gen/baton/v1/status.js';

export interface StoredBundle {
  readonly identity: BundleIdentity;
  readonly bundle: Bundle;
  /** The encoded bundle; its SHA-256 is the hash. */
  readonly content: Uint8Array;
}

export interface StoreContents {
  /** Absent: nothing usable is stored. */
  readonly stored?: StoredBundle;
  /** Each damaged file: a sentence that says what was wrong and where it is kept now. */
  readonly damage: readonly string[];
}

export type DecodedBundle =
  | { readonly ok: true; readonly bundle: Bundle; readonly hash: string }
  | { readonly ok: false; readonly reason: string };

const CURRENT = 'current';
const PREVIOUS = 'previous';
const CANDIDATE = 'candidate';
const MAX_SET_ASIDE = 3;
/** "baton-bundle", format, generation, SHA-256 of the content, its length. */
const HEADING = /^baton-bundle (\d+) (\d+) ([0-9a-f]{64}) (\d+)\n/;
const FORMAT_VERSION = 1;
const MAX_HEADING_LENGTH = 160;

export class BundleStore {
  readonly #directory: string;
  readonly #wallMs: () => number;

  /** The directory is made when it is not there. */
  constructor(directory: string, wallMs: () => number) {
    this.#directory = directory;
    this.#wallMs = wallMs;
  }

  /** The newest usable bundle. Rejects only when the directory itself cannot be read. */
  async load(): Promise<StoreContents> {
    await this.#makeDirectory();
    const damage: string[] = [];
    for (const name of [CURRENT, PREVIOUS]) {
      const bytes = await this.#read(name);
      if (bytes === undefined) continue;
      const parsed = parseBundleFile(bytes);
      if (parsed.ok) return { stored: parsed.stored, damage };
      damage.push(`${path.join(this.#directory, name)}: ${parsed.reason}; kept as ${await this.#setAside(name)}`);
    }
    return { damage };
  }

  /**
   * Sets the current bundle aside, sound as it is, so that the previous one is current. Gives that one, and where the other
   * is kept; absent: there is no sound previous one, and nothing has changed.
   */
  async retreat(): Promise<{ readonly stored: StoredBundle; readonly keptAs: string } | undefined> {
    const bytes = await this.#read(PREVIOUS);
    const parsed = bytes === undefined ? undefined : parseBundleFile(bytes);
    if (parsed?.ok !== true) return undefined;
    const keptAs = await this.#setAside(CURRENT);
    await rename(this.#file(PREVIOUS), this.#file(CURRENT));
    return { stored: parsed.stored, keptAs };
  }

  /** Writes a bundle durably beside the current one. Rejects when it cannot be kept; nothing has changed then. */
  async stage(generation: number, content: Uint8Array): Promise<void> {
    await this.#makeDirectory();
    const handle = await open(this.#file(CANDIDATE), 'w', 0o600);
    try {
      await handle.writeFile(formatBundleFile(generation, content));
      await handle.sync();
    } catch (error) {
      await this.discard();
      throw error;
    } finally {
      await handle.close();
    }
  }

  /** Makes the staged bundle the current one and the current one the previous. */
  async commit(): Promise<void> {
    const spare = this.#file(`${PREVIOUS}.new`);
    await rm(spare, { force: true });
    // A second name rather than a move: "current" is there at every moment.
    await link(this.#file(CURRENT), spare).then(
      () => rename(spare, this.#file(PREVIOUS)),
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      },
    );
    await rename(this.#file(CANDIDATE), this.#file(CURRENT));
    const directory = await open(this.#directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  /** Forgets what was staged. */
  async discard(): Promise<void> {
    await rm(this.#file(CANDIDATE), { force: true });
  }

  async #setAside(name: string): Promise<string> {
    const stamp = new Date(this.#wallMs()).toISOString().replaceAll(':', '');
    const keptAs = this.#file(`damaged-${stamp}-${name}`);
    await rename(this.#file(name), keptAs);
    const names = (await readdir(this.#directory)).filter((entry) => entry.startsWith('damaged-')).sort();
    for (const old of names.slice(0, -MAX_SET_ASIDE)) await rm(this.#file(old), { force: true });
    return keptAs;
  }

  async #makeDirectory(): Promise<void> {
    await mkdir(this.#directory, { mode: 0o700, recursive: true });
  }

  async #read(name: string): Promise<Buffer | undefined> {
    try {
      return await readFile(this.#file(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #file(name: string): string {
    return path.join(this.#directory, name);
  }
}

/** Decodes a bundle's content and computes its hash. Never throws. */
export function decodeBundle(content: Uint8Array): DecodedBundle {
  try {
    return { ok: true, bundle: Bundle.decode(content), hash: hashOf(content) };
  } catch (error) {
    return { ok: false, reason: `it is not an encoded bundle: ${String(error)}` };
  }
}

/** Lower-case hexadecimal SHA-256. */
export function hashOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** What a stored file holds. */
export function formatBundleFile(generation: number, content: Uint8Array): Buffer {
  const heading = `baton-bundle ${FORMAT_VERSION} ${generation} ${hashOf(content)} ${content.length}\n`;
  return Buffer.concat([Buffer.from(heading), content]);
}

/** Never throws; `reason` goes on after the file's name. */
export function parseBundleFile(bytes: Buffer): { ok: true; stored: StoredBundle } | { ok: false; reason: string } {
  const heading = HEADING.exec(bytes.subarray(0, MAX_HEADING_LENGTH).toString('latin1'));
  const [line = '', version, generation, hash = '', length] = heading ?? [];
  if (heading === null) return { ok: false, reason: 'its first line is not that of a bundle file' };
  if (Number(version) !== FORMAT_VERSION)
    return { ok: false, reason: `its format ${version} is unknown to this version` };
  if (!Number.isSafeInteger(Number(generation)))
    return { ok: false, reason: `its generation ${generation} is no number` };
  const content = new Uint8Array(bytes.subarray(line.length));
  if (content.length !== Number(length)) {
    return { ok: false, reason: `it has ${content.length} bytes of content where ${length} belong` };
  }
  if (hashOf(content) !== hash) return { ok: false, reason: 'its content does not match its checksum' };
  const decoded = decodeBundle(content);
  if (!decoded.ok) return decoded;
  return {
    ok: true,
    stored: { identity: { generation: Number(generation), hash }, bundle: decoded.bundle, content },
  };
}
