/**
 * Why a router is as it is and what would happen next, in sentences. Computed from a status alone, so that the very
 * same explanation can be given of any node's report. Pure.
 */
import { type CheckStatus, MemberState, type NodeStatus, type RouterStatus } from '../../proto/gen/baton/v1/status.js';
import { durationToMicros, formatDuration } from '../../proto/rules/duration.js';
import { describeResult } from '../journal/occurrence-event.js';

export interface Explanation {
  readonly router: string;
  readonly sections: readonly ExplanationSection[];
}

export interface ExplanationSection {
  /** "State", "Group", "Priority", "Holds it", "Next", "Others", "Refused", "Addresses" */
  readonly title: string;
  readonly sentences: readonly string[];
}

/** Absent: the node has no such router. Case does not count: an imported VI_1 is vi_1. */
export function explain(status: NodeStatus, name: string): Explanation | undefined {
  const router =
    status.routers.find((candidate) => candidate.name === name) ??
    status.routers.find((candidate) => candidate.name === name.toLowerCase());
  if (router === undefined) return undefined;
  const sections = [
    { title: 'State', sentences: stateSentences(router, status.capturedAt) },
    { title: 'Group', sentences: groupSentences(router, status) },
    { title: 'Priority', sentences: prioritySentences(router, status) },
    { title: 'Holds it', sentences: holdSentences(router, status) },
    { title: 'Next', sentences: nextSentences(router) },
    { title: 'Others', sentences: otherSentences(router, status.capturedAt) },
    { title: 'Refused', sentences: refusedSentences(router, status.capturedAt) },
    { title: 'Addresses', sentences: addressSentences(router) },
  ];
  return { router: router.name, sections: sections.filter(({ sentences }) => sentences.length > 0) };
}

const STATE_WORDS: Partial<Record<MemberState, string>> = {
  [MemberState.INITIALIZE]: 'initialize',
  [MemberState.BACKUP]: 'backup',
  [MemberState.ACTIVE]: 'active',
  [MemberState.FAULT]: 'fault',
};

export function stateWord(state: MemberState): string {
  return STATE_WORDS[state] ?? 'unknown';
}

function stateSentences(router: RouterStatus, now: Date | undefined): string[] {
  const since = router.since === undefined ? '' : ` for ${ago(router.since, now)}`;
  const sentences = [
    `${router.name} (VRID ${router.vrid}, version ${router.version}${router.family === 6 ? ' over IPv6' : ''}, ${transportText(router)}) has been ${stateWord(router.state)}${since}: ${router.cause}.`,
  ];
  if (router.handingOver) sentences.push('It is handing its addresses over in a planned stop.');
  return sentences;
}

/** "on em1", "by unicast on em1 as 00:00:5e:00:01:0a (vrrp.10), signed by hmac key 1". */
function transportText(router: RouterStatus): string {
  const unicast = router.transport === 'unicast' ? 'by unicast ' : '';
  const mac = router.virtualMac === '' ? '' : ` as ${router.virtualMac} (${router.virtualMacInterface})`;
  const authentication = router.authentication === '' ? '' : `, authentication ${router.authentication}`;
  return `${unicast}on ${router.interface}${mac}${authentication}`;
}

function groupSentences(router: RouterStatus, status: NodeStatus): string[] {
  if (router.group === '') return [];
  const group = status.groups.find(({ name }) => name === router.group);
  const others = (group?.routers ?? []).filter((name) => name !== router.name);
  const state = group === undefined ? '' : `, which is ${stateWord(group.state)}`;
  const rule =
    group?.policy === 'any'
      ? 'They move together; one in fault leaves the others to go on.'
      : 'They move together; one in fault takes all of them to fault.';
  return [`It belongs to the group ${router.group}${state}, with ${others.join(', ') || 'nobody else'}.`, rule];
}

function prioritySentences(router: RouterStatus, status: NodeStatus): string[] {
  const sentences = [`The effective priority is ${router.effectivePriority}:`];
  for (const { term, value, reason } of router.priorityTerms) {
    const signed = term === 'base' ? String(value) : value < 0 ? `- ${-value}` : `+ ${value}`;
    const check = checkOf(term, status);
    const more = check === undefined ? '' : `; last run: ${describeResult(check)}`;
    sentences.push(`  ${signed} ${term} (${reason}${more})`);
  }
  return sentences;
}

function holdSentences(router: RouterStatus, status: NodeStatus): string[] {
  return router.holdReasons.map((reason) => {
    const check = checkOf(reason, status);
    if (check === undefined) return `${capital(reason)}.`;
    return `${capital(reason)}: ${describeResult(check)}, ${check.consecutive} times in a row.`;
  });
}

/** A check that a term or reason speaks of. */
function checkOf(text: string, status: NodeStatus): CheckStatus | undefined {
  return status.checks.find(({ name }) => text === `check ${name}` || text.startsWith(`check ${name} `));
}

