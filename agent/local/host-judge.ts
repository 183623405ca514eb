/** What stands in the way of the routers on this host, kept up to date and logged when it is new. */
import type { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import type { Scheduling } from '../../proto/gen/baton/v1/config.js';
import { type PreflightFinding, PreflightSeverity } from '../../proto/gen/baton/v1/status.js';
import type { Logger } from '../../proto/process/logger.js';
import { preflight } from './preflight-host.js';

export interface HostJudgeOptions {
  readonly log: Logger;
  readonly changed: () => void;
  /** Something new that stands in the way; hints are not told. */
  readonly found: (finding: PreflightFinding) => void;
  /** Absent: the host's. */
  readonly judge?: typeof preflight;
}

export class HostJudge {
  readonly #options: HostJudgeOptions;
  #findings: readonly PreflightFinding[] = [];
  /** Counts judgements: an older one that took longer does not count. */
  #epoch = 0;

  constructor(options: HostJudgeOptions) {
    this.#options = options;
  }

  get findings(): readonly PreflightFinding[] {
    return this.#findings;
  }

  /** Never rejects: what cannot be judged is logged, and what was found before stays. */
  async judge(bundle: Bundle, scheduling: Scheduling | undefined): Promise<readonly PreflightFinding[]> {
    const { log, changed, found, judge = preflight } = this.#options;
    this.#epoch += 1;
    const epoch = this.#epoch;
    try {
      const findings = await judge(bundle, scheduling);
      if (epoch !== this.#epoch) return findings;
      const known = new Set(this.#findings.map(keyOf));
      for (const finding of findings) {
        if (known.has(keyOf(finding))) continue;
        this.#log(finding);
        if (finding.severity !== PreflightSeverity.HINT) found(finding);
      }
      this.#findings = findings;
      changed();
    } catch (err) {
      log.warn({ err }, 'this host could not be judged');
    }
    return this.#findings;
  }

  #log({ severity, subject, message, remedy, routers }: PreflightFinding): void {
    const level = severity === PreflightSeverity.HINT ? 'info' : 'warn';
    this.#options.log[level]({ subject, detail: message, remedy, routers }, 'something on this host stands in the way');
  }
}

function keyOf({ subject, message, routers }: PreflightFinding): string {
  return [subject, message, ...routers].join('\n');
}
