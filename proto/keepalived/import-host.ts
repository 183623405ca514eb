/** The hosts of one import and what they are called. */
import type { KeepalivedConfig, VrrpInstance } from './config.js';
import type { FindProgram } from './import-command.js';
import { NameBook, resourceName } from './names.js';
import { quoted, type Remarks } from './remarks.js';

/** One host's file. */
export interface ImportedHost {
  /** Name of the Node; absent: the file's router_id. */
  readonly name?: string;
  readonly config: KeepalivedConfig;
  /** Absent: the files are imported away from their host, so programs cannot be looked up. */
  readonly findProgram?: FindProgram;
}

export interface NamedHost {
  readonly node: string;
  readonly config: KeepalivedConfig;
  readonly findProgram: FindProgram | undefined;
}

/** One host's instance of a virtual router. */
export interface Part {
  readonly host: NamedHost;
  readonly instance: VrrpInstance;
}

/** Gives every host its own node name; those that were guessed or changed are reported. */
export function nameHosts(hosts: readonly ImportedHost[], remarks: Remarks): readonly NamedHost[] {
  const book = new NameBook();
  const named: NamedHost[] = [];
  for (const [index, host] of hosts.entries()) {
    const { config, findProgram } = host;
    const routerId = config.global.routerId;
    const origin = routerId?.origin ?? { file: config.file, line: 1 };
    const given = host.name ?? routerId?.value;
    const fallback = `host-${index + 1}`;
    const wanted = resourceName(given ?? fallback, fallback);
    const node = book.take(wanted);
    if (given === undefined) {
      remarks.warning(
        origin,
        `the file has no router_id; its node is called ${quoted(node)}, give it the name that its agent joins with`,
      );
    } else if (node !== wanted) {
      remarks.error(
        origin,
        `${quoted(given)} is the name of another host's file as well; its node is called ${quoted(node)} here, give every host its own router_id`,
      );
    } else if (node !== given) {
      remarks.note(
        origin,
        `${quoted(given)} is not a valid name; the node is called ${quoted(node)}, its agent must join with that name`,
      );
    }
    named.push({ node, config, findProgram });
  }
  return named;
}
