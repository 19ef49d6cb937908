/** A demonstration, run as the npm script runs it. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export interface DemoEnd {
  readonly exitCode: number | null;
  readonly output: string;
  readonly errors: string;
}

export interface ServingDemo {
  /** What it says when its servers are up. */
  readonly output: string;
  /** As Ctrl-C does. */
  interrupt(): Promise<DemoEnd>;
}

type DemoFile = 'demo.ts' | 'gateway-demo.ts';

/** To its end. */
export function runDemo(file: DemoFile, ...parameters: readonly string[]): Promise<DemoEnd> {
  return started(file, parameters).ended;
}

/** With `--serve`, until it has printed `last`. */
export async function serveDemo(file: DemoFile, last: RegExp): Promise<ServingDemo> {
  const { child, said, ended } = started(file, ['--serve']);
  // Not by SIGKILL, which would leave its files behind.
  onTestFinished(async () => {
    child.kill();
    await ended;
  });
  const up = new Promise<void>((resolve) => {
    child.stdout.on('data', () => {
      if (last.test(said.output)) resolve();
    });
  });
  const early = ended.then(({ errors }): never => {
    throw new Error(`The demonstration has ended: ${errors}`);
  });
  await Promise.race([up, early]);
  early.catch(() => {});
  return {
    output: said.output,
    interrupt() {
      child.kill('SIGINT');
      return ended;
    },
  };
}

function started(file: DemoFile, parameters: readonly string[]) {
  const demo = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, [demo, ...parameters], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { output: '', errors: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.errors += text;
  });
  const ended = new Promise<DemoEnd>((resolve) => child.once('close', (exitCode) => resolve({ exitCode, ...said })));
  return { child, said, ended };
}
