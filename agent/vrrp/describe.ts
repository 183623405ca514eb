/** Reasons and notices as sentences that an operator understands. */
import { assertNever } from '../../proto/rules/assert-never.js';
import { formatIp } from '../../proto/rules/ip.js';
import type { Notice, Reason } from './state.js';
import type { IpAddress } from './virtual-router.js';

/** Why a state was entered; one sentence without a full stop. */
export function describeReason(reason: Reason): string {
  switch (reason.code) {
    case 'startup':
      return 'started; listening for the active router';
    case 'owner-startup':
      return 'started as the owner of the addresses (priority 255)';
    case 'checks-pending':
      return `waiting for the first result of ${reason.tracks.join(', ')}`;
    case 'checks-ready':
      return `first results are in: ${reason.tracks.join(', ')}`;
    case 'shutdown':
      return 'stopped';
    case 'suspended':
      return 'suspended; the addresses are kept for the agent that goes on';
    case 'resumed':
      return 'started; goes on where the agent before it was suspended';
    case 'handed-over':
      return 'stopped; a successor answers for the addresses';
    case 'handover-expired':
      return 'stopped; no successor was heard';
    case 'active-down':
      return 'no advertisement was heard for a whole down interval';
    case 'priority-zero-heard':
      return 'the active router said that it stops (priority 0)';
    case 'paused':
      return 'this agent was paused for so long that others may have taken over';
    case 'address-lost':
      return 'a virtual address was removed by somebody else and could not be put back';
    case 'higher-priority-heard':
      return `${formatIp(reason.peer)} advertises the higher priority ${reason.priority}`;
    case 'equal-priority-greater-address':
      return `${formatIp(reason.peer)} advertises the same priority ${reason.priority} and has the greater address`;
    case 'owner-conflict':
      return `${formatIp(reason.peer)} also claims to own the addresses (priority ${reason.priority}) and does not yield`;
    case 'preempted':
      return `took over from ${formatIp(reason.peer)}, which advertises the lower priority ${reason.priority}`;
    case 'track-failed':
      return `failed: ${reason.tracks.join(', ')}`;
    case 'tracks-recovered':
      return `recovered: ${reason.tracks.join(', ')}`;
    case 'group': {
      const moves = `moves with ${reason.member} of its sync group`;
      return reason.why === undefined ? moves : `${moves}: ${describeReason(reason.why)}`;
    }
    default:
      return assertNever(reason);
  }
}

/** What a notice means; one sentence without a full stop. `source` is the address that caused it, if one did. */
export function describeNotice(notice: Notice, source?: IpAddress): string {
  const who = source === undefined ? 'another router' : formatIp(source);
  switch (notice) {
    case 'interval-bounded':
      return `${who} advertises an interval far above the configured one; it is not adopted`;
    case 'interval-mismatch':
      return `${who} advertises another interval than the configured one`;
    case 'address-list-mismatch':
      return `${who} advertises another list of addresses than the configured one`;
    case 'equal-priority-and-address':
      return `${who} advertises this virtual router from our own address: two hosts have the same address`;
    case 'owner-conflict':
      return `${who} also claims to own the addresses (priority 255)`;
    case 'address-conflict':
      return 'another host answers for a virtual address; it is not claimed while that host does';
    default:
      return assertNever(notice);
  }
}
