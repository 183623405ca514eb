/** Values of the link edges as JSON, which knows neither IPv6 numbers nor bytes: "n:" and "b:" with hexadecimal digits. */

export function encode(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'bigint') return `n:${item.toString(16)}`;
    return item instanceof Uint8Array ? `b:${Buffer.from(item).toString('hex')}` : item;
  });
}

export function decode(text: string): unknown {
  return JSON.parse(text, (_, item: unknown) => {
    if (typeof item !== 'string') return item;
    if (/^n:[0-9a-f]+$/.test(item)) return BigInt(`0x${item.slice(2)}`);
    return /^b:([0-9a-f]{2})*$/.test(item) ? new Uint8Array(Buffer.from(item.slice(2), 'hex')) : item;
  });
}
