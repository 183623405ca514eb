/**
 * The whole cluster on one screen, for somebody who was just woken: what is wrong first, then every virtual router with
 * its members, then everything else in one line each. Pure.
 */
import { SyncPolicy } from '../../proto/gen/baton/v1/resources.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import type {
  ClusterStatus,
  GroupOverview,
  MemberOverview,
  NodeOverview,
  RouterOverview,
} from '../../proto/gen/baton/v1/status_service.js';
import { singleLine } from '../../proto/rules/printable-text.js';
import { ageOf, ago, formatInstant } from './ages.js';
import { type Colour, type Paint, plainPaint } from './paint.js';
import { type Cell, displayWidth, renderTable } from './table.js';

export interface ScreenOptions {
  /** Milliseconds of Unix time by the controller's clock. */
  readonly now: number;
  readonly paint?: Paint;
  readonly width?: number | undefined;
  /** Name of the context in use. */
  readonly context?: string;
}

/** A thing that somebody should look at. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly text: string;
}

/** Lines without line ends. */
export function renderStatus(status: ClusterStatus, options: ScreenOptions): string[] {
  const { now, paint = plainPaint, width, context } = options;
  const problems = problemsOf(status, now);
  const nodes = new Map(status.nodes.map((node) => [node.name, node]));
  const lines = [headline(status, problems, paint, context), ''];
  if (problems.length > 0) {
    for (const { severity, text } of problems) {
      lines.push(paint(severity === 'error' ? 'red' : 'yellow', `${severity === 'error' ? '!!' : ' !'} ${text}`));
    }
    lines.push('');
  }
  if (status.routers.length === 0) {
    lines.push(
      'No virtual routers. Declare some with "batonctl apply -f FILE", or "batonctl import" a keepalived.conf.',
      '',
    );
  }
  for (const router of byUrgency(status.routers)) {
    lines.push(...renderRouter(router, nodes, { now, paint, width }), '');
  }
  if (status.groups.length > 0) {
    lines.push(...renderTable(GROUP_HEAD, status.groups.map(groupRow), { paint, width }), '');
  }
  const busy = new Set(status.routers.flatMap(({ members }) => members.map(({ node }) => node)));
  const idle = status.nodes.filter(({ name }) => !busy.has(name));
  if (idle.length > 0) {
    const names = idle.map(({ name, connected, lastSeen }) =>
      connected ? name : `${name} (not connected, seen ${ago(lastSeen, now)})`,
    );
    lines.push(singleLine(`Nodes without a virtual router: ${names.join(', ')}`));
  }
  lines.push(singleLine(nodesLine(status)), mailLine(status, paint));
  return lines;
}

function headline(
  status: ClusterStatus,
  problems: readonly Problem[],
  paint: Paint,
  context: string | undefined,
): string {
  const count = problems.length;
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const state =
    count === 0
      ? paint('green', 'all is well')
      : paint(errors > 0 ? 'red' : 'yellow', count === 1 ? '1 problem' : `${count} problems`);
  const where = context === undefined ? '' : `${singleLine(context)}: `;
  return `${paint('bold', where)}${state}   generation ${status.generation}   ${formatInstant(status.capturedAt)}`;
}

