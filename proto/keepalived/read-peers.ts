/** Reads unicast_peer: `ADDRESS [min_ttl N] [max_ttl N]`, one a line. */
import { reportNested } from './block.js';
import type { UnicastPeer } from './config.js';
import { keywordSupport } from './keywords.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';
import { parseAddress, parseWhole } from './values.js';

const MAX_PEERS = 1_000;
const MAX_TTL = 255;

/** Adds the peers of one block. */
export function readPeers(statement: Statement, into: UnicastPeer[], remarks: Remarks): void {
  for (const line of statement.block ?? []) {
    reportNested(line, remarks);
    const [word, ...options] = line.words;
    const limits = new Map<string, number>();
    for (let i = 0; i < options.length; i += 2) readLimit(line, options[i] ?? '', options[i + 1], limits, remarks);
    const minTtl = limits.get('min_ttl');
    const maxTtl = limits.get('max_ttl');
    if ((minTtl ?? 0) > (maxTtl ?? MAX_TTL)) {
      remarks.error(
        line.origin,
        `unicast_peer ${quoted(word)}: min_ttl is above max_ttl, so all of its advertisements would be dropped, as in keepalived`,
      );
    }
    const value = parseAddress(word)?.address;
    if (value === undefined) {
      remarks.error(line.origin, `unicast_peer ${quoted(word)} is not an IP address; it is ignored, as in keepalived`);
    } else if (into.some((other) => other.value === value)) {
      remarks.warning(line.origin, `unicast_peer ${value} is there already; it is taken once`);
    } else if (into.length === MAX_PEERS) {
      remarks.error(line.origin, `more than ${MAX_PEERS} unicast peers; ${value} and those below it are left out`);
      return;
    } else {
      into.push({ value, minTtl, maxTtl, origin: line.origin });
    }
  }
}

function readLimit(
  line: Statement,
  option: string,
  word: string | undefined,
  limits: Map<string, number>,
  remarks: Remarks,
): void {
  const peer = `unicast_peer ${quoted(line.words[0])}`;
  if (keywordSupport('unicast_peer option', option) === undefined) {
    remarks.warning(line.origin, `${peer}: unknown option ${quoted(option)} is ignored`);
    return;
  }
  const value = word === undefined ? undefined : parseWhole(word);
  if (value === undefined || value < 0 || value > MAX_TTL) {
    remarks.error(
      line.origin,
      `${peer}: ${option} ${quoted(word ?? '')} is not a number from 0 to ${MAX_TTL}; it is ignored`,
    );
    return;
  }
  limits.set(option, value);
}
