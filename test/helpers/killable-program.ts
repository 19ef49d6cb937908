/** Starts the program under test, gives it tasks, and kills it as the machine would: with SIGKILL, by its number. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Outcome, ProgramSetup, Report, Task } from '../fixtures/killable/contract.ts';
import { builtProgram, COMPILE_CACHE } from './built-program.ts';

const PROGRAM = new URL('../fixtures/killable/program.ts', import.meta.url);
let built: Promise<string> | undefined;

export interface Program {
  readonly pid: number;
  /** What became of the task; never settles if the program is killed before. */
  do(task: Task): Promise<Outcome>;
  /** How long it waited for a processor while it worked on its tasks. */
  readonly queuedMs: number;
  /** It runs no further, and does not notice. */
  freeze(): void;
  /** Resolves once the process is gone. May be called again. */
  kill(): Promise<void>;
  /** Resolves when the process is gone, whoever killed it. */
  readonly gone: Promise<void>;
}

/** Where the user is waited for, and until when. */
export interface Page {
  readonly authorizationUrl: string;
  readonly deadlineEpochSeconds: number;
}

export interface ProgramEvents {
  readonly onOpening?: (authorizationUrl: string, program: Program) => void;
  readonly onAwaitingUser?: (page: Page, program: Program) => void;
  /** Asked before each dealing with the world, if the setup says so: the program waits for `goOn`. */
  readonly onDealing?: (dealing: string, program: Program, goOn: () => void) => void;
}

export async function startProgram(setup: ProgramSetup, events: ProgramEvents = {}): Promise<Program> {
  built ??= builtProgram(PROGRAM);
  const child = fork(await built, [JSON.stringify(setup)], {
    execArgv: [],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const gone = once(child, 'exit').then(() => undefined);
  const waiting = new Map<number, (outcome: Outcome) => void>();
  let given = 0;
  let queuedMs = 0;

  const program: Program = {
    pid: child.pid ?? 0,
    gone,
    get queuedMs() {
      return queuedMs;
    },
    do(task) {
      given += 1;
      const id = given;
      return new Promise((resolve) => {
        waiting.set(id, resolve);
        child.send({ ...task, id });
      });
    },
    freeze: () => void child.kill('SIGSTOP'),
    kill() {
      child.kill('SIGKILL');
      return gone;
    },
  };

  let isReady = (): void => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const listeners: { readonly [Kind in Report['is']]: (report: Extract<Report, { is: Kind }>) => void } = {
    ready: () => isReady(),
    opening({ authorizationUrl }) {
      events.onOpening?.(authorizationUrl, program);
      // Killed by now, it never hears that.
      order(child, 'opened');
    },
    'awaiting user': ({ authorizationUrl, deadlineEpochSeconds }) =>
      events.onAwaitingUser?.({ authorizationUrl, deadlineEpochSeconds }, program),
    dealing: ({ dealing }) => events.onDealing?.(dealing, program, () => order(child, 'go on')),
    done(report) {
      queuedMs += report.queuedMs;
      waiting.get(report.id)?.(report.outcome);
    },
  };
  child.on('message', (report: Report) => (listeners[report.is] as (report: Report) => void)(report));
  await Promise.race([ready, gone.then(() => Promise.reject(new Error('The program under test did not start.')))]);
  return program;
}

function order(child: ChildProcess, given: 'go on' | 'opened'): void {
  // It may have been killed in between: then nobody waits for the answer.
  if (child.connected) child.send(given, () => undefined);
}
