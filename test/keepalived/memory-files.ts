/** A file system in memory for the reader: what a test writes is all there is. */
import { type KeepalivedConfig, type Remark, readKeepalived, type SourceEdges } from '../../proto/keepalived/index.js';

/** Paths that were asked for are recorded in `reads`. */
export function memoryFiles(files: Readonly<Record<string, string | Uint8Array>>, reads: string[] = []): SourceEdges {
  return {
    readFile: (path) => {
      reads.push(path);
      const content = files[path];
      if (content === undefined) return { ok: false, reason: 'missing', detail: 'no such file' };
      return { ok: true, bytes: typeof content === 'string' ? new TextEncoder().encode(content) : content };
    },
    glob: (pattern) =>
      Object.keys(files)
        .filter((path) => matches(pattern, path))
        .sort(),
  };
}

function matches(pattern: string, path: string): boolean {
  const source = pattern.replace(/[.+^$()|[\]\\{}]/gu, '\\$&').replaceAll('*', '[^/]*');
  return new RegExp(`^${source}$`, 'u').test(path);
}

/** Reads one text as /etc/keepalived/keepalived.conf. */
export function readText(text: string | Uint8Array): { config: KeepalivedConfig; remarks: readonly Remark[] } {
  return readKeepalived(CONF, memoryFiles({ [CONF]: text }));
}

export const CONF = '/etc/keepalived/keepalived.conf';

/** Severity, line and message of each remark, as one string. */
export function shown(remarks: readonly Remark[]): string[] {
  return remarks.map((remark) => `${remark.severity} ${remark.line}: ${remark.message}`);
}

/** An instance that says nothing more than it must, with further lines. It begins in line 1, the lines in line 5. */
export function instanceText(lines = '', name = 'VI_1', vrid = 10): string {
  return `vrrp_instance ${name} {
    interface em1
    virtual_router_id ${vrid}
    virtual_ipaddress { 192.0.2.${vrid} }
${lines}
}
`;
}
