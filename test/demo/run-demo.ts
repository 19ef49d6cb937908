/** A demonstration, run to its end as the npm script runs it. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface DemoEnd {
  readonly exitCode: number | null;
  readonly output: string;
  readonly errors: string;
}

export function runDemo(file: 'demo.ts' | 'gateway-demo.ts', ...parameters: readonly string[]): Promise<DemoEnd> {
  const demo = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, [demo, ...parameters], { env: { ...process.env, NO_COLOR: '1' } });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return new Promise((resolve) => child.once('close', (exitCode) => resolve({ exitCode, output, errors })));
}
