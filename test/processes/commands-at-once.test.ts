/** The command of the README, started eight times at once on one directory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { COMPILE_CACHE } from '../helpers/built-program.ts';
import { KILL_TEST, lastsBeyondExpiry, sum } from '../helpers/kill-point.ts';
import { killScene } from '../helpers/kill-scene.ts';
import { PROCESSES } from '../helpers/many-processes.ts';
import { inFiles } from '../helpers/store-places.ts';

const COMMAND_LINE = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

type Line = Readonly<Record<string, unknown>>;

/** Runs `authchart`; resolves to what it wrote, and tells each line as it comes. */
async function authchart(args: readonly string[], onLine: (line: Line) => void): Promise<{ exitCode: number; lines: readonly Line[] }> {
  const child = spawn(process.execPath, [COMMAND_LINE, ...args], {
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: Line[] = [];
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    onLine(line);
  });
  const [exitCode] = (await once(child, 'close')) as [number];
  return { exitCode, lines };
}

describe('eight commands at once', KILL_TEST, () => {
  it('ask the user once, and are all answered (RES-02, REG-08, AUT-07, AUT-08, STO-02)', async (context) => {
    await using own = await inFiles(context);
    await using scene = await killScene(own);
    const { servers, person } = scene;
    const directory = own.place.kind === 'file' ? own.place.directory : '';
    const args = ['fetch', servers.resource.url, '--store', directory, '--no-open', '--json'];
    const startedAtMs = performance.now();
    const runs = await Promise.all(
      Array.from({ length: PROCESSES }, () =>
        authchart(args, ({ step, authorizationUrl }) => {
          if (step === 'awaiting-user') void person.approve(String(authorizationUrl)).then(person.comeBack);
        }),
      ),
    );
    const lines = runs.flatMap((run) => run.lines);
    expect(lines.filter(({ step }) => step === 'awaiting-user')).toHaveLength(1);
    expect(runs.map(({ exitCode }) => exitCode)).toEqual(Array(PROCESSES).fill(0));
    expect(lines.filter(({ type }) => type === 'response').map(({ status }) => status)).toEqual(Array(PROCESSES).fill(200));
    // Who follows shows the same page, until the same deadline.
    const shown = lines.flatMap(({ authorizationUrl, deadlineEpochSeconds }) =>
      authorizationUrl === undefined ? [] : [`${authorizationUrl} ${deadlineEpochSeconds}`],
    );
    expect(new Set(shown).size).toBe(1);
    expect(scene.count()).toEqual(sum({ approvals: 1, registrations: 1, codesSent: 1 }));
    expect(await own.openToOthers()).toEqual([]);
    context.task.meta.together = {
      situation: 'authchart fetch --no-open --json',
      store: own.place.kind,
      processes: PROCESSES,
      answered: runs.length,
      approvals: 1,
      registrations: 1,
      refreshes: 0,
      slowestMs: performance.now() - startedAtMs,
    };
    await lastsBeyondExpiry(scene);
  });
});
