/** `authchart gateway` as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const STARTS_WITHIN_MS = 30_000;

export interface GatewayProcess extends AsyncDisposable {
  /** What it says when it listens. */
  readonly announcement: string;
  /** Rejects when it ends before it is told to, with what it said last. */
  readonly ended: Promise<never>;
}

/** @param env beside what every process needs; secrets go here, since every user of a machine can read command lines */
export async function startGatewayProcess(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<GatewayProcess> {
  const { PATH = '', FORCE_COLOR = '', NO_COLOR = '' } = process.env;
  const wantsColour = NO_COLOR === '' && (FORCE_COLOR !== '' || process.stdout.isTTY);
  const colour = wantsColour ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' };
  const child = spawn(process.execPath, [MAIN, 'gateway', ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, ...colour, ...env },
  });
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const said = { stdout: '', stderr: '' };
  const listening = new Promise<void>((resolve) => {
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
        if (/Listening at[\s\S]*Ctrl-C/.test(said.stdout + said.stderr)) resolve();
      });
    }
  });
  const closed = once(child, 'close');
  const ended = closed.then(([exitCode]): never => {
    throw new Error(`The gateway has ended with exit code ${exitCode}.\n${`${said.stdout}${said.stderr}`.trim()}`);
  });
  ended.catch(() => {});
  try {
    await Promise.race([listening, ended, tooLate()]);
  } catch (thrown) {
    endWithUs();
    throw thrown;
  }
  return { announcement: said.stdout + said.stderr, ended, [Symbol.asyncDispose]: () => stop(child, closed) };
}

async function stop(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  await closed;
}

function tooLate(): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error('The gateway has said nothing for 30 seconds.')), STARTS_WITHIN_MS).unref();
  });
}
