/**
 * Flame graphs of what "perf script" prints: where the processor time of a program goes, as one SVG image. The width of a
 * frame is its share of the samples; who calls is above who is called. Pure.
 */

export interface Frame {
  readonly name: string;
  readonly origin: 'script' | 'native' | 'kernel';
}

/** Outermost first. */
export type Stack = readonly Frame[];

interface Node {
  readonly frame: Frame;
  readonly children: Map<string, Node>;
  samples: number;
}

const WIDTH = 1200;
const ROW = 16;
const HEADER = 24;
/** Narrower frames are left out; pixels. */
const NARROWEST = 1.5;
/** About the width of a character; pixels. */
const CHARACTER = 6.2;
const COLOURS: Readonly<Record<Frame['origin'], string>> = { script: '#7fbf7b', native: '#fdd49e', kernel: '#f4a582' };

/** @param text of `perf script -F comm,tid,ip,sym,dso`: samples with empty lines between them, innermost frame first */
export function readStacks(text: string): readonly Stack[] {
  const stacks: Stack[] = [];
  for (const sample of text.split(/\n\s*\n/)) {
    const frames = sample.split('\n').flatMap((line) => {
      const [, symbol, object] = /^\s+[0-9a-f]+ (.*) \((.*)\)$/.exec(line) ?? [];
      return symbol === undefined || object === undefined ? [] : [frameOf(symbol, object)];
    });
    if (frames.length > 0) stacks.push(frames.reverse());
  }
  return stacks;
}

/** An SVG image; each frame tells its name, its samples and their share when it is pointed at. */
export function flameGraph(title: string, stacks: readonly Stack[]): string {
  const root = treeOf(title, stacks);
  const rows: string[] = [];
  let deepest = 0;
  const draw = (node: Node, depth: number, left: number): void => {
    const width = (node.samples / Math.max(1, stacks.length)) * WIDTH;
    if (width < NARROWEST) return;
    deepest = Math.max(deepest, depth);
    rows.push(rectangle(node, depth, left, width, stacks.length));
    let x = left;
    const children = [...node.children.values()].sort((a, b) => a.frame.name.localeCompare(b.frame.name));
    for (const child of children) {
      draw(child, depth + 1, x);
      x += (child.samples / Math.max(1, stacks.length)) * WIDTH;
    }
  };
  draw(root, 0, 0);
  const height = HEADER + (deepest + 1) * ROW;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10">`,
    `<title>${escaped(title)}</title>`,
    `<text x="4" y="16" font-size="12">${escaped(title)}: ${stacks.length} samples</text>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

function frameOf(symbol: string, object: string): Frame {
  const origin = object.startsWith('[kernel') ? 'kernel' : object.endsWith('.map') ? 'script' : 'native';
  return { name: symbol.replace(/file:\/\/\S*\//, '').trim() || '?', origin };
}

function treeOf(title: string, stacks: readonly Stack[]): Node {
  const root: Node = { frame: { name: title, origin: 'native' }, children: new Map(), samples: stacks.length };
  for (const stack of stacks) {
    let node = root;
    for (const frame of stack) {
      let child = node.children.get(frame.name);
      if (child === undefined) {
        child = { frame, children: new Map(), samples: 0 };
        node.children.set(frame.name, child);
      }
      child.samples += 1;
      node = child;
    }
  }
  return root;
}

function rectangle({ frame, samples }: Node, depth: number, left: number, width: number, of: number): string {
  const y = HEADER + depth * ROW;
  const share = ((100 * samples) / of).toFixed(1);
  const name = escaped(frame.name);
  const room = Math.floor((width - 4) / CHARACTER);
  const label =
    room < 3 ? '' : `<text x="${(left + 2).toFixed(1)}" y="${y + 11}">${escaped(frame.name.slice(0, room))}</text>`;
  const box = `<rect x="${left.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${COLOURS[frame.origin]}"/>`;
  return `<g><title>${name}: ${samples} (${share} %)</title>${box}${label}</g>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
