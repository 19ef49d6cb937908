/** Work at the token endpoint that must not be lost half-way: whoever ends a session or closes the client waits for it. */
import type { Environment } from './environment.ts';

export interface Obtaining {
  /** Resolves when nothing is sent or stored on its behalf any more; never rejects. */
  readonly done: Promise<void>;
  /** Gives the request up. What has been answered already is stored all the same. */
  readonly giveUp: () => void;
}

/** Runs the work; `signal` is aborted when it is given up, not when the flow leaves it behind. */
export function obtaining<Result>(environment: Environment, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const { open } = environment;
  const controller = new AbortController();
  const result = work(controller.signal);
  const done = result.then(
    () => undefined,
    () => undefined,
  );
  const own: Obtaining = { done, giveUp: () => controller.abort() };
  open.obtaining = own;
  void done.then(() => {
    if (open.obtaining === own) open.obtaining = undefined;
  });
  return result;
}
