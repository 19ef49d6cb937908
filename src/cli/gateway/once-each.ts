/** Of all that is wrong with the settings what is worth telling: one thing about each. */
import { SETTINGS } from './setting-names.ts';
import type { GivenSettings } from './setting-sources.ts';

/**
 * Several parts get one setting and have their own words for the same mistake; and what a wrong setting means together
 * with others nobody knows before it is right.
 *
 * @param own begin with the name of the setting they are about
 * @param combined name every setting they depend on
 */
export function onceEach(own: readonly string[], combined: readonly string[], given: GivenSettings): readonly string[] {
  const labels = SETTINGS.map((setting) => given.label(setting));
  const told = new Set<string>();
  const first = own.filter((problem) => {
    const about = labels.find((label) => problem.startsWith(`${label} `) || problem.startsWith(`${label}: `)) ?? problem;
    return !told.has(about) && told.add(about);
  });
  const wrong = labels.filter((label) => told.has(label));
  const known = combined.filter((problem) => !wrong.some((label) => problem.includes(label)));
  return [...new Set([...first, ...known])];
}
