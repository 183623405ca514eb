/** Whether nftables lets a packet through, read from `nft -j list ruleset`. Pure. */
import {
  both,
  certain,
  covers,
  DEEPEST,
  type Drop,
  either,
  type FilteredPacket,
  ICMP6_TYPES,
  isInterface,
  PROTOCOLS,
  protocolOf,
  THROUGH,
  type Truth,
  type Verdict,
} from './filtered-packet.js';

/** Statements of nftables that let the rule go on. */
const DECIDES_NOTHING = ['counter', 'log', 'mangle', 'notrack'];

interface NftChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
  readonly rules: (readonly unknown[])[];
}

/** Throws SyntaxError when the text is not JSON. */
export function nftDrops(text: string, packet: FilteredPacket): Drop[] {
  const chains = nftChains(JSON.parse(text));
  const drops: Drop[] = [];
  for (const chain of chains.values()) {
    if (chain.hook !== packet.direction || chain.table === 'baton') continue;
    if (chain.family !== 'inet' && chain.family !== (packet.family === 4 ? 'ip' : 'ip6')) continue;
    const verdict = walkNft(chain, chains, packet, 0);
    const why = `nftables ${chain.family} ${chain.table} ${chain.name}`;
    if (verdict.fate === 'dropped') drops.push({ chain: why, why: verdict.why });
    else if (verdict.fate === 'through' && chain.policy === 'drop') {
      drops.push({ chain: why, why: 'its policy is drop, and no rule accepts it' });
    }
  }
  return drops;
}

function nftChains(root: unknown): ReadonlyMap<string, NftChain> {
  const chains = new Map<string, NftChain>();
  const items = arrayOf(fieldOf(root, 'nftables'));
  for (const item of items) {
    const chain = fieldOf(item, 'chain');
    if (chain === undefined) continue;
    const [family, table, name] = [textOf(chain, 'family'), textOf(chain, 'table'), textOf(chain, 'name')];
    const [hook, policy] = [textOf(chain, 'hook'), textOf(chain, 'policy')];
    chains.set(`${family} ${table} ${name}`, {
      family,
      table,
      name,
      ...(hook === '' ? {} : { hook }),
      ...(policy === '' ? {} : { policy }),
      rules: [],
    });
  }
  for (const item of items) {
    const rule = fieldOf(item, 'rule');
    if (rule === undefined) continue;
    const key = `${textOf(rule, 'family')} ${textOf(rule, 'table')} ${textOf(rule, 'chain')}`;
    chains.get(key)?.rules.push(arrayOf(fieldOf(rule, 'expr')));
  }
  return chains;
}

function walkNft(
  chain: NftChain,
  chains: ReadonlyMap<string, NftChain>,
  packet: FilteredPacket,
  depth: number,
): Verdict {
  if (depth > DEEPEST) return { fate: 'unsure', why: '' };
  for (const [index, expressions] of chain.rules.entries()) {
    let truth: Truth = true;
    for (const expression of expressions) {
      if (truth === false) break;
      const match = fieldOf(expression, 'match');
      if (match !== undefined) {
        truth = both(truth, nftMatch(match, packet));
        continue;
      }
      if (isVerdict(expression, 'accept')) return certain(truth, 'accepted', '');
      if (isVerdict(expression, 'drop') || isVerdict(expression, 'reject')) {
        if (truth === true) return { fate: 'dropped', why: `its rule ${index + 1} drops it` };
        break;
      }
      if (isVerdict(expression, 'return')) {
        if (truth === true) return THROUGH;
        return { fate: 'unsure', why: '' };
      }
      const isGoto = isVerdict(expression, 'goto');
      if (isGoto || isVerdict(expression, 'jump')) {
        const target = textOf(fieldOf(expression, isGoto ? 'goto' : 'jump'), 'target');
        const next = chains.get(`${chain.family} ${chain.table} ${target}`);
        const verdict =
          next === undefined ? { fate: 'unsure' as const, why: '' } : walkNft(next, chains, packet, depth + 1);
        if (verdict.fate === 'accepted' || verdict.fate === 'unsure') return certain(truth, verdict.fate, '');
        if (verdict.fate === 'dropped' && truth === true) {
          return { fate: 'dropped', why: verdict.why.replace(/^its/, `${target}'s`) };
        }
        if (isGoto && truth === true) return THROUGH;
        break;
      }
      if (isVerdict(expression, 'vmap')) {
        const verdict = nftMap(fieldOf(expression, 'vmap'), chain, chains, packet, depth);
        if (verdict.fate !== 'through') return certain(truth, verdict.fate, verdict.why);
        break;
      }
      // A limit or an extension of iptables may be met or not.
      if (!DECIDES_NOTHING.some((name) => isVerdict(expression, name))) truth = both(truth, undefined);
    }
    // A rule of iptables that ends in something that only xt knows.
    if (truth !== false && expressions.some((one) => isVerdict(one, 'xt'))) return { fate: 'unsure', why: '' };
  }
  return THROUGH;
}

