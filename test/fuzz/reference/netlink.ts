/** Netlink as netlink(7), rtnetlink(7), linux/connector.h and linux/cn_proc.h describe it, read in the plainest way. */

export interface ReferenceMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly portId: number;
  readonly payload: Uint8Array;
}

/** Until the first whose length cannot be. */
export function messagesIn(datagram: Uint8Array): ReferenceMessage[] {
  const messages: ReferenceMessage[] = [];
  let rest = datagram;
  while (rest.length >= 16) {
    const length = little(rest, 0, 4);
    if (length < 16 || length > rest.length) break;
    messages.push({
      type: little(rest, 4, 2),
      flags: little(rest, 6, 2),
      sequence: little(rest, 8, 4),
      portId: little(rest, 12, 4),
      payload: rest.subarray(16, length),
    });
    rest = rest.subarray(padded(length));
  }
  return messages;
}

/** The last of each type, without the two flag bits. */
export function attributesIn(bytes: Uint8Array): Map<number, Uint8Array> {
  return new Map(attributeList(bytes).map(({ type, value }) => [type % 0x4000, value]));
}

export interface ReferenceAttribute {
  readonly type: number;
  readonly value: Uint8Array;
}

/** All, in order, with their flag bits; `isWhole` tells whether anything is left over. */
export function attributeList(bytes: Uint8Array): ReferenceAttribute[] {
  const list: ReferenceAttribute[] = [];
  let rest = bytes;
  while (rest.length >= 4) {
    const length = little(rest, 0, 2);
    if (length < 4 || length > rest.length) break;
    list.push({ type: little(rest, 2, 2), value: rest.subarray(4, length) });
    rest = rest.subarray(padded(length));
  }
  return list;
}

/** NLMSG_ERROR and NLMSG_DONE: errno, and with NLM_F_ACK_TLVS the text of the kernel. */
export function errorIn(message: ReferenceMessage): { errno: number; message?: string } | undefined {
  const { type, flags, payload } = message;
  if ((type !== 2 && type !== 3) || payload.length < 4) return undefined;
  const errno = -(little(payload, 0, 4) | 0) + 0;
  const hasMore = type === 2 && (flags & 0x200) !== 0 && payload.length >= 20;
  if (!hasMore) return { errno };
  const echoed = (flags & 0x100) !== 0 ? 16 : padded(little(payload, 4, 4));
  const text = attributesIn(payload.subarray(Math.min(payload.length, 4 + echoed))).get(1);
  return text === undefined ? { errno } : { errno, message: asciiIn(text) };
}

/** struct ifaddrmsg and its attributes. */
export function addressIn({ type, payload }: ReferenceMessage): Record<string, unknown> | undefined {
  if ((type !== 20 && type !== 21) || payload.length < 8) return undefined;
  const [family, prefixLength, shortFlags = 0, scope] = payload;
  const attributes = attributesIn(payload.subarray(8));
  const ip = (bytes: Uint8Array | undefined) => {
    if (bytes === undefined || bytes.length !== (family === 2 ? 4 : family === 10 ? 16 : -1)) return undefined;
    const text = Buffer.from(bytes).toString('hex');
    return family === 2 ? Number.parseInt(text, 16) : BigInt(`0x${text}`);
  };
  const [far, own] = [attributes.get(1), attributes.get(2)];
  const address = ip(own ?? far);
  if (address === undefined) return undefined;
  const peer = ip(far);
  const wideFlags = attributes.get(8);
  const flags = wideFlags?.length === 4 ? little(wideFlags, 0, 4) : shortFlags;
  const cache = attributes.get(6);
  const seconds = (at: number) => {
    const value = cache === undefined || cache.length < at + 4 ? 0xffffffff : little(cache, at, 4);
    return value === 0xffffffff ? 'forever' : value;
  };
  const label = attributes.get(3);
  return {
    interfaceIndex: little(payload, 4, 4),
    address,
    prefixLength,
    peer: peer === address ? undefined : peer,
    label: label === undefined ? undefined : asciiIn(label),
    broadcast: ip(attributes.get(4)),
    scope,
    flags,
    protocol: attributes.get(11)?.[0],
    validLifetime: (flags & 0x80) !== 0 ? 'forever' : seconds(4),
    preferredLifetime: seconds(0),
  };
}

/** struct cn_msg and struct proc_event; of fork, exec, comm and exit of whole processes, and the answer. */
export function processEventIn({ payload }: ReferenceMessage): Record<string, unknown> | undefined {
  if (payload.length < 44 || little(payload, 0, 4) !== 1 || little(payload, 4, 4) !== 1) return undefined;
  const signed = (at: number) => little(payload, at, 4) | 0;
  const what = little(payload, 20, 4);
  const isProcess = signed(36) === signed(40);
  if (what === 0) {
    return { kind: 'answer', tag: (little(payload, 12, 4) + 0xffffffff) % 2 ** 32, errno: little(payload, 36, 4) };
  }
  if (what === 1 && payload.length >= 52 && signed(44) === signed(48)) {
    return { kind: 'fork', parent: signed(40), process: signed(48) };
  }
  if (what === 2) return { kind: 'exec', process: signed(40) };
  if (what === 0x200 && isProcess) {
    return { kind: 'comm', process: signed(40), command: asciiIn(payload.subarray(44, 60)) };
  }
  return what === 0x80000000 && isProcess ? { kind: 'exit', process: signed(40) } : undefined;
}

export function little(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i -= 1) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}

/** Up to the first NUL; what is not printable is a question mark. */
function asciiIn(bytes: Uint8Array): string {
  const [text = ''] = Buffer.from(bytes).toString('latin1').split('\0', 1);
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}
