/** What tracks may hold. */
import type { Track } from '../gen/baton/v1/resources.js';
import { checkPrefix } from './address-rules.js';
import { checkInterface, checkSpan, checkWhole, type Report, type SpanRange, within } from './field-rules.js';
import { checkTable } from './route-rules.js';
import { MICROS_PER_SECOND } from './time.js';
import { type CheckKinds, subjectOf } from './tracks.js';

/** The greatest weight that can matter between priorities 1 and 254. */
const MAX_WEIGHT = 253;
/** keepalived's for track_file: the least of them puts the router in fault. */
const MAX_FILE_WEIGHT = 254;

const HOLD: SpanRange = { min: 0, max: 3_600 * MICROS_PER_SECOND };

/**
 * @param taken Subjects that are tracked already, by their path; receives these.
 * @param path Where the tracks stand, for the path of the first of two.
 */
export function checkTracks(
  tracks: readonly Track[],
  kinds: CheckKinds,
  taken: Map<string, string>,
  path: string,
  report: Report,
): void {
  for (const [index, track] of tracks.entries()) {
    const at = within(report, `track[${index}]`);
    if ([track.check, track.interface, track.bfd, track.route].filter((name) => name !== '').length !== 1) {
      at('', 'must have exactly one of check, interface, bfd and route');
      continue;
    }
    if (track.interface !== '') {
      checkInterface(track.interface, 'interface', at);
    }
    if (track.route !== '') {
      checkPrefix(track.route, 'route', at);
      checkTable(track.table, 'table', at);
    } else if (track.table !== '') {
      at('table', 'is for a route; remove it');
    }
    const limit = kinds.get(track.check) === 'file' ? MAX_FILE_WEIGHT : MAX_WEIGHT;
    checkWhole(track.weight, -limit, limit, 'weight', at);
    checkSpan(track.upDelay, HOLD, 'upDelay', at);
    checkSpan(track.downDelay, HOLD, 'downDelay', at);
    const first = taken.get(subjectOf(track));
    if (first !== undefined) {
      at('', `tracks ${subjectOf(track)}, which ${first} does already; remove one`);
    } else {
      taken.set(subjectOf(track), `${path}track[${index}]`);
    }
  }
}
