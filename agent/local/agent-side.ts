/**
 * What the controller link may ask of the agent and what it tells it: the only thing the two know of each other. The
 * link (agent/control) holds the connection, sequences of status reports and back-off; everything else is behind this.
 * All of it lives on the worker thread; none of it throws but where said, and nothing here reaches an election.
 */
import type { AgentHello, BundlePush } from '../../proto/gen/baton/v1/agent_service.js';
import type { Event, Refusal } from '../../proto/gen/baton/v1/events.js';
import type { NodeStatus } from '../../proto/gen/baton/v1/status.js';

/** What was decided about a pushed bundle. */
export interface BundleVerdict {
  /** True: wholly in force and stored durably. False: the one before stays in force, for the reasons given. */
  readonly accepted: boolean;
  readonly refusals: readonly Refusal[];
}

/** How the connection stands, as the link sees it. */
export interface LinkUpdate {
  readonly state: 'connecting' | 'connected';
  /** HOST:PORT being tried or connected to; empty while waiting to try again. */
  readonly address: string;
  /** Why not connected; empty when connected or nothing went wrong yet. */
  readonly error: string;
  /** Name of the node as the controller's welcome has it; absent before. */
  readonly node?: string;
}

/** Takes a listener away again. Calling it twice does nothing. */
export type Unsubscribe = () => void;

export interface AgentSide {
  /** The first message of a stream; the link adds its own status sequence. */
  hello(): Promise<Omit<AgentHello, 'statusSequence'>>;

  /** Complete state, for a hello or after a gap. */
  fullStatus(): Promise<NodeStatus>;

  /**
   * Called with what changed: everything of the node itself, and only those routers and checks that are new or
   * different since the call before. `full` is true when something ceased to exist and the lists are complete.
   */
  onStatusChanged(listener: (status: NodeStatus, full: boolean) => void): Unsubscribe;

  /** Stored events with a greater sequence, oldest first, without gaps but for dropped ones. Reads from memory. */
  pendingEvents(afterSequence: number, limit: number): readonly Event[];

  /** Called after events were added; fetch them with pendingEvents. */
  onEvents(listener: () => void): Unsubscribe;

  /** The controller has stored every event up to this sequence; they are deleted here. */
  eventsAccepted(throughSequence: number): void;

  /**
   * Judges a push whole, puts it in force by the smallest difference and stores it, or refuses it. Pushes are handled
   * one after the other in order of arrival. The same bundle again is accepted and changes nothing. Never rejects.
   */
  applyBundle(push: BundlePush): Promise<BundleVerdict>;

  /** Shown in the status. */
  linkState(update: LinkUpdate): void;
}
