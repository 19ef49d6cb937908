/** A program and all that it starts, as one group: what is said to the gateway's own group, such as Ctrl-C, is not said to it. */
import type { ChildProcess } from 'node:child_process';
import spawn from 'cross-spawn';

export interface ProcessGroup {
  readonly process: ChildProcess;
  /** Asks the program to end by the end of its stdin, tells the whole group, and kills it: within some four seconds. */
  end(): Promise<void>;
}

/** Told to end, after stdin has; killed, after it was told. */
const PATIENCE_MS = 2_000;
const LOOK_MS = 50;

/** Windows has no groups that one could signal. */
const HAS_GROUPS = process.platform !== 'win32';

/** Nobody else would end them where this process ends at once: they are not in its group. */
const alive = new Set<ChildProcess>();
let isWatching = false;

/** @param env all of its environment. Emits `error` where it cannot be started, as `spawn` does */
export function startGroup([program, ...args]: readonly [string, ...string[]], env: Readonly<Record<string, string>>): ProcessGroup {
  const child = spawn(program, args, { env, stdio: 'pipe', shell: false, windowsHide: true, detached: HAS_GROUPS });
  killAllAtEnd();
  alive.add(child);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => {
      if (child.pid === undefined) resolve();
    });
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let ending: Promise<void> | undefined;
  const end = (): Promise<void> => {
    ending ??= (async () => {
      child.stdin?.end();
      await within(PATIENCE_MS, exited);
      if (signal(child, 'SIGTERM') && !(await isGone(child))) signal(child, 'SIGKILL');
      alive.delete(child);
      // Its last words. What has left the group may hold them open for ever, and is not waited for.
      await within(PATIENCE_MS, closed);
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
    })();
    return ending;
  };
  // Where the program ends by itself, what it has started goes with it.
  void exited.then(end);
  return { process: child, end };
}

function killAllAtEnd(): void {
  if (isWatching) return;
  isWatching = true;
  process.once('exit', killAll);
  // It ends a process without `exit`. Sent again, it does so as if nobody had listened, with a core dump where one is wanted.
  process.once('SIGQUIT', () => {
    killAll();
    process.kill(process.pid, 'SIGQUIT');
  });
}

function killAll(): void {
  for (const one of alive) signal(one, 'SIGKILL');
}

/** @returns false where nobody is left */
function signal({ pid, exitCode, signalCode }: ChildProcess, name: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false;
  try {
    // The number of a group is not given away while anybody is in it.
    if (HAS_GROUPS) return process.kill(-pid, name);
    return exitCode === null && signalCode === null && process.kill(pid, name);
  } catch {
    return false;
  }
}

async function isGone(child: ChildProcess): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += LOOK_MS) {
    if (!signal(child, 0)) return true;
    await pause(LOOK_MS);
  }
  return false;
}

// By the clock of the system: processes live by that one.
const pause = (durationMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, durationMs));

async function within(mostMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, mostMs)))]);
  clearTimeout(timer);
}