/** `iifname vmap { "lo" : accept, "em1" : jump em1 }`: an entry that surely is the packet's decides. */
function nftMap(
  map: unknown,
  chain: NftChain,
  chains: ReadonlyMap<string, NftChain>,
  packet: FilteredPacket,
  depth: number,
): Verdict {
  const left = fieldOf(map, 'key');
  for (const entry of arrayOf(fieldOf(fieldOf(map, 'data'), 'set'))) {
    const [key, verdict] = arrayOf(entry);
    const truth = nftMatch({ left, op: '==', right: key }, packet);
    if (truth === undefined) return { fate: 'unsure', why: '' };
    if (!truth) continue;
    const only: NftChain = { ...chain, rules: [[verdict]] };
    const found = walkNft(only, chains, packet, depth + 1);
    return found.fate === 'dropped' ? { fate: 'dropped', why: 'a map of it drops it' } : found;
  }
  // A named map is not looked into.
  return Array.isArray(fieldOf(fieldOf(map, 'data'), 'set')) ? THROUGH : { fate: 'unsure', why: '' };
}

function nftMatch(match: unknown, packet: FilteredPacket): Truth {
  const left = fieldOf(match, 'left');
  const right = fieldOf(match, 'right');
  const op = textOf(match, 'op');
  const equal = (test: (value: unknown) => Truth): Truth => {
    const found = anyOf(right, test);
    if (op === '!=') return found === undefined ? undefined : !found;
    return op === '==' || op === 'in' || op === '' ? found : undefined;
  };
  const meta = textOf(fieldOf(left, 'meta'), 'key');
  switch (meta) {
    case 'iifname':
    case 'iif':
    case 'oifname':
    case 'oif': {
      const isOurs = meta.startsWith('i') === (packet.direction === 'input');
      return equal((value) => (isOurs ? isInterface(String(value), packet.interface) : undefined));
    }
    case 'l4proto':
      return equal((value) => protocolOf(value) === packet.protocol);
    case 'nfproto':
    case 'protocol':
      return equal((value) => (String(value) === 'ipv6' || String(value) === 'ip6') === (packet.family === 6));
    case 'pkttype':
      return equal((value) => (String(value) === 'multicast') === packet.isMulticast);
    case '':
      break;
    default:
      return undefined;
  }
  const payload = fieldOf(left, 'payload');
  if (payload !== undefined) return nftPayload(payload, equal, packet);
  if (textOf(fieldOf(left, 'ct'), 'key') === 'state') {
    // Nothing answers an advertisement: to connection tracking each is new.
    return equal((value) => (value === 'new' || value === 'untracked' ? undefined : false));
  }
  if (fieldOf(left, 'fib') !== undefined && packet.isMulticast) {
    return equal((value) =>
      value === 'multicast' ? true : value === 'local' || value === 'broadcast' ? false : undefined,
    );
  }
  return undefined;
}

function nftPayload(
  payload: unknown,
  equal: (test: (value: unknown) => Truth) => Truth,
  packet: FilteredPacket,
): Truth {
  const protocol = textOf(payload, 'protocol');
  const field = textOf(payload, 'field');
  if (protocol === 'ip' || protocol === 'ip6') {
    if ((protocol === 'ip') !== (packet.family === 4)) return false;
    if (field === 'protocol' || field === 'nexthdr') return equal((value) => protocolOf(value) === packet.protocol);
    if (field === 'daddr') return equal((value) => covers(nftPrefix(value), packet.destinations));
    if (field === 'saddr') return equal((value) => covers(nftPrefix(value), packet.sources));
    return undefined;
  }
  const number = PROTOCOLS[protocol];
  if (number !== undefined && number !== packet.protocol) return false;
  if (protocol === 'icmpv6' && field === 'type') {
    return equal((value) => (ICMP6_TYPES[String(value)] ?? Number(value)) === packet.icmpType);
  }
  return undefined;
}

/** A value, a set, a range or a named set. */
function anyOf(right: unknown, test: (value: unknown) => Truth): Truth {
  const set = fieldOf(right, 'set');
  const values = Array.isArray(right) ? right : Array.isArray(set) ? set : undefined;
  if (values !== undefined) return values.map((value) => anyOf(value, test)).reduce(either, false);
  if (typeof right === 'string' && right.startsWith('@')) return undefined;
  const range = fieldOf(right, 'range');
  if (Array.isArray(range)) {
    const [low, high] = range;
    return typeof low === 'number' && typeof high === 'number' && high - low <= 255
      ? Array.from({ length: high - low + 1 }, (_, index) => test(low + index)).reduce(either, false)
      : undefined;
  }
  const element = fieldOf(right, 'elem');
  return test(element === undefined ? right : fieldOf(element, 'val'));
}

function nftPrefix(value: unknown): string {
  const prefix = fieldOf(value, 'prefix');
  return prefix === undefined ? String(value) : `${textOf(prefix, 'addr')}/${String(fieldOf(prefix, 'len'))}`;
}

/** A statement without a value is listed as {"accept": null}. */
function isVerdict(expression: unknown, name: string): boolean {
  return typeof expression === 'object' && expression !== null && Object.hasOwn(expression, name);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function textOf(value: unknown, name: string): string {
  const field = fieldOf(value, name);
  return typeof field === 'string' ? field : '';
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