/** What is wrong, worst first: with routers, then with groups, with nodes and with mail. */
export function problemsOf(status: ClusterStatus, now: number): Problem[] {
  const routers = byUrgency(status.routers).flatMap(({ name, problems }) =>
    problems.map((text): Problem => ({ severity: 'error', text: singleLine(`${name}: ${text}`) })),
  );
  const busy = new Set(status.routers.flatMap(({ members }) => members.map(({ node }) => node)));
  const groups = status.groups.flatMap(({ name, problems }) =>
    problems.map((text): Problem => ({ severity: 'error', text: singleLine(`group ${name}: ${text}`) })),
  );
  const nodes = status.nodes.flatMap((node): Problem[] => {
    const found: Problem[] = [];
    // Of a member the router's problems tell already.
    const isMember = busy.has(node.name);
    if (!node.connected && !isMember) {
      const text = `${node.name}: not connected, last seen ${ago(node.lastSeen, now)}; what it does now is not known`;
      found.push({ severity: 'warning', text: singleLine(text) });
    }
    if (node.refusals.length > 0 && !isMember) {
      const reasons = node.refusals.map(({ path, reason }) => (path === '' ? reason : `${path}: ${reason}`)).join('; ');
      const kept = node.bundleInForce === undefined ? 'it runs nothing' : `it goes on with ${generationOf(node)}`;
      const text = `${node.name}: refused generation ${node.bundleWanted?.generation ?? status.generation} (${kept}): ${reasons}`;
      found.push({ severity: 'error', text: singleLine(text) });
    }
    const expires = node.certificateExpiresAt?.getTime();
    if (expires !== undefined && expires > 0 && expires < now) {
      found.push({ severity: 'warning', text: singleLine(`${node.name}: its certificate has expired`) });
    }
    return found;
  });
  const mail: Problem[] = [];
  const { pending = 0, failed = 0, lastError = '' } = status.mail ?? {};
  if (failed > 0 || (pending > 0 && lastError !== '')) {
    const counts = [failed > 0 ? `${failed} given up` : '', pending > 0 ? `${pending} waiting` : ''];
    const text = `mail: ${counts.filter((part) => part !== '').join(', ')}${lastError === '' ? '' : `: ${lastError}`}`;
    mail.push({ severity: 'warning', text: singleLine(text) });
  }
  const worst = (list: Problem[]): Problem[] => [
    ...list.filter(({ severity }) => severity === 'error'),
    ...list.filter(({ severity }) => severity === 'warning'),
  ];
  return [...routers, ...groups, ...worst(nodes), ...mail];
}

function renderRouter(
  router: RouterOverview,
  nodes: ReadonlyMap<string, NodeOverview>,
  { now, paint, width }: { readonly now: number; readonly paint: Paint; readonly width: number | undefined },
): string[] {
  const details = [
    `VRID ${router.vrid}`,
    ...(router.family === 6 ? ['IPv6'] : []),
    ...(router.addresses.length === 0 ? ['no addresses'] : [router.addresses.join(', ')]),
    ...(router.virtualMac === '' ? [] : [`MAC ${router.virtualMac}`]),
    ...(router.group === '' ? [] : [`group ${router.group}`]),
  ];
  const title = `${paint('bold', singleLine(router.name))}  ${details.map((part) => singleLine(part)).join('  ')}`;
  const rows = router.members.map((member): Cell[] => {
    const stale: Colour | undefined = member.connected ? undefined : 'dim';
    return [
      { text: member.node, colour: stale },
      { text: member.interface, colour: stale },
      stateCell(member),
      { text: priorityText(member), colour: stale },
      { text: member.reported ? ageOf(member.since, now) : '-', colour: stale },
      addressCell(member),
      bundleCell(member, nodes.get(member.node)),
      {
        // When a connected node last said something is no measure of its health: it speaks when something changes.
        text: member.connected ? 'live' : lostText(member.lastSeen, now),
        colour: member.connected ? undefined : 'yellow',
      },
      { text: member.reported ? member.cause : 'nothing reported yet', colour: stale },
    ];
  });
  return [title, ...memberTable(rows, paint, width)];
}

const GROUP_HEAD = ['GROUP', 'POLICY', 'STATE', 'ROUTERS'];

function groupRow({ name, policy, routers, members }: GroupOverview): Cell[] {
  const states = members.map(({ node, state, reported, connected }) => {
    const word = reported ? stateWord(state) : 'unknown';
    return `${node} ${word}${connected || !reported ? '' : '?'}`;
  });
  return [name, policy === SyncPolicy.ANY ? 'any' : 'all', states.join(', '), routers.join(', ')];
}

const MEMBER_HEAD = ['NODE', 'IFACE', 'STATE', 'PRIORITY', 'SINCE', 'ADDRESS', 'BUNDLE', 'SEEN', 'WHY'];

/** Where a terminal leaves too little room for the last column, it goes below each row instead. */
function memberTable(rows: readonly (readonly Cell[])[], paint: Paint, width: number | undefined): string[] {
  const indent = '  ';
  const whole = renderTable(MEMBER_HEAD, rows, { paint, indent, width });
  if (width === undefined) return whole;
  const last = MEMBER_HEAD.length - 1;
  const head = MEMBER_HEAD.slice(0, last);
  const bare = rows.map((row) => row.slice(0, last));
  const used = Math.max(...renderTable(head, bare, { indent }).map(displayWidth));
  const needed = Math.max(...rows.map((row) => displayWidth(cellText(row[last]))));
  if (used + 2 + Math.min(needed, LEAST_WHY) <= width) return whole;
  const [heading = '', ...lines] = renderTable(head, bare, { paint, indent });
  return [
    heading,
    ...lines.flatMap((line, index) => {
      const why = singleLine(cellText(rows[index]?.[last]), Math.max(10, width - 6));
      return why === '' ? [line] : [line, `      ${paint('dim', why)}`];
    }),
  ];
}

