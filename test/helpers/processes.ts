/** Tests among real processes: starts a program several times and lets the copies run into each other. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

export const PROCESSES = 4;

type Surroundings = Readonly<Record<string, string | undefined>>;

/** Starts the program several times, lets all begin at once and returns what each sent back. */
export async function inProcesses(
  program: string,
  args: readonly string[],
  { processes = PROCESSES, env = {} }: { readonly processes?: number; readonly env?: Surroundings } = {},
): Promise<unknown[]> {
  const children = await Promise.all(Array.from({ length: processes }, () => started(program, args, env)));
  const results = children.map(async (child) => ((await once(child, 'message')) as [{ result: unknown }])[0].result);
  for (const child of children) child.send('go');
  return Promise.all(results);
}

/** Starts the program, and kills it after it has reported so many steps. */
export async function killedAfter(program: string, args: readonly string[], steps: number): Promise<void> {
  const child = await started(program, args);
  child.send('go');
  for (let seen = 0; seen < steps; seen += 1) await once(child, 'message');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function started(program: string, args: readonly string[], env: Surroundings = {}): Promise<ChildProcess> {
  const child = fork(program, args, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: { ...process.env, ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  return child;
}
