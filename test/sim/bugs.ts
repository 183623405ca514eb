/** All seeded bugs by name. A simulation that does not tell a broken core from the real one proves nothing. */
import type { Core } from './core.js';
import { GROUP_MUTATIONS } from './group-mutations.js';
import { HOST_MUTATIONS } from './host-mutations.js';
import { MUTATIONS } from './mutations.js';

/** Each makes a broken core; a new one for every run, since some of them remember something. */
export const BUGS: Readonly<Record<string, () => Core>> = {
  ...stateless(MUTATIONS),
  ...stateless(GROUP_MUTATIONS),
  ...HOST_MUTATIONS,
};

/** No bug has that name. */
export class UnknownBug extends Error {
  readonly code = 'SIM_UNKNOWN_BUG';

  constructor(name: string) {
    super(`no seeded bug is named "${name}"; "npm run mutations -- --list" names them all`);
    this.name = 'UnknownBug';
  }
}

export function bugNamed(name: string): () => Core {
  const bug = BUGS[name];
  if (bug === undefined) throw new UnknownBug(name);
  return bug;
}

function stateless(cores: Readonly<Record<string, Core>>): Record<string, () => Core> {
  return Object.fromEntries(Object.entries(cores).map(([name, core]) => [name, () => core]));
}
