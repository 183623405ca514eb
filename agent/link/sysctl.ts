/**
 * Reads and sets net.ipv4.conf.IFACE.KEY and net.ipv6.conf.IFACE.KEY of this network namespace: kernel memory behind the
 * file system, no disk, so also from the election thread.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { OK, type Outcome, type Refusal, refusal } from '../net/system-error.js';

export interface SysctlKey {
  readonly family: 4 | 6;
  /** Or "all" or "default". */
  readonly interfaceName: string;
  /** Such as "accept_ra". */
  readonly key: string;
}

export type SysctlValue = { readonly ok: true; readonly value: number } | Refusal;

export interface Sysctl {
  /** ENOENT: no such interface, no such key, or no IPv6. */
  read(key: SysctlKey): SysctlValue;
  /** EROFS or EACCES: /proc/sys is read-only here, as in most containers. */
  write(key: SysctlKey, value: number): Outcome;
}

const NAME = /^[^/\s]{1,15}$/;
const KEY = /^[a-z0-9_]+$/;

export const hostSysctl: Sysctl = {
  read: (key) => {
    const path = pathOf(key);
    const doing = `read ${nameOf(key)}`;
    if (path === undefined) return refusal(constants.errno.EINVAL, doing, 'no such name can exist');
    try {
      const text = readFileSync(path, 'latin1').trim();
      if (!/^-?\d{1,10}$/.test(text)) return refusal(constants.errno.EINVAL, doing, 'it is not a number');
      return { ok: true, value: Number(text) };
    } catch (error) {
      return refused(error, doing);
    }
  },
  write: (key, value) => {
    const path = pathOf(key);
    const doing = `set ${nameOf(key)} to ${value}`;
    if (path === undefined) return refusal(constants.errno.EINVAL, doing, 'no such name can exist');
    try {
      writeFileSync(path, `${value}\n`, { flag: 'r+' });
      return OK;
    } catch (error) {
      return refused(error, doing);
    }
  },
};

function pathOf({ family, interfaceName, key }: SysctlKey): string | undefined {
  if (!NAME.test(interfaceName) || interfaceName === '.' || interfaceName === '..' || !KEY.test(key)) return undefined;
  return `/proc/sys/net/ipv${family}/conf/${interfaceName}/${key}`;
}

function nameOf({ family, interfaceName, key }: SysctlKey): string {
  return `net.ipv${family}.conf.${interfaceName}.${key}`;
}

function refused(error: unknown, doing: string): Refusal {
  const { errno } = error as NodeJS.ErrnoException;
  if (typeof errno !== 'number') throw error;
  const number = Math.abs(errno);
  const hint = number === constants.errno.ENOENT ? 'there is no such interface or setting' : HINTS[number];
  return refusal(number, doing, hint);
}

const HINTS: Readonly<Record<number, string>> = {
  [constants.errno.EROFS]: '/proc/sys is read-only here; set it outside',
  [constants.errno.EACCES]: 'CAP_NET_ADMIN and a writable /proc/sys are needed; else set it outside',
  [constants.errno.EPERM]: 'CAP_NET_ADMIN and a writable /proc/sys are needed; else set it outside',
};
