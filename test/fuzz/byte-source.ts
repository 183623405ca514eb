/** Takes an input for a list of choices, so that what is encoded is found by the same loop as what is decoded. */
export class ByteSource {
  readonly #view: DataView;
  #at = 0;

  constructor(input: Uint8Array) {
    this.#view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  }

  get isEmpty(): boolean {
    return this.#at >= this.#view.byteLength;
  }

  /** 0 when nothing is left. */
  byte(): number {
    return this.isEmpty ? 0 : this.#view.getUint8(this.#at++);
  }

  bytes(count: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: count }, () => this.byte());
  }

  word(): number {
    return this.byte() * 256 + this.byte();
  }

  long(): number {
    return this.word() * 65_536 + this.word();
  }

  wide(bits: 64 | 128): bigint {
    let value = 0n;
    for (let left = bits / 8; left > 0; left -= 1) value = value * 256n + BigInt(this.byte());
    return value;
  }

  flag(): boolean {
    return this.byte() % 2 === 1;
  }

  pick<const Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.byte() % items.length] ?? items[0];
  }

  /** Mostly there. */
  maybe<Item>(make: () => Item): Item | undefined {
    return this.byte() % 4 === 0 ? undefined : make();
  }

  /** Printable ASCII, at most so long. */
  text(most: number): string {
    const length = this.byte() % (most + 1);
    return Array.from({ length }, () => String.fromCharCode(0x20 + (this.byte() % 0x5f))).join('');
  }

  address(family: 4 | 6): number | bigint {
    return family === 4 ? this.long() : this.wide(128);
  }
}

/** Without the properties that are undefined. */
export function present<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T;
}
