/** Reads one host's keepalived.conf with all that it includes. */
import { type Handler, walkBlock } from './block.js';
import { completeInstance } from './complete-instance.js';
import type { KeepalivedConfig, VrrpInstance, VrrpScript } from './config.js';
import type { SourceEdges } from './edges.js';
import { readPieces } from './lines.js';
import { emptyGlobalSettings, readGlobal } from './read-global.js';
import { type RawInstance, readInstance } from './read-instance.js';
import { readVrrpScript } from './read-vrrp-script.js';
import type { Remark } from './remark.js';
import { quoted, Remarks } from './remarks.js';
import { buildTree, type Statement } from './tree.js';

/**
 * Never throws: whatever the file holds, the answer is what could be understood and the remarks on the rest. `path` is
 * as it shall appear in remarks. global_defs counts for the whole file, wherever it stands.
 */
export function readKeepalived(
  path: string,
  edges: SourceEdges,
): { readonly config: KeepalivedConfig; readonly remarks: readonly Remark[] } {
  const remarks = new Remarks();
  const tree = buildTree(readPieces(path, edges, remarks), remarks);
  const settings = emptyGlobalSettings();
  const scriptBlocks: { readonly statement: Statement; readonly order: number }[] = [];
  const rawInstances = new Map<string, { readonly raw: RawInstance; readonly order: number }>();
  let order = 0;
  const handlers: Record<string, Handler> = {
    global_defs: (statement) => readGlobal(statement, settings, remarks),
    vrrp_script: (statement) => {
      order += 1;
      scriptBlocks.push({ statement, order });
    },
    vrrp_instance: (statement) => {
      order += 1;
      const raw = readInstance(statement, remarks);
      if (raw === undefined) return;
      const first = rawInstances.get(raw.name)?.raw;
      if (first === undefined) {
        rawInstances.set(raw.name, { raw, order });
      } else {
        remarks.error(
          raw.origin,
          `vrrp_instance ${quoted(raw.name)} stands in ${first.origin.file}:${first.origin.line} already; this one is left out, as in keepalived`,
        );
      }
    },
  };
  walkBlock('top', tree, handlers, remarks);
  const scripts = readScripts(scriptBlocks, settings.scriptUser, remarks);
  const instances = [...rawInstances.values()].flatMap(({ raw, order: position }) => {
    const instance = completeInstance(raw, position, settings, scripts, remarks);
    return instance === undefined ? [] : [instance];
  });
  reportSharedIdentifiers(instances, remarks);
  reportUnusedScripts(scripts, instances, remarks);
  if (rawInstances.size === 0 && !remarks.list().some((remark) => remark.severity === 'error')) {
    remarks.warning({ file: path, line: 1 }, 'the file has no vrrp_instance: there is nothing to run');
  }
  return {
    config: { file: path, global: settings.definitions, scripts: [...scripts.values()], instances },
    remarks: remarks.list(),
  };
}

function readScripts(
  blocks: readonly { readonly statement: Statement; readonly order: number }[],
  user: string | undefined,
  remarks: Remarks,
): ReadonlyMap<string, VrrpScript & { readonly order: number }> {
  const scripts = new Map<string, VrrpScript & { readonly order: number }>();
  for (const { statement, order } of blocks) {
    const script = readVrrpScript(statement, user, remarks);
    if (script === undefined) continue;
    const first = scripts.get(script.name);
    if (first !== undefined) {
      remarks.error(
        script.origin,
        `vrrp_script ${quoted(script.name)} stands in ${first.origin.file}:${first.origin.line} already; this one is left out, as in keepalived`,
      );
      continue;
    }
    scripts.set(script.name, { ...script, order });
  }
  return scripts;
}

/** keepalived refuses to start over one VRID twice on an interface. */
function reportSharedIdentifiers(instances: readonly VrrpInstance[], remarks: Remarks): void {
  const seen = new Map<string, VrrpInstance>();
  for (const instance of instances) {
    const key = `${instance.interface} ${instance.vrid}`;
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, instance);
      continue;
    }
    if (instance.unicastPeers !== undefined && first.unicastPeers !== undefined) continue;
    remarks.error(
      instance.origins.get('virtual_router_id') ?? instance.origin,
      `${quoted(first.name)} and ${quoted(instance.name)} both use VRID ${instance.vrid} on ${instance.interface}; keepalived does not start over this`,
    );
  }
}

function reportUnusedScripts(
  scripts: ReadonlyMap<string, VrrpScript>,
  instances: readonly VrrpInstance[],
  remarks: Remarks,
): void {
  const used = new Set(instances.flatMap((instance) => instance.trackScripts.map((entry) => entry.name)));
  for (const script of scripts.values()) {
    if (!used.has(script.name)) {
      remarks.note(script.origin, `vrrp_script ${quoted(script.name)} is tracked by no instance, so it is not run`);
    }
  }
}
