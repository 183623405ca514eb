/**
 * What a suspended agent leaves for the next one: which routers were active, and when each advertised last. In the
 * runtime directory, since it must not outlive the boot; taken away by whoever reads it. docs/decisions/0020.
 */
import { constants } from 'node:fs';
import { readFile, unlink } from 'node:fs/promises';
import path from 'node:path';
import { writeFileDurably } from '../../proto/process/durable-file.js';
import type { ResumedRouter } from '../runtime/messages.js';

const FILE_NAME = 'resume.json';
/** Of this kernel's boot; the monotonic clock counts from there. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';
/** No host has so many virtual routers: 255 VRIDs on each of its interfaces, in both families. */
const MOST_ROUTERS = 100_000;

interface ResumeFile {
  readonly bootId: string;
  readonly routers: readonly ResumedRouter[];
}

/** Throws what the file system throws: then the next agent begins as backup. */
export async function writeResumeFile(
  runDir: string,
  routers: readonly ResumedRouter[],
  bootId: string | undefined = undefined,
): Promise<void> {
  const content: ResumeFile = { bootId: bootId ?? (await readBootId()), routers };
  writeFileDurably(path.join(runDir, FILE_NAME), JSON.stringify(content), { mode: 0o600 });
}

/**
 * Reads the file and takes it away, so that no later start believes it. Empty: there is none, it is of another boot, or
 * it makes no sense. Whether it is too late for a router is for the election to judge. Never rejects.
 */
export async function takeResumeFile(runDir: string, bootId: string | undefined = undefined): Promise<ResumedRouter[]> {
  const file = path.join(runDir, FILE_NAME);
  let text: string;
  try {
    text = await readFile(file, { encoding: 'utf8', flag: constants.O_RDONLY | constants.O_NOFOLLOW });
    await unlink(file);
  } catch {
    return [];
  }
  try {
    return resumedRoutersIn(text, bootId ?? (await readBootId()));
  } catch {
    return [];
  }
}

/** The routers of a file's text; empty if it is of another boot, or makes no sense. Throws SyntaxError if it is not JSON. */
export function resumedRoutersIn(text: string, bootId: string): ResumedRouter[] {
  const content: unknown = JSON.parse(text);
  if (typeof content !== 'object' || content === null) return [];
  const { bootId: written, routers } = content as Record<string, unknown>;
  if (written !== bootId || !Array.isArray(routers) || routers.length > MOST_ROUTERS) return [];
  return routers.flatMap((router: unknown): ResumedRouter[] => {
    if (typeof router !== 'object' || router === null) return [];
    const { name, lastAdvertAt } = router as Record<string, unknown>;
    if (typeof name !== 'string' || typeof lastAdvertAt !== 'number' || !Number.isFinite(lastAdvertAt)) return [];
    return [{ name, lastAdvertAt }];
  });
}

async function readBootId(): Promise<string> {
  return (await readFile(BOOT_ID, 'utf8')).trim();
}
