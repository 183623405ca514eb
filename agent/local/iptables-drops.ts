/** Whether iptables or ip6tables lets a packet through, read from `iptables-save`. Pure. */
import {
  both,
  certain,
  covers,
  DEEPEST,
  type Drop,
  type FilteredPacket,
  ICMP6_TYPES,
  isInterface,
  protocolOf,
  THROUGH,
  type Truth,
  type Verdict,
} from './filtered-packet.js';

interface XtChain {
  policy: string;
  readonly rules: (readonly string[])[];
}

/** @param command "iptables" or "ip6tables", for people */
export function iptablesDrops(text: string, command: string, packet: FilteredPacket): Drop[] {
  const drops: Drop[] = [];
  for (const [table, chains] of xtTables(text)) {
    const name = packet.direction === 'input' ? 'INPUT' : 'OUTPUT';
    const chain = chains.get(name);
    if (table === 'nat' || chain === undefined) continue;
    const verdict = walkXt(chain, chains, packet, 0);
    const where = `${command} ${table} ${name}`;
    if (verdict.fate === 'dropped') drops.push({ chain: where, why: verdict.why });
    else if (verdict.fate === 'through' && chain.policy === 'DROP') {
      drops.push({ chain: where, why: 'its policy is drop, and no rule accepts it' });
    }
  }
  return drops;
}

function xtTables(text: string): ReadonlyMap<string, ReadonlyMap<string, XtChain>> {
  const tables = new Map<string, Map<string, XtChain>>();
  let chains = new Map<string, XtChain>();
  for (const line of text.split('\n')) {
    const words = wordsOf(line);
    const [first = ''] = words;
    if (first.startsWith('*')) {
      chains = new Map();
      tables.set(first.slice(1), chains);
    } else if (first.startsWith(':')) chains.set(first.slice(1), { policy: words[1] ?? '-', rules: [] });
    else if (first === '-A') chains.get(words[1] ?? '')?.rules.push(words.slice(2));
  }
  return tables;
}

function wordsOf(line: string): string[] {
  return (line.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []).map((word) => word.replace(/^"|"$/g, ''));
}

function walkXt(chain: XtChain, chains: ReadonlyMap<string, XtChain>, packet: FilteredPacket, depth: number): Verdict {
  if (depth > DEEPEST) return { fate: 'unsure', why: '' };
  for (const [index, words] of chain.rules.entries()) {
    const { truth, target, isGoto } = xtRule(words, packet);
    if (truth === false) continue;
    if (target === 'ACCEPT') return certain(truth, 'accepted', '');
    if (target === 'DROP' || target === 'REJECT') {
      if (truth === true) return { fate: 'dropped', why: `its rule ${index + 1} drops it` };
      continue;
    }
    if (target === 'RETURN') return truth === true ? THROUGH : { fate: 'unsure', why: '' };
    const next = chains.get(target);
    if (next === undefined) continue;
    const verdict = walkXt(next, chains, packet, depth + 1);
    if (verdict.fate === 'accepted' || verdict.fate === 'unsure') return certain(truth, verdict.fate, '');
    if (verdict.fate === 'dropped' && truth === true) {
      return { fate: 'dropped', why: verdict.why.replace(/^its/, `${target}'s`) };
    }
    if (isGoto && truth === true) return THROUGH;
  }
  return THROUGH;
}

function xtRule(
  words: readonly string[],
  packet: FilteredPacket,
): { readonly truth: Truth; readonly target: string; readonly isGoto: boolean } {
  let truth: Truth = true;
  let target = '';
  let isGoto = false;
  let isNot = false;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const value = words[at + 1] ?? '';
    if (word === '!') {
      isNot = true;
      continue;
    }
    let found: Truth;
    switch (word) {
      case '-j':
      case '-g':
        target = value;
        isGoto = word === '-g';
        // What follows are the target's own options.
        return { truth, target, isGoto };
      case '-m':
      case '--comment':
        at += 1;
        continue;
      case '-p':
        found = value === 'all' || protocolOf(value) === packet.protocol;
        break;
      case '-i':
        found = packet.direction === 'input' ? isInterface(value.replace(/\+$/, '*'), packet.interface) : undefined;
        break;
      case '-o':
        found = packet.direction === 'output' ? isInterface(value.replace(/\+$/, '*'), packet.interface) : undefined;
        break;
      case '-s':
        found = covers(value, packet.sources);
        break;
      case '-d':
        found = covers(value, packet.destinations);
        break;
      case '--ctstate':
      case '--state':
        found = value.split(',').some((state) => state === 'NEW' || state === 'UNTRACKED') ? undefined : false;
        break;
      case '--pkt-type':
        found = (value === 'multicast') === packet.isMulticast;
        break;
      case '--icmpv6-type':
        found = (ICMP6_TYPES[value] ?? Number(value)) === packet.icmpType;
        break;
      default:
        found = undefined;
        truth = both(truth, undefined);
        isNot = false;
        continue;
    }
    at += 1;
    truth = both(truth, isNot && found !== undefined ? !found : found);
    isNot = false;
  }
  return { truth, target, isGoto };
}
