import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../fixtures/interrupted-program.ts', import.meta.url));

async function started() {
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  /** Goes on when that is the last it said. */
  const says = (word: string): Promise<void> => expect.poll(() => said.trim().split('\n').at(-1)).toBe(word);
  await says('ready');
  return { child, says, ended, said: () => said.trim().split('\n') };
}

describe('a command that is told to end', () => {
  it.each([
    ['SIGINT', 'SIGTERM', 'SIGTERM', [130, 143]],
    ['SIGTERM', 'SIGINT', 'SIGINT', [143, 130]],
    ['SIGINT', 'SIGINT', 'SIGINT', [130, 130]],
    ['SIGHUP', 'SIGTERM', 'SIGHUP', [129, 129]],
  ] as const)('by %s does so in order, takes %s at once for an echo, and ends at once by a later %s', async (first, echo, later, codes) => {
    const [inOrder, atOnce] = codes;
    const { child, says, ended, said } = await started();
    child.kill(first);
    await says(first);
    child.stdin.write('999');
    await says('now: 999');
    child.kill(echo);
    await says(echo);
    child.stdin.write('1000');
    await says('now: 1000');
    child.kill(later);
    expect(await ended).toEqual([atOnce, null]);
    expect(said()).toEqual(['ready', `interrupted: ${inOrder}`, first, 'now: 999', echo, 'now: 1000']);
  });
});
