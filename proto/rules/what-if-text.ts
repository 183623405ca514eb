/** A forecast in sentences. Pure. */
import type { Forecast, GroupForecast, MemberForecast } from './what-if.js';

export interface ForecastSection {
  /** "Supposed", "Priority", "Group", "Election", "Not known" */
  readonly title: string;
  readonly sentences: readonly string[];
}

/** `heard`: what a node alone knows of the others, such as "192.0.2.12: priority 100, last heard 4m ago". */
export function describeForecast(
  forecast: Forecast,
  scope: 'fleet' | 'node',
  heard: readonly string[] = [],
): ForecastSection[] {
  const sections: ForecastSection[] = [
    { title: 'Supposed', sentences: changeSentences(forecast) },
    { title: 'Priority', sentences: prioritySentences(forecast) },
    { title: 'Group', sentences: forecast.group === undefined ? [] : groupSentences(forecast, forecast.group) },
    { title: 'Election', sentences: scope === 'fleet' ? fleetSentences(forecast) : nodeSentences(forecast, heard) },
    { title: 'Not known', sentences: unknownSentences(forecast) },
  ];
  return sections.filter(({ sentences }) => sentences.length > 0);
}

function changeSentences({ changes, router, node }: Forecast): string[] {
  if (changes.length === 0) return [`Nothing: ${router} as everything is on ${node} now.`];
  return changes.map(({ subject, from, to }) =>
    from === to
      ? `On ${node}, ${subject} is ${to}, as it is now.`
      : `On ${node}, ${subject} is ${to} instead of ${from}.`,
  );
}

function prioritySentences({ members: [own], terms, router, node }: Forecast): string[] {
  if (own === undefined) return [];
  const { priorityNow: now, priorityThen: then } = own;
  const head =
    now === then
      ? `The effective priority of ${router} on ${node} stays ${then}:`
      : `The effective priority of ${router} on ${node} would be ${then} instead of ${now}:`;
  return [
    head,
    ...terms.map(({ term, value, reason }) => {
      const signed = term === 'base' ? String(value) : value < 0 ? `- ${-value}` : `+ ${value}`;
      return `  ${signed} ${term} (${reason})`;
    }),
  ];
}

function groupSentences({ node }: Forecast, { name, policy, routers, culprits }: GroupForecast): string[] {
  const rule =
    policy === 'all'
      ? `${name} (policy all): one member in fault takes all of them to fault.`
      : `${name} (policy any): one member in fault leaves the others to go on.`;
  const why = culprits.length === 0 ? [] : [`On ${node} it would have members in fault: ${culprits.join(', ')}.`];
  const states = routers.map(({ router, stateNow: now, stateThen: then }) =>
    now === then ? `${router} on ${node} stays ${then}.` : `${router} on ${node} would go from ${now} to ${then}.`,
  );
  return [rule, ...why, ...states];
}

function holdSentence({ router, node, faults, pending }: Forecast, own: MemberForecast): string | undefined {
  if (faults.length > 0) return `${router} on ${node} would be in fault: ${faults.join(', ')}.`;
  if (pending.length > 0) return `${router} on ${node} would wait for a result of ${pending.join(', ')}.`;
  if (own.stateThen === 'fault') return `${router} on ${node} would be in fault with its group.`;
  return undefined;
}

