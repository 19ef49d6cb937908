import { describe, expect, it } from 'vitest';
import type { CommandRun } from './run-command.ts';
import { surroundings } from './signed-in.ts';

describe('while a login waits for its user in another process', () => {
  it.each([
    ['status', 'A sign-in waits to be finished'],
    ['token', 'A sign-in to this resource waits to be finished'],
  ])('%s says so with 3, and leaves it alone', async (command, words) => {
    const around = await surroundings();
    const seen: CommandRun[] = [];
    const login = await around.command('login', [], {
      parts: {
        async openUrl(url) {
          seen.push(await around.command(command));
          await around.approving.openUrl?.(url);
        },
      },
    });
    expect(seen[0]?.exitCode).toBe(3);
    expect(`${seen[0]?.stdout}${seen[0]?.stderr}`).toContain(words);
    expect(login.exitCode).toBe(0);
    expect(around.servers.violations).toEqual([]);
  });

  it('logout says that it ended it, and not that there was nothing', async () => {
    const around = await surroundings();
    const seen: CommandRun[] = [];
    const login = await around.command('login', [], {
      parts: {
        async openUrl() {
          seen.push(await around.command('logout'));
        },
      },
    });
    expect(seen[0]?.exitCode).toBe(0);
    expect(seen[0]?.stdout).toContain('Ended the sign-in that was under way to');
    expect(login.exitCode).not.toBe(0);
  });
});
