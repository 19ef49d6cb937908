/** Where a file store goes when nothing is said: the platform's place for a program's state. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/**
 * `$XDG_STATE_HOME/authchart` or `~/.local/state/authchart`;
 * `~/Library/Application Support/authchart` on macOS; `%LOCALAPPDATA%\authchart` on Windows.
 */
export function defaultStoreDirectory(
  { platform, environment, home }: Surroundings = { platform: process.platform, environment: process.env, home: homedir() },
): string {
  if (platform === 'win32') return join(environment['LOCALAPPDATA'] || join(home, 'AppData', 'Local'), 'authchart');
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'authchart');
  const stateHome = environment['XDG_STATE_HOME'];
  // The XDG specification has relative paths ignored.
  return join(stateHome !== undefined && isAbsolute(stateHome) ? stateHome : join(home, '.local', 'state'), 'authchart');
}