function fleetSentences(forecast: Forecast): string[] {
  const { members, router, node, contested } = forecast;
  const [own] = members;
  if (own === undefined) return [];
  const held = holdSentence(forecast, own);
  const sentences = held === undefined ? [] : [held];
  const were = members.filter(({ stateNow }) => stateNow === 'active');
  const winner = members.find(({ stateThen }) => stateThen === 'active');
  if (contested.length > 0) {
    sentences.push(
      `${contested.join(' and ')} hold each other up: each has the higher priority for another router of the group. Who would be active cannot be said, and it may go on changing; give them the same order for every router of the group.`,
    );
    return sentences;
  }
  if (were.length > 1) sentences.push(`${were.map(({ node: name }) => name).join(' and ')} are both active now.`);
  if (winner === undefined) {
    const why = members.every(({ stateThen }) => stateThen !== 'backup')
      ? 'no other member takes part'
      : 'no member could be active with all of its group';
    return [...sentences, `Nobody would be active for ${router}: ${why}.`];
  }
  const [was] = were;
  if (was === undefined) sentences.push(`${name(winner)} would become active; nobody is active now.`);
  else if (was.node === winner.node) sentences.push(`${name(winner)} would stay active.`);
  else if (was.stateThen === 'backup') {
    sentences.push(`${name(winner)} would take over from ${name(was)}.`);
  } else sentences.push(`${name(winner)} would take over, as ${was.node} gives up.`);
  for (const other of members) {
    if (other === winner || other.stateThen !== 'backup') continue;
    const reason = whyNot(other, winner, forecast);
    if (reason !== undefined) sentences.push(`${reason}.`);
  }
  const standby = members.filter(({ stateThen }) => stateThen === 'backup');
  if (standby.length === 0) {
    sentences.push(
      `There would be no standby for ${router}: ${node === winner.node ? 'nobody else' : node} takes no part.`,
    );
  }
  return sentences;
}

/** What speaks for a member that is not active; nothing when its priority is lower anyway. */
function whyNot(other: MemberForecast, winner: MemberForecast, { node, preempts }: Forecast): string | undefined {
  if (other.priorityThen < winner.priorityThen) return undefined;
  if (other.priorityThen === winner.priorityThen) {
    return winner.stateNow === 'active'
      ? `${other.node} has the same priority: an equal one does not take over from a working active router`
      : `${other.node} has the same priority: of two that become active at once the greater source address stays`;
  }
  const isQuiet = other.node === node && !preempts;
  return `${name(other)} has more, and ${isQuiet ? 'does not preempt' : 'does not take over: it does not preempt, or its group holds it back'}`;
}

function nodeSentences(forecast: Forecast, heard: readonly string[]): string[] {
  const { members, router, node, preempts } = forecast;
  const [own, peer] = members;
  if (own === undefined) return [];
  const held = holdSentence(forecast, own);
  const sentences = held === undefined ? [] : [held];
  const known = heard.length === 0 ? ['No other member was ever heard here.'] : heard;
  if (own.stateNow === 'active') {
    if (own.stateThen === 'active') {
      sentences.push(
        `${node} would stay active, unless a member that preempts has more than ${own.priorityThen}. Members that are backup are silent; heard before:`,
      );
    } else
      sentences.push(`${node} would give ${router} up, and another member take it over if there is one. Heard before:`);
    return [...sentences, ...known.map((line) => `  ${line}`)];
  }
  if (own.stateThen === 'active') {
    sentences.push(
      peer === undefined
        ? `${node} would become active: nobody else is heard.`
        : `${node} (${own.priorityThen}) would take over from ${peer.node} (${peer.priorityThen}).`,
    );
  } else if (own.stateThen === 'backup' && peer !== undefined) {
    const why =
      own.priorityThen < peer.priorityThen
        ? ''
        : own.priorityThen === peer.priorityThen
          ? ': an equal priority does not take over from a working active router'
          : preempts
            ? ': its group holds it back'
            : ': it does not preempt';
    sentences.push(
      `${node} (${own.priorityThen}) would be backup and ${peer.node} (${peer.priorityThen}) stay active${why}.`,
    );
  } else if (peer !== undefined) sentences.push(`${peer.node} (${peer.priorityThen}) would stay active.`);
  return sentences;
}

function unknownSentences({ silent, members }: Forecast): string[] {
  const old = members.filter(({ connected }) => !connected).map(({ node }) => node);
  const sentences: string[] = [];
  if (old.length > 0) sentences.push(`Not connected, so what is said of it may be old: ${old.join(', ')}.`);
  if (silent.length > 0) sentences.push(`Has never reported this router, and is not counted: ${silent.join(', ')}.`);
  return sentences;
}

function name({ node, priorityThen }: MemberForecast): string {
  return `${node} (${priorityThen})`;
}
