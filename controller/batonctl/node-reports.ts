/** What nodes say of themselves, asked one by one. */
import type { NodeReport } from '../../proto/rules/what-if.js';
import { isNotFound } from './call-failure.js';
import type { Session } from './session.js';

export interface DatedReport extends NodeReport {
  readonly lastSeen: Date | undefined;
}

/** Nodes asked at the same time. */
const AT_ONCE = 16;

/** In the order of the names. A node that has not joined has said nothing. @throws Failure when the controller is not there */
export async function reportsOf(session: Session, nodes: readonly string[]): Promise<DatedReport[]> {
  const reports: DatedReport[] = [];
  for (let from = 0; from < nodes.length; from += AT_ONCE) {
    const batch = nodes.slice(from, from + AT_ONCE).map((node) => reportOf(session, node));
    reports.push(...(await Promise.all(batch)));
  }
  return reports;
}

async function reportOf(session: Session, node: string): Promise<DatedReport> {
  try {
    const { status, connected, lastSeen } = await session.call(
      `read the status of ${node}`,
      ({ status: service }) => service.getNodeStatus.bind(service),
      { node },
    );
    return { node, status, connected, lastSeen };
  } catch (error) {
    // A member that has not joined yet.
    if (!isNotFound(error)) throw error;
    return { node, status: undefined, connected: false, lastSeen: undefined };
  }
}
