/** An inspector as a chart gets it. XState runs inspectors inside its transitions: what one throws would end the flow it looks at. */
import type { InspectionEvent } from 'xstate';
import type { Inspector } from '../options.ts';

/** @param complain called once, at the first event the inspector throws at; what it threw is told to nobody */
export function tolerantInspector(inspect: Inspector, complain: () => void): (event: InspectionEvent) => void {
  let hasFailed = false;
  return (event) => {
    try {
      if (typeof inspect === 'function') inspect(event);
      else inspect.next?.(event);
    } catch {
      if (!hasFailed) complain();
      hasFailed = true;
    }
  };
}