function nextSentences(router: RouterStatus): string[] {
  const down = span(router.activeDownInterval);
  switch (router.state) {
    case MemberState.BACKUP: {
      const holder =
        router.activeAddress === ''
          ? 'No active router is known.'
          : `${router.activeAddress} is active with priority ${router.activePriority}.`;
      const left = router.nextDeadline === undefined ? '' : ` (now in ${span(router.nextDeadline)})`;
      return [
        holder,
        `It takes over when it hears nothing for ${down}${left}, or ${span(router.skewTime)} after the active router says that it stops.`,
        preemptSentence(router),
      ];
    }
    case MemberState.ACTIVE:
      return [
        `It advertises every ${span(router.advertisementInterval)}; the others take over when they hear nothing for about ${down}.`,
        'It yields to a higher priority at once, and to an equal one that comes from a greater address.',
        router.lease === undefined
          ? 'Its addresses have no lease: they stay even if this agent dies.'
          : `Its addresses are leased: the kernel removes them ${span(router.lease)} after this agent dies or hangs.`,
      ];
    case MemberState.FAULT:
      return ['It takes no part in the election until nothing holds it any more; then it starts as backup.'];
    case MemberState.INITIALIZE:
      return ['It starts as backup as soon as nothing holds it any more.'];
    default:
      return [];
  }
}

function preemptSentence(router: RouterStatus): string {
  if (!router.preempt) return 'It does not preempt: a working active router of lower priority stays active.';
  if (router.activeAddress !== '' && router.activePriority < router.effectivePriority) {
    return `Its priority ${router.effectivePriority} is higher than ${router.activePriority}: it is about to take over.`;
  }
  const needed = router.activePriority + 1;
  return router.activeAddress === '' || needed > 254
    ? 'It preempts an active router of lower priority.'
    : `It preempts an active router of lower priority: with ${needed} or more it would take over.`;
}

function otherSentences(router: RouterStatus, now: Date | undefined): string[] {
  if (router.peers.length === 0) return ['No other router of this VRID has been heard.'];
  return router.peers.map((peer) => {
    const heard = peer.lastHeard === undefined ? '' : `, last heard ${ago(peer.lastHeard, now)} ago`;
    const all = peer.lost + peer.advertisements;
    const lost = peer.lost === 0 ? '' : `, ${peer.lost} of ${all} lost`;
    const jitter = durationToMicros(peer.jitter) < 1_000 ? '' : `, jitter ${span(peer.jitter)}`;
    const form = peer.checksumForm === 'pseudo_header' ? ', checksum with pseudo-header' : '';
    const signed = peer.authentication === '' ? '' : `, ${peer.authentication}`;
    return `${peer.address}: priority ${peer.priority}, every ${span(peer.advertisementInterval)}${heard}${lost}${jitter}${form}${signed}.`;
  });
}

/** What was heard of the others of a router, for whoever predicts what they would do. */
export function heardSentences(status: NodeStatus, router: string): readonly string[] {
  const found = status.routers.find(({ name }) => name === router);
  return found === undefined || found.peers.length === 0 ? [] : otherSentences(found, status.capturedAt);
}

function addressSentences(router: RouterStatus): string[] {
  const held = new Set([...router.heldAddresses, ...router.heldRoutes, ...router.heldRules]);
  const where = (item: string): string => (held.has(item) ? 'on this host' : 'not on this host');
  const sentences = router.addresses.map((address) => `${address} is ${where(address)}.`);
  for (const address of router.excludedAddresses) sentences.push(`${address} (not advertised) is ${where(address)}.`);
  for (const route of router.routes) sentences.push(`The route ${route} is ${where(route)}.`);
  for (const rule of router.rules) sentences.push(`The rule ${rule} is ${where(rule)}.`);
  if (!router.accept) sentences.push('Traffic to them is dropped while active: accept is false.');
  for (const { address, mac } of router.conflicts) sentences.push(`${mac} answers for ${address} too.`);
  return sentences;
}

function refusedSentences(router: RouterStatus, now: Date | undefined): string[] {
  return router.rejected.map(({ source, reason, count, last }) => {
    const when = last === undefined ? '' : `, the last one ${ago(last, now)} ago`;
    const what = count === 1 ? 'an advertisement' : `${count} advertisements`;
    return `Refused ${what} from ${source === '' ? 'an unknown sender' : source}: ${reason}${when}.`;
  });
}

/** "3s", "4m12s", "2h3m", "5d4h": the two greatest units. */
export function ago(then: Date, now: Date | undefined): string {
  const seconds = Math.max(0, Math.floor(((now ?? then).getTime() - then.getTime()) / 1_000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h${Math.floor((seconds % 3_600) / 60)}m`;
  return `${Math.floor(seconds / 86_400)}d${Math.floor((seconds % 86_400) / 3_600)}h`;
}

function span(duration: Parameters<typeof durationToMicros>[0]): string {
  return formatDuration(durationToMicros(duration));
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