/** Fewer characters than this tell nothing of a reason. */
const LEAST_WHY = 30;

function cellText(cell: Cell | undefined): string {
  return cell === undefined ? '' : singleLine(typeof cell === 'string' ? cell : cell.text);
}

function lostText(lastSeen: Date | undefined, now: number): string {
  return lastSeen === undefined ? 'never' : `lost ${ageOf(lastSeen, now)}`;
}

function stateCell(member: MemberOverview): Cell {
  const word = stateWord(member.state);
  if (!member.connected) return { text: member.reported ? `${word}?` : 'unknown', colour: 'dim' };
  if (!member.reported) return { text: 'unknown', colour: 'yellow' };
  switch (member.state) {
    case MemberState.ACTIVE:
      return { text: word, colour: 'green' };
    case MemberState.FAULT:
      return { text: word, colour: 'red' };
    case MemberState.INITIALIZE:
      return { text: word, colour: 'yellow' };
    default:
      return word;
  }
}

function priorityText({ reported, effectivePriority, basePriority }: MemberOverview): string {
  if (!reported) return `- (base ${basePriority})`;
  return effectivePriority === basePriority ? `${effectivePriority}` : `${effectivePriority} (base ${basePriority})`;
}

function addressCell({ reported, holdsAddresses, state, connected }: MemberOverview): Cell {
  if (!reported) return '-';
  const isActive = state === MemberState.ACTIVE;
  const text = holdsAddresses ? 'holds' : '-';
  if (!connected) return { text: holdsAddresses ? 'holds?' : '-', colour: 'dim' };
  // Active without the addresses, or holding them without being active: somebody should look.
  return holdsAddresses === isActive ? text : { text: holdsAddresses ? 'holds' : 'missing', colour: 'red' };
}

function bundleCell(member: MemberOverview, node: NodeOverview | undefined): Cell {
  if (node === undefined) return { text: 'not enrolled', colour: 'yellow' };
  return bundleText(node, member.bundleCurrent);
}

/** "7", "7, 8 refused", "none, 8 pending". */
export function bundleText(node: NodeOverview, isCurrent: boolean): Cell {
  const inForce = generationOf(node);
  const wanted = node.bundleWanted?.generation ?? 'newer';
  if (node.refusals.length > 0) return { text: `${inForce}, ${wanted} refused`, colour: 'red' };
  return isCurrent ? inForce : { text: `${inForce}, ${wanted} pending`, colour: 'yellow' };
}

/** "generation 7" would be too wide for a column: "7"; "none" when the node runs nothing. */
function generationOf(node: NodeOverview): string {
  return node.bundleInForce === undefined || node.bundleInForce.hash === ''
    ? 'none'
    : `${node.bundleInForce.generation}`;
}

function nodesLine({ nodes }: ClusterStatus): string {
  const connected = nodes.filter((node) => node.connected).length;
  return nodes.length === 0
    ? 'Nodes: none. Let one join with "batonctl token create".'
    : `Nodes: ${connected} of ${nodes.length} connected`;
}

function mailLine({ mail }: ClusterStatus, paint: Paint): string {
  const { pending = 0, sent = 0, failed = 0 } = mail ?? {};
  const line = `Mail:  ${sent} sent, ${pending} waiting, ${failed} given up`;
  return failed > 0 ? paint('yellow', line) : line;
}

function byUrgency(routers: readonly RouterOverview[]): RouterOverview[] {
  return [...routers].sort(
    (one, other) =>
      Number(other.problems.length > 0) - Number(one.problems.length > 0) || (one.name < other.name ? -1 : 1),
  );
}

/** "active", "backup", ... */
export function stateWord(state: MemberState): string {
  return state === MemberState.UNSPECIFIED || state === MemberState.UNRECOGNIZED
    ? 'unknown'
    : state.replace(/^MEMBER_STATE_/u, '').toLowerCase();
}
