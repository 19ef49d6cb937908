/** Scripted servers on real ports, a store of the test, and a browser that approves by itself. */
import { afterEach } from 'vitest';
import type { CommandLineParts } from '../../src/cli/parts.ts';
import { type ListeningServers, type ListenOptions, listeningServers } from '../fixtures/scripted/scripted-servers.ts';
import { type CommandRun, type RunOptions, runCommand, temporaryDirectory } from './run-command.ts';

const open: ListeningServers[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((servers) => servers.close()));
});

export interface Surroundings {
  readonly servers: ListeningServers;
  readonly url: string;
  readonly store: string;
  /** Parts whose browser approves. */
  readonly approving: Partial<CommandLineParts>;
  /** Parts whose browser refuses. */
  readonly refusing: Partial<CommandLineParts>;
  /** Runs a command against the resource, with the store of the test. */
  command(name: string, args?: readonly string[], options?: RunOptions): Promise<CommandRun>;
}

export async function surroundings(options: ListenOptions = {}): Promise<Surroundings> {
  const servers = await listeningServers(options);
  open.push(servers);
  const store = await temporaryDirectory();
  const browser = (decide: (url: string) => Promise<string>): Partial<CommandLineParts> => ({
    openUrl: async (url) => {
      const callback = await decide(url);
      // A browser goes there by itself; nobody waits for the page.
      void fetch(callback).then((page) => page.text());
    },
  });
  const approving = browser((url) => servers.approve(url));
  return {
    servers,
    url: servers.resource.url,
    store,
    approving,
    refusing: browser((url) => servers.deny(url)),
    command: (name, args = [], given = {}) =>
      runCommand([name, servers.resource.url, '--store', store, ...args], { parts: approving, ...given }),
  };
}
