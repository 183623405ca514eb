/**
 * Who a program runs as. Names are looked up in /etc/passwd and /etc/group alone: a directory service may hang, and
 * what keeps addresses alive may not wait for it. Numbers are taken as they are.
 */

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The two files' text. */
export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

export type AccountLookup =
  | { readonly ok: true; readonly account: Account }
  | { readonly ok: false; readonly reason: string };

/**
 * `specification` is USER, USER:GROUP or "USER GROUP", each a name or a number. Without a group the user's own is taken;
 * a bare number that no line names runs in the group of the same number.
 */
export function findAccount(specification: string, files: AccountFiles): AccountLookup {
  const [userPart = '', groupPart, ...rest] = specification.trim().split(/\s*:\s*|\s+/);
  if (userPart === '' || rest.length > 0) {
    return { ok: false, reason: `"${specification}" is not a user: write USER or USER:GROUP` };
  }
  const user = findUser(userPart, files.passwd);
  if (user === undefined) return { ok: false, reason: `user "${userPart}" is not in /etc/passwd` };
  if (groupPart === undefined) return { ok: true, account: user };
  const gid = findGroup(groupPart, files.group);
  if (gid === undefined) return { ok: false, reason: `group "${groupPart}" is not in /etc/group` };
  return { ok: true, account: { uid: user.uid, gid } };
}

function findUser(user: string, passwd: string): Account | undefined {
  const wanted = asId(user);
  for (const line of passwd.split('\n')) {
    const [name, , uidText = '', gidText = ''] = line.split(':');
    const uid = asId(uidText);
    const gid = asId(gidText);
    if (uid === undefined || gid === undefined) continue;
    if (name === user || uid === wanted) return { uid, gid };
  }
  return wanted === undefined ? undefined : { uid: wanted, gid: wanted };
}

function findGroup(group: string, groupFile: string): number | undefined {
  for (const line of groupFile.split('\n')) {
    const [name, , gidText = ''] = line.split(':');
    if (name === group) return asId(gidText);
  }
  return asId(group);
}

/** 0 to 2^32 - 2: the last number means "no change" to the kernel. */
function asId(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id < 0xffff_ffff ? id : undefined;
}
